"""The runs of a class in the portal, over a real MLflow: who sees them, and what they come to."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from html import unescape
from typing import Any

import pytest
from integration.mlflow_support import ENERGY, VISION, Site, running_site
from integration.portal_support import Browser, KnownPeople
from starlette.applications import Starlette

from ulab_core.models import Role
from ulab_coursework.courses import enrol, ensure_person, remove
from ulab_mlflow import class_runs
from ulab_portal.app import create_app

API = "/api/2.0/mlflow"
LAB = f"courses/{VISION}/teach/labs/garments"
PAGES = (f"{LAB}/runs", f"{LAB}/runs/compared", f"{LAB}/runs.csv", f"{LAB}/runs/all.csv")


@dataclass
class Class:
    site: Site
    app: Starlette

    def browser(self, person: str, language: str = "en") -> Browser:
        return Browser(self.app, person, language)

    def forget(self) -> None:
        """What was read before is not shown again."""
        known = class_runs.ClassRuns.of(self.site.settings)
        self.app.state.portal = replace(self.app.state.portal, class_runs=known)

    def compared(self, person: str = "prof", language: str = "en", **asked: str) -> str:
        self.forget()
        query = "&".join(f"{key}={value}" for key, value in asked.items())
        found = self.browser(person, language).see(f"{LAB}/runs/compared?{query}")
        assert found.status_code == 200, found.text
        return found.text


def log(
    site: Site, person: str, name: str, state: str, params: dict[str, str], **metrics: Any
) -> str:
    """A run that a student logs, the way their notebook does."""
    with site.client(person) as client:
        asked = {
            "experiment_id": site.experiment_of(person),
            "run_name": name,
            "start_time": int(time.time() * 1000),
            # What a notebook claims says nothing.
            "tags": [{"key": "mlflow.user", "value": "lin"}],
            "user_id": "lin",
        }
        run_id = str(client.post(f"{API}/runs/create", json=asked).json()["run"]["info"]["run_id"])
        batch = {
            "run_id": run_id,
            "params": [{"key": key, "value": value} for key, value in params.items()],
            "metrics": [
                {"key": key, "value": value, "timestamp": step, "step": step}
                for key, values in metrics.items()
                for step, value in enumerate(values if isinstance(values, list) else [values])
            ],
        }
        assert client.post(f"{API}/runs/log-batch", json=batch).is_success
        if state != "RUNNING":
            client.post(f"{API}/runs/update", json={"run_id": run_id, "status": state})
    return run_id


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Class]:
    with running_site(tmp_path_factory.mktemp("class")) as site:
        with site.database.write() as session:
            for name in ("zhao", "sun", "newcomer", "leaver", "dora"):
                ensure_person(session, name, display_name=f"{name.title()} <b>")
            for name in ("zhao", "sun", "newcomer", "leaver"):
                enrol(session, VISION, name, Role.STUDENT, "prof")
            enrol(session, ENERGY, "dora", Role.STUDENT, "dean")
        yield Class(site, create_app(site.settings, KnownPeople()))


@pytest.fixture(scope="module")
def filled(base: Class) -> Class:
    site = base.site
    log(site, "lin", "first", "FINISHED", {"lr": "0.1"}, accuracy=[0.99, 0.5], loss=0.9)
    log(site, "lin", "second", "FAILED", {"lr": "0.01"}, accuracy=0.75, loss=0.6)
    log(site, "wang", "<script>alert(1)</script>", "RUNNING", {"lr": "0.001"}, accuracy=0.625)
    log(site, "zhao", "diverged", "FINISHED", {"lr": "10"}, accuracy="NaN", loss="Infinity")
    log(site, "sun", "empty", "FINISHED", {"lr": "1"})
    log(site, "leaver", "gone", "FINISHED", {"lr": "1"}, accuracy=1.0)
    log(site, "ta", "example", "FINISHED", {"lr": "1"}, accuracy=1.0)
    with site.database.write() as session:
        remove(session, VISION, "leaver", "prof")
    base.forget()
    return base


def ids(found: class_runs.Logged) -> list[str]:
    return [run.id for run in found.runs]


def chart(page: str, name: str) -> Any:
    found = re.search(f'data-{name}="([^"]+)"', page)
    assert found
    return json.loads(unescape(found.group(1)))


@pytest.mark.parametrize("path", PAGES)
def test_only_who_teaches_the_course_sees_its_runs(base: Class, path: str) -> None:
    for person in ("prof", "ta"):
        assert base.browser(person).see(path).status_code == 200, person
    for person in ("lin", "wang", "dean", "dora", "stranger", "root"):
        found = base.browser(person).see(path)
        assert found.status_code == 403, person
        assert "wang" not in found.text or person == "wang"


def test_a_class_without_runs_is_told_so(base: Class) -> None:
    for lab in ("garments", "unpublished"):
        path = f"courses/{ENERGY}/teach/labs/{lab}/runs/compared"
        page = base.browser("dean").see(path).text
        assert 'id="no-runs"' in page
        assert 'data-silent="dora"' in page
        assert "还没有运行记录" in base.browser("dean", "zh").see(path).text
    assert base.browser("dean").see(f"courses/{ENERGY}/teach/labs/none/runs").status_code == 404


def test_each_student_is_compared_by_the_best_run(filled: Class) -> None:
    page = filled.compared()
    # The last value of a run counts: the first one had 0.99 on its way.
    assert chart(page, "dots")["dots"] == [["lin", 0.75], ["wang", 0.625]]
    assert chart(page, "dots")["quartiles"] == [0.65625, 0.6875, 0.71875]
    assert [re.findall(r'<tr data-student="(\w+)"', page)] == [["lin", "wang"]]
    assert "higher is better" in page
    assert "2 of 5 students have a value" in page
    for person, shown in (("zhao", "1 is NaN or ∞"), ("sun", "1 run")):
        row = page[page.index(f'<li data-student="{person}"') :].split("</li>")[0]
        assert shown in row
    assert re.findall(r'data-silent="(\w+)"', page) == ["newcomer"]
    assert "leaver" not in page
    assert "example" not in page
    assert f"course={VISION}&amp;assignment=garments&amp;person=wang" in page


def test_the_good_end_and_the_metric_can_be_chosen(filled: Class) -> None:
    loss = filled.compared(metric="loss")
    assert "lower is better" in loss
    assert chart(loss, "dots")["dots"] == [["lin", 0.6]]
    worst = filled.compared(metric="loss", better="higher")
    assert chart(worst, "dots")["dots"] == [["lin", 0.9]]
    assert "Nobody has logged “gone”" in filled.compared(metric="gone")
    # What is asked for is nobody's word but a name.
    assert "<i>" not in filled.compared(metric="<i>", better="<i>", against="param:<i>")


def test_runs_are_plotted_against_a_parameter(filled: Class) -> None:
    page = filled.compared(against="param:lr")
    found = chart(page, "scatter")
    assert found["kind"] == "log"
    assert sorted(dot[:2] for dot in found["dots"]) == [[0.001, 0.625], [0.01, 0.75], [0.1, 0.5]]
    listed = page[page.index('id="all-runs"') :]
    for value in ("0.625", "0.75", "0.5", "running", "failed"):
        assert value in listed, "the list has what the plot has"
    assert chart(filled.compared(against="time"), "scatter")["kind"] == "time"


def test_what_students_wrote_is_text(filled: Class) -> None:
    page = filled.compared()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
    assert "Newcomer &lt;b&gt;" in page


def test_who_a_run_belongs_to_is_not_what_it_claims(filled: Class) -> None:
    text = filled.browser("prof").see(f"{LAB}/runs/all.csv").text.removeprefix("\ufeff")
    rows = {row["Run"]: row for row in csv.DictReader(io.StringIO(text))}
    assert {run: row["Account"] for run, row in rows.items()} == {
        "first": "lin",
        "second": "lin",
        "<script>alert(1)</script>": "wang",
        "diverged": "zhao",
        "empty": "sun",
    }
    assert math.isnan(float(rows["diverged"]["accuracy"]))


def test_students_can_be_taken_as_a_spreadsheet(filled: Class) -> None:
    answer = filled.browser("ta").see(f"{LAB}/runs.csv?metric=accuracy")
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [(row["Account"], row["Place"], row["Best value"]) for row in rows] == [
        ("lin", "1", "0.75"),
        ("wang", "2", "0.625"),
        ("sun", "", ""),
        ("zhao", "", ""),
        ("newcomer", "", ""),
    ]


def test_the_page_reads_after_it_is_shown_and_then_keeps_it(filled: Class) -> None:
    filled.forget()
    prof = filled.browser("prof")
    first = prof.see(f"{LAB}/runs?metric=loss").text
    assert 'id="reading"' in first
    assert "runs/compared?metric=loss" in first
    prof.see(f"{LAB}/runs/compared")
    assert 'id="students"' in prof.see(f"{LAB}/runs?metric=loss").text


def test_a_class_of_many_pages_is_read_whole(
    filled: Class, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = class_runs.ClassRuns.of(filled.site.settings).read(VISION, "garments")
    for name in ("_RUNS_A_PAGE", "_EXPERIMENTS_A_PAGE"):
        monkeypatch.setattr(class_runs, name, 2)
    paged = class_runs.ClassRuns.of(filled.site.settings).read(VISION, "garments")
    assert ids(paged) == ids(whole)
    assert len(ids(paged)) == 7
    assert not paged.cut
    monkeypatch.setattr(class_runs, "MOST_RUNS", 4)
    cut = class_runs.ClassRuns.of(filled.site.settings).read(VISION, "garments")
    assert ids(cut) == ids(whole)[:4]
    assert cut.cut


def test_without_mlflow_the_page_says_so_and_the_portal_stands(filled: Class) -> None:
    filled.site.server.kill()
    filled.forget()
    prof = filled.browser("prof")
    assert prof.see(f"{LAB}/runs").status_code == 200
    for language, said in (("en", "Experiment tracking is being restarted"), ("zh", "实验跟踪")):
        page = filled.compared(language=language)
        assert 'id="away"' in page
        assert said in page
    assert prof.see(f"{LAB}/runs.csv").status_code == 503
    assert prof.see().status_code == 200
    filled.site.server.start()
    assert 'id="students"' in filled.compared()
