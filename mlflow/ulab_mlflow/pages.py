"""What people see of the gateway itself: its own few pages, and what it adds to MLflow's."""

from __future__ import annotations

import functools
from html import escape
from pathlib import Path

from ulab_core.i18n import mark, translations
from ulab_core.look import STATIC

COURSES = "/services/ulab/"
ADDED = Path(__file__).parent / "static"
_BACK = mark("My courses")

_PAGE = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
{refresh}<title>{site}</title>
<style>{style}
.btn {{ display: inline-block; color: #fff; background: #1f5fd0; text-decoration: none; }}
body {{ margin: 0; background: var(--ulab-ground); color: var(--ulab-ink); }}
</style>
</head>
<body><main id="main"><div class="ulab-centre">
<p class="ulab-status" aria-hidden="true">{status}</p>
<h1>{sentence}</h1>
<p><a class="btn btn-primary" href="{courses}">{back}</a></p>
</div></main></body></html>
"""


@functools.cache
def _style() -> str:
    return (STATIC / "ulab.css").read_text(encoding="utf-8").replace("</", r"<\/")


def error_page(site: str, language: str, status: int, sentence: str) -> str:
    """A page with one sentence; while MLflow is down it asks again by itself.

    Parameters
    ----------
    sentence
        Already in `language`.
    """
    return _PAGE.format(
        language="zh-CN" if language == "zh" else "en",
        refresh='<meta http-equiv="refresh" content="5">\n' if status == 503 else "",
        site=escape(site),
        style=_style(),
        status=status,
        sentence=escape(sentence),
        courses=COURSES,
        back=escape(translations(language).gettext(_BACK)),
    )


@functools.cache
def _additions() -> bytes:
    script = (ADDED / "page.js").read_text(encoding="utf-8")
    style = (ADDED / "page.css").read_text(encoding="utf-8")
    return f"<script>{script}</script><style>{style}</style>".encode()


def with_additions(page: bytes) -> bytes:
    """MLflow's page with ours in its head, where it takes effect before MLflow's scripts run."""
    head, found, rest = page.partition(b"<script defer")
    return head + _additions() + found + rest if found else page
