"""What pydantic finds wrong with a value, as words in both languages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic_core import ErrorDetails

from ulab_core.i18n import mark

# pydantic's kinds of error; what is not here is said in its own English words.
_KINDS = {
    "missing": mark("is missing"),
    "int_parsing": mark("must be a whole number"),
    "int_type": mark("must be a whole number"),
    "int_from_float": mark("must be a whole number"),
    "float_parsing": mark("must be a number"),
    "float_type": mark("must be a number"),
    "finite_number": mark("must be a number"),
    "bool_parsing": mark("must be true or false"),
    "bool_type": mark("must be true or false"),
    "string_type": mark("must be text in quotation marks"),
    "path_type": mark("must be text in quotation marks"),
    "list_type": mark("must be a list"),
    "tuple_type": mark("must be a list"),
    "dict_type": mark("must be a section with keys of its own"),
    "model_type": mark("must be a section with keys of its own"),
    "literal_error": mark("must be one of {expected}"),
    "greater_than": mark("must be greater than {gt}"),
    "greater_than_equal": mark("must be {ge} or more"),
    "less_than": mark("must be less than {lt}"),
    "less_than_equal": mark("must be {le} or less"),
    "too_short": mark("must have {min_length} or more"),
    "string_too_short": mark("must have {min_length} or more characters"),
    "string_too_long": mark("must have {max_length} or fewer characters"),
    "string_pattern_mismatch": mark("must fit the pattern {pattern}"),
}


def said_of(
    error: ErrorDetails,
    translate: Callable[[str], str] = str,
    patterns: Mapping[str, str] | None = None,
) -> str:
    """What is wrong, without the place.

    Parameters
    ----------
    patterns
        By pattern: marked words that say what fits it.
    """
    context: dict[str, Any] = {**error.get("ctx", {})}
    known = (patterns or {}).get(str(context.get("pattern"))) or _KINDS.get(error["type"])
    if known is None:
        # A validator's own words are a marked sentence.
        own_words = error["msg"].removeprefix("Value error, ")
        return translate(own_words)
    return translate(known).format(**context)
