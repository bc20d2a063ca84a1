"""What counts as work in a fetched notebook, and what only saving or running it leaves there."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import nbformat
import pytest
from integration.coursework_support import LAB, answer, release_notebook

from ulab_coursework import workspace


class Client:
    """A portal that gives out the lab and takes anything."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []

    def get(self, *path: str, **query: str) -> dict[str, Any]:
        content = nbformat.writes(release_notebook(LAB)).encode()
        files = {f"{LAB}.ipynb": base64.b64encode(content).decode()}
        return {"files": files, "language": "zh"}

    def post_bytes(self, *path: str, content: bytes, via: str) -> dict[str, Any]:
        self.taken.append(content)
        return {"id": "1"}


@pytest.fixture
def client(tmp_path: Path) -> Client:
    found = Client()
    workspace.fetch(found, tmp_path, "course", LAB)  # type: ignore[arg-type]
    return found


def submit(client: Client, root: Path) -> None:
    workspace.submit(client, root, "course", LAB, "portal", True)  # type: ignore[arg-type]


def test_saving_and_running_is_no_work(client: Client, tmp_path: Path) -> None:
    path = workspace.notebook_of(tmp_path, "course", LAB)
    before = path.read_bytes()
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata["language_info"] = {"name": "python", "version": "3.11"}
    notebook.cells[1].execution_count = 7
    notebook.cells[1].metadata["trusted"] = True
    notebook.cells[1].outputs = [nbformat.v4.new_output("stream", text="imported")]
    nbformat.write(notebook, path)
    assert path.read_bytes() != before
    with pytest.raises(workspace.Unchanged):
        submit(client, tmp_path)
    assert client.taken == []


def test_an_answer_and_a_cell_of_ones_own_are_work(client: Client, tmp_path: Path) -> None:
    path = workspace.notebook_of(tmp_path, "course", LAB)
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(nbformat.v4.new_markdown_cell("My thoughts"))
    for content in (answer(), nbformat.writes(notebook).encode()):
        path.write_bytes(content)
        submit(client, tmp_path)
    path.write_bytes(b"{")
    submit(client, tmp_path)
    assert len(client.taken) == 3, "what is no notebook is the portal's to refuse"
