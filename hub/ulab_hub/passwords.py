"""What a password that someone chooses must not be."""

from __future__ import annotations

import re
from collections.abc import Collection

from ulab_core.i18n import mark

# bcrypt takes no more bytes, and raises.
LONGEST_PASSWORD = 72
# A shorter name is found in many a word.
LONG_NAME = 4

TOO_SHORT = mark("The password is too short: it needs {fewest} characters.")
TOO_LONG = mark("The password is too long: 72 bytes are the most.")
HAS_NAME = mark("The password must not contain the account's name. Choose another.")
COMMON = mark(
    "This password is one of the first that others would try: a common one, or one with digits or"
    " signs added to it. Choose another."
)

_ENDS = re.compile(r"^[\W\d_]+|[\W\d_]+$")
_SIGNS = re.compile(r"[\W_]")
_DISGUISES = str.maketrans("@0$35!", "aosesi")


def fits(password: str) -> bool:
    """Whether bcrypt can take the password."""
    return len(password.encode()) <= LONGEST_PASSWORD


def stem(password: str) -> str:
    """The password in small letters, without the digits and signs at its ends.

    Examples
    --------
    >>> stem("Password-1234!")
    'password'
    """
    return _ENDS.sub("", password.casefold())


def problem(name: str, password: str, fewest: int, common: Collection[str]) -> str | None:
    """What is wrong with a password, as one of this module's sentences; None when nothing is.

    Parameters
    ----------
    fewest
        The fewest characters it may have.
    common
        The most used passwords, in small letters.
    """
    if len(password) < fewest:
        return TOO_SHORT
    if not fits(password):
        return TOO_LONG
    core = stem(password)
    if {password.casefold(), core, core.translate(_DISGUISES)} & set(common):
        return COMMON
    plain_name, plain = _SIGNS.sub("", name.casefold()), _SIGNS.sub("", password.casefold())
    if core == name.casefold() or (len(plain_name) >= LONG_NAME and plain_name in plain):
        return HAS_NAME
    return None
