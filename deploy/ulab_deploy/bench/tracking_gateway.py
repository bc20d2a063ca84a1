"""The gateway as the hub runs it, but on a port of the loopback that MLflow's client can reach."""

from __future__ import annotations

import sys

from ulab_core.process import die_with_parent
from ulab_core.serving import serve_on_port
from ulab_core.settings import load_settings
from ulab_mlflow.gateway import application

if __name__ == "__main__":
    die_with_parent()
    serve_on_port(application(load_settings()), int(sys.argv[1]))
