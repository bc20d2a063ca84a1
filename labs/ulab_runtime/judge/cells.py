"""Runs a notebook's cells in an IPython shell and keeps what each shows, as a notebook would."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from ulab_runtime.judge.capturing import KeptText
from ulab_runtime.judge.seeds import seed_all
from ulab_runtime.kernel import draw_below_the_cell
from ulab_runtime.memory import guard_alone

BACKEND = "module://matplotlib_inline.backend_inline"
MOST_OUTPUTS = 1000
OUTPUT_CHARACTERS = 6_000_000


class Outputs:
    """A cell's outputs in nbformat's form, up to a limit."""

    def __init__(self) -> None:
        self.found: list[dict[str, Any]] = []
        self._left = OUTPUT_CHARACTERS

    def text(self, name: str, text: str) -> None:
        last = self.found[-1] if self.found else {}
        if not self._pays(len(text)):
            return
        if last.get("name") == name:
            last["parts"].append(text)
        else:
            self.found.append({"output_type": "stream", "name": name, "parts": [text]})

    def add(self, output: dict[str, Any]) -> None:
        if self._pays(sum(len(str(part)) for part in output.get("data", {}).values())):
            self.found.append(output)

    def error(self, kind: type[BaseException], error: object, lines: list[str]) -> None:
        try:
            said = str(error)
        except BaseException:
            said = ""
        self.found.append(
            {
                "output_type": "error",
                "ename": kind.__name__,
                "evalue": said[:10_000],
                "traceback": [line[:20_000] for line in lines[:200]],
            }
        )

    def listed(self) -> list[dict[str, Any]]:
        return [
            {"output_type": "stream", "name": one["name"], "text": "".join(one["parts"])}
            if one["output_type"] == "stream"
            else one
            for one in self.found
        ]

    def _pays(self, amount: int) -> bool:
        self._left -= amount + 10
        return self._left > 0 and len(self.found) < MOST_OUTPUTS


class _Stream(KeptText):
    def __init__(self, shell: Shell, name: str) -> None:
        super().__init__()
        self._shell, self._name = shell, name

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self._shell.outputs.text(self._name, text)
        return len(text)


class _Publisher(DisplayPublisher):
    def publish(self, data: Any, metadata: Any = None, *args: Any, **more: Any) -> None:
        shell: Any = self.shell
        shell.outputs.add({"output_type": "display_data", "data": _plain(data), "metadata": {}})

    def clear_output(self, wait: bool = False) -> None:
        shell: Any = self.shell
        shell.outputs = Outputs()


class _Result(DisplayHook):
    def start_displayhook(self) -> None:
        pass

    def write_output_prompt(self) -> None:
        pass

    def write_format_data(self, format_dict: Any, md_dict: Any = None) -> None:
        shell: Any = self.shell
        result: dict[str, Any] = {
            "output_type": "execute_result",
            "execution_count": None,
            "metadata": {},
        }
        shell.outputs.add({**result, "data": _plain(format_dict)})

    def finish_displayhook(self) -> None:
        pass


def _plain(data: Any) -> dict[str, Any]:
    import base64

    return {
        str(mime): base64.b64encode(value).decode() if isinstance(value, bytes) else value
        for mime, value in dict(data).items()
        if isinstance(value, (str, bytes))
    }


class Shell(InteractiveShell):
    """A shell that writes no file and knows no history, with the outputs of the cell that runs."""

    outputs: Outputs

    def __init__(self, **options: Any) -> None:
        self.outputs = Outputs()
        super().__init__(**options)

    def move_in(self) -> None:
        """Be the shell of another process than the one that made it."""
        self.init_ipython_dir(None)
        self.init_profile_dir(None)
        self.init_pushd_popd_magic()
        self.starting_dir = str(Path.cwd())
        self.save_sys_module_state()
        self.init_sys_modules()

    def init_io(self) -> None:
        pass

    def init_virtualenv(self) -> None:
        pass

    def _showtraceback(self, etype: Any, evalue: Any, stb: Any) -> None:
        self.outputs.error(etype, evalue, list(stb))

    def ask_exit(self) -> None:
        pass

    def enable_gui(self, gui: Any = None) -> None:
        pass


def new_shell() -> Shell:
    """The process's shell, ready for cells; the one of its parent, if that made one."""
    os.environ.setdefault("MPLBACKEND", BACKEND)
    inherited = Shell.initialized()
    shell = made_shell()
    if inherited:
        shell.move_in()
    draw_below_the_cell()
    guard_alone(shell)
    return shell


def made_shell() -> Shell:
    """A shell that knows nothing yet of the process that it is for."""
    config = Config()
    config.HistoryManager.enabled = False
    config.HistoryManager.hist_file = ":memory:"
    config.InteractiveShell.cache_size = 0
    config.InteractiveShell.colors = "nocolor"
    config.InteractiveShell.banner1 = ""
    config.Completer.use_jedi = False
    return Shell.instance(config=config, display_pub_class=_Publisher, displayhook_class=_Result)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Only while a cell runs does an interrupt end it, and never what is between cells."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def run_cell(shell: Shell, source: str, seed: int) -> dict[str, Any]:
    """Run one cell.

    Parameters
    ----------
    seed
        What the random generators begin with.

    Returns
    -------
    dict
        ``status``, ``outputs`` and ``seconds``.
    """
    shell.outputs = Outputs()
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = _Stream(shell, "stdout"), _Stream(shell, "stderr")
    begun, fine = time.monotonic(), False
    try:
        seed_all(seed)
        with _interruptible():
            fine = shell.run_cell(source, store_history=True).success
    except BaseException as error:  # an interrupt at the very end, or a patched shell
        shell.outputs.error(type(error), error, [])
    finally:
        sys.stdout, sys.stderr = before
    return {
        "status": "ok" if fine is True else "error",
        "outputs": shell.outputs.listed(),
        "seconds": time.monotonic() - begun,
    }
