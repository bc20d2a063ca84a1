"""Take the guide's pictures and numbers anew from the labs themselves: ``make pictures``."""

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
PRINTED = GUIDE / "printed.yaml"
EXECUTED = CHECKOUT / ".cache" / "executed"
LARGEST = 60_000
WIDTHS = (1000, 800, 640, 480)


def wanted() -> dict[str, list[int]]:
    """By lab: which of its notebook's figures are in the guide, counted from 1."""
    found: dict[str, list[int]] = yaml.safe_load((GUIDE / "pictures.yaml").read_text("utf-8"))
    return found


def proved() -> dict[str, list[str]]:
    """By lab: the numbers in bold that its notebook printed when it last ran."""
    found: dict[str, list[str]] = yaml.safe_load(PRINTED.read_text("utf-8"))
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
        for bold in re.findall(r"\*\*(.+?)\*\*", text, re.S)
        for number in re.findall(r"\d[\d,]*(?:\.\d+)?", bold)
    ]


def small(content: bytes) -> bytes:
    """The picture with few colours, as wide as `LARGEST` allows."""
    whole = Image.open(io.BytesIO(content)).convert("RGB")
    for width in WIDTHS:
        picture = whole.copy()
        picture.thumbnail((width, 2 * width))
        for colours in (256, 64):
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
            # Sums over several threads differ in their last digits, and a training magnifies that.
            "OMP_NUM_THREADS": "1",
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


def claimed(lab: str) -> set[str]:
    """The numbers that the guide, in one language or the other, says this lab measured."""
    pages = [page.read_text("utf-8") for page in GUIDE.glob("*.md")]
    return {number for page in pages for number in measured(section(page, lab))}


def prints(notebook: NotebookNode, number: str) -> bool:
    """Whether the number stands in what the notebook prints, with all its digits."""
    output = printed(notebook).replace(",", "")
    return bool(re.search(rf"(?<![\d.]){re.escape(number)}(?:\.0)?(?!\.?\d)", output))


def keep(found: Mapping[str, list[str]]) -> None:
    """Note what these labs printed beside what others did."""
    comment = PRINTED.read_text("utf-8").partition("\n")[0]
    table = yaml.safe_dump({**proved(), **found}, width=100, default_flow_style=None)
    PRINTED.write_text(f"{comment}\n{table}", "utf-8")


def main(arguments: list[str]) -> int:
    """Run the named labs, or all, and write their pictures; `--kept` takes the last run's.

    Returns
    -------
    int
        How many of the guide's numbers were not printed.
    """
    names = [name for name in arguments if name != "--kept"]
    IMAGES.mkdir(parents=True, exist_ok=True)
    EXECUTED.mkdir(parents=True, exist_ok=True)
    datasets = CHECKOUT / "state" / "datasets"
    wrong = 0
    for lab in find_labs():
        if names and lab.id not in names:
            continue
        numbers = claimed(lab.id)
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
            for number in sorted(n for n in numbers if not prints(notebook, n)):
                print(f"  {lab.id} ({language}) does not print {number}", flush=True)
                numbers.remove(number)
                wrong += 1
        keep({lab.id: sorted(numbers)})
    return wrong


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1:]) else 0)
