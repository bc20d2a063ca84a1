"""`ulab.example.toml` says what the settings are, and can be used as it stands."""

import re
import tomllib
from pathlib import Path

from ulab_core.settings import Settings, load_settings
from ulab_deploy.example import EXAMPLE, example


def test_it_is_up_to_date() -> None:
    written = EXAMPLE.read_text(encoding="utf-8")
    assert written == example(), "run: make example"


def test_every_setting_is_documented() -> None:
    for name, section in Settings.model_fields.items():
        for key, field in section.annotation.model_fields.items():  # type: ignore[union-attr]
            assert field.description, f"{name}.{key}"
            assert f"# {key} = " in example()


def test_the_defaults_it_shows_are_taken(tmp_path: Path) -> None:
    # What a person does: take away the mark in front of every setting.
    text = re.sub(r"^# (\w+ = )", r"\1", EXAMPLE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    file = tmp_path / "ulab.toml"
    file.write_text(text, encoding="utf-8")
    assert sum(map(len, tomllib.loads(text).values())) > 20
    settings = load_settings(file)
    assert settings.server.state_dir == tmp_path / "state"
    assert settings.site == Settings().site
    assert settings.limits == Settings().limits
