"""What a lab's author is told of tests that mutants survive, or that luck decides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ulab_core.i18n import mark
from ulab_curricula.build import Built
from ulab_curricula.errors import BadLab, BadTest
from ulab_curricula.execute import REFERENCE, Executed
from ulab_curricula.labs import Lab
from ulab_curricula.mutants import SHARE_CAUGHT, Fate, Mutants
from ulab_curricula.places import place_of

_UNCAUGHT = {
    (False, False): mark("No test notices when “{before}” becomes “{after}”."),
    (False, True): mark("No test notices when “{before}” is left out."),
    (True, False): mark(
        "No quick test notices when “{before}” becomes “{after}”, and there was no time for those "
        "that need a training."
    ),
    (True, True): mark(
        "No quick test notices when “{before}” is left out, and there was no time for those that "
        "need a training."
    ),
}


def uncaught(lab: Lab, built: Built, mutants: Mutants) -> Iterator[BadLab]:
    """That too few were caught, if so, and each survivor."""
    if mutants.share < SHARE_CAUGHT:
        yield BadLab(
            mark(
                "{lab}: the tests catch {caught} of {run} small changes to the solution, fewer "
                "than {share:.0%}. Let them fail for more of those below."
            ),
            lab=lab.id,
            caught=mutants.caught,
            run=mutants.run,
            share=SHARE_CAUGHT,
        )
    for mutant in mutants.survivors:
        yield BadTest(
            _UNCAUGHT[mutant.fate is Fate.UNDECIDED, not mutant.mutation.after],
            place_of(lab, built.canonical, mutant.cell, mutant.mutation.line),
            before=mutant.mutation.before,
            after=mutant.mutation.after,
        )


def flaky(lab: Lab, built: Built, ran: Sequence[Executed]) -> Iterator[BadTest]:
    """The tests that the reference passed once and fails with other numbers, hashes or words."""
    for cell in ran[0].repeats:
        said = [text for each in ran for text in each.repeats.get(cell, ())]
        said += [text for each in ran[1:] if (text := each.runs[REFERENCE].errors.get(cell))]
        failed = [text for text in said if text is not None]
        if failed:
            yield BadTest(
                mark(
                    "The reference passes this test, but not with other random numbers or in the "
                    "other language: it fails {count} times of {of}. {error} Seed what is drawn in "
                    "it, or ask for less."
                ),
                place_of(lab, built.canonical, cell),
                count=len(failed),
                of=len(said),
                error=failed[0],
            )
