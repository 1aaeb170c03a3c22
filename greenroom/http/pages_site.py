"""The pages that come with the package: ``/`` and other pages by name, and ``/static/*``.

They are read once, when the application is made. A request only looks its path up among the files that exist, so there
is no path to traverse.
"""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from quart.wrappers import Request, Response

FOLDER: Final = Path(__file__).parent / "pages"

_TYPES: Final = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
_TEXT: Final = ("text/", "application/json", "image/svg+xml", "application/manifest+json")


@dataclass(frozen=True, slots=True)
class PageFile:
    content: bytes
    media_type: str
    etag: str


def load_pages(folder: Path) -> Mapping[str, PageFile]:
    """Read ``index.html`` (served as ``/``), ``x.html`` (as ``/x``) and everything below ``static``.

    The keys are request paths.
    """
    found = {f"/{path.stem}": path for path in sorted(folder.glob("*.html"))}
    if "/index" in found:
        found["/"] = found.pop("/index")
    static = folder / "static"
    for path in sorted(static.rglob("*")):
        if path.is_file() and not path.name.startswith("."):
            found[f"/static/{path.relative_to(static).as_posix()}"] = path
    return {route: _load(path) for route, path in found.items()}


def serve_page(request: Request, page: PageFile, *, policy: str) -> Response:
    """Answer with a file, or 304 if the client has it.

    Names do not change with content, so a browser asks each time; it costs a round trip and no bytes.

    Args:
        policy: the Content-Security-Policy.
    """
    not_modified = page.etag in request.if_none_match
    response = Response(b"" if not_modified else page.content, status=304 if not_modified else 200)
    response.headers["Content-Type"] = page.media_type
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Content-Security-Policy"] = policy
    response.set_etag(page.etag)
    return response


def _load(path: Path) -> PageFile:
    content = path.read_bytes()
    media_type = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    if media_type.startswith(_TEXT):
        media_type += "; charset=utf-8"
    return PageFile(content, media_type, hashlib.sha256(content).hexdigest()[:32])
