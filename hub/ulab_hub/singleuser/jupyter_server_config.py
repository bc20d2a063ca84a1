"""The Jupyter server in a person's sandbox."""

import os
from typing import Any

from ulab_hub.singleuser.start import COURSE_FOLDER, LAB_SETTINGS, LAB_WORKSPACES

c: Any = get_config()  # type: ignore[name-defined]  # noqa: F821

grading = "ULAB_COURSE" in os.environ
# nbgrader works on a course only below the folder that JupyterLab shows.
c.ServerApp.root_dir = COURSE_FOLDER if grading else os.environ["HOME"]
c.ServerApp.kernel_websocket_connection_class = "ulab_runtime.kernel_deaths.TellingConnection"
c.ServerApp.kernel_spec_manager_class = "ulab_hub.singleuser.own_kernels.OwnKernels"
# What a person starts in a terminal is ended before the server is when memory runs out. A login
# shell reads /etc/profile, which on Debian forgets where the base's Python is.
TERMINAL = """
echo 500 > /proc/self/oom_score_adj
OWN_PATH=$PATH exec /bin/bash -lc 'PATH=$OWN_PATH:$PATH; unset OWN_PATH; exec /bin/bash'
"""
c.ServerApp.terminado_settings = {"shell_command": ["/bin/sh", "-c", TERMINAL]}
c.LabApp.app_settings_dir = str(LAB_SETTINGS)
# JupyterLab settles both when it is imported, which a fork server does in a home of its own.
c.LabApp.user_settings_dir = f"{os.environ['HOME']}/.jupyter/lab/user-settings"
c.LabApp.workspaces_dir = LAB_WORKSPACES
c.LabApp.news_url = None
# Nothing can be installed into the base's environment from inside a sandbox.
c.LabApp.extension_manager = "readonly"
# There are none to find, and looking for them runs npm at each start, a tenth of all its work.
c.LanguageServerManager.autodetect = False
c.LabApp.check_for_updates_class = "jupyterlab.handlers.announcements.NeverCheckForUpdate"

c.ServerApp.jpserver_extensions = {
    "nbgrader.server_extensions.assignment_list": True,
    "nbgrader.server_extensions.validate_assignment": True,
    "nbgrader.server_extensions.formgrader": grading,
    "nbgrader.server_extensions.course_list": False,
    # Formgrader opens notebooks in it; everyone else has JupyterLab.
    "notebook": grading,
    "ulab_hub.singleuser.activity": True,
}
