"""The hub's pages in the language of each request."""

from __future__ import annotations

import pytest
from tornado.httputil import HTTPHeaders, HTTPServerRequest

from ulab_core.i18n import translations
from ulab_core.web_requests import safe_next
from ulab_hub.language import LanguageTransform, current_language, translate
from ulab_hub.stock_messages import said_our_way


class _Connection:
    """As much of a connection as a request asks for."""

    context = None


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, "zh"),
        ({"Accept-Language": "en-GB,en;q=0.8"}, "en"),
        ({"Accept-Language": "zh-CN"}, "zh"),
        ({"Accept-Language": "en", "Cookie": "ulab-language=zh"}, "zh"),
        ({"Accept-Language": "zh", "Cookie": "other=1; ulab-language=en"}, "en"),
        ({"Cookie": "ulab-language=<script>"}, "zh"),
    ],
)
def test_a_request_is_answered_in_its_language(headers: dict[str, str], expected: str) -> None:
    request = HTTPServerRequest(
        "GET",
        "/hub/login",
        headers=HTTPHeaders(headers),
        connection=_Connection(),  # type: ignore[arg-type]
    )
    LanguageTransform(request)
    assert current_language() == expected
    assert translate("Sign in") == {"zh": "登录", "en": "Sign in"}[expected]


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("Invalid username or password.", "用户名或密码不正确。"),
        (
            "User liwei has not been authorized by an administrator yet.",
            "管理员还没有批准 liwei 的账号。",
        ),
        (
            "Something went wrong!\nBe sure your username does not contain spaces, commas or "
            "slashes, your password has at least 10 characters and is not too common.",
            "用户名不能含空格、逗号或斜杠；密码至少 10 个字符，且不能是常见密码。",
        ),
        (
            "Something went wrong!\nBe sure the new password for liwei has at least 10 "
            "characters and is not too common.",
            "新密码至少要有 10 个字符，并且不能是常见密码。",
        ),
        ("The password for liwei has been changed successfully", "liwei 的密码已修改。"),
        ("something nobody foresaw", "something nobody foresaw"),
    ],
)
def test_what_jupyterhub_says_is_said_our_way(theirs: str, ours: str) -> None:
    assert said_our_way(theirs, translations("zh").gettext) == ours


@pytest.mark.parametrize(
    "wanted",
    [
        "",
        "//evil.example",
        "///evil.example",
        "https://evil.example",
        "/\\evil.example",
        "javascript:x",
        "/a\nb",
    ],
)
def test_the_language_link_leads_nowhere_else(wanted: str) -> None:
    assert safe_next(wanted, "/") == "/"


def test_the_language_link_leads_back() -> None:
    assert safe_next("/services/ulab/courses/a?b=c", "/") == "/services/ulab/courses/a?b=c"
