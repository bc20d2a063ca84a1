"""JupyterHub's and NativeAuthenticator's own English messages, put into the page's language."""

from __future__ import annotations

import re
from collections.abc import Callable

from ulab_core.i18n import mark

# What they say, and how we say it. The first that matches from the start counts.
_KNOWN = (
    (r"Invalid username or password", mark("The name or the password is wrong.")),
    (
        r"User (?P<name>\S+) has not been authorized",
        mark("An administrator has not let {name} in yet."),
    ),
    (
        r"Something went wrong!\s+It appears that this username is already in use",
        mark("This name is taken. Choose another."),
    ),
    (
        r"Your password did not match the confirmation",
        mark("The two passwords differ. Type them again."),
    ),
    (
        r"Something went wrong!\s+Be sure (the|your) new password.*at least (?P<length>\d+)",
        mark("The new password needs at least {length} characters and must not be a common one."),
    ),
    (
        r"Something went wrong!\s+Be sure (the|your) new password",
        mark("The new password is too common. Choose another."),
    ),
    (
        r"Something went wrong!\s+Be sure your username.*at least (?P<length>\d+)",
        mark(
            "A name has no spaces, commas or slashes; a password has at least {length} characters"
            " and is not a common one."
        ),
    ),
    (
        r"Something went wrong!\s+Be sure your username",
        mark("A name has no spaces, commas or slashes; a password is not a common one."),
    ),
    (
        r"The signup was successful! You can now",
        mark("Your account is ready. You can sign in now."),
    ),
    (
        r"Your information has been sent to the admin",
        mark("Your request was sent. You can sign in once an administrator has let you in."),
    ),
    (
        r"Your current password was incorrect",
        mark("The current password is wrong."),
    ),
    (
        r"(Your|The) new password didn't match the confirmation",
        mark("The two new passwords differ. Type them again."),
    ),
    (r"Your password has been changed", mark("Your password has been changed.")),
    (
        r"The password for (?P<name>\S+) has been changed",
        mark("The password of {name} has been changed."),
    ),
    (r"Invalid URL", mark("This link is not valid, or no longer.")),
    (r"(?P<name>\S+) has been authorized!", mark("{name} can sign in now.")),
    (r"(?P<name>\S+) was already authorized", mark("{name} could sign in already.")),
    (
        r"Action is not authorized with current scopes",
        mark("Your account has no access to this page."),
    ),
    (
        r"'_xsrf' argument missing|XSRF cookie does not match",
        mark("The page was open too long. Reload it and try again."),
    ),
)
_PATTERNS = [(re.compile(pattern, re.DOTALL), ours) for pattern, ours in _KNOWN]


def said_our_way(message: str, translate: Callable[[str], str]) -> str:
    """The message in the page's language; as it came when it is none of the known ones.

    Examples
    --------
    >>> said_our_way("Invalid username or password.", str)
    'The name or the password is wrong.'
    """
    for pattern, ours in _PATTERNS:
        found = pattern.match(message or "")
        if found:
            return translate(ours).format(**found.groupdict())
    return message
