"""What several modules of integration tests share."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from integration.coursework_support import Base
    from integration.mlflow_support import Site


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Base:
    """A small base with one course; modules that need a running hub have their own."""
    from integration.coursework_support import make_base

    return make_base(tmp_path, monkeypatch)


# Slow to start.
@pytest.fixture(scope="session")
def mlflow_site() -> Iterator[Site]:
    """A real MLflow behind the real gateway, with courses and people."""
    from integration.mlflow_support import running_site

    with tempfile.TemporaryDirectory() as folder, running_site(Path(folder)) as running:
        yield running
