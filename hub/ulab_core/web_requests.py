"""Questions about one HTTP request that the answer's safety hangs on."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import Request


def wants_page(request: Request) -> bool:
    """Whether a person looks at the answer as a page, rather than a program or a script."""
    return (
        "authorization" not in request.headers
        and "hx-request" not in request.headers
        and request.headers.get("sec-fetch-mode", "navigate") == "navigate"
        and "text/html" in request.headers.get("accept", "")
    )


def safe_next(target: str, prefix: str) -> str:
    """`target` when it is a path below `prefix` of this very site, else `prefix`.

    Examples
    --------
    >>> safe_next("/services/ulab/?a=b", "/")
    '/services/ulab/?a=b'
    >>> safe_next("//evil.example/", "/")
    '/'
    """
    parts = urlsplit(target)
    # Browsers take any number of slashes at the start for another host's name.
    odd = parts.scheme or parts.netloc or target.startswith("//") or "\\" in target
    odd = odd or not target.isprintable()
    return target if not odd and target.startswith(prefix) else prefix


def from_own_pages(request: Request, below: str | None = None) -> bool:
    """Whether a browser's request comes from a page of this site.

    Parameters
    ----------
    below
        Where the page must lie, as a path. Pages of other parts of the site (a student's own
        server is one, unless subdomains are used) are refused then.
    """
    origin = f"{scheme_of(request)}://{request.headers.get('host', '')}"
    referer = request.headers.get("referer", "")
    # Browsers leave Sec-Fetch-Site out on plain http beyond loopback. They say Origin then, and
    # for a GET the Referer alone.
    said = (request.headers.get("sec-fetch-site"), request.headers.get("origin"))
    match said:
        case (None, None):
            same = request.method in ("GET", "HEAD") and referer.startswith(f"{origin}/")
        case (None, claimed):
            same = claimed == origin
        case (site, _):
            same = site == "same-origin"
    return same and (below is None or referer.startswith(f"{origin}{below}"))


def scheme_of(request: Request) -> str:
    """The scheme the browser used, as far as the proxies say."""
    forwarded = request.headers.get("x-forwarded-proto", "")
    return forwarded.split(",")[0].strip().lower() or request.url.scheme
