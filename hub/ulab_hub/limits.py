"""What a person's server may use, as the variables that libraries read."""

from __future__ import annotations

from ulab_core.settings import Settings


def thread_variables(settings: Settings) -> dict[str, str]:
    """How many threads numerical libraries may start.

    The host's cores aren't all one person's; more threads than cores only wait for one another.
    """
    threads = str(max(1, int(settings.limits.cpus)))
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    return dict.fromkeys(names, threads)
