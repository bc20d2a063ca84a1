"""A data set of the store as MLflow notes a run's input."""

from __future__ import annotations

import json
from typing import Any

SOURCE_TYPE = "ulab_dvc"
# The base's own store, as the source's repository; any other is a Git repository's address.
OWN_REPOSITORY = "ulab"
# MLflow takes no longer digest. DVC's checksum of a folder is exactly this long.
LONGEST_DIGEST = 36

_TYPES = {"integer": "long", "number": "double", "text": "string", "boolean": "boolean"}


def dataset_input(name: str, card: dict[str, Any]) -> dict[str, Any] | None:
    """What `log-inputs` takes; None when the store is so old that its card has no revision.

    Parameters
    ----------
    name
        The data set's.
    card
        Its card in the store.
    """
    revision = card.get("md5")
    if not isinstance(revision, str) or not 0 < len(revision) <= LONGEST_DIGEST:
        return None
    source = {"repository": OWN_REPOSITORY, "revision": revision, "path": name}
    dataset = {
        "name": name,
        "digest": revision,
        "source_type": SOURCE_TYPE,
        "source": json.dumps(source),
    }
    shape = card.get("shape") or {}
    if columns := shape.get("columns"):
        described = [
            {"name": column, "type": _TYPES.get(what.get("kind"), "string"), "required": True}
            for column, what in columns.items()
        ]
        dataset["schema"] = json.dumps({"mlflow_colspec": described})
    if rows := shape.get("rows"):
        dataset["profile"] = json.dumps({"num_rows": rows})
    return {"tags": [{"key": "mlflow.data.context", "value": "train"}], "dataset": dataset}
