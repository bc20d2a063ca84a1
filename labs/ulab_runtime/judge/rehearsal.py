"""What a submission's processes do first, done once in advance to find the modules it needs."""

from __future__ import annotations

import importlib

from ulab_runtime.judge.cells import new_shell, run_cell

MODULES = ("ulab", "ulab_runtime.judge.arrays", "pytest", "IPython.core.inputtransformer2")
CELLS = ("1 + 1", "print(len([1]))", "raise ValueError('seen')")


def rehearse() -> None:
    """Run a submission's first cells."""
    for module in MODULES:
        importlib.import_module(module)
    shell = new_shell()
    for cell in CELLS:
        run_cell(shell, cell, seed=0)
