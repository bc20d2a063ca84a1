"""Reads `lab.yaml`, `curriculum.yaml`, `focus-areas.yaml` and what of a fixture is YAML."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from ulab_core import manifest_files
from ulab_core.manifest_files import Found
from ulab_curricula.manifest import PATTERNS

PAGE = "docs/curricula.md"
"""What tells authors what a manifest holds."""

Manifest = TypeVar("Manifest", bound=BaseModel)


def read_manifest(path: Path, kind: type[Manifest]) -> Manifest:
    """Read a manifest, as `find_manifest` does, without its lines."""
    return find_manifest(path, kind).manifest


def find_manifest(path: Path, kind: type[Manifest]) -> Found[Manifest]:
    """Read a manifest.

    Raises
    ------
    BadManifest
        See `ulab_core.manifest_files.find_manifest`.
    """
    return manifest_files.find_manifest(path, kind, PAGE, PATTERNS)


def understood(path: Path, text: str, kind: type[Manifest]) -> Found[Manifest]:
    """Understand the YAML of a file, or what of it is YAML, line by line as it stands there.

    Raises
    ------
    BadManifest
        As `find_manifest` does of a file that is there.
    """
    return manifest_files.understood(path, text, kind, PATTERNS)
