"""The sandbox of a Jupyter server: what is mounted, what the environment says."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from ulab_core.layout import Layout
from ulab_core.settings import Settings
from ulab_hub.limits import thread_variables
from ulab_hub.profiles import Profile
from ulab_hub.residents import Resident
from ulab_hub.singleuser.start import COURSE_FOLDER, TEAM_FOLDERS
from ulab_runtime.forkserver.client import FORK_SERVERS, SOCKET_VARIABLE
from ulab_runtime.kernel import KERNELS
from ulab_runtime.sandbox import Limits, Mount, SandboxSpec, environment_mounts

PACKAGES = ("ulab", "ulab_core", "ulab_runtime", "ulab_coursework", "ulab_mlflow")
SINGLEUSER = Path(__file__).parent / "singleuser"
DATASETS = "/srv/datasets"
TEAM_DATASETS = "/srv/team-datasets"
RUNTIME_DIR = "/tmp/jupyter"
# What CUDA reads to find a GPU's place in the machine.
GPU_SYS = (Path("/sys/devices"), Path("/sys/bus/pci"), Path("/sys/module/nvidia"))


def home_inside(name: str, mounts: Sequence[Mount]) -> str:
    """Where the home is seen, beside whatever must stay visible.

    A base installed in ``/home/ann`` would be hidden by the home of a student ``ann``.
    """
    usual = PurePosixPath("/home", name)
    taken = any(PurePosixPath(mount.target).is_relative_to(usual) for mount in mounts)
    return f"/srv/home/{name}" if taken else str(usual)


def build(
    settings: Settings,
    layout: Layout,
    resident: Resident,
    profile: Profile,
    command: Sequence[str],
    hub_environment: Mapping[str, str],
) -> SandboxSpec:
    """Say what the server of `resident` gets.

    Parameters
    ----------
    command
        Starts the Jupyter server.
    hub_environment
        What JupyterHub tells the server, its token included.
    """
    mounts = list(environment_mounts(PACKAGES))
    mounts.append(Mount(SINGLEUSER, str(SINGLEUSER)))
    if profile.devices:
        mounts += [Mount(folder, str(folder)) for folder in GPU_SYS if folder.is_dir()]
    mounts.append(Mount(layout.dataset_store, DATASETS))
    mounts.append(Mount(layout.fork_dir, FORK_SERVERS))
    # Not below the home, where the person decides what lies at a mount's target.
    mounts += [
        Mount(layout.team(team), f"{TEAM_FOLDERS}/{team}", writable)
        for team, writable in resident.teams.items()
    ]
    mounts += [
        Mount(layout.team_datasets(team) / "store", f"{TEAM_DATASETS}/{team}")
        for team in resident.teams
    ]
    home = home_inside(resident.name, mounts)
    mounts.append(Mount(resident.home, home, writable=True))
    if resident.course is not None:
        mounts.append(Mount(layout.course(resident.course), COURSE_FOLDER, writable=True))
    return SandboxSpec(
        command=command,
        mounts=mounts,
        env={**hub_environment, **environment(settings, resident, home, hub_environment)},
        cwd=home,
        network=True,
        limits=Limits(
            memory_mb=settings.limits.memory_mb,
            cpus=settings.limits.cpus,
            processes=settings.limits.processes,
            file_mb=settings.limits.file_mb,
        ),
        uid=resident.uid,
        gid=resident.gid,
        devices=profile.devices,
        user=resident.name,
        outlives_parent=True,
        groups=resident.groups,
    )


def environment(
    settings: Settings, resident: Resident, home: str, hub_environment: Mapping[str, str]
) -> dict[str, str]:
    """What U Lab tells the server and its kernels."""
    url = settings.server.local_url
    values = {
        "PATH": f"{Path(sys.prefix) / 'bin'}:/usr/local/bin:/usr/bin:/bin",
        "HOME": home,
        "USER": resident.name,
        "LOGNAME": resident.name,
        "SHELL": "/bin/bash",
        "LANG": "C.UTF-8",
        "TZ": settings.site.time_zone,
        "JUPYTER_CONFIG_PATH": str(SINGLEUSER),
        "JUPYTER_PATH": str(KERNELS.parent),
        "JUPYTER_RUNTIME_DIR": RUNTIME_DIR,
        "ULAB_PORTAL_URL": f"{url}/services/ulab/",
        "ULAB_DATASETS": DATASETS,
        "ULAB_TEAM_DATASETS": TEAM_DATASETS,
        "ULAB_LANGUAGE": resident.language,
        "ULAB_MEMORY_MB": str(settings.limits.memory_mb),
        "MLFLOW_TRACKING_URI": f"{url}/services/mlflow",
        "MLFLOW_TRACKING_TOKEN": hub_environment.get("JUPYTERHUB_API_TOKEN", ""),
        **thread_variables(settings),
        SOCKET_VARIABLE: f"{FORK_SERVERS}/kernel.sock",
    }
    if resident.course is not None:
        values["ULAB_COURSE"] = resident.course
    return values
