"""Which of MLflow's addresses the gateway lets through, and what it makes of each."""

from __future__ import annotations

import enum
import re
from urllib.parse import unquote_to_bytes

_API = r"/(?:ajax-)?api/[23]\.0/mlflow"

# What is not listed is closed, so that a new release of MLflow opens nothing by itself. Left out on
# purpose: the LLM gateway, jobs, the assistant (a shell on the host), sign-up, accounts and roles,
# web hooks (they make the server call any address), presigned addresses, MLflow's telemetry, and
# renaming an experiment (its name says whose it is, and EDIT would allow it).
_OPEN: tuple[tuple[str, str], ...] = (
    ("GET", r"/"),
    ("GET", r"/version"),
    ("GET", r"/static-files/.+"),
    ("GET", r"/get-artifact"),
    ("GET", r"/model-versions/get-artifact"),
    ("POST", r"/graphql"),
    ("GET", _API + r"/server-info"),
    ("GET", _API + r"/workspaces"),
    ("GET", _API + r"/users/current(?:/permissions)?"),
    ("GET", _API + r"/artifacts/list"),
    ("ANY", _API + r"/experiments/(?!update$)[a-z-]+"),
    ("ANY", _API + r"/runs/(?!create-promptlab-run$)[a-z-]+"),
    ("ANY", _API + r"/metrics/[a-z-]+"),
    ("ANY", _API + r"/(?:registered-models|model-versions)/[a-z-]+"),
    ("ANY", _API + r"/logged-models(?:/.+)?"),
    ("ANY", _API + r"/datasets(?:/.+)?"),
    ("ANY", _API + r"/traces(?:/.+)?"),
    ("GET", _API + r"/get-trace-artifact"),
    ("POST", _API + r"/upload-artifact"),
    ("GET", r"/(?:ajax-)?api/2\.0/mlflow-artifacts/artifacts(?:/.+)?"),
    ("PUT", r"/(?:ajax-)?api/2\.0/mlflow-artifacts/artifacts/.+"),
)
_OPEN_PATTERNS = tuple((method, re.compile(pattern)) for method, pattern in _OPEN)
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})

# Closed too, but MLflow's pages ask them unasked and complain to the person about a refusal.
EMPTY_ANSWERS: dict[str, dict[str, object]] = {
    "/ajax-api/2.0/mlflow/gateway-proxy": {"endpoints": []},
    "/ajax-api/3.0/mlflow/users/roles/list": {"roles": []},
    "/ajax-api/3.0/mlflow/assistant/config": {
        "providers": {},
        "projects": {},
        "remote_access_allowed": False,
    },
    "/ajax-api/3.0/mlflow/assistant/providers": {
        "providers": [],
        "resolved": None,
        "gateway_vendor_options": {},
    },
}

_NEEDS_NO_WORKSPACE = re.compile(_API + r"/(?:server-info|workspaces.*|users/current.*)")
_LISTS_WORKSPACES = re.compile(_API + r"/workspaces")
_ARTIFACT = re.compile(
    r".*/get-(?:trace-)?artifact|/(?:ajax-)?api/2\.0/mlflow-artifacts/artifacts/.+|.*/artifacts/files"
)
_STREAMED = re.compile(r"/(?:ajax-)?api/2\.0/mlflow-artifacts/artifacts/.+")


class Kind(enum.Enum):
    """What an address is to a browser."""

    PAGE = enum.auto()
    STATIC = enum.auto()
    API = enum.auto()


def inner_path(raw: bytes, prefix: str) -> str | None:
    """The path as MLflow will understand it, from the path as it was sent.

    Parameters
    ----------
    raw
        The path of the request line, still percent-encoded, without the query.
    prefix
        Where the gateway is mounted, without a slash at the end.

    Returns
    -------
    str or None
        The decoded path below `prefix`; None when two programs could understand it differently
        (a dot segment, an empty segment, an encoded slash, or anything encoded twice).
    """
    mount = prefix.encode()
    if not raw.startswith(mount + b"/"):
        return None
    rest = raw[len(mount) :]
    if re.search(rb"(?i)%(?:2f|5c|25|00)", rest) or b"\\" in rest:
        return None
    try:
        decoded = unquote_to_bytes(rest).decode("utf-8")
    except UnicodeDecodeError:
        return None
    segments = decoded.split("/")[1:]
    if any(s in (".", "..") for s in segments) or "" in segments[:-1]:
        return None
    return decoded if decoded.isprintable() else None


def is_open(method: str, path: str) -> bool:
    """Whether the gateway passes this on at all; MLflow decides whether the person may."""
    if method == "HEAD":
        method = "GET"
    return method in _METHODS and any(
        asked in ("ANY", method) and pattern.fullmatch(path) for asked, pattern in _OPEN_PATTERNS
    )


def kind(path: str) -> Kind:
    if path == "/":
        return Kind.PAGE
    return Kind.STATIC if path.startswith("/static-files/") else Kind.API


def needs_workspace(path: str) -> bool:
    """Whether a program that names no workspace has forgotten to."""
    return path.startswith("/api/") and not _NEEDS_NO_WORKSPACE.fullmatch(path)


def lists_workspaces(path: str) -> bool:
    return path == "/" or _LISTS_WORKSPACES.fullmatch(path) is not None


def takes_files(path: str) -> bool:
    """Whether the body of a request is stored as it comes, rather than read into memory."""
    return _STREAMED.fullmatch(path) is not None


def is_artifact(path: str) -> bool:
    """Whether the answer is a file that someone uploaded."""
    return _ARTIFACT.fullmatch(path) is not None
