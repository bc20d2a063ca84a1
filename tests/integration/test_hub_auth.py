"""Hub login of our services: who gets in, who is sent to log in, who is refused."""

import stat
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import Depends, FastAPI
from integration.hub_stub import StubHub, stub_hub

from ulab_core.hub_auth import HubLogin, HubUser
from ulab_core.secret_files import shared_key
from ulab_core.web_requests import safe_next

PREFIX = "/services/tested/"
KEY = b"k" * 32
BROWSER = {"accept": "text/html,*/*", "sec-fetch-mode": "navigate"}


@pytest.fixture
def hub() -> Iterator[StubHub]:
    with tempfile.TemporaryDirectory() as folder, stub_hub(Path(folder)) as running:
        yield running


def service(hub: StubHub) -> httpx.AsyncClient:
    login = HubLogin(KEY, hub.login("tested"))
    app = FastAPI()
    login.install(app)

    @app.get(PREFIX + "page")
    async def page(user: Annotated[HubUser, Depends(login.current_user)]) -> dict[str, object]:
        return {"name": user.name, "admin": user.admin, "by_cookie": user.by_cookie}

    @app.post(PREFIX + "change")
    async def change(user: Annotated[HubUser, Depends(login.trusted_user)]) -> dict[str, object]:
        return {"name": user.name}

    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://base")


async def log_in(client: httpx.AsyncClient, hub: StubHub, name: str) -> httpx.Response:
    sent = await client.get(PREFIX + "page?x=1", headers=BROWSER)
    assert sent.status_code == 302
    asked = parse_qs(urlsplit(sent.headers["location"]).query)
    code = hub.give_code(hub.give_token(name), asked["code_challenge"][0])
    return await client.get(
        PREFIX + "oauth_callback",
        params={"code": code, "state": asked["state"][0]},
        headers=BROWSER,
    )


async def test_a_browser_is_sent_to_the_hub_and_comes_back_to_its_page(hub: StubHub) -> None:
    async with service(hub) as client:
        sent = await client.get(PREFIX + "page", headers=BROWSER)
        assert sent.headers["location"].startswith("/hub/api/oauth2/authorize?")
        back = await log_in(client, hub, "lin")
        assert back.headers["location"] == PREFIX + "page?x=1"
        cookie = next(c for c in back.headers.get_list("set-cookie") if "service-tested=" in c)
        assert "HttpOnly" in cookie
        assert f"Path={PREFIX}" in cookie
        assert "samesite=lax" in cookie.lower()
        answer = await client.get(PREFIX + "page", headers=BROWSER)
        assert answer.json() == {"name": "lin", "admin": False, "by_cookie": True}


async def test_a_login_started_elsewhere_is_not_finished(hub: StubHub) -> None:
    async with service(hub) as victim, service(hub) as attacker:
        sent = await attacker.get(PREFIX + "page", headers=BROWSER)
        asked = parse_qs(urlsplit(sent.headers["location"]).query)
        code = hub.give_code(hub.give_token("mallory"), asked["code_challenge"][0])
        link = {"code": code, "state": asked["state"][0]}
        refused = await victim.get(PREFIX + "oauth_callback", params=link, headers=BROWSER)
        assert refused.status_code == 400
        assert "登录没有完成" in refused.text
        again = await victim.get(PREFIX + "page", headers=BROWSER)
        assert again.status_code == 302


async def test_a_program_gets_401_with_a_sentence_and_no_redirect(hub: StubHub) -> None:
    async with service(hub) as client:
        answer = await client.get(PREFIX + "page", headers={"accept-language": "en"})
        assert answer.status_code == 401
        assert answer.json() == {"error": "You are not logged in."}


