"""Which passwords people may choose."""

from __future__ import annotations

import pytest

from ulab_hub.passwords import COMMON, HAS_NAME, TOO_LONG, TOO_SHORT, problem

LIST = {"password", "qwerty", "1234567890", "dragon", "1qaz2wsx3edc"}


@pytest.mark.parametrize(
    ("name", "password", "wrong"),
    [
        ("ann", "tiny7", TOO_SHORT),
        ("ann", "correct horse 7 battery " * 4, TOO_LONG),
        ("ann", "密码" * 20, TOO_LONG),
        ("ann", "1234567890", COMMON),
        ("ann", "1QAZ2wsx3edc", COMMON),
        ("ann", "password1234", COMMON),
        ("ann", "Password-2026!", COMMON),
        ("ann", "2026password", COMMON),
        ("ann", "P@ssw0rd1234", COMMON),
        ("ann", "Pa$$w0rd!!!!", COMMON),
        ("qianqi", "qianqi1234", HAS_NAME),
        ("qianqi", "1-Qianqi-99", HAS_NAME),
        ("qianqi", "iloveqianqi88", HAS_NAME),
        ("li.ming", "liming12345", HAS_NAME),
        ("li-ming", "99Li_Ming99", HAS_NAME),
        ("li", "li20260101", HAS_NAME),
        ("li", "believe in 7 lilies", None),
        ("ann", "correct horse 7 battery", None),
        ("ann", "dragonfly over 3 ponds", None),
        ("ann", "床前明月光疑是地上霜", None),
        ("ann", "k7pm3wxzq9rt", None),
    ],
)
def test_what_is_wrong_with_a_password(name: str, password: str, wrong: str | None) -> None:
    assert problem(name, password, 10, LIST) == wrong
