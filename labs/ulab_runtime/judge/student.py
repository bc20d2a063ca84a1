"""The student process: runs a submission's cells, and does what the judge asks."""

from __future__ import annotations

import os
import selectors
import signal
import socket
import sys
from pathlib import Path

from ulab_runtime.judge.cells import Shell, new_shell, run_cell
from ulab_runtime.judge.frames import CONTROL_LIMIT, Broken, Ended, pack, receive
from ulab_runtime.judge.serving import Servant
from ulab_runtime.kernel import offer_to_the_oom_killer

_CELL_FILES = ("<ipython-input-", "<string>")


def main() -> None:
    """Run cells until the controller closes its descriptor."""
    if sys.path[:1] == [str(Path.cwd())] or sys.path[:1] == [""]:
        del sys.path[0]  # until the first cell runs, a student's random.py must not be Python's
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    offer_to_the_oom_killer()
    control, link = (socket.socket(fileno=int(number)) for number in sys.argv[1:3])
    shell = new_shell()
    sys.path.insert(0, "")
    serve(shell, control, link)
    # Threads and exit handlers of the student's have no say in when this ends.
    os._exit(0)


def serve(shell: Shell, control: socket.socket, link: socket.socket) -> None:
    """Do what either asks, in the order in which it comes."""
    servant = Servant(link, shell.user_ns, lambda name: name.startswith(_CELL_FILES))
    with selectors.DefaultSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        selector.register(link, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                try:
                    if key.fileobj is control:
                        _run(shell, control)
                    else:
                        servant.serve_one()
                except Ended:
                    if key.fileobj is control:
                        return
                    selector.unregister(link)


def _run(shell: Shell, control: socket.socket) -> None:
    asked = receive(control, CONTROL_LIMIT)
    os.environ["ULAB_LANGUAGE"] = asked["language"]
    done = run_cell(shell, asked["source"], asked["seed"])
    try:
        packed = pack(done, CONTROL_LIMIT)
    except Broken:
        packed = pack({**done, "outputs": []}, CONTROL_LIMIT)
    control.sendall(packed)


if __name__ == "__main__":
    main()
