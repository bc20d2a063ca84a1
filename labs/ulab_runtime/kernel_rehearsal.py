"""What a kernel does first, done once in advance to find out which modules it needs."""

from __future__ import annotations

import importlib
import io
import os
import tempfile
from contextlib import redirect_stdout

from ulab_runtime.kernel import NO_POLLER

# What people do in their first cells: see a value, an error, a table, a picture; ask for help.
CELLS = (
    "%matplotlib inline",
    "1 + 1",
    "raise ValueError('seen')",
    "import numpy as np, pandas as pd; display(pd.DataFrame({'a': np.arange(3)}))",
    "import matplotlib.pyplot as plt; plt.plot([1, 2]); plt.title('seen'); plt.show()",
    "len?",
)
# What grading forks from the same parent, with what its values are made of.
JUDGE = (
    *("ulab", "ulab_runtime.judge.student", "ulab_runtime.judge.bench"),
    *("ulab_runtime.judge.arrays", "ulab_runtime.judge.tables"),
    *("pytest", "IPython.core.inputtransformer2"),
)


def rehearse() -> None:
    """Run a kernel's first cells, without anybody who would hear of it."""
    from ipykernel.kernelapp import IPKernelApp

    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"HOME": folder, "IPYTHONDIR": folder, "JUPYTER_RUNTIME_DIR": folder}
        app = IPKernelApp.instance(
            parent_handle=NO_POLLER,
            transport="ipc",
            connection_file=f"{folder}/c.json",
            ip=f"{folder}/s",
            log_level="CRITICAL",
        )
        app.initialize([])
        shell = app.shell
        assert shell is not None
        for extension in ("ulab_runtime.memory", "ulab_runtime.own_modules"):
            shell.extension_manager.load_extension(extension)
        with redirect_stdout(io.StringIO()):
            for cell in CELLS:
                shell.run_cell(cell)
            shell.Completer.complete("pd.DataFr")
    for module in JUDGE:
        importlib.import_module(module)
