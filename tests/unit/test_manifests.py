"""The YAML that authors write: its schemas, and where an error says it stands."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from pydantic import BaseModel
from unit.curricula_support import MANIFEST, write_curriculum, write_lab

from ulab_core.errors import UserError
from ulab_core.i18n import translations
from ulab_core.marked_yaml import BadYaml, read_marked
from ulab_curricula.labs import CURRICULA, LABS, load_curriculum, load_lab
from ulab_curricula.schemas import KINDS, SCHEMAS, modeline, schema, schema_file


@pytest.mark.parametrize("name", KINDS)
def test_the_schemas_in_the_tree_are_current(name: str) -> None:
    text = schema_file(SCHEMAS, name).read_text(encoding="utf-8")
    assert text == schema(name), "write them anew with: make schemas"
    jsonschema.Draft202012Validator.check_schema(json.loads(text))


def fields(kind: type[BaseModel]) -> list[tuple[str, str | None]]:
    return [(f"{kind.__name__}.{key}", f.description) for key, f in kind.model_fields.items()]


@pytest.mark.parametrize("name", KINDS)
def test_every_field_is_documented_in_both_languages(name: str) -> None:
    for field, description in fields(KINDS[name]):
        assert description, field
        assert translations("zh").gettext(description) != description, field


@pytest.mark.parametrize(
    ("name", "path"),
    [
        *(("lab", path) for path in sorted(LABS.glob("*/*/lab.yaml"))),
        *(("curriculum", path) for path in sorted(CURRICULA.glob("*/curriculum.yaml"))),
        ("focus-areas", CURRICULA / "focus-areas.yaml"),
    ],
    ids=lambda value: value.parent.name if isinstance(value, Path) else value,
)
def test_each_manifest_fits_its_schema(name: str, path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if text.startswith("# yaml-language-server"):
        assert text.startswith(modeline(path, name))
    jsonschema.validate(yaml.safe_load(text), json.loads(schema(name)))


@pytest.mark.parametrize(
    "change", [("minutes: 5", "minuets: 5"), ("profile: cpu", "profile: tpu"), ("minutes: 5", "")]
)
def test_the_schema_refuses_what_reading_refuses(tmp_path: Path, change: tuple[str, str]) -> None:
    text = MANIFEST.replace(*change)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(text), json.loads(schema("lab")))
    with pytest.raises(UserError):
        load_lab(write_lab(tmp_path, manifest=text))


@pytest.mark.parametrize(
    ("change", "english", "chinese"),
    [
        (
            ("minutes: 5", "minuets: 5"),
            "line 6: unknown key minuets; did you mean minutes?",
            "第 6 行：没有 minuets 这一项，是不是 minutes？",
        ),
        (
            ("en: Sums}", "ne: Sums}"),
            "line 4: unknown key titles.ne; did you mean titles.en?",
            "第 4 行：缺少 titles.en 这一项",
        ),
        (
            ("outcomes: [{zh: 会加, en: Add}]", "outcomes:\n- {zh: 会加, en: Add}\n- {zh: 会}"),
            "line 11: the key outcomes.1.en is missing",
            "第 11 行：缺少 outcomes.1.en 这一项",
        ),
        (
            ("minutes: 5", "minutes: many"),
            "line 6: minutes: must be a whole number",
            "第 6 行：minutes: 必须是整数",
        ),
        (
            ("datasets: []", "datasets: [Fashion MNIST]"),
            "line 8: datasets.0: may hold lower-case letters, digits and single hyphens only",
            "第 8 行：datasets.0: 只能由小写字母、数字和单个连字符组成",
        ),
        (
            ("level: foundation", "level: basic"),
            "line 3: level: must be one of 'foundation', 'core', 'advanced' or 'capstone'",
            "第 3 行：level: 只能是",
        ),
        (("id: sums", "id: summs"), "lab.yaml:1 says id summs", "lab.yaml:1 里的 id 是 summs"),
        (
            ("minutes: 5", "minutes: [5"),
            "lab.yaml:7: it is not YAML",
            "lab.yaml:7：不是有效的 YAML",
        ),
        (
            ("minutes: 5", "minutes: 5\nminutes: 6"),
            "lab.yaml:7: the key minutes stands there twice",
            "lab.yaml:7：minutes 这一项写了两次",
        ),
        (
            ("minutes: 5", "minutes: !!python/object/apply:os.system [touch here]"),
            "lab.yaml:6: the tag tag:yaml.org,2002:python/object/apply:os.system may not be used",
            "lab.yaml:6：不能使用标签",
        ),
        (
            ("datasets: []", "datasets: &a []\noutcome: *a"),
            "lab.yaml:9: an alias (*) may not be used",
            "lab.yaml:9：不能使用别名",
        ),
    ],
)
def test_an_error_says_the_line_in_both_languages(
    tmp_path: Path, change: tuple[str, str], english: str, chinese: str
) -> None:
    with pytest.raises(UserError) as refused:
        load_lab(write_lab(tmp_path, manifest=MANIFEST.replace(*change)))
    assert english in str(refused.value)
    assert chinese in refused.value.sentence(translations("zh").gettext)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            ("labs: [sums]", "labs: [sum]"),
            "curriculum.yaml:6: there is no lab sum. Known ones: sums",
        ),
        (
            ("labs: [sums]", "labs: [sums, sums]"),
            "curriculum.yaml:6: the lab sums stands there twice",
        ),
        (
            ("focus_area: image-recognition", "focus_area: image-recogniton"),
            "curriculum.yaml:2: there is no focus area image-recogniton. Known ones: image-rec",
        ),
        (("edition: '1'", "edition: '.1'"), "line 3: edition: may hold letters, digits and dots"),
        (("edition: '1'", "edition: 1"), "line 3: edition: must be text in quotation marks"),
    ],
)
def test_a_curriculum_is_refused_where_it_is_wrong(
    tmp_path: Path, change: tuple[str, str], sentence: str
) -> None:
    folder = write_curriculum(tmp_path)
    file = folder / "curriculum.yaml"
    file.write_text(file.read_text("utf-8").replace(*change), encoding="utf-8")
    with pytest.raises(UserError) as refused:
        load_curriculum(folder)
    assert sentence in str(refused.value)


def test_an_area_is_data_alone(tmp_path: Path) -> None:
    folder = write_curriculum(tmp_path)
    areas = tmp_path / "curricula" / "focus-areas.yaml"
    areas.write_text("focus_areas: [{id: farming, titles: {zh: 农业, en: Farming}}]\n", "utf-8")
    (tmp_path / "labs" / "image-recognition").rename(tmp_path / "labs" / "farming")
    for file in (folder / "curriculum.yaml", tmp_path / "labs" / "farming" / "sums" / "lab.yaml"):
        file.write_text(file.read_text("utf-8").replace("image-recognition", "farming"), "utf-8")
    assert load_curriculum(folder).focus_area.titles.en == "Farming"


@pytest.mark.parametrize(
    ("text", "content"),
    [("", None), ("a: 1", {"a": 1}), ("- a\n- {b: c}", ["a", {"b": "c"}]), ("&x 5", 5)],
)
def test_plain_yaml_is_read_as_it_is(text: str, content: object) -> None:
    assert read_marked(text).content == content


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: 1\n<<: {b: 2}", "the tag tag:yaml.org,2002:merge may not be used"),
        ("a: !mine 1", "the tag !mine may not be used"),
        ("a: &a [x]\nb: [*a, *a]", "an alias"),
        ("[" * 3000, "nested too deeply"),
        ("a: " + "x" * 600_000, "longer than 500000 characters"),
        ("a: 2026-99-99", "is not YAML"),
        ("{a: 1", "is not YAML"),
        ("a: \x00", "is not YAML"),
    ],
)
def test_more_than_plain_yaml_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(BadYaml, match=sentence.replace("(", "\\(")):
        read_marked(text)
