"""The installer's refusals: each says the very command that helps."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from ulab_core.programs import CHECKOUT


@pytest.fixture
def install() -> ModuleType:
    spec = importlib.util.spec_from_file_location("ulab_install", CHECKOUT / "deploy/install.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.SPEAKS_CHINESE = False
    return module


def test_an_old_python_is_refused(install: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 10, 12))
    with pytest.raises(install.Refused, match=r"is 3\.10\..*make PYTHON=python3\.12 up"):
        install.require_python()


def test_without_venv_an_ordinary_user_is_told_the_command(
    install: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install, "venv_works", lambda: False)
    monkeypatch.setattr(install.os, "geteuid", lambda: 1000)
    package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    with pytest.raises(install.Refused, match=f"sudo apt-get install -y .*{package}"):
        install.require_venv()


def test_without_venv_root_installs_it(
    install: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "apt-get").write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n')
    (tmp_path / "apt-get").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(install.os, "geteuid", lambda: 0)
    works = iter([False, True])
    monkeypatch.setattr(install, "venv_works", lambda: next(works))
    install.require_venv()
    asked = (tmp_path / "asked").read_text()
    assert "update" in asked
    assert f"python{sys.version_info[0]}.{sys.version_info[1]}-venv" in asked


def test_a_full_disk_is_refused_before_anything_is_fetched(
    install: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install, "NEEDED_FREE_GB", 10**9)
    with pytest.raises(install.Refused, match="Make room first"):
        install.require_space()


def test_chinese_speakers_are_told_in_chinese(
    install: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    install.SPEAKS_CHINESE = True
    monkeypatch.setattr(install, "venv_works", lambda: False)
    monkeypatch.setattr(install.os, "geteuid", lambda: 1000)
    with pytest.raises(install.Refused, match="请运行：sudo apt-get install"):
        install.require_venv()


def test_an_environment_that_does_not_run_is_noticed(install: ModuleType, tmp_path: Path) -> None:
    assert install.runs(Path(sys.executable))
    assert not install.runs(tmp_path / "python")
    (tmp_path / "python").symlink_to("/nonexistent/python3")
    assert not install.runs(tmp_path / "python")
