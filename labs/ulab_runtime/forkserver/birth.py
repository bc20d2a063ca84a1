"""From the fork to the first line of a child's own program."""

from __future__ import annotations

import contextlib
import importlib
import json
import logging
import os
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass

from ulab_runtime.forkserver import linux, mend
from ulab_runtime.forkserver.conversation import Conversation
from ulab_runtime.forkserver.enter import enter, settle
from ulab_runtime.forkserver.hearing import Asked, Impostor, hear
from ulab_runtime.forkserver.request import ForkRequest
from ulab_runtime.forkserver.target import NoSuchTarget, Status
from ulab_runtime.forkserver.wire import Malformed, Refusal

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Child:
    """What a forked child does with the rest of its life."""

    request: ForkRequest

    def live(self) -> None:
        """Run the program; when it returns, the process is to end as any Python process does."""
        importlib.import_module(self.request.module).main()


def give_birth(conversation: Conversation, outlet: int, abandon: Callable[[], None]) -> Child | int:
    """Fork a child into the sandbox that a conversation is about.

    There are two forks: entering a PID namespace takes effect for children only. The process in
    between, which also reads the request, ends at once, and the child's parent is then the fork
    server, the nearest to adopt orphans.

    Parameters
    ----------
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
        asked, status, tells = _go_between(conversation, outlet, abandon)
        linux.die_with_parent(True)
        given, request = asked.given, asked.request
        nothing = os.open("/dev/null", os.O_RDONLY)
        # Before it settles: from then on its neighbours may look at it, and at what it has open.
        tells = mend.descriptors([nothing, *given[:2]], [*given[2:], tells])
        settle(status)
        linux.die_with_parent(True)  # which becoming someone else undid
        os.chdir(request.cwd)
        linux.die_with_parent(False)
        os.write(tells, str(os.getpid()).encode())
        os.close(tells)
        mend.environment(request.env)
        mend.logs()
        mend.python(request.module, request.argv)
        mend.randomness()
        mend.libraries()
        return Child(request)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def _go_between(
    conversation: Conversation, outlet: int, abandon: Callable[[], None]
) -> tuple[Asked, Status, int]:
    """Read the request, enter the sandbox, fork, and return in the child alone.

    Returns
    -------
    Asked, Status, int
        What to do, who to be, and where to write one's number.
    """
    news: dict[str, object]
    try:
        with conversation.connection.dup() as connection:
            abandon()
            mend.signals()
            asked = hear(connection, conversation.nonce, conversation.peer)
        mend.close_all_but({0, 1, 2, outlet, asked.target.pidfd, *asked.given})
        status = enter(asked.target)
        inlet, tells = os.pipe()
        child = os.fork()
        if not child:
            return asked, status, tells
        os.close(tells)
        inside = os.read(inlet, 16)
        news = {"pid": child, "inside": int(inside)} if inside else {"refused": Refusal.FAILED}
    except (Malformed, Impostor, NoSuchTarget) as error:
        log.warning("Refused: %s", error)
        news = {"refused": WORDS[type(error)]}
    except BaseException:
        traceback.print_exc()
        news = {"refused": Refusal.FAILED}
    with contextlib.suppress(OSError):
        os.write(outlet, json.dumps(news).encode())
    os._exit(0)


WORDS = {
    Malformed: Refusal.MALFORMED,
    Impostor: Refusal.IMPOSTOR,
    NoSuchTarget: Refusal.NO_SANDBOX,
}
