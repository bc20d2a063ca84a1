"""Decisions behind the portal's pages: moments, states, words, links, tokens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
from unit.curricula_support import write_curriculum

from ulab_core.layout import Layout
from ulab_coursework.standing import Standing, State
from ulab_curricula import load_curriculum, publish
from ulab_portal import moments
from ulab_portal.areas import area, areas, learn_from
from ulab_portal.assets import asset_url, file_of
from ulab_portal.guard import StalePage, Tokens
from ulab_portal.people import split_names
from ulab_portal.servers import formgrader_address, open_address
from ulab_portal.states import LabState, distribution, lab_state, percent, points

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 9, 1, 4, 0, tzinfo=UTC)


def standing(state: State, withheld: bool = False) -> Standing:
    return Standing(
        id="1", person="alice", assignment="sums", sha256="0" * 64, size=1, via="portal",
        language="zh", received_at=NOW, state=state, graded_at=None, score=None, max_score=None,
        problem=None, feedback=False, withheld=withheld,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("newest", "due_in_hours", "expected"),
    [
        (None, None, LabState.TO_DO),
        (None, 1, LabState.TO_DO),
        (None, -1, LabState.MISSED),
        (standing(State.QUEUED), -1, LabState.QUEUED),
        (standing(State.RUNNING), None, LabState.GRADING),
        (standing(State.FAILED), None, LabState.FAILED),
        (standing(State.GRADED), None, LabState.GRADED),
        (standing(State.GRADED, withheld=True), None, LabState.WITHHELD),
    ],
)
def test_a_labs_state_follows_from_the_newest_submission_and_the_deadline(
    newest: Standing | None, due_in_hours: int | None, expected: LabState
) -> None:
    due = None if due_in_hours is None else NOW + timedelta(hours=due_in_hours)
    assert lab_state(newest, due, NOW) is expected


def test_moments_are_told_in_the_sites_zone_and_the_pages_language() -> None:
    assert moments.exact(NOW, ZONE, "zh", NOW) == "9月1日 周二 12:00"
    assert moments.exact(NOW, ZONE, "en", NOW) == "Tue 1 Sept, 12:00"
    next_year = NOW + timedelta(days=200)
    assert "2027" in moments.exact(next_year, ZONE, "en", NOW)
    assert moments.relative(NOW + timedelta(days=3), "zh", NOW) == "3天后"
    assert moments.relative(NOW - timedelta(hours=2), "en", NOW) == "2 hours ago"


def test_the_year_is_that_of_the_sites_zone() -> None:
    new_year = datetime(2026, 12, 31, 17, 0, tzinfo=UTC)  # already 2027 in Shanghai
    assert "2027" in moments.exact(new_year, ZONE, "zh", NOW)


def test_a_deadline_is_entered_in_the_sites_zone() -> None:
    found = moments.entered("2026-09-01T23:59", ZONE)
    assert found is not None
    assert found.astimezone(UTC) == datetime(2026, 9, 1, 15, 59, tzinfo=UTC)
    assert moments.for_field(found, ZONE) == "2026-09-01T23:59"
    assert moments.entered("  ", ZONE) is None
    with pytest.raises(moments.BadMoment) as refused:
        moments.entered("tomorrow", ZONE)
    assert "tomorrow" in str(refused.value)


def test_the_suggested_deadline_is_the_end_of_a_day_there() -> None:
    suggested = moments.suggested_deadline(NOW, ZONE)
    assert moments.for_field(suggested, ZONE) == "2026-09-08T23:59"


def test_points_and_percents() -> None:
    assert [points(8.0), points(7.5), points(None), points(0)] == ["8", "7.5", "–", "0"]
    assert percent(3, 4) == 75
    assert percent(None, 4) is None
    assert percent(3, 0) is None
    assert distribution([0, 9, 10, 100]) == [2, 1, 0, 0, 0, 0, 0, 0, 0, 1]


def test_names_may_be_pasted_as_they_come() -> None:
    assert split_names("LiWei, zhang.min；liwei\n\n chen-1、 wu") == [
        "liwei", "zhang.min", "chen-1", "wu",
    ]  # fmt: skip
    assert split_names(" \n") == []


def test_the_open_link_starts_the_right_machine_and_comes_back_to_the_lab() -> None:
    parts = urlsplit(open_address("/", "li.wei", "vision-2026", "garments", "gpu"))
    query = parse_qs(parts.query)
    assert parts.path == "/hub/spawn/li.wei"
    assert query["opt-profile"] == ["gpu"]
    assert query["next"] == ["/user/li.wei/ulab/open?course=vision-2026&assignment=garments"]
    parts = urlsplit(formgrader_address("/base/", "lin", "vision-2026"))
    assert parts.path == "/base/hub/spawn/lin/grade-vision-2026"
    assert parse_qs(parts.query)["next"] == [
        "/base/user/lin/grade-vision-2026/formgrader/gradebook"
    ]
    parts = urlsplit(formgrader_address("/", "lin", "vision-2026", "garments"))
    [place] = parse_qs(parts.query)["next"]
    assert place == "/user/lin/grade-vision-2026/formgrader/gradebook/garments/garments"


def test_an_area_that_came_with_a_curriculum_of_others_has_its_title(tmp_path: Path) -> None:
    folder = write_curriculum(tmp_path)
    for file in (tmp_path / "curricula").rglob("*.yaml"):
        text = file.read_text("utf-8").replace("image-recognition", "farming")
        file.write_text(text.replace("图像识别", "农业"), "utf-8")
    lab = tmp_path / "labs" / "image-recognition"
    lab.rename(lab.with_name("farming"))
    manifest = lab.with_name("farming") / "sums" / "lab.yaml"
    manifest.write_text(
        manifest.read_text("utf-8").replace("image-recognition", "farming"), "utf-8"
    )
    layout = Layout(tmp_path / "state")
    publish(load_curriculum(folder), layout)
    assert area("farming").title("zh") == "farming"
    learn_from(layout)
    assert area("farming").title("zh") == "农业"
    assert area("smart-medicine").title("zh") == "智慧医疗"
    learn_from(Layout(tmp_path / "other"))
    assert area("farming").title("zh") == "farming"


def test_an_area_nobody_drew_still_has_a_title_an_accent_and_an_icon() -> None:
    unknown = area("speech-recognition")
    assert unknown.title("zh") == "speech-recognition"
    assert "<svg" in unknown.icon
    assert [found.position for found in areas().values()] == list(range(len(areas())))
    assert area("smart-medicine").title("zh") == "智慧医疗"


def test_only_listed_files_are_assets() -> None:
    assert file_of("portal.css") is not None
    assert file_of("ulab.css") is not None
    assert file_of("vendor/htmx.js") is not None
    for wrong in ("../page.py", "vendor/../page.py", "icons/default.svg", "", "nothing.js"):
        assert file_of(wrong) is None
    assert asset_url("portal.css") == asset_url("portal.css")
    assert asset_url("portal.css").split("?")[1] != asset_url("ulab.css").split("?")[1]


async def test_a_form_token_is_good_for_its_person_alone() -> None:
    tokens, others = Tokens(b"k" * 32), Tokens(b"o" * 32)

    def sent(token: str) -> SimpleNamespace:
        return SimpleNamespace(headers={"x-csrf-token": token})

    await tokens.check(sent(tokens.make("alice")), "alice")  # type: ignore[arg-type]
    for wrong in (tokens.make("bob"), others.make("alice"), "", "alice"):
        with pytest.raises(StalePage):
            await tokens.check(sent(wrong), "alice")  # type: ignore[arg-type]
