"""Fixed seeds, so that the same submission gets the same verdict."""

from __future__ import annotations

import random
import sys


def seed_all(seed: int) -> None:
    """Seed the generators of Python and of the libraries that are loaded."""
    random.seed(seed)
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed(seed % 2**32)
    if torch := sys.modules.get("torch"):
        torch.manual_seed(seed)
