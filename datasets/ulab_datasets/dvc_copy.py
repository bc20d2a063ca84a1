"""Copies to or from a remote with DVC; also for an environment that has DVC and nothing of ours.

Run as a program it reads a job, the arguments of `copy`, as JSON, and writes what came of it.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping
from typing import Any


def copy(verb: str, root: str, dvc_file: str, config: Mapping[str, Any]) -> int:
    """Have the DVC repository `root` push or fetch what a .dvc file names; how many files."""
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    heard = _Heard()
    silence(heard)
    try:
        with Repo(root, config=dict(config)) as repo:
            return int(getattr(repo, verb)(targets=[dvc_file]))
    except DvcException as error:
        # It counts the files that failed, and only writes down why.
        raise error from (error.__cause__ or next(iter(heard.errors), None))


class _Heard(logging.Handler):
    """Keeps the errors that DVC writes down."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.errors: list[BaseException] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and record.exc_info[1]:
            self.errors.append(record.exc_info[1])


def silence(handler: logging.Handler | None = None) -> None:
    """Keep DVC from writing: what goes wrong is said in a sentence of ours."""
    for name in ("dvc", "dvc_data", "dvc_objects"):
        logger = logging.getLogger(name)
        logger.handlers = [handler or logging.NullHandler()]
        logger.propagate = False


def reason(error: BaseException) -> str:
    """What went wrong, of the cause rather than of DVC's advice."""
    cause = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    return (str(cause).strip() or type(cause).__name__).splitlines()[0].rstrip(".")


def main() -> None:
    from dvc.exceptions import DvcException

    said: dict[str, Any]
    try:
        said = {"count": copy(**json.load(sys.stdin))}
    except (DvcException, OSError) as error:
        said = {"problem": reason(error)}
    json.dump(said, sys.stdout)


if __name__ == "__main__":
    main()
