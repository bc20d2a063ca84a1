"""Manifests, building and publishing: what is made, and what is refused with which sentence."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest
from unit.curricula_support import MANIFEST, SOURCE, write_curriculum, write_lab

from ulab_core.errors import UserError
from ulab_core.i18n import translations
from ulab_core.layout import Layout
from ulab_curricula import (
    build_lab,
    find_labs,
    load_curriculum,
    load_lab,
    load_published,
    publish,
    published,
)
from ulab_curricula.labs import find_curricula, load_focus_areas


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_checkouts_own_content_can_be_read() -> None:
    areas = {area.id for area in load_focus_areas()}
    assert {"image-recognition", "smart-medicine", "energy-prediction"} <= areas
    curricula = find_curricula()
    assert {curriculum.manifest.focus_area for curriculum in curricula} <= areas
    assert {lab.id for curriculum in curricula for lab in curriculum.labs} == {
        lab.id for lab in find_labs()
    }


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("minutes: 5", "minuets: 5"), "unknown key minuets; did you mean minutes?"),
        (("minutes: 5\n", ""), "the key minutes is missing"),
        (("profile: cpu", "profile: tpu"), "profile"),
        (("id: sums", "id: summs"), "says id summs, but lies in a folder sums"),
        (("focus_area: image-recognition", "focus_area: law"), "says focus_area law"),
        (("minutes: 5", "minutes: [5"), "is not YAML"),
        (("titles: {zh: 求和, en: Sums}", "titles: {zh: 求和}"), "the key titles.en is missing"),
    ],
)
def test_a_bad_manifest_is_refused(tmp_path: Path, change: tuple[str, str], sentence: str) -> None:
    folder = write_lab(tmp_path, manifest=MANIFEST.replace(*change))
    with pytest.raises(UserError) as refused:
        load_lab(folder)
    assert sentence in str(refused.value)
    chinese = refused.value.sentence(translations("zh").gettext)
    assert chinese != str(refused.value)


def test_a_build_is_the_same_byte_for_byte(tmp_path: Path) -> None:
    lab = load_lab(write_lab(tmp_path / "labs"))
    build_lab(lab, tmp_path / "one", "1-abc")
    build_lab(lab, tmp_path / "two", "1-abc")
    one = files_of(tmp_path / "one")
    assert one == files_of(tmp_path / "two")
    assert set(one) == {
        "lab.json",
        "rubrics.json",
        "source/sums.ipynb",
        "release/zh/sums.ipynb",
        "release/en/sums.ipynb",
    }


def test_a_release_has_stubs_where_the_source_has_answers(tmp_path: Path) -> None:
    build_lab(load_lab(write_lab(tmp_path / "labs")), tmp_path / "out", "1-abc")
    texts = {}
    for language in ("zh", "en"):
        path = tmp_path / "out" / "release" / language / "sums.ipynb"
        release = nbformat.read(path, as_version=4)
        nbformat.validate(release)
        assert release.metadata.ulab == {"lab": "sums", "language": language, "version": "1-abc"}
        texts[language] = {cell.id: cell.source for cell in release.cells}
        whole = "\n".join(texts[language].values())
        assert "secret_total" not in whole
        assert "-4" not in whole
        assert "SOLUTION" not in whole
        assert "HIDDEN" not in whole
        locked = [cell.id for cell in release.cells if not cell.metadata.get("editable", True)]
        assert {"setup", "add-test", "double-test"} <= set(locked)
    assert list(texts["zh"]) == list(texts["en"])
    assert "# 返回两个数的和\n    # 在这里写你的代码" in texts["zh"]["add"]
    assert "# return the sum of two numbers\n    # Write your code here" in texts["en"]["add"]
    assert "raise NotImplementedError()" in texts["zh"]["add"]
    assert texts["zh"]["open"] == "在这里写下你的回答。"
    source = (tmp_path / "out" / "source" / "sums.ipynb").read_text(encoding="utf-8")
    assert "secret_total" in source
    assert "add(-4, 4)" in source
    described = json.loads((tmp_path / "out" / "lab.json").read_text(encoding="utf-8"))
    assert described["max_score"] == 6
    assert described["languages"] == ["zh", "en"]
    rubrics = json.loads((tmp_path / "out" / "rubrics.json").read_text(encoding="utf-8"))
    assert rubrics == {"zh": {"open": "要点"}, "en": {"open": "Rubric"}}


def test_an_inserted_cell_changes_no_other_id(tmp_path: Path) -> None:
    def ids(source: str, where: str) -> list[str]:
        build_lab(load_lab(write_lab(tmp_path / where, source=source)), tmp_path / where / "out")
        path = tmp_path / where / "out" / "source" / "sums.ipynb"
        return [cell.id for cell in nbformat.read(path, as_version=4).cells]

    before = ids(SOURCE, "before")
    after = ids(SOURCE.replace("# %% nbgrader", "# %%\nextra = 1\n\n# %% nbgrader", 1), "after")
    assert len(after) == len(before) + 1
    assert [name for name in after if name in before] == before


def test_publishing_is_immutable_and_quick_when_nothing_changed(tmp_path: Path) -> None:
    folder = write_curriculum(tmp_path)
    layout = Layout(tmp_path / "state")
    version = publish(load_curriculum(folder), layout)
    first = files_of(layout.curriculum_version("adding", version))
    stamps = {p: p.stat().st_mtime_ns for p in layout.curricula.rglob("*")}

    assert publish(load_curriculum(folder), layout) == version
    assert {p: p.stat().st_mtime_ns for p in layout.curricula.rglob("*")} == stamps

    write_lab(tmp_path / "labs", source=SOURCE.replace("1 and 2 make 3.", "One and two make 3."))
    second = publish(load_curriculum(folder), layout)
    assert second != version
    assert files_of(layout.curriculum_version("adding", version)) == first
    assert [item.version for item in published(layout)] == [version, second]

    lab = load_published(layout, "adding", version).lab("sums")
    assert lab.titles["en"] == "Sums"
    assert lab.max_score == 6
    assert lab.release_notebook("fr") == lab.release_notebook("zh")
    assert lab.source_notebook.is_file()
    assert not list(layout.curricula.glob("*/.publish*"))


def test_a_broken_lab_is_not_published(tmp_path: Path) -> None:
    folder = write_curriculum(tmp_path)
    write_lab(tmp_path / "labs", source=SOURCE.replace("    ### END SOLUTION\n", "", 1))
    layout = Layout(tmp_path / "state")
    with pytest.raises(UserError, match="can't be released"):
        publish(load_curriculum(folder), layout)
    assert published(layout) == []
    assert list(layout.curricula.glob("adding/*")) == []


@pytest.mark.parametrize("version", ["9", "", "..", "../adding/9", "a\0", "9" * 300])
def test_what_is_not_published_is_not_found(tmp_path: Path, version: str) -> None:
    # Where a name that leads astray would lead.
    for folder in ("curricula", "curricula/adding"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "curriculum.json").write_text("{}")
    with pytest.raises(UserError, match="has no published version"):
        load_published(Layout(tmp_path), "adding", version)


def test_a_curriculum_names_what_it_lacks(tmp_path: Path) -> None:
    path = write_curriculum(tmp_path) / "curriculum.yaml"
    good = path.read_text(encoding="utf-8")
    path.write_text(good.replace("[sums]", "[sums, sins]"), encoding="utf-8")
    with pytest.raises(UserError, match=r"there is no lab sins\. Known ones: sums"):
        load_curriculum(path.parent)
    path.write_text(good.replace("image-recognition", "law"), encoding="utf-8")
    with pytest.raises(UserError, match="there is no focus area law"):
        load_curriculum(path.parent)
