"""The machines a person can choose for a server: what this one offers, and the form that asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from ulab_core.errors import UserError
from ulab_core.i18n import mark

CPU = "cpu"
GPU = "gpu"
FIELD = "profile"

# One node a GPU, and what CUDA opens beside it.
GPU_NODES = ("/dev/nvidia[0-9]*",)
GPU_COMPANIONS = (
    "/dev/nvidiactl",
    "/dev/nvidia-uvm",
    "/dev/nvidia-uvm-tools",
    "/dev/nvidia-caps/*",
    "/dev/dri/renderD*",
)


class UnknownProfile(UserError):
    """A profile that this base doesn't have."""

    status = 422  # callers take the hub's 400 for "it is running already"


@dataclass(frozen=True)
class Inventory:
    """The accelerators of this machine, as the device nodes a sandbox would need."""

    gpus: tuple[Path, ...] = ()
    companions: tuple[Path, ...] = ()

    @classmethod
    def detect(
        cls,
        nodes: Sequence[str] = GPU_NODES,
        companions: Sequence[str] = GPU_COMPANIONS,
    ) -> Inventory:
        """Look for device nodes by shell patterns."""
        gpus = _found(nodes)
        return cls(gpus, _found(companions) if gpus else ())

    @property
    def devices(self) -> tuple[Path, ...]:
        return (*self.gpus, *self.companions)


def _found(patterns: Iterable[str]) -> tuple[Path, ...]:
    found = (path for pattern in patterns for path in Path("/").glob(pattern.lstrip("/")))
    return tuple(sorted(path for path in found if path.is_char_device()))


@dataclass(frozen=True)
class Profile:
    """A kind of machine, and the device nodes that come with it.

    `title` and `description` are keys of the catalogue.
    """

    name: str
    title: str
    description: str
    devices: tuple[Path, ...] = ()


def offered(inventory: Inventory) -> dict[str, Profile]:
    """The profiles of this machine by name, the usual one first."""
    profiles = [
        Profile(
            CPU,
            mark("Processor"),
            mark("{cpus} processor cores and {memory} of memory. Right for most labs."),
        )
    ]
    if inventory.gpus:
        profiles.append(
            Profile(
                GPU,
                mark("Graphics processor"),
                mark("A GPU beside {cpus} processor cores and {memory} of memory."),
                inventory.devices,
            )
        )
    return {profile.name: profile for profile in profiles}


def choose(options: object, profiles: Mapping[str, Profile]) -> Profile:
    """The profile that a start's options ask for.

    Parameters
    ----------
    options
        What came from a form, a link or the API: any JSON at all, so nothing of it is trusted.

    Raises
    ------
    UnknownProfile
        There is no such profile, or not on this machine.
    """
    wanted = options.get(FIELD) if isinstance(options, Mapping) else None
    if wanted is None or wanted == "":
        wanted = CPU
    if isinstance(wanted, str) and wanted in profiles:
        return profiles[wanted]
    if wanted == GPU:
        raise UnknownProfile(
            mark("This machine has no GPU. Start with the profile “Processor” instead.")
        )
    raise UnknownProfile(mark("There is no such profile. Choose one of the list."))


def form(
    profiles: Mapping[str, Profile],
    cpus: float,
    memory_mb: int,
    translate: Callable[[str], str],
) -> str:
    """The start page's choice of a profile, as HTML in the hub's look."""
    values = {"cpus": f"{cpus:g}", "memory": f"{memory_mb / 1024:.3g} GiB"}
    rows = []
    for number, profile in enumerate(profiles.values()):
        identity = f"{FIELD}-{profile.name}"
        about = escape(translate(profile.description).format(**values))
        rows.append(
            f'<div class="form-check mb-3">'
            f'<input class="form-check-input" type="radio" name="{FIELD}" id="{identity}"'
            f' value="{profile.name}"{"" if number else " checked"}'
            f' aria-describedby="{identity}-about">'
            f'<label class="form-check-label fw-semibold" for="{identity}">'
            f"{escape(translate(profile.title))}</label>"
            f'<div class="form-text mt-0" id="{identity}-about">{about}</div></div>'
        )
    legend = escape(translate(mark("Machine")))
    return f'<fieldset><legend class="h6">{legend}</legend>{"".join(rows)}</fieldset>'


def from_form(data: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """What the form or a link's ``opt-profile`` says, as options of a start."""
    values = data.get(FIELD) or ()
    return {FIELD: str(values[0])} if values else {}
