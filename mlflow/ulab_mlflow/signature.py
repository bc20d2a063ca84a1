"""The signed header by which the gateway tells MLflow who is asking."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

VALID_SECONDS = 60
_VERSION = "1"


def sign(key: bytes, name: str, now: float) -> str:
    """A header value that says `name` is asking, good for `VALID_SECONDS`."""
    claim = f"{_VERSION}.{base64.urlsafe_b64encode(name.encode()).decode()}.{int(now)}"
    return f"{claim}.{_digest(key, claim)}"


def signer(key: bytes, value: str, now: float) -> str | None:
    """The name in a signed header value.

    Returns
    -------
    str or None
        None when the value wasn't signed with `key`, is too old, or is from the future.
    """
    claim, _, digest = value.rpartition(".")
    # Bytes, since compare_digest refuses text that isn't ASCII by raising.
    if not hmac.compare_digest(digest.encode(), _digest(key, claim).encode()):
        return None
    try:
        version, name, moment = claim.split(".")
        age = now - int(moment)
        if version != _VERSION or not -VALID_SECONDS <= age <= VALID_SECONDS:
            return None
        return base64.urlsafe_b64decode(name).decode() or None
    except (ValueError, binascii.Error):
        return None


def _digest(key: bytes, claim: str) -> str:
    return hmac.new(key, claim.encode(), hashlib.sha256).hexdigest()
