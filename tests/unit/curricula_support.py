"""A lab small enough to check in a second, and a curriculum around it."""

from __future__ import annotations

from pathlib import Path

MANIFEST = """\
id: sums
focus_area: image-recognition
level: foundation
titles: {zh: 求和, en: Sums}
summaries: {zh: 加法。, en: Adding.}
minutes: 5
profile: cpu
datasets: []
outcomes: [{zh: 会加, en: Add}]
prerequisites: []
grading_seconds: 20
licence: {zh: 无数据。, en: No data.}
"""

SOURCE = """\
# %% [markdown] lang="zh"
# # 求和

# %% [markdown] lang="en"
# # Sums

# %% nbgrader={"grade_id": "setup", "locked": true}
import ulab

# %% nbgrader={"grade_id": "add", "solution": true}
def add(a, b):
    # zh: 返回两个数的和
    # en: return the sum of two numbers
    ### BEGIN SOLUTION
    secret_total = a + b
    return secret_total
    ### END SOLUTION

# %% nbgrader={"grade_id": "add-test", "grade": true, "points": 2}
assert add(1, 2) == 3, ulab.say(zh="1 加 2 等于 3。", en="1 and 2 make 3.")
### BEGIN HIDDEN TESTS
assert add(-4, 4) == 0, ulab.say(zh="负数也要加对。", en="Negative numbers too.")
### END HIDDEN TESTS

# %% nbgrader={"grade_id": "double", "solution": true}
def double(a):
    ### BEGIN SOLUTION
    return add(a, a)
    ### END SOLUTION

# %% nbgrader={"grade_id": "double-test", "grade": true, "points": 1}
assert double(4) == 8, ulab.say(zh="4 的两倍是 8。", en="Twice 4 is 8.")

# %% [markdown] lang="zh" nbgrader={"grade_id": "open", "grade": true, "solution": true, "points": 3}
# ### BEGIN SOLUTION
# 要点
# ### END SOLUTION

# %% [markdown] lang="en" nbgrader={"grade_id": "open", "grade": true, "solution": true, "points": 3}
# ### BEGIN SOLUTION
# Rubric
# ### END SOLUTION
"""  # noqa: E501

WRONG = {
    "minus": (
        "add-test: 2, double-test: 1",
        "{zh: 1 加 2, en: 1 and 2}",
        "add",
        "def add(a, b):\n    return a - b",
    ),
    "first": ("add-test: 2, double-test: 1", "1 加 2", "add", "def add(a, b):\n    return a"),
    "absolute": ("add-test: 2", "负数", "add", "def add(a, b):\n    return abs(a) + abs(b)"),
    "square": ("double-test: 1", "两倍", "double", "def double(a):\n    return a * a"),
    "same": ("double-test: 1", "两倍", "double", "def double(a):\n    return a"),
}
RIGHT = {
    "builtin": "# %% add\ndef add(a, b):\n    return sum([a, b])\n",
    "times": "# %% double\ndef double(a):\n    return 2 * a\n",
}


def write_lab(root: Path, manifest: str = MANIFEST, source: str = SOURCE) -> Path:
    """The lab's folder, below `root` as below ``labs``."""
    folder = root / "image-recognition" / "sums"
    for kind in ("wrong", "right"):
        (folder / "fixtures" / kind).mkdir(parents=True, exist_ok=True)
    (folder / "lab.yaml").write_text(manifest, encoding="utf-8")
    (folder / "lab.py").write_text(source, encoding="utf-8")
    for name, (loses, says, cell, code) in WRONG.items():
        test = loses.split(":")[0]
        header = f"# ---\n# loses: {{{loses}}}\n# says: {{{test}: {says}}}\n# ---\n"
        path = folder / "fixtures" / "wrong" / f"{name}.py"
        path.write_text(f"{header}\n# %% {cell}\n{code}\n", encoding="utf-8")
    for name, text in RIGHT.items():
        (folder / "fixtures" / "right" / f"{name}.py").write_text(text, encoding="utf-8")
    return folder


def write_curriculum(root: Path) -> Path:
    """A checkout with one curriculum that has one lab; gives the curriculum's folder."""
    write_lab(root / "labs")
    folder = root / "curricula" / "adding"
    folder.mkdir(parents=True)
    (root / "curricula" / "focus-areas.yaml").write_text(
        "focus_areas: [{id: image-recognition, titles: {zh: 图像识别, en: Image recognition}}]\n",
        encoding="utf-8",
    )
    (folder / "curriculum.yaml").write_text(
        "id: adding\nfocus_area: image-recognition\nedition: '1'\n"
        "titles: {zh: 加法, en: Adding}\nsummaries: {zh: 加法。, en: Adding.}\n"
        "labs: [sums]\noutcomes: [{zh: 会加, en: Add}]\nprerequisites: []\n",
        encoding="utf-8",
    )
    return folder


def write_other(
    root: Path, curriculum: str = "adding", lab: str = "additions", area: str = "Image recognition"
) -> Path:
    """The same under other names: the curriculum's id, its lab's, its focus area's title."""
    folder = write_curriculum(root)
    areas = root / "curricula" / "focus-areas.yaml"
    areas.write_text(areas.read_text("utf-8").replace("Image recognition", area), "utf-8")
    sums = write_lab(root / "labs", MANIFEST.replace("id: sums", f"id: {lab}"))
    sums.rename(sums.with_name(lab))
    manifest = folder / "curriculum.yaml"
    text = manifest.read_text("utf-8").replace("id: adding", f"id: {curriculum}")
    manifest.write_text(text.replace("[sums]", f"[{lab}]"), "utf-8")
    return folder.rename(folder.with_name(curriculum))
