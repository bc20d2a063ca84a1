"""The file JupyterHub reads: everything in it follows from ulab.toml."""

from typing import Any

from ulab_core.settings import load_settings
from ulab_hub.configuration import configure

c: Any = get_config()  # type: ignore[name-defined]  # noqa: F821
configure(c, load_settings())
