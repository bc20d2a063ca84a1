"""Keeps apart what the kernel counts by user, where several processes share the tests."""

from __future__ import annotations

import os

from integration.sandbox_support import APART

if APART:
    os.environ.setdefault("ULAB_ACCOUNTS__UID_BASE", str(200_000 + APART))
