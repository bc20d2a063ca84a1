"""The read-only part of every sandbox: the system, Python, and named packages of ours."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from ulab_runtime.host import Host, python_folders
from ulab_runtime.spec import Mount

# What programs need to find hosts, certificates, fonts, libraries and the time; nothing secret.
ETC = (
    "alternatives", "bash.bashrc", "ca-certificates", "fonts", "host.conf", "hosts", "inputrc",
    "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "locale.alias", "localtime", "magic",
    "mime.types", "nsswitch.conf", "os-release", "profile", "protocols", "resolv.conf",
    "services", "ssl/certs", "ssl/openssl.cnf", "terminfo", "timezone",
    "OpenCL", "pki/tls/certs", "pki/ca-trust",
)  # fmt: skip
# Numbers of processors and memory nodes, which numerical libraries read.
SYS = ("/sys/devices/system/cpu", "/sys/devices/system/node")


def environment_mounts(packages: Sequence[str], host: Host | None = None) -> tuple[Mount, ...]:
    """The system, the running Python with its environment, and the named packages, read-only.

    Parameters
    ----------
    packages
        Importable names, such as ``ulab``. An editable checkout shows these folders and nothing
        beside them: labs' sources hold solutions and hidden tests.
    """
    host = host or Host.detect()
    found = [Mount(folder, str(folder)) for folder in (*host.system, *python_folders())]
    found += [Mount(Path("/etc", name).resolve(), f"/etc/{name}") for name in ETC if _open(name)]
    found += [Mount(Path(path), path) for path in SYS if Path(path).is_dir()]
    found += [Mount(folder, str(folder)) for folder in _package_folders(packages)]
    return tuple(found)


def _open(name: str) -> bool:
    """Whether anyone on the host may read it, so that showing it gives nothing away."""
    path = Path("/etc", name)
    try:
        return bool(path.stat().st_mode & 0o004)
    except OSError:
        return False


def _package_folders(packages: Sequence[str]) -> Iterator[Path]:
    for package in packages:
        spec = importlib.util.find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            raise ValueError(f"there is no package {package}")
        folder = Path(next(iter(spec.submodule_search_locations))).absolute()
        if not folder.is_relative_to(sys.prefix):
            yield folder
