"""The GraphiQL module: what it serves and refuses; the built page loads our own files only."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from graphql_api import graphiql
from tests.conftest import Client

ROOT = Path(__file__).parents[1]


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    folder = tmp_path / "dist"
    folder.mkdir()
    (folder / "index.html").write_bytes(b"<!doctype html>")
    (folder / "main-AB12.js").write_bytes(b"run()")
    (folder / "main-AB12.css").write_bytes(b"body{}")
    (folder / "favicon-AB12.svg").write_bytes(b"<svg/>")
    (folder / "notes.txt").write_bytes(b"not for clients")
    (folder / ".hidden.js").write_bytes(b"hidden()")
    (tmp_path / "secret.js").write_bytes(b"secret()")
    return folder


def test_page_is_the_built_html(dist: Path) -> None:
    assert graphiql.page(dist) == b"<!doctype html>"


def test_page_is_none_before_the_build(tmp_path: Path) -> None:
    assert graphiql.page(tmp_path) is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("main-AB12.js", (b"run()", "text/javascript; charset=utf-8")),
        ("main-AB12.css", (b"body{}", "text/css; charset=utf-8")),
        ("favicon-AB12.svg", (b"<svg/>", "image/svg+xml")),
    ],
)
def test_asset_comes_with_its_content_type(
    dist: Path, name: str, expected: tuple[bytes, str]
) -> None:
    assert graphiql.asset(name, dist) == expected


@pytest.mark.parametrize(
    "name", ["", ".", "main.js", "main-AB12", "notes.txt", "index.html", ".hidden.js", "a\0.js"]
)
def test_unknown_asset_is_none(dist: Path, name: str) -> None:
    assert graphiql.asset(name, dist) is None


@pytest.mark.parametrize(
    "name",
    ["../secret.js", "..\\secret.js", "./main-AB12.js", "../dist/main-AB12.js", "..%2fsecret.js"],
)
def test_path_in_place_of_a_name_is_refused(dist: Path, name: str) -> None:
    assert graphiql.asset(name, dist) is None


def test_absolute_path_is_refused(dist: Path) -> None:
    assert graphiql.asset(str(dist.parent / "secret.js"), dist) is None


def test_policy_lets_the_page_reach_its_own_origin_only() -> None:
    assert graphiql.CONTENT_SECURITY_POLICY == (
        "default-src 'none'; script-src 'self'; worker-src 'self'; "
        "style-src 'self' 'unsafe-inline'; font-src 'self' data:; img-src 'self' data:; "
        "connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


class LoadedAddresses(HTMLParser):
    """Collects every src and href of a document, and how many scripts stand inline."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.inline_scripts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = [value or "" for name, value in attrs if name in ("src", "href")]
        self.addresses += found
        self.inline_scripts += tag == "script" and not found


def test_built_page_loads_only_built_files() -> None:
    html = graphiql.page()
    if html is None:
        pytest.skip("the bundle is not built: npm ci && npm run build in clients/graphiql")
    loaded = LoadedAddresses()
    loaded.feed(html.decode())
    assert len(loaded.addresses) == 3
    assert loaded.inline_scripts == 0
    for address in loaded.addresses:
        assert address.startswith("/graphiql/")
        assert graphiql.asset(address.removeprefix("/graphiql/")) is not None


def test_every_built_file_has_a_content_type() -> None:
    built = [file.name for file in graphiql.DIST.glob("*") if file.name != "index.html"]
    if not built:
        pytest.skip("the bundle is not built: npm ci && npm run build in clients/graphiql")
    assert [name for name in built if graphiql.asset(name) is None] == []


EXAMPLES = sorted((ROOT / "clients" / "graphiql" / "examples").glob("*.graphql"))


def test_examples_are_answered_to_headquarters(
    send: Client, seeded: dict[str, str], operator: str
) -> None:
    for file in EXAMPLES:
        text = file.read_text(encoding="utf-8")
        assert re.match(r"# .*[一-鿿].*\n# .*[A-Za-z]{3}", text), f"{file.name} says what it shows"
        assert send(text, token=operator)


def test_page_shows_every_example() -> None:
    shown = (ROOT / "clients" / "graphiql" / "examples.js").read_text(encoding="utf-8")
    assert [file.name for file in EXAMPLES if f'"./examples/{file.name}"' not in shown] == []
    assert EXAMPLES
