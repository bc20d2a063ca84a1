"""The lock files hold everything the base needs, with hashes, and name no registry."""

from __future__ import annotations

import importlib.metadata
import json
import re
import tomllib

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ulab_core.programs import CHECKOUT

DEPLOY = CHECKOUT / "deploy"


def locked(name: str) -> dict[str, str]:
    """The pinned versions that hold for this Python; some packages have one for each."""
    lines = (DEPLOY / name).read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line.removesuffix("\\")) for line in lines if re.match(r"^\w", line)]
    return {
        canonicalize_name(pin.name): str(pin.specifier).removeprefix("==")
        for pin in pins
        if pin.marker is None or pin.marker.evaluate()
    }


def test_everything_needed_is_locked_and_installed_as_locked() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    waiting = [Requirement(text) for text in wanted]
    versions = locked("requirements.lock")
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        key = (name, frozenset(requirement.extras))
        if key in seen:
            continue
        seen.add(key)
        assert name in versions, f"{name} is not in the lock; run: make lock"
        installed = importlib.metadata.version(name)
        assert requirement.specifier.contains(versions[name], prereleases=True)
        assert installed == versions[name], f"{name} is not as locked; run: make install"
        for text in importlib.metadata.requires(name) or ():
            further = Requirement(text)
            extras = requirement.extras or {""}
            if further.marker is None or any(
                further.marker.evaluate({"extra": extra}) for extra in extras
            ):
                waiting.append(further)
    assert len(seen) > 200


def test_s3_is_spoken_by_the_dvc_of_the_base() -> None:
    base, s3 = locked("requirements.lock"), locked("s3.lock")
    ours = [name for name in s3 if name == "dvc" or name.startswith("dvc-")]
    assert {name: base.get(name) for name in ours if name != "dvc-s3"} == {
        name: s3[name] for name in ours if name != "dvc-s3"
    }


def test_every_pin_has_a_hash_and_no_lock_names_a_registry() -> None:
    for name in ("requirements.lock", "bootstrap.lock", "s3.lock", "s3-tests.lock"):
        text = (DEPLOY / name).read_text(encoding="utf-8")
        assert "://" not in text
        for block in re.split(r"\n(?=[a-z0-9])", text)[1:]:
            assert "--hash=sha256:" in block, block
    text = (DEPLOY / "web" / "package-lock.json").read_text()
    assert "://" not in text
    for place, package in json.loads(text)["packages"].items():
        assert not place or package["integrity"].startswith("sha512-")
