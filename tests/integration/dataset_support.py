"""A package index of one's own, registries of small data sets, and a store's content to compare."""

from __future__ import annotations

import hashlib
import http.server
import io
import json
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

TABLE = b"day,rain\n1,0.5\n2,\n3,1.5\n"
WORDS = {"zh": "雨", "en": "Rain"}


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def card_content(table: bytes = TABLE, rows: int = 3) -> dict[str, object]:
    file = {"path": "rain.csv", "member": "rain/rain.csv"}
    return {
        "id": "rain",
        "titles": WORDS,
        "summaries": WORDS,
        "source": {"title": "t", "url": "u", "citation": "c"},
        "licence": {
            "name": "MIT",
            "verified": True,
            "allows": {"commercial": "yes", "sharing": "yes", "changes": "yes"},
            "note": WORDS,
        },
        "fetch": {"kind": "pip", "package": "rain-data", "version": "1.0"},
        "format": "csv",
        "files": [{**file, "member_sha256": digest(table), "sha256": digest(table)}],
        "shape": {
            "rows": rows,
            "columns": {"day": {"kind": "integer"}, "rain": {"kind": "number", "missing": 1}},
        },
    }


def write_registry(registry: Path, content: dict[str, object], revision: str, size: int) -> Path:
    """A registry of the one card, with the .dvc file that goes with it."""
    folder = registry / "rain"
    folder.mkdir(parents=True, exist_ok=True)
    # Through JSON, as PyYAML writes what stands there twice as an alias.
    text = yaml.safe_dump(json.loads(json.dumps(content)), allow_unicode=True)
    (folder / "card.yaml").write_text(text, encoding="utf-8")
    out = {"md5": revision, "size": size, "nfiles": 1, "hash": "md5", "path": "data"}
    (folder / "data.dvc").write_text(yaml.safe_dump({"outs": [out]}), encoding="utf-8")
    return registry


def revision_of(table: bytes) -> str:
    """DVC's revision of a folder with the one file."""
    file = hashlib.md5(table, usedforsecurity=False).hexdigest()
    listing = f'[{{"md5": "{file}", "relpath": "rain.csv"}}]'.encode()
    return hashlib.md5(listing, usedforsecurity=False).hexdigest() + ".dir"


def wheel(table: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        info = "rain_data-1.0.dist-info"
        archive.writestr("rain/rain.csv", table)
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: rain-data\nVersion: 1.0")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return made.getvalue()


@contextmanager
def index(
    package: bytes, monkeypatch: pytest.MonkeyPatch, *, sent: int | None = None
) -> Iterator[None]:
    """A package index with the one wheel, the only one that pip and uv know.

    Parameters
    ----------
    sent
        After how many bytes of the wheel the connection breaks.
    """
    name = "rain_data-1.0-py3-none-any.whl"

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = f'<a href="/{name}">{name}</a>'.encode()
            content = package if self.path.endswith(".whl") else page
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[:sent] if content is package else content)

        def log_message(self, *arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        address = f"http://127.0.0.1:{server.server_address[1]}/simple"
        for variable, value in {
            "PIP_INDEX_URL": address, "UV_DEFAULT_INDEX": address, "PIP_EXTRA_INDEX_URL": "",
            "PIP_FIND_LINKS": "", "PIP_CONFIG_FILE": "/dev/null", "PIP_RETRIES": "0",
            "PIP_RESUME_RETRIES": "0", "PIP_NO_CACHE_DIR": "1", "NO_PROXY": "127.0.0.1",
        }.items():  # fmt: skip
            monkeypatch.setenv(variable, value)
        yield
        server.shutdown()
        thread.join()


def content(root: Path) -> dict[str, str]:
    """Every file of a store with its checksum, without DVC's and our own notes of work."""
    return {
        str(path.relative_to(root)): digest(path.read_bytes())
        for path in sorted(root.rglob("*"))
        if path.is_file()
        and not {".dvc-site", ".lock", "tmp", "apt"} & {*path.relative_to(root).parts}
    }
