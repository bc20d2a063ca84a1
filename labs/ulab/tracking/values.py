"""What students hand over, as MLflow takes it: numbers, names and parameters."""

from __future__ import annotations

import math
import re
from typing import Any

# MLflow's own limits (mlflow.utils.validation).
LONGEST_NAME = 250
LONGEST_PARAM = 6000
LONGEST_TAG = 8000

_NOT_IN_NAMES = re.compile(r"[^\w.\- :/]")


def number(value: Any) -> float:
    """A number from whatever holds exactly one: a tensor, an array, a numpy scalar, a bool.

    An int too large for a float is infinite.

    Raises
    ------
    TypeError, ValueError
        It holds none, or several.

    Examples
    --------
    >>> number(True), number(10**400)
    (1.0, inf)
    """
    if isinstance(value, str | bytes):
        # float() would take "0.5", and a student would not notice the quotes.
        raise TypeError(type(value).__name__)
    if hasattr(value, "item"):
        value = value.item()
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def metric_name(name: str) -> str:
    """The name with what MLflow refuses replaced, and not too long.

    Examples
    --------
    >>> metric_name("val/acc@1"), metric_name("../损失"), metric_name("")
    ('val/acc_1', '_/损失', '_')
    """
    parts = [part for part in _NOT_IN_NAMES.sub("_", str(name)).split("/") if part not in ("", ".")]
    # MLflow refuses what would be another place when taken for a path.
    clean = "/".join("_" if part == ".." else part for part in parts)
    return clean[:LONGEST_NAME].rstrip("/") or "_"


def params(given: dict[str, Any], before: str = "") -> dict[str, str]:
    """Parameters as MLflow stores them: text.

    Examples
    --------
    >>> params({"lr": 0.1, "layers": (64, 32)})
    {'lr': '0.1', 'layers': '(64, 32)'}
    """
    return {metric_name(before + name): text(value, LONGEST_PARAM) for name, value in given.items()}


def tags(given: dict[str, Any]) -> dict[str, str]:
    return {metric_name(name): text(value, LONGEST_TAG) for name, value in given.items()}


def text(value: Any, longest: int) -> str:
    """A value's text, cut to `longest` characters; never an error of the value's own `__str__`."""
    try:
        whole = str(value)
    except Exception:
        whole = f"<{type(value).__name__}>"
    return whole if len(whole) <= longest else whole[: longest - 1] + "…"


def simple(value: Any) -> bool:
    """Whether a function's argument says how it was called, rather than being what it works on."""
    return value is None or isinstance(value, bool | int | float | str)
