"""What is attacked: fork servers, students' sandboxes, and a base with MLflow."""

from __future__ import annotations

import itertools
import signal
import socket
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from attacks.attack_support import Base, Inhabited, running
from integration.sandbox_support import Student, only_root

from ulab_runtime.sandbox import Mount

if TYPE_CHECKING:
    from attacks.leak_things import Things
    from integration.mlflow_support import Site


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """What a shell starts in the background ignores SIGINT, and would pass that on."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def mlflow_site() -> Iterator[Site]:
    """A real MLflow behind the real gateway, with the people of the leak matrix."""
    from attacks.leak_people import people
    from integration.mlflow_support import running_site

    with tempfile.TemporaryDirectory() as folder, running_site(Path(folder)) as running:
        people(running)
        yield running


@pytest.fixture(scope="session")
def victim(mlflow_site: Site) -> Things:
    """A student's things; the attacker is in the same course, and was told every id."""
    from attacks.leak_people import COURSE
    from attacks.leak_things import make_things

    return make_things(mlflow_site, COURSE, "m-victim", "garments/m-victim")


@pytest.fixture(scope="session")
def mine(mlflow_site: Site) -> Things:
    """The attacker's own things."""
    from attacks.leak_people import COURSE
    from attacks.leak_things import make_things

    return make_things(mlflow_site, COURSE, "m-attacker", "garments/m-attacker")


@pytest.fixture
def line(mlflow_site: Site) -> Iterator[socket.socket]:
    """A connection to the gateway for what no client would send."""
    host, port = mlflow_site.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as opened:
        yield opened


@dataclass(frozen=True)
class Way:
    """Who makes sandboxes, and whether others than root may make namespaces."""

    by_root: bool
    namespaces_for_all: bool = True


BY_ROOT = pytest.param(Way(True), marks=only_root, id="by-root")
by_root = pytest.mark.parametrize("way", [BY_ROOT], indirect=True)
"""For what is so, or is to be shown, only where root makes sandboxes."""


@pytest.fixture(
    params=[
        BY_ROOT,
        pytest.param(Way(True, False), marks=only_root, id="by-root-alone"),
        pytest.param(Way(False), id="by-user"),
    ]
)
def way(request: pytest.FixtureRequest) -> Way:
    return request.param


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[bool], Base]]:
    """A running fork server, anew where the last one has ended."""
    known: dict[bool, Base] = {}
    numbers = itertools.count()
    with ExitStack() as stack:

        def base_of(by_root: bool) -> Base:
            if by_root not in known or known[by_root].process.poll() is not None:
                folder = tmp_path_factory.mktemp("attacks") / f"base{next(numbers)}"
                known[by_root] = stack.enter_context(running(folder, by_root))
            return known[by_root]

        yield base_of


@pytest.fixture
def base(bases: Callable[[bool], Base], way: Way) -> Base:
    return bases(way.by_root)


@pytest.fixture
def shared(base: Base) -> Path:
    """A folder that every sandbox may be shown and can write."""
    folder = base.folder / f"shared{len(list(base.folder.iterdir()))}"
    folder.mkdir()
    folder.chmod(0o777)
    return folder


@pytest.fixture
def move_in(base: Base, way: Way) -> Iterator[Callable[..., Inhabited]]:
    """Starts a sandbox for a student of this name, who sees more folders than usual."""
    folder = base.homes / str(len(list(base.homes.iterdir())))
    folder.mkdir()
    names: list[str] = []
    with ExitStack() as stack:

        def start(name: str, more: Sequence[Mount] = ()) -> Inhabited:
            names.append(name)
            student = Student(folder, name, len(names), way.by_root, way.namespaces_for_all)
            inhabited = Inhabited(base, student, more)
            stack.callback(inhabited.end)
            return inhabited

        yield start


@pytest.fixture
def ann(move_in: Callable[..., Inhabited]) -> Inhabited:
    return move_in("ann")


@pytest.fixture
def bob(move_in: Callable[..., Inhabited]) -> Inhabited:
    return move_in("bob")


@pytest.fixture
def crowd(base: Base) -> Iterator[None]:
    """The fork server has many descriptors open for others."""
    with ExitStack() as stack:
        for _ in range(100):
            line = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
            line.connect(str(base.for_base))
            line.recv(65536)
        yield
