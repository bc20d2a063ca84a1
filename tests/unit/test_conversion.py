"""A lab's source as a script and as a notebook: nothing is lost on the way, or it is refused."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell
from unit.curricula_support import SOURCE, write_lab

from ulab_core.i18n import translations
from ulab_curricula import load_lab
from ulab_curricula.build import build
from ulab_curricula.conversion import CantConvert, convert_lab, converted, read_cells
from ulab_curricula.errors import BadLab
from ulab_curricula.labs import LABS, Lab, find_labs


@pytest.mark.parametrize("lab", find_labs(), ids=lambda lab: lab.id)
def test_each_lab_goes_both_ways(lab: Lab, tmp_path: Path) -> None:
    script = lab.source.read_text(encoding="utf-8")
    notebook = tmp_path / "lab.ipynb"
    notebook.write_text(converted(lab.source), encoding="utf-8")
    nbformat.validate(nbformat.read(notebook, as_version=4))
    assert read_cells(notebook) == read_cells(lab.source)
    back = converted(notebook)
    assert [line for line in back.splitlines() if line] == [
        line for line in script.splitlines() if line
    ]
    (tmp_path / "lab.py").write_text(back, encoding="utf-8")
    assert converted(tmp_path / "lab.py") == notebook.read_text(encoding="utf-8")


def test_there_are_labs_to_convert() -> None:
    assert len(list(LABS.glob("*/*/lab.*"))) >= 2 * 3


def test_a_lab_written_as_a_notebook_builds_to_the_same(tmp_path: Path) -> None:
    script = load_lab(write_lab(tmp_path / "labs"))
    before = build(script)
    assert convert_lab(script) == script.folder / "lab.ipynb"
    notebook = load_lab(script.folder)
    assert notebook.source.name == "lab.ipynb"
    assert build(notebook) == before
    convert_lab(notebook)
    assert load_lab(script.folder).source.read_text("utf-8").split() == SOURCE.split()
    assert [path.name for path in sorted(script.folder.glob("*lab*"))] == ["lab.py", "lab.yaml"]


def test_both_at_once_are_refused(tmp_path: Path) -> None:
    folder = write_lab(tmp_path / "labs")
    (folder / "lab.ipynb").write_text(converted(folder / "lab.py"), encoding="utf-8")
    with pytest.raises(BadLab, match=r"holds both lab\.py and lab\.ipynb") as refused:
        load_lab(folder)
    assert "请只留下" in refused.value.sentence(translations("zh").gettext)


def authored(tmp_path: Path, *cells: NotebookNode) -> Path:
    path = tmp_path / "lab.ipynb"
    nbformat.write(new_notebook(cells=list(cells)), path)
    return path


FULL = {
    "grade": False, "grade_id": "add", "locked": False, "schema_version": 3, "solution": True,
    "task": False, "checksum": "0" * 32, "cell_type": "code",
}  # fmt: skip


def test_what_the_toolbar_and_jupyterlab_write_is_understood(tmp_path: Path) -> None:
    code = new_code_cell("def add(): ...", metadata={"nbgrader": FULL, "collapsed": True})
    code.outputs = [new_output("stream", text="seen")]
    code.execution_count = 7
    given = {**FULL, "grade_id": "given", "locked": True, "solution": False}
    unmarked = {**FULL, "grade_id": "x", "solution": False}
    path = authored(
        tmp_path,
        new_markdown_cell("# 求和", metadata={"tags": ["zh"]}),
        new_markdown_cell("# Sums", metadata={"tags": ["en", "mine"]}),
        code,
        new_code_cell("import ulab", metadata={"nbgrader": given}),
        new_code_cell("free = 1", metadata={"nbgrader": unmarked}),
    )
    text = converted(path)
    assert [line for line in text.splitlines() if line.startswith("# %%")] == [
        '# %% [markdown] lang="zh"',
        '# %% [markdown] lang="en" tags=["mine"]',
        '# %% nbgrader={"grade_id": "add", "solution": true}',
        '# %% nbgrader={"grade_id": "given", "locked": true}',
        "# %%",
    ]
    assert "seen" not in text


def test_an_attached_picture_is_refused(tmp_path: Path) -> None:
    cell = new_markdown_cell("![x](attachment:x.png)")
    cell["attachments"] = {"x.png": {"image/png": "aGk="}}
    with pytest.raises(BadLab, match="cell 2: it has a picture attached"):
        converted(authored(tmp_path, new_markdown_cell("a"), cell))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("{", "can't be read as a notebook"), ('{"cells": 5}', "can't be read as a notebook")],
)
def test_what_is_no_notebook_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "lab.ipynb"
    path.write_text(text)
    with pytest.raises(BadLab, match=sentence):
        converted(path)


TEXT = st.text(
    st.sampled_from("ab \n#%'\"!?\\[]{}()=:-_.,零，$`*|\t0"), min_size=0, max_size=60
) | st.sampled_from(
    ["# %% x", "%matplotlib inline", "!ls", "# %matplotlib inline", "'''", "# +", "# -", "-->",
     "# zh: 注释\n# en: comment", "a\n\n\nb", "\n\na", "a\n", '"""\n# %% [markdown]\n"""', "?x"]
)  # fmt: skip
METADATA = st.fixed_dictionaries(
    {},
    optional={
        "nbgrader": st.fixed_dictionaries(
            {"grade_id": st.from_regex(r"[a-z0-9-]{1,9}", fullmatch=True)},
            optional={
                "grade": st.just(True), "solution": st.just(True), "locked": st.booleans(),
                "points": st.integers(1, 9) | st.sampled_from([0.5, 2.5]),
            },
        ),
        "tags": st.sampled_from([["a"], ["b c", "hide-input"]]),
        "other": st.text("ab =\"'", max_size=5) | st.integers() | st.lists(st.booleans()),
    },
)  # fmt: skip
CELL = st.builds(new_code_cell, TEXT, metadata=METADATA) | st.builds(
    lambda new, text, metadata, language: new(
        text, metadata={**metadata, **({"lang": language} if language else {})}
    ),
    st.sampled_from([new_markdown_cell, new_raw_cell]),
    TEXT,
    METADATA,
    st.sampled_from(["zh", "en", None]),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(CELL, min_size=1, max_size=4))
def test_any_notebook_is_converted_without_loss_or_refused(
    tmp_path_factory: pytest.TempPathFactory, cells: list[NotebookNode]
) -> None:
    folder = tmp_path_factory.mktemp("lab")
    path = authored(folder, *cells)
    try:
        text = converted(path)
    except CantConvert:
        return
    (folder / "lab.py").write_text(text, encoding="utf-8")
    assert read_cells(folder / "lab.py") == read_cells(path)


@settings(max_examples=20, deadline=None)
@given(st.lists(CELL, min_size=1, max_size=3))
def test_plain_cells_are_never_refused(
    tmp_path_factory: pytest.TempPathFactory, cells: list[NotebookNode]
) -> None:
    for cell in cells:
        cell.source = (
            "x = 1\n# zh: 注释\nprint(x)" if cell.cell_type == "code" else "## 1\n\n*a* $b$"
        )
    converted(authored(tmp_path_factory.mktemp("lab"), *cells))
