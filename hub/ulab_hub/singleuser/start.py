"""Become the person's Jupyter server, on the socket that the hub opened for it."""

from __future__ import annotations

import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

from ulab_hub.singleuser.team_links import show_teams
from ulab_runtime.own_packages import CUSTOMIZATION, VARIABLE

LISTEN_VARIABLE = "ULAB_LISTEN_FD"
COURSE_FOLDER = "/srv/course"
"""Where the server that grades a course sees the course's folder."""
TEAM_FOLDERS = "/srv/teams"
"""Where a server sees the folders of its person's teams."""
LAB_SETTINGS = Path("/tmp/jupyter-lab-settings")
LAB_WORKSPACES = "/tmp/jupyter-lab-workspaces"
"""Which notebooks are open; with a new server JupyterLab would start a kernel for each of them."""
# What only those who grade need.
FOR_INSTRUCTORS = ("formgrader", "create-assignment", "course-list")


def main() -> None:
    """Run the server until the hub ends it."""
    # A home is closed to others by itself. Whatever is copied from it into a team's folder keeps
    # its mode, and has to be of use to the team there.
    os.umask(0o007)
    Path(os.environ["JUPYTER_RUNTIME_DIR"]).mkdir(mode=0o700, exist_ok=True)
    write_lab_settings(LAB_SETTINGS, os.environ.get("ULAB_LANGUAGE", "zh"))
    show_own_packages_to_others()
    if "ULAB_COURSE" not in os.environ:  # a grading server has the home, but not the folders
        show_teams(Path(os.environ["HOME"]), Path(TEAM_FOLDERS))
    from jupyter_server.serverapp import ServerApp

    from ulab_hub.singleuser import provisioners

    provisioners.use_found()
    listen_on_inherited(ServerApp, int(os.environ.pop(LISTEN_VARIABLE)))
    from jupyterhub.singleuser import main as become_server

    become_server()


def show_own_packages_to_others() -> None:
    """Have kernels and terminals find the person's own packages.

    This server itself looks nowhere in their home: a broken package there is not to break it.
    """
    os.environ[VARIABLE] = sys.prefix
    os.environ["PYTHONPATH"] = str(CUSTOMIZATION)
    os.environ["PATH"] = f"{os.environ['HOME']}/.local/bin:{os.environ['PATH']}"


def write_lab_settings(folder: Path, language: str) -> None:
    """JupyterLab's defaults for this person, which their own settings can change."""
    folder.mkdir(mode=0o700, exist_ok=True)
    overrides: dict[str, dict[str, Any]] = {
        "@jupyterlab/translation-extension:plugin": {
            "locale": "zh_CN" if language == "zh" else "en"
        },
        "@jupyterlab/apputils-extension:notification": {
            "checkForUpdates": False,
            "fetchNews": "false",
        },
    }
    (folder / "overrides.json").write_text(json.dumps(overrides))
    disabled = {"@jupyterlab/apputils-extension:announcements": True}
    if "ULAB_COURSE" not in os.environ:
        disabled |= {f"@jupyter/nbgrader:{name}": True for name in FOR_INSTRUCTORS}
        disabled |= {"@jupyter-notebook/lab-extension": True}  # it leads to what isn't served
    (folder / "page_config.json").write_text(json.dumps({"disabledExtensions": disabled}))


def listen_on_inherited(server: Any, descriptor: int) -> None:
    """Have the server accept on the hub's socket instead of binding one.

    Nobody else on the machine can then have taken the port in between.
    """

    def take(self: Any) -> bool:
        inherited = socket.socket(fileno=descriptor)
        inherited.setblocking(False)
        inherited.set_inheritable(False)
        self.http_server.add_socket(inherited)
        return True

    server._find_http_port = lambda self: None
    server._bind_http_server_tcp = take


if __name__ == "__main__":
    main()
