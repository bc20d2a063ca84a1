"""Writes the manifests' JSON Schemas, which editors complete by: ``make schemas``."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from ulab_core.i18n import translations
from ulab_curricula.labs import CURRICULA
from ulab_curricula.manifest import CurriculumManifest, FocusAreas, LabManifest

SCHEMAS = CURRICULA / "schemas"
KINDS: dict[str, type[BaseModel]] = {
    "lab": LabManifest,
    "curriculum": CurriculumManifest,
    "focus-areas": FocusAreas,
}


def schema(name: str) -> str:
    """The content of a schema file; each description is in both languages."""
    made = KINDS[name].model_json_schema()
    made = {"$schema": "https://json-schema.org/draft/2020-12/schema", **_bilingual(made)}
    return json.dumps(made, ensure_ascii=False, indent=2) + "\n"


def schema_file(root: Path, name: str) -> Path:
    """Where the schema lies below a folder of curricula."""
    return root / f"{name}.schema.json"


def modeline(manifest: Path, name: str, schemas: Path = SCHEMAS) -> str:
    """The first line of a manifest, which names its schema to an editor."""
    path = os.path.relpath(schema_file(schemas, name), manifest.parent)
    return f"# yaml-language-server: $schema={path}\n"


def write_schemas(folder: Path = SCHEMAS) -> None:
    """Write all schemas."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in KINDS:
        schema_file(folder, name).write_text(schema(name), encoding="utf-8")


def _bilingual(node: Any) -> Any:
    if isinstance(node, list):
        return [_bilingual(item) for item in node]
    if not isinstance(node, dict):
        return node
    made = {key: _bilingual(value) for key, value in node.items()}
    description = node.get("description")
    if isinstance(description, str):
        chinese = translations("zh").gettext(description)
        made["description"] = (
            description if chinese == description else f"{chinese}\n\n{description}"
        )
    return made


if __name__ == "__main__":
    write_schemas()
