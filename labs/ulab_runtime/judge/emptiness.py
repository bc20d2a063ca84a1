"""In a judge an empty array is not close to a number, though NumPy and pytest say so of it.

They compare element by element, and there is none: who hands in an empty array would pass. Where a
test looks at nothing but values, nothing but this can tell it.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
from collections.abc import Callable, Iterable
from typing import Any


def refuse_empty_answers(sources: Iterable[str]) -> None:
    """Have comparisons of an empty array with a number fail, in the libraries that sources name.

    Parameters
    ----------
    sources
        The code that is going to run.
    """
    text = "\n".join(sources)
    if "numpy" in text or "pytest" in text:
        _guard("numpy.testing._private.utils", "assert_array_compare", _asserted)
        _guard("numpy", "allclose", _answered)
    if "pytest" in text:
        # A test that wants it where it isn't installed says so itself.
        with contextlib.suppress(ImportError):
            approx: Any = type(importlib.import_module("pytest").approx(0))
            approx.__eq__ = _compared(approx.__eq__)


def is_vacuous(one: Any, other: Any) -> bool:
    """Whether a comparison of two looks at no element, though one of them has some."""
    import numpy as np

    try:
        sizes = {np.asarray(one).size, np.asarray(other).size}
    except Exception:
        return False  # no arrays, so the comparison itself says what it thinks of them
    return 0 in sizes and len(sizes) > 1


def _guard(module: str, name: str, guarded: Callable[[Any], Any]) -> None:
    found = importlib.import_module(module)
    setattr(found, name, guarded(getattr(found, name)))


def _asserted(compare: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(compare)
    def guarded(
        comparison: Any, x: Any, y: Any, err_msg: str = "", *args: Any, **more: Any
    ) -> None:
        if is_vacuous(x, y):
            import numpy as np

            raise AssertionError(f"{err_msg}\n(shapes {np.shape(x)}, {np.shape(y)} mismatch)")
        compare(comparison, x, y, err_msg, *args, **more)

    return guarded


def _answered(allclose: Callable[..., bool]) -> Callable[..., bool]:
    @functools.wraps(allclose)
    def guarded(a: Any, b: Any, *args: Any, **more: Any) -> bool:
        return not is_vacuous(a, b) and allclose(a, b, *args, **more)

    return guarded


def _compared(equal: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    @functools.wraps(equal)
    def guarded(self: Any, actual: Any) -> bool:
        return not is_vacuous(actual, self.expected) and equal(self, actual)

    return guarded
