"""What the doctor needs to know about this machine, gathered without judging it."""

from __future__ import annotations

import errno
import os
import platform
import shutil
import socket
import sys
from dataclasses import dataclass, field
from pathlib import Path

from ulab_core.errors import UserError
from ulab_core.programs import CHECKOUT, STOCK_PROXY, node
from ulab_deploy.base import Base, RunLock
from ulab_teams.mending import has_acls

_NVIDIA = "0x10de"
_DISPLAY_CLASSES = ("0x0300", "0x0302")


@dataclass(frozen=True)
class Facts:
    """One machine, as far as the base cares.

    Attributes
    ----------
    sandbox_error
        What bubblewrap said when it could not make a sandbox; None when it could.
    environment_closed
        Whether a sandbox works, but Python and our packages can't be read inside.
    sysctls
        Kernel settings about user namespaces, those that exist.
    bind_errno
        Why the port could not be bound; None when it could.
    running
        The process that serves from this state already.
    node, proxy
        Whether each is installed.
    nvidia_cards, nvidia_driver, nvidia_devices
        Cards on the PCI bus, the loaded driver's version, and their device nodes.
    """

    python: tuple[int, int] = (3, 11)
    system: str = "Linux"
    root: bool = False
    bwrap: str | None = "/usr/bin/bwrap"
    sandbox_error: str | None = None
    environment_closed: bool = False
    checkout: str = "."
    sysctls: dict[str, int] = field(default_factory=dict)
    host: str = "127.0.0.1"
    port: int = 8000
    loopback: bool = True
    public_url: str = ""
    bind_errno: int | None = None
    running: int | None = None
    state_dir: str = "state"
    state_error: str | None = None
    state_owner: int | None = None
    state_acls: bool = True
    uid: int = 1000
    free_disk_mb: int = 100_000
    memory_mb: int = 16_000
    memory_limit_mb: int = 4096
    limits: str = ""
    node: bool = True
    proxy: bool = True
    nvidia_cards: int = 0
    nvidia_driver: str | None = None
    nvidia_devices: int = 0


def gather(base: Base) -> Facts:
    """Look at this machine with the eyes of `base`; nothing is changed."""
    settings, layout = base.settings, base.layout
    bwrap, sandbox_error, closed = _sandbox()
    running = RunLock(layout).holder()
    return Facts(
        python=sys.version_info[:2],
        system=platform.system(),
        root=os.geteuid() == 0,
        uid=os.geteuid(),
        bwrap=bwrap,
        sandbox_error=sandbox_error,
        environment_closed=closed,
        checkout=str(CHECKOUT),
        sysctls=_sysctls(),
        host=settings.server.host,
        port=settings.server.port,
        loopback=settings.server.on_loopback,
        public_url=settings.server.public_url,
        bind_errno=None if running else bind_errno(settings.server.host, settings.server.port),
        running=running,
        state_dir=str(layout.root),
        state_error=_state_error(layout.root),
        state_owner=layout.root.stat().st_uid if layout.root.exists() else None,
        state_acls=has_acls(_existing(layout.root)),
        free_disk_mb=shutil.disk_usage(_existing(layout.root)).free // 2**20,
        memory_mb=_memory_mb(),
        memory_limit_mb=settings.limits.memory_mb,
        limits=_limits(),
        node=node().exists(),
        proxy=STOCK_PROXY.exists(),
        nvidia_cards=_nvidia_cards(),
        nvidia_driver=_nvidia_driver(),
        nvidia_devices=len(list(Path("/dev").glob("nvidia[0-9]*"))),
    )


def bind_errno(host: str, port: int) -> int | None:
    """Why a server could not bind there, as an `errno`, or None when it could."""
    try:
        found = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except socket.gaierror:
        return errno.EADDRNOTAVAIL
    family, kind, protocol, _, address = found[0]
    with socket.socket(family, kind, protocol) as candidate:
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind(address)
            candidate.listen()
        except OSError as error:
            return error.errno
    return None


def _sandbox() -> tuple[str | None, str | None, bool]:
    """The bubblewrap used, why a sandbox fails, and whether only our files are closed to it."""
    from ulab_runtime.host import Host

    try:
        bwrap = str(Host.detect().bwrap)
    except UserError as error:
        return None, str(error), False
    said = _try_sandbox([sys.executable, "-c", "import ulab"])
    closed = said is not None and _try_sandbox(["/usr/bin/true"]) is None
    return bwrap, said, closed


def _try_sandbox(command: list[str]) -> str | None:
    from ulab_runtime.sandbox import Limits, SandboxSpec, environment_mounts, run

    nobody = 65_533 if os.geteuid() == 0 else None
    spec = SandboxSpec(
        command=command,
        mounts=environment_mounts(["ulab"]),
        env={},
        cwd="/",
        network=False,
        limits=Limits(memory_mb=512, cpus=1, processes=64, file_mb=1),
        uid=nobody,
        gid=nobody,
    )
    try:
        finished = run(spec, timeout_s=30)
    except (UserError, OSError) as error:
        return str(error)
    if finished.returncode == 0:
        return None
    lines = finished.stdout_tail.strip().splitlines()
    return lines[-1] if lines else f"exit code {finished.returncode}"


def _sysctls() -> dict[str, int]:
    found = {}
    for name in (
        "kernel/apparmor_restrict_unprivileged_userns",
        "kernel/unprivileged_userns_clone",
        "user/max_user_namespaces",
    ):
        try:
            found[name.replace("/", ".")] = int(Path("/proc/sys", name).read_text())
        except (OSError, ValueError):
            continue
    return found


def _existing(path: Path) -> Path:
    return next(folder for folder in (path, *path.parents) if folder.exists())


def _state_error(root: Path) -> str | None:
    folder = _existing(root)
    if not folder.is_dir():
        return os.strerror(errno.ENOTDIR)
    return None if os.access(folder, os.W_OK | os.X_OK) else os.strerror(errno.EACCES)


def _memory_mb() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20


def _limits() -> str:
    from ulab_runtime.limits import in_force

    return in_force()


def _nvidia_cards() -> int:
    count = 0
    for device in Path("/sys/bus/pci/devices").glob("*"):
        try:
            vendor = (device / "vendor").read_text().strip()
            kind = (device / "class").read_text().strip()
        except OSError:
            continue
        count += vendor == _NVIDIA and kind.startswith(_DISPLAY_CLASSES)
    return count


def _nvidia_driver() -> str | None:
    try:
        first = Path("/proc/driver/nvidia/version").read_text().splitlines()[0]
    except (OSError, IndexError):
        return None
    return next((word for word in first.split() if word[:1].isdigit() and "." in word), first)
