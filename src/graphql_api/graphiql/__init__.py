"""The GraphiQL page, built by clients/graphiql, its files served under /graphiql/."""

import re
from pathlib import Path

DIST = Path(__file__).parent / "dist"

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self' 'unsafe-inline'; "
    "font-src 'self' data:; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

# HTML is left out: the page is served by page() alone, always with its policy.
CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

ASSET_NAME = re.compile(r"\w[\w.-]*", re.ASCII)


def page(dist: Path = DIST) -> bytes | None:
    """The HTML of the page, or None when the bundle has not been built."""
    file = dist / "index.html"
    return file.read_bytes() if file.is_file() else None


def asset(name: str, dist: Path = DIST) -> tuple[bytes, str] | None:
    """Bytes and content type of one built file, whose name changes whenever its content does."""
    file = dist / name
    content_type = CONTENT_TYPES.get(file.suffix)
    if content_type is None or not ASSET_NAME.fullmatch(name) or not file.is_file():
        return None
    return file.read_bytes(), content_type
