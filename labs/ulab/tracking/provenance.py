"""What a run's tags say about where it came from: whose, which notebook, which lab."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ulab.tracking.errand import PERSON_VARIABLE
from ulab.tracking.place import Aim
from ulab_mlflow.marker import Marker

NOTEBOOK_VARIABLE = "JPY_SESSION_NAME"


def notebook() -> Path | None:
    """The notebook this kernel belongs to, as the Jupyter server has told it.

    Where nobody has, the only one of the folder.
    """
    told = os.environ.get(NOTEBOOK_VARIABLE, "")
    if told.endswith(".ipynb"):
        for path in (Path(told), Path.home() / told, Path.cwd() / Path(told).name):
            if path.is_file():
                return path
    if "ipykernel" not in sys.modules:
        return None
    found = sorted(Path.cwd().glob("*.ipynb"))
    return found[0] if len(found) == 1 else None


def sources_hash(sources: Iterable[str]) -> str:
    """SHA-256 of a list of cells, written as JSON."""
    text = json.dumps(list(sources), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def notebook_hash(path: Path) -> str | None:
    """SHA-256 of the code cells' sources, as they were last saved; outputs and words don't count.

    None when it is no notebook that can be read.
    """
    try:
        cells = json.loads(path.read_bytes())["cells"]
        return sources_hash(
            "".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def executed() -> list[str] | None:
    """The cells that were run in this kernel, in their order, this one too; None outside of one."""
    shell: Any = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    cells = getattr(shell, "user_ns", {}).get("In")
    return [str(cell) for cell in cells[1:]] if isinstance(cells, list) else None


def tags(aim: Aim, marker: Marker | None, name: str | None) -> dict[str, str]:
    """The tags of a run that begins now."""
    path = notebook()
    found = {
        "mlflow.runName": name,
        "mlflow.user": os.environ.get(PERSON_VARIABLE) or os.environ.get("USER"),
        "mlflow.source.name": str(path) if path else (sys.argv[0] or "python"),
        "mlflow.source.type": "NOTEBOOK" if path else "LOCAL",
    }
    if marker is not None:
        # The notebook is the lab's wherever its run is logged to.
        found["ulab.course"] = marker.place.course
        found["ulab.assignment"] = marker.place.assignment
        found["ulab.curriculum"] = marker.curriculum
        found["ulab.lab_version"] = marker.version
    if path is not None:
        found["ulab.notebook"] = path.name
        found["ulab.notebook_sha256"] = notebook_hash(path)
    cells = executed()
    if cells is not None:
        found["ulab.executed_sha256"] = sources_hash(cells)
    return {key: value for key, value in found.items() if value}
