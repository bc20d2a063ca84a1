"""From the fork to the first line of a child's own program."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ulab_runtime.forkserver import mend
from ulab_runtime.forkserver.enter import enter, settle
from ulab_runtime.forkserver.request import ForkRequest
from ulab_runtime.forkserver.target import NoSuchTarget, Status, Target
from ulab_runtime.forkserver.wire import Refusal


@dataclass(frozen=True)
class Child:
    """What a forked child does with the rest of its life."""

    request: ForkRequest

    def live(self) -> None:
        """Run the program; when it returns, the process is to end as any Python process does."""
        importlib.import_module(self.request.module).main()


def give_birth(
    request: ForkRequest,
    target: Target,
    given: Sequence[int],
    outlet: int,
    abandon: Callable[[], None],
) -> Child | int:
    """Fork a child into the target's sandbox.

    There are two forks: entering a PID namespace takes effect for children only. The process in
    between ends at once, and the child's parent is then the fork server, the nearest to adopt
    orphans.

    Parameters
    ----------
    given
        Descriptors of the child's: standard output, standard error, and from number 3 the rest.
    outlet
        Where to write one line of JSON: the child's number, or why there is none.
    abandon
        Closes, in the child, what belongs to the server.

    Returns
    -------
    Child or int
        In the child: what it is to do. In the parent: the number of the process in between.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    between = os.fork()
    if between:
        return between
    # From here on nothing may return to the server's loop but the finished child.
    try:
        abandon()
        mend.signals()
        status, tells = _go_between(target, outlet)
        settle(status)
        os.chdir(request.cwd)
        nothing = os.open("/dev/null", os.O_RDONLY)
        os.write(tells, str(os.getpid()).encode())
        mend.descriptors([nothing, *given[:2]], given[2:])
        mend.environment(request.env)
        mend.logs()
        mend.python(request.module, request.argv)
        mend.randomness()
        mend.libraries()
        return Child(request)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def _go_between(target: Target, outlet: int) -> tuple[Status, int]:
    """Enter the sandbox, fork, and return in the child alone.

    Returns
    -------
    Status, int
        Who to be, and where to write one's number.
    """
    news: dict[str, object]
    try:
        status = enter(target)
        inlet, tells = os.pipe()
        child = os.fork()
        if not child:
            os.close(outlet)
            os.close(inlet)
            return status, tells
        os.close(tells)
        inside = os.read(inlet, 16)
        news = {"pid": child, "inside": int(inside)} if inside else {"refused": Refusal.FAILED}
    except NoSuchTarget as error:
        news = {"refused": Refusal.NO_SANDBOX, "why": str(error)}
    except BaseException as error:
        traceback.print_exc()
        news = {"refused": Refusal.FAILED, "why": repr(error)}
    with contextlib.suppress(OSError):
        os.write(outlet, json.dumps(news).encode())
    os._exit(0)
