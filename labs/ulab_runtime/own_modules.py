"""An IPython extension: says, once, that a kernel started slowly for the person's own packages."""

from __future__ import annotations

import os
import sys
from typing import Any

from ulab_core.i18n import mark, translations
from ulab_runtime.own_packages import FOUND_VARIABLE

STARTED_COLD = mark(
    "This kernel uses your own packages in the place of the base's ({modules}), so it took longer "
    "to start. To use the base's again: pip uninstall, then restart the kernel."
)
MOST_NAMED = 5


def sentence(modules: str, language: str) -> str:
    """What to say about a comma-separated list of modules."""
    named = modules.split(",")
    shown = ", ".join(named[:MOST_NAMED]) + (", …" if len(named) > MOST_NAMED else "")
    return str(translations(language).gettext(STARTED_COLD)).format(modules=shown)


def load_ipython_extension(shell: Any) -> None:
    """Say it below the first cell that is run."""
    modules = os.environ.pop(FOUND_VARIABLE, "")
    if not modules:
        return

    def say(info: Any) -> None:
        shell.events.unregister("pre_run_cell", say)
        print(sentence(modules, os.environ.get("ULAB_LANGUAGE", "zh")), file=sys.stderr)

    shell.events.register("pre_run_cell", say)
