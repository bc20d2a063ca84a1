"""What several modules of integration tests share, because it is slow to start."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from integration.mlflow_support import Site


@pytest.fixture(scope="session")
def mlflow_site() -> Iterator[Site]:
    """A real MLflow behind the real gateway, with courses and people."""
    from integration.mlflow_support import running_site

    with tempfile.TemporaryDirectory() as folder, running_site(Path(folder)) as running:
        yield running
