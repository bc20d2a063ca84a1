"""Running a notebook's visible tests in a process of its own, as ``python -m`` with its path.

nbgrader's validator runs inside the Jupyter server and stops all else there until it is done.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ulab_core.errors import UserError
from ulab_core.i18n import mark

_RAISED = re.compile(r"^[\w.]*(?:Error|Exception|Exit|Interrupt|Iteration|Warning): ", re.MULTILINE)


class CannotValidate(UserError):
    """The notebook could not be run at all."""


async def validate(notebook: Path) -> dict[str, Any]:
    """Run a notebook from the top and say which of its tests fail.

    Returns
    -------
    dict
        nbgrader's own result: lists under ``changed``, ``type_changed``, ``failed``, ``passed``;
        a list without entries may be missing.

    Raises
    ------
    CannotValidate
        With the runner's last line.
    """
    with tempfile.TemporaryDirectory() as folder:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "ulab_coursework.validating",
            str(notebook),
            cwd=notebook.parent,
            env=as_when_graded(os.environ, Path(folder)),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            out, log = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
    try:
        result: dict[str, Any] = json.loads(out.splitlines()[-1])
    except (ValueError, IndexError):
        last = log.decode(errors="replace").strip().splitlines()[-1:]
        raise CannotValidate(
            mark("Your notebook could not be run: {reason}"), reason="".join(last)
        ) from None
    return result


def as_when_graded(environment: Mapping[str, str], folder: Path) -> dict[str, str]:
    """The environment with what grading has, so that no run is logged and what takes long is short.

    Parameters
    ----------
    folder
        Takes the runs of a notebook that tracks them all the same, and is thrown away.
    """
    return {
        **{name: value for name, value in environment.items() if not name.startswith("MLFLOW_")},
        "ULAB_GRADING": "1",
        "MLFLOW_TRACKING_URI": (folder / "mlruns").as_uri(),
        "MLFLOW_ALLOW_FILE_STORE": "true",
    }


def told_by(error: str) -> str:
    """What a traceback says at its end; a failed assertion's own sentence alone.

    Examples
    --------
    >>> told_by("AssertionError  Traceback\\n> 1 assert x\\n\\nAssertionError: x must be 3")
    'x must be 3'
    """
    raised = [found.start() for found in _RAISED.finditer(error)]
    return error[raised[-1] :].strip().removeprefix("AssertionError: ") if raised else ""


def main() -> None:
    from nbconvert.filters import strip_ansi
    from nbgrader.apps import NbGrader
    from nbgrader.validator import Validator

    app = NbGrader()
    app.load_config_file()
    found = Validator(config=app.config).validate(sys.argv[1])
    for failed in found.get("failed", ()):
        # The dialog shows the source first, and the sentence in it would come last of all.
        said = told_by(strip_ansi(failed["raw_error"]))
        failed["source"] = f"{said}\n\n{failed['source']}" if said else failed["source"]
    print(json.dumps(found))


if __name__ == "__main__":
    main()
