"""Where the notebook computes, and for whom."""

from __future__ import annotations

import os

GRADING_VARIABLE = "ULAB_GRADING"


def device() -> str:
    """``"cuda"`` when this notebook was given a GPU, else ``"cpu"``."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def grading() -> bool:
    """Whether the notebook is being graded or checked, so that what takes long can be small."""
    return os.environ.get(GRADING_VARIABLE, "") not in ("", "0")
