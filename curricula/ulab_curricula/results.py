"""What a runner tells of a lab, read as what a stranger's code may have written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field, TypeAdapter, ValidationError

LONGEST_SAID = 4000
"""An error's characters; it is shown to people, and a stranger's may hold megabytes."""
_Said = Annotated[str, AfterValidator(lambda text: text[:LONGEST_SAID])]
_Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class CellResult(BaseModel):
    """What became of a cell, as `ulab_curricula.runner` writes it."""

    name: str
    error: _Said | None
    line: int
    value: float | None
    seconds: _Seconds


class MutantFate(BaseModel):
    """What became of a mutant, as `ulab_curricula.snapshots` writes it."""

    fate: Literal["caught", "survived", "undecided"]
    by: str


@dataclass(frozen=True)
class Results:
    """What was told; what was not, or makes no sense, is left out.

    Attributes
    ----------
    runs
        By ``"reference"`` or the variant's key: its cells.
    fates
        By mutant.
    repeats
        By ``"repeat-<cell>"``: why the test lost points each time.
    peak_mb
        The reference's memory in MiB.
    """

    runs: Mapping[str, list[CellResult]] = field(default_factory=dict)
    fates: Mapping[str, MutantFate] = field(default_factory=dict)
    repeats: Mapping[str, list[str | None]] = field(default_factory=dict)
    peak_mb: int = 0


_RUN = TypeAdapter(list[CellResult])
_FATES = TypeAdapter(dict[str, MutantFate])
_REPEAT = TypeAdapter(list[_Said | None])
_PEAK: TypeAdapter[int] = TypeAdapter(Annotated[int, Field(ge=0)])


def read_results(told: Mapping[str, bytes | str]) -> Results:
    """Read JSON texts by their names; a pure decision."""
    runs: dict[str, list[CellResult]] = {}
    fates: dict[str, MutantFate] = {}
    repeats: dict[str, list[str | None]] = {}
    peak = 0
    for name, text in told.items():
        if name == "mutants":
            fates = _read(_FATES, text) or {}
        elif name == "peak_mb":
            peak = _read(_PEAK, text) or 0
        elif name.startswith("repeat-"):
            # Nothing that can be read counts as a failure.
            repeats[name] = _read(_REPEAT, text) or [""]
        elif (run := _read(_RUN, text)) is not None:
            runs[name] = run
    return Results(runs, fates, repeats, peak)


def _read(kind: TypeAdapter[Any], text: bytes | str) -> Any:
    try:
        return kind.validate_json(text, strict=True)
    except ValidationError:
        return None
