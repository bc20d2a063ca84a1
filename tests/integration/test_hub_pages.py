"""The hub's own pages: both languages, one look, and sentences where something is refused."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from integration.hub_support import PASSWORD, Base, start_base
from sqlalchemy import select

from ulab_core.models import Person
from ulab_coursework.courses import ensure_person


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Base]:
    running = start_base(tmp_path_factory.mktemp("hub-pages"), services=())
    try:
        with running.database.write() as session:
            ensure_person(session, "alice")
        for name in ("alice", running.settings.accounts.admin):
            running.create_user(name)
        yield running
    finally:
        running.stop()


@pytest.mark.parametrize(
    ("accepts", "lang", "words"),
    [("zh-CN,zh", "zh-CN", "欢迎来到 U Lab"), ("en-GB,en", "en", "Welcome to U Lab")],
)
def test_the_login_page_speaks_the_browsers_language(
    base: Base, accepts: str, lang: str, words: str
) -> None:
    page = base.client().get("/hub/login", headers={"accept-language": accepts}).text
    assert words in page
    assert f'data-language="{lang}"' in page
    assert "/hub/look/ulab.css?v=" in page


def test_the_look_can_be_cached_and_holds_nothing_else(base: Base) -> None:
    client = base.client()
    found = client.get("/hub/look/ulab.css?v=1")
    assert found.status_code == 200
    assert "no-cache" not in found.headers.get("cache-control", "")
    assert client.get("/hub/look/../app.py").status_code == 404
    assert client.get("/hub/look/%2e%2e/__init__.py").status_code in (403, 404)


def test_a_wrong_password_is_told_in_a_sentence(base: Base) -> None:
    client = base.client(headers={"accept-language": "zh"})
    refused = client.log_in("alice", "wrong")
    assert refused.status_code == 403
    assert "用户名或密码不正确。" in refused.text
    stale = client.post("/hub/login", data={"username": "alice", "password": "x"})
    assert stale.status_code == 403
    assert 'id="login_submit"' in stale.text, "a stale form can be sent again at once"


@pytest.mark.parametrize("form", [{}, {"username": "alice"}, {"password": "x" * 12}])
def test_a_login_with_a_field_missing_is_a_wrong_password(base: Base, form: dict[str, str]) -> None:
    client = base.client(headers={"accept-language": "en"})
    client.get("/hub/login")
    refused = client.post("/hub/login", data={"_xsrf": client.xsrf, **form})
    assert refused.status_code == 403
    assert "The name or the password is wrong." in refused.text


def test_someone_who_signed_up_waits_for_an_administrator(base: Base) -> None:
    client = base.client(headers={"accept-language": "zh"})
    client.get("/hub/signup")
    password = "a long enough passphrase"
    form = {
        "_xsrf": client.xsrf, "username": "newcomer", "signup_password": password,
        "signup_password_confirmation": password,
    }  # fmt: skip
    done = client.post("/hub/signup", data=form).text
    assert "管理员批准后即可登录" in done
    assert "请稍后用用户名 newcomer 和你的密码登录" in done
    assert 'id="password_input"' not in done
    assert "管理员还没有批准 newcomer 的账号。" in client.log_in("newcomer", password).text
    again = client.post("/hub/signup", data={**form, "_xsrf": client.xsrf})
    assert "这个用户名已被使用" in again.text

    admin = base.client(base.settings.accounts.admin, headers={"accept-language": "zh"})
    assert "待批准" in admin.get("/hub/authorize").text
    # A link or a picture changes nothing, and a form needs the token of the page.
    assert admin.get("/hub/authorize/newcomer").status_code == 405
    assert admin.get("/hub/discard/newcomer").status_code == 405
    form_of_a_page = {"sec-fetch-mode": "navigate", "sec-fetch-site": "same-origin"}
    forged = admin.post("/hub/authorize/newcomer", headers=form_of_a_page)
    assert forged.status_code == 403
    assert client.log_in("newcomer", password).status_code == 403
    let_in = {"_xsrf": admin.xsrf}
    assert admin.post("/hub/authorize/newcomer", data=let_in).status_code == 200
    assert client.log_in("newcomer", password).status_code == 302


@pytest.mark.parametrize(
    ("name", "password", "says"),
    [
        ("fang", "tiny7", "The password is too short: it needs 10 characters."),
        ("fang", "password1234", "This password is one of the first that others would try"),
        ("fangfang", "fangfang1234", "The password must not contain the account"),
        ("fang", "长" * 30, "The password is too long: 72 bytes are the most."),
        ("Fang Fang", "a long enough passphrase", "Fang Fang can&#39;t be an account"),
        ("admin", "a long enough passphrase", "This name is taken."),
    ],
)
def test_a_refused_sign_up_says_what_was_wrong_and_keeps_the_name(
    base: Base, name: str, password: str, says: str
) -> None:
    client = base.client(headers={"accept-language": "en"})
    client.get("/hub/signup")
    form = {
        "_xsrf": client.xsrf, "username": name, "signup_password": password,
        "signup_password_confirmation": password,
    }  # fmt: skip
    page = client.post("/hub/signup", data=form).text
    assert says in page
    assert f'name="username" value="{name}"' in page


def test_a_refused_new_password_says_what_was_wrong(base: Base) -> None:
    admin = base.client(base.settings.accounts.admin, headers={"accept-language": "en"})
    for path in ("/hub/change-password", "/hub/change-password/alice"):
        form = {
            "_xsrf": admin.xsrf, "old_password": PASSWORD, "new_password": "welcome-2026",
            "new_password_confirmation": "welcome-2026",
        }  # fmt: skip
        assert "This password is one of the first" in admin.post(path, data=form).text


def test_a_form_refused_at_once_is_answered_by_the_hub_and_not_by_the_proxy(base: Base) -> None:
    client = base.client()
    answers = {client.post("/hub/signup", data={"username": "x"}).status_code for _ in range(200)}
    assert answers == {403}


def test_the_chosen_language_is_remembered_here_and_for_the_person(base: Base) -> None:
    client = base.client("alice", headers={"accept-language": "zh"})
    assert "我的服务器" in client.get("/hub/home").text
    page = client.get("/hub/language/en", params={"next": "/hub/token"})
    assert page.url.path == "/hub/token"
    assert "Access tokens" in page.text
    assert "My server" in client.get("/hub/home").text
    with base.database.read() as session:
        found = session.scalar(select(Person.language).where(Person.name == "alice"))
    assert found == "en"
    assert client.get("/hub/language/xx").status_code == 404
    elsewhere = client.get(
        "/hub/language/zh", params={"next": "//evil.example/"}, follow_redirects=False
    )
    assert elsewhere.headers["location"] == "/"


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/hub/nothing", 404, "没有这个页面。"),
        ("/hub/authorize", 403, "你无权打开这个页面。"),
        ("/hub/admin", 403, "你无权打开这个页面。"),
        ("/hub/spawn/somebody", 404, "没有这个页面。"),
    ],
)
def test_errors_are_pages_in_the_look(base: Base, path: str, status: int, words: str) -> None:
    found = base.client("alice", headers={"accept-language": "zh", "cookie": ""}).get(path)
    assert found.status_code == status
    assert words in found.text
    assert "ulab-navbar" in found.text
    assert 'class="ulab-centre"' in found.text, "JupyterHub's own `error` moves and enlarges it"


@pytest.mark.parametrize(
    ("accepts", "words"), [("en", "This is not available just now."), ("zh", "暂时无法使用")]
)
def test_what_does_not_answer_is_told_in_the_readers_language(
    base: Base, accepts: str, words: str
) -> None:
    client = base.client(headers={"accept-language": accepts})
    found = client.get("/services/ulab/")
    assert found.status_code == 503
    assert words in found.text
    assert "restarting" not in found.text
    assert "/hub/home" not in found.text, "it is no server of theirs that is down"


def test_whose_server_does_not_answer_is_led_to_its_page(base: Base) -> None:
    client = base.client("alice")
    for owner, led in (("alice", True), ("bob", False)):
        page = client.get("/hub/error/503", params={"url": f"/user/{owner}/lab"}).text
        assert ("/hub/home" in page[page.index("<main") : page.index("</main>")]) is led


@pytest.mark.parametrize("path", ["home", "token", "change-password", "spawn"])
def test_a_persons_pages_hold_no_english_in_chinese(base: Base, path: str) -> None:
    client = base.client("alice", headers={"accept-language": "zh"})
    client.get("/hub/language/zh")
    page = client.get(f"/hub/{path}")
    assert page.status_code == 200
    main = page.text[page.text.index('<main id="main"') : page.text.index("</main>")]
    for word in ("Server", "Start ", "Password", "Token", "Error", "Never"):
        assert f">{word}" not in main, word
