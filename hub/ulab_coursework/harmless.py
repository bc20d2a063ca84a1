"""What a student wrote, as HTML that looks as it should and can't act."""

from __future__ import annotations

import re

import bleach

# nbconvert's own filter knows no headings, paragraphs or table heads, and shows them as text.
TAGS = bleach.ALLOWED_TAGS | {
    *("h1", "h2", "h3", "h4", "h5", "h6", "p", "div", "span", "br", "hr", "pre"),
    *("table", "caption", "colgroup", "col", "thead", "tbody", "tfoot", "tr", "th", "td"),
    *("dl", "dt", "dd", "details", "summary", "figure", "figcaption", "img"),
    *("del", "s", "sub", "sup"),
}
ATTRIBUTES = {
    **bleach.ALLOWED_ATTRIBUTES,
    "*": ["class", "id", "lang"],
    "details": ["open"],
    "img": ["alt", "src", "title"],
    "td": ["align", "colspan", "rowspan"],
    "th": ["align", "colspan", "rowspan", "scope"],
}
PROTOCOLS = bleach.ALLOWED_PROTOCOLS | {"data"}
_NOT_TEXT = re.compile(r"<(style|script)\b.*?</\1\s*>", re.DOTALL | re.IGNORECASE)


def harmless_html(element: str | bytes) -> str:
    """Take out of HTML whatever could run, load or be styled; keep text, headings and tables."""
    text = element.decode(errors="replace") if isinstance(element, bytes) else str(element)
    cleaned: str = bleach.clean(
        _NOT_TEXT.sub("", text),
        tags=TAGS,
        attributes=_may_stay,
        protocols=PROTOCOLS,
        strip=True,
    )
    return cleaned


def _may_stay(tag: str, name: str, value: str) -> bool:
    # A picture may come with the notebook; one from elsewhere would tell who reads the page.
    if name == "src":
        return value.startswith("data:image/") and not value.startswith("data:image/svg")
    if name == "href":
        return not value.strip().lower().startswith("data:")
    return name in ATTRIBUTES["*"] or name in ATTRIBUTES.get(tag, ())
