"""Formulas as MathML, which browsers show without a script; what can't be read stays as it is."""

from __future__ import annotations

import html
import re
from xml.etree.ElementTree import Element, SubElement, tostring

from latex2mathml.converter import convert_to_element

MOST_CHARACTERS = 2_000
# Characters that a page's formulas may have together, and what even the shortest counts for.
MOST_ON_A_PAGE = 50_000
LEAST = 50
DEEPEST = 60

# How many children each has, where a browser would show something else with more or fewer.
_CHILDREN = {
    **dict.fromkeys(("mfrac", "mroot", "msub", "msup", "munder", "mover"), 2),
    **dict.fromkeys(("msubsup", "munderover"), 3),
}
_ELEMENTS = {
    *("math", "mrow", "mi", "mn", "mo", "mtext", "mspace", "mstyle", "msqrt", "mphantom"),
    *("mtable", "mtr", "mtd", "mpadded", *_CHILDREN),
}
_YES_OR_NO = re.compile("true|false")
_LENGTH = re.compile(r"\d?(\.\d+)?(em|ex|pt)?")  # never below nought: it would lie on other text
_ATTRIBUTES = {
    "display": re.compile("block|inline"),
    "form": re.compile("prefix|infix|postfix"),
    "mathvariant": re.compile("normal"),
    "scriptlevel": re.compile("[0-2]"),
    **dict.fromkeys(("accent", "accentunder", "displaystyle", "fence", "largeop"), _YES_OR_NO),
    **dict.fromkeys(("movablelimits", "separator", "stretchy", "symmetric"), _YES_OR_NO),
    **dict.fromkeys(("linethickness", "lspace", "rspace", "width"), _LENGTH),
    **dict.fromkeys(("minsize", "maxsize"), _LENGTH),
}
# A definition can make much of little.
_DEFINES = re.compile(r"\\([a-zA-Z]*newcommand|[egx]?def|let|newenvironment|DeclareMathOperator)\b")
# JupyterLab numbers no equations.
_NUMBERED = re.compile(r"(\\(?:begin|end)\{(?:align|alignat|eqnarray|equation|gather|multline))\}")


class Formulas:
    """What turns a page's formulas into MathML, as many as a page may have."""

    def __init__(self) -> None:
        self._left = MOST_ON_A_PAGE

    def mathml(self, tex: str, *, display: bool) -> str | None:
        """A formula as MathML, of known elements and attributes alone.

        Parameters
        ----------
        tex
            LaTeX without its delimiters.
        display
            On a line of its own.

        Returns
        -------
        str or None
            None when it can't be read, is too long, or the page has had its share.
        """
        if not tex.strip() or len(tex) > MOST_CHARACTERS or _DEFINES.search(tex):
            return None
        size = max(len(tex), LEAST)
        if size > self._left:
            return None
        self._left -= size
        try:
            read = convert_to_element(
                _NUMBERED.sub(r"\1*}", tex), display="block" if display else "inline"
            )
            return tostring(_rebuilt(read, DEEPEST), "unicode", short_empty_elements=False)
        except Exception:
            # Whatever it stumbles over, the reader sees the source.
            return None


def _rebuilt(read: Element, deepest: int, parent: Element | None = None) -> Element:
    """The same of what is allowed alone.

    Raises
    ------
    ValueError
        It holds something else.
    """
    tag, text = read.tag, html.unescape(read.text or "")
    if tag not in _ELEMENTS or len(read) != _CHILDREN.get(tag, len(read)) or deepest == 0:
        raise ValueError(tag)
    if "\\" in text and tag != "mtext":
        raise ValueError(text)  # a command that the library doesn't know
    made = Element(tag) if parent is None else SubElement(parent, tag)
    made.text = text
    for name, value in read.attrib.items():
        allowed = _ATTRIBUTES.get(name)
        if allowed and allowed.fullmatch(value):
            made.set(name, value)
    # Browsers look at neither attribute: a sheet does what they ask for.
    look = {read.get("columnalign", ""), *read.get("mathvariant", "").split("-")}
    classes = sorted(look & {"left", "right", "bold"})
    if classes:
        made.set("class", " ".join(f"formula-{one}" for one in classes))
    for child in read:
        _rebuilt(child, deepest - 1, made)
    return made
