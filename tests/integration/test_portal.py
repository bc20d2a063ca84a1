"""The portal's pages: what each person may see and do, what is refused, and how it is said."""

from __future__ import annotations

import io
import re
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from integration.coursework_support import COURSE, LAB, OTHER_LAB, answer, publish_version
from integration.portal_support import ORIGIN, PREFIX, Portal, make_portal
from sqlalchemy import select

from ulab_core.models import (
    Assignment,
    Course,
    Enrolment,
    FeedbackPolicy,
    Job,
    JobState,
    LateRule,
    Person,
)
from ulab_coursework.courses import enrol, ensure_person, find_assignment, role_in
from ulab_portal.servers import OwnServer

LAB_PAGE = f"courses/{COURSE}/labs/{LAB}"
TEACH = f"courses/{COURSE}/teach"
TEACH_LAB = f"{TEACH}/labs/{LAB}"


@pytest.fixture
def portal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Portal:
    return make_portal(tmp_path, monkeypatch)


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """A portal shared by tests that change nothing."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        yield make_portal(tmp_path_factory.mktemp("portal"), monkeypatch)


def test_a_new_course_runs_the_newest_version_unless_an_older_one_is_chosen(
    portal: Portal,
) -> None:
    publish_version(portal.base.layout, "2")
    page = portal.browser("carol", "en").see("new-course").text
    offered = re.findall(r'value="sums-foundations@(\d)"( checked)?', page)
    assert offered == [("2", " checked"), ("1", "")]
    newest, _, older = page.partition('id="older"')
    assert "sums-foundations@2" in newest
    assert "sums-foundations@1" in older


@pytest.mark.parametrize(
    ("path", "language", "said"),
    [
        (f"courses/{COURSE}", "zh", ["知道什么时候求和", "会加法"]),
        (f"courses/{COURSE}", "en", ["Know when to sum", "You can add"]),
        (LAB_PAGE, "zh", ["会求一张表的和", "会用循环", "基础实验"]),
        (LAB_PAGE, "en", ["Sum a table", "You have used loops", "Foundation lab"]),
    ],
)
def test_a_student_is_told_what_it_leads_to_and_takes_for_granted(
    unchanged: Portal, path: str, language: str, said: list[str]
) -> None:
    page = unchanged.browser("alice", language).see(path).text
    assert [words for words in said if words not in page] == []


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(
    ("path", "allowed", "refused"),
    [
        ("", {"alice", "carol", "dave", "root"}, {}),
        (f"courses/{COURSE}", {"alice", "carol", "root"}, {"dave": 403}),
        (LAB_PAGE, {"alice", "carol"}, {"dave": 403, "root": 403}),
        (f"{LAB_PAGE}/state", {"alice", "carol"}, {"dave": 403}),
        # Not published yet: only its instructor may see it.
        (f"courses/{COURSE}/labs/{OTHER_LAB}", {"carol"}, {"alice": 404, "dave": 403}),
        (f"courses/{COURSE}/labs/nothing", set(), {"alice": 404, "carol": 404}),
        (TEACH, {"carol", "root"}, {"alice": 403, "dave": 403}),
        (TEACH_LAB, {"carol", "root"}, {"alice": 403, "dave": 403}),
        (f"{TEACH_LAB}/class", {"carol", "root"}, {"alice": 403, "dave": 403}),
        (f"{TEACH}/people", {"carol", "root"}, {"alice": 403, "dave": 403}),
        (f"{TEACH}/scores.csv", {"carol", "root"}, {"alice": 403, "dave": 403}),
        ("new-course", {"carol", "root"}, {"alice": 403, "dave": 403}),
        ("curricula", {"carol", "root"}, {"alice": 403, "dave": 403}),
        ("courses/nothing", set(), {"alice": 404, "carol": 404, "root": 404}),
        ("nothing", set(), {"alice": 404}),
    ],
)
def test_each_page_for_each_person(
    unchanged: Portal, path: str, allowed: set[str], refused: dict[str, int], language: str
) -> None:
    for person in allowed:
        found = unchanged.browser(person, language).see(path)
        assert found.status_code == 200, (person, found.text)
    for person, status in refused.items():
        found = unchanged.browser(person, language).see(path)
        assert found.status_code == status, (person, found.text)
        assert f'<html lang="{"zh-CN" if language == "zh" else "en"}">' in found.text


def test_nobody_sees_anything_without_a_login(unchanged: Portal) -> None:
    browser = unchanged.browser("", "en")
    for path in ("", LAB_PAGE, TEACH, "new-course", "curricula", "submissions/x/feedback"):
        assert browser.see(path).status_code == 401


def test_every_answer_carries_the_policies(unchanged: Portal) -> None:
    browser = unchanged.browser("alice")
    for path in ("", "nothing", LAB_PAGE, "static/portal.css"):
        headers = browser.see(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
    page = browser.see(LAB_PAGE).text
    assert not re.search(r"<script(?![^>]*\bsrc=)", page), "a script inside the page"
    assert not re.search(r"\son\w+=|\sstyle=", page), "a handler or a style inside the page"


def test_assets_can_be_cached_for_ever_under_their_digest(unchanged: Portal) -> None:
    browser = unchanged.browser("alice")
    for address in re.findall(r'"(/services/ulab/static/[^"]+)"', browser.see(TEACH).text):
        found = browser.get(address)
        assert found.status_code == 200, address
        assert "immutable" in found.headers["cache-control"]
    assert browser.see("static/../page.py").status_code == 404


def test_my_courses_by_area_and_what_to_do_without_any(portal: Portal) -> None:
    page = portal.browser("alice", "zh").see().text
    assert "能源预测" in page
    assert "求和基础" in page
    assert "已提交 0 / 1 个实验" in page
    page = portal.browser("dave", "zh").see().text
    assert "你还没有课程" in page
    assert '<p class="ulab-name">dave</p>' in page


def test_whoever_the_hub_lets_in_is_known_from_then_on(portal: Portal) -> None:
    assert portal.browser("newcomer").see().status_code == 200
    with portal.base.db.read() as session:
        assert session.scalar(select(Person).where(Person.name == "newcomer")) is not None


def test_the_language_is_the_browsers_unless_chosen(portal: Portal) -> None:
    browser = portal.browser("alice", "en")
    assert "My courses" in browser.see().text
    with portal.base.db.write() as session:
        ensure_person(session, "alice", language="zh")
    assert "我的课程" in browser.see().text, "what the person chose on another machine"
    browser.cookies.set("ulab-language", "en")
    assert "My courses" in browser.see().text, "what the person chose here"


def test_a_lab_from_handing_in_to_the_score(portal: Portal) -> None:
    browser = portal.browser("alice", "en")
    page = browser.see(LAB_PAGE).text
    assert 'data-state="to_do"' in page
    assert f"next=%2Fuser%2Falice%2Fulab%2Fopen%3Fcourse%3D{COURSE}%26assignment%3D{LAB}" in page
    done = browser.upload(LAB_PAGE, answer())
    assert done.status_code == 200
    assert done.headers["hx-trigger"] == "ulab:submitted"
    receipt = re.search(r"Receipt: (\w{16})…", done.text)
    assert receipt
    again = browser.upload(LAB_PAGE, answer())
    assert "You have already handed in exactly this; nothing changed." in again.text
    assert receipt.group(1) in again.text
    state = browser.see(f"{LAB_PAGE}/state").text
    assert 'data-state="queued"' in state
    assert receipt.group(1) in state
    poll = re.search(r'hx-get="([^"]+)" hx-trigger="every', state)
    assert poll
    address = poll.group(1).replace("&amp;", "&")
    assert browser.get(address).status_code == 204, "nothing changed, so nothing is said again"

    with portal.base.db.read() as session:
        job = session.scalars(select(Job)).one()
    with portal.base.db.write() as session:
        session.merge(job).state = JobState.RUNNING
    assert 'data-state="grading"' in browser.get(address).text

    portal.finish(job.submission_id, 4.5)
    state = browser.get(address).text
    assert 'data-state="graded"' in state
    assert "4.5 / 5" in state
    assert "every 2s" not in state, "a finished lab asks no more"
    assert f"submissions/{job.submission_id}/feedback" in state


def test_a_failed_grading_says_so_in_the_readers_language(portal: Portal) -> None:
    from ulab_coursework.queue import INTERRUPTED

    portal.hand_in("alice", answer())
    with portal.base.db.write() as session:
        job = session.scalars(select(Job)).one()
        job.state, job.problem = JobState.FAILED, INTERRUPTED
    assert INTERRUPTED in portal.browser("alice", "en").see(LAB_PAGE).text
    page = portal.browser("alice", "zh").see(LAB_PAGE).text
    assert 'data-state="failed"' in page
    assert INTERRUPTED not in page


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"hello", "not a"),
        (answer(lab=OTHER_LAB, body="return a * b"), "belongs to Exercise products"),
        (b" " * (20 * 1024 * 1024 + 1), "larger than 20 MB"),
        (b"", ""),
    ],
    ids=["no notebook", "another lab's", "too large", "empty"],
)
def test_a_notebook_that_cant_be_taken_is_refused_with_a_sentence(
    unchanged: Portal, content: bytes, sentence: str
) -> None:
    browser = unchanged.browser("alice", "en")
    refused = browser.upload(LAB_PAGE, content)
    assert refused.status_code in (400, 409, 413, 422), refused.text
    assert refused.headers["hx-retarget"] == "#notice"
    assert sentence in refused.text
    assert "data-close-notice" in refused.text
    assert 'data-state="to_do"' in browser.see(LAB_PAGE).text
    assert "ulab-history" not in browser.see(LAB_PAGE).text


@pytest.mark.parametrize("person", ["alice", ""])
@pytest.mark.parametrize("action", ["upload", "submit"])
def test_a_huge_body_is_refused_before_anyone_asks_who_sent_it(
    unchanged: Portal, person: str, action: str
) -> None:
    browser = unchanged.browser(person, "en")
    huge = browser.post(
        f"{PREFIX}/{LAB_PAGE}/{action}",
        files={"notebook": ("sums.ipynb", b" " * (23 * 1024 * 1024))},
        headers={"hx-request": "true"},
    )
    assert huge.status_code == 413
    assert "larger than 20 MB" in huge.text
    # What is small enough goes on to the question who is asking.
    assert browser.post(f"{PREFIX}/{LAB_PAGE}/{action}", data={"a": "b"}).status_code in (401, 403)


def test_a_body_of_unknown_length_is_not_read_beyond_the_limit(unchanged: Portal) -> None:
    sent = 0

    async def receive() -> dict[str, Any]:
        nonlocal sent
        sent += 1024 * 1024
        return {"type": "http.request", "body": b" " * 1024 * 1024, "more_body": True}

    answers: list[Any] = []

    async def send(message: Any) -> None:
        answers.append(message)

    scope = {
        "type": "http", "method": "POST", "path": f"{PREFIX}/api/{TEACH.removesuffix('/teach')}"
        f"/assignments/{LAB}/grade", "query_string": b"", "scheme": "http", "root_path": "",
        "headers": [(b"content-type", b"application/json"), (b"cookie", b"person=carol")],
        "http_version": "1.1", "server": ("portal", 80), "client": ("127.0.0.1", 1),
    }  # fmt: skip
    anyio.run(unchanged.app, scope, receive, send)
    assert answers[0]["status"] == 413
    assert sent < 30 * 1024 * 1024


def test_after_the_deadline_the_page_offers_no_form_and_refuses_one(portal: Portal) -> None:
    with portal.base.db.write() as session:
        found = find_assignment(session, COURSE, LAB)
        found.due_at = datetime.now(UTC) - timedelta(minutes=5)
    browser = portal.browser("alice", "en")
    page = browser.see(LAB_PAGE).text
    assert "The deadline has passed" in page
    assert 'id="submit-lab"' not in page
    refused = browser.upload(LAB_PAGE, answer())
    assert refused.status_code == 409
    assert "The deadline of" in refused.text


@pytest.mark.parametrize(
    "path",
    [
        f"{LAB_PAGE}/upload",
        f"{LAB_PAGE}/submit",
        f"{TEACH_LAB}/publish",
        f"{TEACH_LAB}/withdraw",
        f"{TEACH_LAB}/grade",
        f"{TEACH_LAB}/release",
        f"{TEACH}/people",
        f"{TEACH}/people/remove",
        "new-course",
        "curricula",
    ],
)
def test_no_other_site_can_act(unchanged: Portal, path: str) -> None:
    browser = unchanged.browser("carol")
    token = {"x-csrf-token": browser.token()}
    address = f"{PREFIX}/{path}"
    assert browser.post(address, data={"a": "b"}).status_code == 403, "no token"
    forged = unchanged.browser("alice").token()
    assert browser.post(address, headers={"x-csrf-token": forged}).status_code == 403
    elsewhere = {**token, "sec-fetch-site": "cross-site", "origin": "https://evil.example"}
    assert browser.post(address, headers=elsewhere).status_code == 403
    assert browser.get(address).status_code in (200, 404, 405), "nothing is done by looking"
    with unchanged.base.db.read() as session:
        assert find_assignment(session, COURSE, LAB).published_at is not None


@pytest.mark.parametrize("person", ["alice", "dave"])
@pytest.mark.parametrize("action", ["publish", "withdraw", "grade", "release"])
def test_only_the_instructor_acts_on_a_lab(unchanged: Portal, person: str, action: str) -> None:
    refused = unchanged.browser(person).act(f"{TEACH_LAB}/{action}")
    assert refused.status_code == 403
    with unchanged.base.db.read() as session:
        found = find_assignment(session, COURSE, LAB)
        assert found.published_at is not None
        assert found.feedback_released_at is None


def test_students_dont_add_people_and_strangers_make_no_courses(portal: Portal) -> None:
    assert portal.browser("alice").act(f"{TEACH}/people", names="dave").status_code == 403
    form = {"course_id": "mine", "curriculum": "sums-foundations@1"}
    assert portal.browser("alice").act("new-course", **form).status_code == 403
    with portal.base.db.read() as session:
        assert role_in(session, COURSE, "dave") is None
        assert session.get(Course, "mine") is None


def test_feedback_and_notebook_are_the_owners_and_the_instructors(portal: Portal) -> None:
    submission = portal.hand_in("alice", answer())
    early = portal.browser("alice").see(f"submissions/{submission}/feedback")
    assert early.status_code == 409
    assert "not been graded yet" in early.text
    portal.finish(submission, 5)
    for what in ("feedback", "notebook"):
        for person, status in {"alice": 200, "carol": 200, "bob": 404, "dave": 404}.items():
            found = portal.browser(person).see(f"submissions/{submission}/{what}")
            assert found.status_code == status, (what, person)
            policy = found.headers["content-security-policy"]
            if status == 200:
                assert policy.startswith("sandbox;"), "a student's content runs nothing"
                assert "script-src" not in policy
                assert "allow-" not in policy
    found = portal.browser("alice").see(f"submissions/{submission}/notebook")
    assert found.content == answer()
    assert found.headers["content-disposition"].startswith("attachment")


def test_scores_wait_for_their_release(portal: Portal) -> None:
    carol, alice = portal.browser("carol"), portal.browser("alice", "en")
    saved = carol.act(f"{TEACH_LAB}/publish", due="", feedback_policy="on_release")
    assert saved.status_code == 204
    submission = portal.hand_in("alice", answer())
    portal.finish(submission, 5)
    page = alice.see(LAB_PAGE).text
    assert 'data-state="withheld"' in page
    assert "5 / 5" not in page
    assert alice.see(f"submissions/{submission}/feedback").status_code == 409
    assert 'id="release-feedback"' in carol.see(TEACH_LAB).text
    assert carol.act(f"{TEACH_LAB}/release").status_code == 204
    assert 'data-state="graded"' in alice.see(LAB_PAGE).text
    assert alice.see(f"submissions/{submission}/feedback").status_code == 200
    assert 'id="release-feedback"' not in carol.see(TEACH_LAB).text


def test_publishing_takes_the_deadline_in_the_sites_zone(portal: Portal) -> None:
    carol, alice = portal.browser("carol", "en"), portal.browser("alice", "en")
    target = f"{TEACH}/labs/{OTHER_LAB}"
    wrong = carol.act(f"{target}/publish", due="soon", feedback_policy="at_once")
    assert wrong.status_code == 400
    assert "soon is not a date and time" in wrong.text
    done = carol.act(f"{target}/publish", due="2126-09-01T23:59", feedback_policy="on_release")
    assert done.status_code == 204
    assert done.headers["hx-redirect"] == f"{PREFIX}/{target}"
    with portal.base.db.read() as session:
        found: Assignment = find_assignment(session, COURSE, OTHER_LAB)
        assert found.due_at == datetime(2126, 9, 1, 15, 59, tzinfo=UTC)
        assert found.feedback_policy is FeedbackPolicy.ON_RELEASE
    assert "1 Sept 2126, 23:59" in alice.see(f"courses/{COURSE}").text
    assert carol.act(f"{target}/withdraw").status_code == 204
    assert alice.see(f"courses/{COURSE}/labs/{OTHER_LAB}").status_code == 404


def test_a_deadline_that_has_passed_is_asked_about_first(portal: Portal) -> None:
    carol, target = portal.browser("carol", "en"), f"{TEACH}/labs/{OTHER_LAB}"
    form = {"due": "2020-09-01T23:59", "feedback_policy": "at_once"}
    asked = carol.act(f"{target}/publish", **form)
    assert asked.status_code == 200
    assert "This deadline has passed: nobody will be able to hand in." in asked.text
    assert "Publish it all the same" in asked.text
    with portal.base.db.write() as session:
        find_assignment(session, COURSE, OTHER_LAB).late_rule = LateRule.FREE
    asked = carol.act(f"{target}/publish", **form)
    assert "whatever is handed in from now on is late" in asked.text
    with portal.base.db.read() as session:
        assert find_assignment(session, COURSE, OTHER_LAB).published_at is None
    assert carol.act(f"{target}/publish", past="true", **form).status_code == 204
    with portal.base.db.read() as session:
        assert find_assignment(session, COURSE, OTHER_LAB).published_at is not None
    # The old deadline stays; only what is new is asked about.
    form["feedback_policy"] = "on_release"
    assert carol.act(f"{target}/publish", **form).status_code == 204
    form["due"] = "2021-09-01T23:59"
    assert "Save it all the same" in carol.act(f"{target}/publish", **form).text


def test_the_class_page_shows_who_submitted_and_grades_again(portal: Portal) -> None:
    submission = portal.hand_in("alice", answer())
    portal.finish(submission, 4)
    with portal.base.db.write() as session:
        session.scalars(select(Person).where(Person.name == "bob")).one().display_name = ""
    carol = portal.browser("carol", "en")
    page = carol.see(TEACH_LAB).text
    assert "1 of 2 students" in page
    assert re.search(r'data-student="alice".*?Graded', page, re.DOTALL)
    assert re.search(r'data-student="bob".*?Not submitted', page, re.DOTALL)
    assert "every 3s" not in page
    # Who is known by the account alone stands there once, who has a name with both.
    rows = dict(re.findall(r'data-student="(\w+)">\s*<th[^>]*>(.*?)</th>', page, re.DOTALL))
    with portal.base.db.read() as session:
        for person in session.scalars(select(Person).where(Person.name.in_(rows))):
            said = re.sub(r"<[^>]*>", " ", rows[person.name])
            assert said.split().count(person.name) == 1
            assert person.display_name in said
    again = carol.act(f"{TEACH_LAB}/grade", student="alice")
    assert again.status_code == 200
    assert "every 3s" in again.text
    assert "1 being graded" in again.text
    nothing = carol.act(f"{TEACH_LAB}/grade", student="bob")
    assert nothing.status_code == 404
    assert "bob has not submitted Exercise sums." in nothing.text


def test_an_attempt_of_before_the_points_changed_says_so(portal: Portal) -> None:
    portal.finish(portal.hand_in("alice", answer("return 3")), 3, max_score=4)
    portal.finish(portal.hand_in("alice", answer()), 5)
    page = portal.browser("alice").see(LAB_PAGE).text
    former = page.index("(by the points it had then)")
    assert "3 / 4" in page[former - 200 : former]
    assert page.count("data-former-points") == 1


def test_scores_as_a_table_for_spreadsheets(portal: Portal) -> None:
    found = portal.browser("carol", "zh").see(f"{TEACH}/scores.csv")
    assert found.headers["content-type"] == "text/csv; charset=utf-8"
    assert f'filename="{COURSE}.csv"' in found.headers["content-disposition"]
    assert found.content.startswith(b"\xef\xbb\xbf")
    assert "alice" in found.text


def test_people_are_added_all_or_none(portal: Portal) -> None:
    carol = portal.browser("carol", "en")
    refused = carol.act(f"{TEACH}/people", names="dave, nobody1", role="student")
    assert refused.status_code == 404
    assert "Nobody here is called nobody1" in refused.text
    with portal.base.db.read() as session:
        assert role_in(session, COURSE, "dave") is None
    done = carol.act(f"{TEACH}/people", names="Dave", role="instructor")
    assert done.headers["hx-redirect"] == f"{PREFIX}/{TEACH}?added=1"
    assert "1 person was added" in carol.get(done.headers["hx-redirect"]).text
    assert portal.browser("dave").see(TEACH).status_code == 200
    empty = carol.act(f"{TEACH}/people", names=" ")
    assert "Paste names or choose a roster file first." in empty.text


def test_a_roster_file_adds_people_who_have_not_signed_in_yet(portal: Portal) -> None:
    carol = portal.browser("carol", "en")

    def send(text: str) -> httpx.Response:
        return carol.post(
            f"{PREFIX}/{TEACH}/people",
            files={"roster": ("roster.csv", io.BytesIO(text.encode()))},
            headers={"hx-request": "true", "x-csrf-token": carol.token()},
        )

    bad = send("用户名,姓名,学院,角色,课程\nwu.lei,吴磊,医学院,学生,other-course\n")
    assert bad.status_code == 400
    assert "Line 2" in bad.text
    assert (
        send(f"用户名,姓名,学院,角色,课程\nwu.lei,吴磊,医学院,学生,{COURSE}\n").status_code == 204
    )
    with portal.base.db.read() as session:
        person = session.scalar(select(Person).where(Person.name == "wu.lei"))
        assert person is not None
        assert person.display_name == "吴磊"
        assert session.get(Enrolment, (COURSE, person.id)) is not None


def test_making_a_course_from_a_published_curriculum(portal: Portal) -> None:
    root = portal.browser("root", "en")
    assert "sums-foundations" in root.see("new-course").text
    for form, sentence in (
        ({"course_id": "x"}, "Choose a curriculum first."),
        ({"course_id": "No Good", "curriculum": "sums-foundations@1"}, "can&#39;t be a course"),
        ({"course_id": COURSE, "curriculum": "sums-foundations@1"}, "There is a course"),
        ({"course_id": "ok", "curriculum": "sums-foundations@9"}, "no published version"),
        ({"course_id": "ok", "curriculum": "../../etc@1"}, "no published version"),
    ):
        refused = root.act("new-course", **form)
        assert refused.status_code >= 400
        assert sentence in refused.text
    done = root.act(
        "new-course", course_id="sums-2", curriculum="sums-foundations@1", title_zh="<b>求和</b>"
    )
    assert done.headers["hx-redirect"] == f"{PREFIX}/courses/sums-2/teach"
    page = portal.browser("root", "zh").see("courses/sums-2/teach").text
    assert "&lt;b&gt;求和&lt;/b&gt;" in page
    assert "<b>求和" not in page


def test_names_people_chose_are_text_everywhere(portal: Portal) -> None:
    with portal.base.db.write() as session:
        person = ensure_person(session, "mallory", "<img src=x onerror=alert(1)>", "<i>college")
        enrol(session, COURSE, person, "student", "carol")
    for page in (portal.browser("mallory").see(), portal.browser("carol").see(TEACH_LAB)):
        assert "<img src=x" not in page.text
        assert "&lt;img src=x" in page.text


def test_a_mistake_of_ours_is_a_page_and_a_notice(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("ulab_portal.course_pages.courses_of", break_down)
    browser = portal.browser("alice", "zh")
    page = browser.see()
    assert page.status_code == 500
    assert page.text.count("平台出了点问题") == 1
    assert "已保存的内容没有丢失" in page.text
    assert "secret detail" not in page.text
    notice = browser.get(f"{PREFIX}/", headers={"hx-request": "true"})
    assert notice.headers["hx-retarget"] == "#notice"


class TestSubmitThroughTheOwnServer:
    """The student's server and the hub as the portal's requests see them."""

    @pytest.fixture
    def asked(self, monkeypatch: pytest.MonkeyPatch) -> list[httpx.Request]:
        self.server: dict[str, object] = {}
        self.reply = httpx.Response(200, json={"id": "1", "sha256": "ab" * 32})
        seen: list[httpx.Request] = []

        def answer_request(request: httpx.Request) -> httpx.Response:
            seen.append(request)
            if request.url.path == "/hub/api/users/alice":
                return httpx.Response(
                    200, json={"servers": {"": self.server} if self.server else {}}
                )
            if request.url.path == "/hub/api/users/alice/server":
                self.server = {"ready": False, "pending": "spawn"}
                return httpx.Response(202)
            assert request.url.path == "/user/alice/ulab/submit"
            return self.reply

        def own_server(portal: object, user: object) -> OwnServer:
            transport = httpx.MockTransport(answer_request)
            return OwnServer(ORIGIN, "/", "alice", "token-of-alice", "token-of-portal", transport)

        monkeypatch.setattr("ulab_portal.page.Portal.server_of", own_server)
        return seen

    def test_a_running_server_hands_in_at_once(
        self, portal: Portal, asked: list[httpx.Request]
    ) -> None:
        self.server = {"ready": True}
        done = portal.browser("alice", "en").act(f"{LAB_PAGE}/submit")
        assert "Submitted and stored. Receipt: abababababababab…" in done.text
        assert done.headers["hx-trigger"] == "ulab:submitted"

    def test_a_stopped_server_is_started_while_the_page_waits(
        self, portal: Portal, asked: list[httpx.Request]
    ) -> None:
        browser = portal.browser("alice", "en")
        waiting = browser.act(f"{LAB_PAGE}/submit")
        assert "Starting your server" in waiting.text
        next_time = re.search(r'hx-post="/services/ulab/([^"]+)" hx-trigger="load', waiting.text)
        assert next_time
        again = next_time.group(1).replace("&amp;", "&")
        assert "Starting your server" in browser.act(again).text
        starts = [request for request in asked if request.url.path.endswith("/server")]
        assert len(starts) == 1, "it is started once"
        assert b'"profile":"cpu"' in starts[0].content.replace(b" ", b"")
        self.server = {"ready": True}
        assert "Receipt:" in browser.act(again).text

    def test_the_students_server_only_ever_sees_the_students_token(
        self, portal: Portal, asked: list[httpx.Request]
    ) -> None:
        self.server = {"ready": True}
        portal.browser("alice").act(f"{LAB_PAGE}/submit")
        for request in asked:
            own = request.url.path.startswith("/user/")
            expected = "token token-of-alice" if own else "token token-of-portal"
            assert request.headers["authorization"] == expected

    def test_an_endless_answer_of_the_students_server_is_not_read_on(
        self, portal: Portal, asked: list[httpx.Request]
    ) -> None:
        sent = 0

        async def endless() -> AsyncIterator[bytes]:
            nonlocal sent
            while True:
                sent += 64 * 1024
                yield b" " * 64 * 1024

        self.server = {"ready": True, "pending": None}
        self.reply = httpx.Response(200, content=endless())
        refused = portal.browser("alice").act(f"{LAB_PAGE}/submit")
        assert refused.status_code == 502
        assert "did not answer" in refused.text
        assert sent < 4 * 1024 * 1024

    def test_what_the_server_refuses_is_said_as_it_said_it(
        self, portal: Portal, asked: list[httpx.Request]
    ) -> None:
        self.server = {"ready": True}
        self.reply = httpx.Response(409, json={"error": "截止时间已过 <b>。"})
        refused = portal.browser("alice").act(f"{LAB_PAGE}/submit")
        assert refused.status_code == 409
        assert "截止时间已过 &lt;b&gt;。" in refused.text

    def test_a_server_that_died_while_starting_is_told(
        self, portal: Portal, asked: list[httpx.Request]
    ) -> None:
        refused = portal.browser("alice", "en").act(f"{LAB_PAGE}/submit?polls=3&started=true")
        assert refused.status_code == 502
        assert "Your server did not start, so nothing was submitted." in refused.text

    def test_a_server_that_is_stopping_is_waited_for_and_started_then(
        self, portal: Portal, asked: list[httpx.Request]
    ) -> None:
        browser = portal.browser("alice", "en")
        self.server = {"ready": False, "pending": "stop"}
        assert "started=false" in browser.act(f"{LAB_PAGE}/submit").text
        self.server = {}
        assert "started=true" in browser.act(f"{LAB_PAGE}/submit?polls=1&started=false").text
        assert [r.url.path for r in asked].count("/hub/api/users/alice/server") == 1

    def test_no_server_is_started_for_a_lab_one_may_not_see(
        self, portal: Portal, asked: list[httpx.Request]
    ) -> None:
        hidden = f"courses/{COURSE}/labs/{OTHER_LAB}/submit"
        assert portal.browser("alice").act(hidden).status_code == 404
        assert portal.browser("dave").act(f"{LAB_PAGE}/submit").status_code == 403
        assert asked == []


def test_a_page_that_is_not_there_keeps_the_menu_and_says_so_once(unchanged: Portal) -> None:
    page = unchanged.browser("alice", "en").see("courses/").text
    assert 'id="person-menu"' in page
    assert page.count("There is no such page") == 1
    assert 'id="person-menu"' in unchanged.browser("alice", "en").see(TEACH).text
    stranger = unchanged.browser("", "en").see("courses/")
    assert stranger.status_code == 404
    assert 'id="person-menu"' not in stranger.text
