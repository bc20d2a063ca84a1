"""Take the guide's pictures anew from the labs' own reference notebooks: ``make pictures``."""

from __future__ import annotations

import base64
import io
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import nbformat
import psutil
import yaml
from nbclient import NotebookClient
from nbformat import NotebookNode
from PIL import Image

from ulab_core.i18n import LANGUAGES
from ulab_curricula import Lab, find_labs
from ulab_curricula.build import build
from ulab_datasets.store import ensure

CHECKOUT = Path(__file__).parents[1]
GUIDE = CHECKOUT / "docs" / "guide"
IMAGES = CHECKOUT / "docs" / "images" / "guide"
EXECUTED = CHECKOUT / ".cache" / "executed"
LARGEST = 60_000
WIDTHS = (1000, 800, 640, 480)


def wanted() -> dict[str, list[int]]:
    """By lab: which of its notebook's figures are in the guide, counted from 1."""
    found: dict[str, list[int]] = yaml.safe_load((GUIDE / "pictures.yaml").read_text("utf-8"))
    return found


def figures(notebook: NotebookNode) -> list[bytes]:
    """The PNG of each figure, in order."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    drawn = [output.get("data", {}).get("image/png") for output in outputs]
    return [base64.b64decode(content) for content in drawn if content]


def printed(notebook: NotebookNode) -> str:
    """All that the cells print, and the tables they show."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return "\n".join(
        output.get("text", "") or output.get("data", {}).get("text/plain", "") for output in outputs
    )


def section(page: str, lab: str) -> str:
    """A lab's section of a guide."""
    found = re.search(rf'^<a id="{lab}"></a>\n(.*?)(?=^<a id=|\Z)', page, re.S | re.M)
    return found[1] if found else ""


def measured(text: str) -> list[str]:
    """The numbers set in bold: those a lab's section says were measured."""
    return [
        number.replace(",", "")
        for bold in re.findall(r"\*\*(.+?)\*\*", text)
        for number in re.findall(r"\d[\d,]*(?:\.\d+)?", bold)
    ]


def small(content: bytes) -> bytes:
    """The picture with few colours, as wide as `LARGEST` allows."""
    whole = Image.open(io.BytesIO(content)).convert("RGB")
    for width in WIDTHS:
        picture = whole.copy()
        picture.thumbnail((width, 2 * width))
        for colours in (256, 64, 24):
            made = io.BytesIO()
            picture.quantize(colours).save(made, "PNG", optimize=True)
            if made.tell() <= LARGEST:
                return made.getvalue()
    return made.getvalue()


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def execute(lab: Lab, language: str, store: Path) -> tuple[NotebookNode, float]:
    """The reference notebook with its outputs, run as a student runs it; and its CPU seconds."""
    notebook = build(lab).sources[language]
    with tempfile.TemporaryDirectory() as folder:
        values = {
            "ULAB_DATASETS": str(store),
            "ULAB_LANGUAGE": language,
            "ULAB_GRADING": "0",
            "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db",
        }
        with _environment(values):
            client = NotebookClient(
                notebook, timeout=3600, kernel_name="python3",
                resources={"metadata": {"path": folder}},
            )  # fmt: skip
            with client.setup_kernel():
                kernel = psutil.Process(client.km.provisioner.process.pid)
                for index, cell in enumerate(notebook.cells):
                    client.execute_cell(cell, index)
                used = kernel.cpu_times()
    return notebook, used.user + used.system + used.children_user + used.children_system


def take(lab: Lab, language: str, notebook: NotebookNode) -> None:
    """Write a lab's pictures in one language."""
    drawn = figures(notebook)
    for number, which in enumerate(wanted().get(lab.id, []), 1):
        target = IMAGES / f"{lab.id}-{number}-{language}.png"
        target.write_bytes(small(drawn[which - 1]))


def unprinted(lab: Lab, notebook: NotebookNode) -> list[str]:
    """What the guide says was measured and the notebook does not print, a sentence each."""
    output = printed(notebook).replace(",", "")
    return [
        f"{page.name} says {number}, which {lab.id} does not print"
        for page in sorted(GUIDE.glob("*.md"))
        for number in measured(section(page.read_text("utf-8"), lab.id))
        if not re.search(rf"(?<![\d.]){re.escape(number)}(?:\.0)?(?!\.?\d)", output)
    ]


def main(arguments: list[str]) -> None:
    """Run the named labs, or all, and write their pictures; `--kept` takes the last run's."""
    names = [name for name in arguments if name != "--kept"]
    IMAGES.mkdir(parents=True, exist_ok=True)
    EXECUTED.mkdir(parents=True, exist_ok=True)
    datasets = CHECKOUT / "state" / "datasets"
    for lab in find_labs():
        if names and lab.id not in names:
            continue
        for language in LANGUAGES:
            kept = EXECUTED / f"{lab.id}.{language}.ipynb"
            if "--kept" not in arguments:
                ensure(datasets, lab.manifest.datasets)
                began = time.monotonic()
                notebook, seconds = execute(lab, language, datasets / "store")
                nbformat.write(notebook, kept)
                took = time.monotonic() - began
                print(f"{lab.id} {language}: {seconds:.0f} s of CPU, {took:.0f} s", flush=True)
            notebook = nbformat.read(kept, as_version=4)
            take(lab, language, notebook)
            for sentence in unprinted(lab, notebook):
                print(f"  {sentence}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