@pytest.mark.parametrize("word", ["Bearer", "token"])
async def test_a_hub_token_in_the_header_is_taken(hub: StubHub, word: str) -> None:
    token = hub.give_token("lin", admin=True)
    async with service(hub) as client:
        answer = await client.get(PREFIX + "page", headers={"authorization": f"{word} {token}"})
        assert answer.json() == {"name": "lin", "admin": True, "by_cookie": False}
        await client.get(PREFIX + "page", headers={"authorization": f"{word} {token}"})
        assert hub.asked == 1


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("Bearer made-up", 401),
        ("Basic bGluOmxpbg==", 401),
        ("Bearer {other_service}", 403),
        ("Bearer {a_service}", 401),
    ],
)
async def test_other_tokens_are_refused(hub: StubHub, header: str, status: int) -> None:
    header = header.format(
        other_service=hub.give_token("lin", service="elsewhere"),
        a_service=hub.give_token("lin", kind="service"),
    )
    async with service(hub) as client:
        answer = await client.get(PREFIX + "page", headers={"authorization": header} | BROWSER)
        assert answer.status_code == status
        assert answer.json()["error"]


async def test_a_revoked_login_ends_with_the_hub_session(hub: StubHub) -> None:
    async with service(hub) as client:
        client.cookies.set("jupyterhub-session-id", "first")
        await log_in(client, hub, "lin")
        assert (await client.get(PREFIX + "page", headers=BROWSER)).status_code == 200
        hub.tokens.clear()
        client.cookies.set("jupyterhub-session-id", "second")
        assert (await client.get(PREFIX + "page", headers=BROWSER)).status_code == 302


async def test_a_cookie_signed_with_another_key_is_no_login(hub: StubHub) -> None:
    forged = HubLogin(b"x" * 32, hub.login("tested"))._tokens.dumps(hub.give_token("lin"))
    async with service(hub) as client:
        client.cookies.set("service-tested", forged)
        assert (await client.get(PREFIX + "page")).status_code == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"origin": "http://base"}, 200),
        ({"sec-fetch-site": "cross-site", "origin": "http://base"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": "http://evil.example"}, 403),
        ({}, 403),
    ],
)
async def test_another_site_can_not_change_things_with_the_cookie(
    hub: StubHub, headers: dict[str, str], status: int
) -> None:
    async with service(hub) as client:
        await log_in(client, hub, "lin")
        assert (await client.post(PREFIX + "change", headers=headers)).status_code == status


async def test_a_token_needs_no_page_to_change_things(hub: StubHub) -> None:
    token = hub.give_token("lin")
    async with service(hub) as client:
        answer = await client.post(PREFIX + "change", headers={"authorization": f"token {token}"})
        assert answer.json() == {"name": "lin"}


async def test_a_silent_hub_gives_a_sentence() -> None:
    with tempfile.TemporaryDirectory() as folder:
        nowhere = StubHub(Path(folder) / "none.sock")
        async with service(nowhere) as client:
            answer = await client.get(PREFIX + "page", headers={"authorization": "token t"})
            assert answer.status_code == 503
            assert "Hub" in answer.json()["error"]


async def test_a_scripts_expired_login_reloads_the_page(hub: StubHub) -> None:
    async with service(hub) as client:
        answer = await client.get(PREFIX + "page", headers={"hx-request": "true"} | BROWSER)
        assert answer.status_code == 401
        assert answer.headers["hx-refresh"] == "true"


async def test_logout_forgets_the_login_and_goes_to_the_hubs(hub: StubHub) -> None:
    async with service(hub) as client:
        await log_in(client, hub, "lin")
        answer = await client.get(PREFIX + "logout", headers=BROWSER)
        assert answer.headers["location"] == "/hub/logout"
        assert (await client.get(PREFIX + "page")).status_code == 401


@pytest.mark.parametrize(
    ("target", "safe"),
    [
        (PREFIX + "page?x=1", PREFIX + "page?x=1"),
        ("https://evil.example" + PREFIX, PREFIX),
        ("//evil.example" + PREFIX, PREFIX),
        (PREFIX + "\\evil", PREFIX),
        (PREFIX + "a\r\nb", PREFIX),
        ("/hub/logout", PREFIX),
    ],
)
def test_the_way_back_stays_in_the_service(target: str, safe: str) -> None:
    assert safe_next(target, PREFIX) == safe


def test_processes_that_ask_at_once_share_one_key(tmp_path: Path) -> None:
    file = tmp_path / "secrets" / "cookie.key"
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: shared_key(file), range(32)))
    assert len(keys) == 1
    assert len(keys.pop()) == 32
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [p.name for p in file.parent.iterdir()] == ["cookie.key"]
