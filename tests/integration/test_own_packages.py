"""Packages that people install for themselves, on a real hub: they win, in kernels alone."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import six
from integration.hub_support import HubClient
from integration.kernel_support import Kernel, open_kernel
from integration.own_packages_support import in_terminal, write_wheel
from integration.warm_hub_support import WarmBase, put_aside

from ulab_coursework.courses import ensure_person

IS_FORKED = "import os; print(os.getppid() == 0)"
HAT = "def main(): print('a hat, installed')\n"
VERSION = "import six; print(six.__version__)"
NEWER = "99.0"
PIP = "--quiet --no-index --find-links ~/wheels"
OWN = Path(".local", "lib", f"python3.{sys.version_info.minor}", "site-packages")
SAID = {
    "en": "This kernel uses your own packages in the place of the base's (six)",
    "zh": "这个内核使用了你自己安装的软件包（six），而不是平台自带的版本",
}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WarmBase]:
    base = WarmBase(
        tmp_path_factory.mktemp("own"),
        limits={"memory_mb": 1200},
        warm={"kernel_modules": ["six"]},
    )
    base.start()
    yield base
    base.stop()


class Person:
    """Someone with a server of their own, and wheels in their home."""

    def __init__(self, base: WarmBase, name: str, language: str) -> None:
        self.base, self.name = base, name
        base.create_user(name)
        with base.database.write() as session:
            ensure_person(session, name, language=language)
        self.client: HubClient = base.client(name)
        self.start()
        self.token = base.api_token(name)
        self.home = base.layout.home(name)
        write_wheel(self.home / "wheels", "hat", "1.0", HAT, command="hat")
        newer = Path(six.__file__).read_text().replace(six.__version__, NEWER)
        write_wheel(self.home / "wheels", "six", NEWER, newer)

    def start(self) -> None:
        self.base.start_server(self.client, self.name)

    def stop(self) -> None:
        self.base.stop_server(self.client, self.name)

    async def kernel(self, spec: str = "python3") -> Kernel:
        return await open_kernel(self.base.url, self.name, self.token, spec=spec)

    async def terminal(self, command: str) -> str:
        return await in_terminal(self.base.url, self.name, self.token, command)


@pytest.fixture
def ann(base: WarmBase, request: pytest.FixtureRequest) -> Iterator[Person]:
    """A person whom no other test knows; a parameter is their language."""
    number = len(list(base.layout.homes.iterdir()))
    person = Person(base, f"ann{number}", getattr(request, "param", "en"))
    yield person
    person.stop()


@pytest.mark.parametrize(
    ("ann", "how"), [("en", "install"), ("zh", "install --user")], indirect=["ann"]
)
async def test_an_own_version_wins_and_the_kernel_says_so_once(ann: Person, how: str) -> None:
    language = "zh" if "--user" in how else "en"
    kernel = await ann.kernel()
    assert await kernel.text(VERSION) == f"{six.__version__}\n"
    said = await kernel.text(f"!pip {how} {PIP} six=={NEWER}")
    assert (ann.home / OWN / "six.py").exists(), said
    assert await kernel.text(IS_FORKED) == "True\n"

    other = await ann.kernel()
    first = await other.run(VERSION)
    streams = {part["name"]: part["text"] for part in first if part["type"] == "stream"}
    assert streams["stdout"] == f"{NEWER}\n"
    assert SAID[language] in streams["stderr"]
    assert streams["stderr"].count("\n") == 1
    assert await other.text(IS_FORKED) == "False\n"
    program = f"!python -c {VERSION!r}"
    assert await other.text(program) == f"{NEWER}\r\n"
    counted = ann.base.kernel_starts(ann.name, ann.token)
    assert counted == {("warm", ""): 1, ("cold", "own-packages"): 1}

    await other.text("!pip uninstall --quiet --yes six")
    again = await ann.kernel()
    assert await again.text(VERSION) == f"{six.__version__}\n"
    assert await again.text(IS_FORKED) == "True\n"


async def test_a_package_of_another_name_is_there_at_once_and_starts_stay_warm(ann: Person) -> None:
    kernel = await ann.kernel()
    said = await kernel.text(f"%pip install {PIP} hat")
    assert await kernel.text("import hat; hat.main()") == "a hat, installed\n", said
    other = await ann.kernel()
    assert await other.text("import hat; hat.main()") == "a hat, installed\n"
    assert await other.text(IS_FORKED) == "True\n"


async def test_a_terminal_finds_the_bases_python_and_own_packages(ann: Person) -> None:
    where = await ann.terminal("command -v python pip")
    assert where.split() == [f"{sys.prefix}/bin/python", f"{sys.prefix}/bin/pip"]
    await ann.terminal(f"pip install {PIP} hat six=={NEWER}")
    assert await ann.terminal(f'python -c "{VERSION}"') == NEWER
    assert await ann.terminal("hat") == "a hat, installed"
    assert await ann.terminal("cat /proc/$$/oom_score_adj") == "500"


async def test_a_virtual_environment_has_its_own_versions(ann: Person) -> None:
    """Also where packages of the base's, and of the person's, would be found too."""
    await ann.terminal(f"pip install {PIP} six=={NEWER}")
    made = await ann.terminal(
        f"python -m venv --system-site-packages ~/env && ~/env/bin/pip install {PIP} hat && "
        f"echo {sys.prefix}/lib/python3.{sys.version_info.minor}/site-packages > "
        f"$(echo ~/env/lib/*/site-packages)/base.pth"
    )
    own = ann.home / "env" / "lib" / OWN.parent.name / "site-packages"
    assert (own / "hat.py").exists(), made
    (own / "six.py").write_text("__version__ = '5.0'")
    spec = ann.home / ".local" / "share" / "jupyter" / "kernels" / "own" / "kernel.json"
    spec.parent.mkdir(parents=True)
    interpreter = f"/home/{ann.name}/env/bin/python"
    argv = [interpreter, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec.write_text(json.dumps({"argv": argv, "display_name": "Own", "language": "python"}))
    kernel = await ann.kernel("own")
    assert await kernel.text("import sys; print(sys.executable)") == f"{interpreter}\n"
    assert await kernel.text(VERSION) == "5.0\n"
    assert await kernel.text("import hat; hat.main()") == "a hat, installed\n"
    installed = await kernel.text(f"%pip install {PIP} --upgrade six=={NEWER}")
    assert f'"{NEWER}"' in (own / "six.py").read_text(), installed
    # The base's kernel knows nothing of it, but of what was installed beside it.
    usual = await ann.kernel()
    await usual.text("import sys")
    assert await usual.text("print(sys.prefix)") == f"{sys.prefix}\n"
    assert await usual.text(VERSION) == f"{NEWER}\n"


async def test_a_broken_package_breaks_no_server_and_can_be_removed(
    base: WarmBase, ann: Person
) -> None:
    await (await ann.kernel()).text("7")
    for name in ("tornado", "nbconvert", "terminado", "jupyter_server", "traitlets"):
        (ann.home / OWN / f"{name}.py").write_text("raise RuntimeError('broken')")
    for hindered in (False, True):
        ann.stop()
        if hindered:
            with put_aside(base.layout.fork_for_base("server")):
                ann.start()
        else:
            ann.start()
        assert ("server" in base.server_state(ann.name)) is not hindered
        headers = {"Authorization": f"token {ann.token}"}
        formats = httpx.get(f"{base.url}/user/{ann.name}/api/nbconvert", headers=headers)
        assert "html" in formats.json(), formats.text
    await ann.terminal(f"rm -f ~/{OWN}/*.py")
    assert await (await ann.kernel()).text(IS_FORKED) == "True\n"
