"""Manifests of clients: the documents that a version sends, made, checked and published.

    python scripts/manifest.py make mini_program 1.0.0     from the client's generated documents
    python scripts/manifest.py check                       every manifest here, against the schema
    python scripts/manifest.py publish mini_program 1.0.0 --url https://…/graphql
    python scripts/manifest.py retire mini_program 1.0.0 --url https://…/graphql
    python scripts/manifest.py list --url https://…/graphql

`schema/manifests` holds those of every version that somebody still runs: retire a version, then
remove its file. API_TOKEN is the token of an operator or a key that holds `documents:manage`;
`publish` and `retire` may be repeated.
"""

import argparse
import hashlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from graphql import GraphQLSchema

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "schema" / "manifests"
OPERATIONS = ROOT / "schema" / "operations" / "console"
GENERATED = {"mini_program": ROOT / "clients/miniprogram/src/generated/persisted-documents.json"}
Post = Callable[[dict[str, Any]], Any]
LOCAL = "http://127.0.0.1:8000/graphql"


class Refused(Exception):
    """Why it was not done, for whoever typed the command."""


def path_of(client: str, version: str) -> Path:
    """Where a manifest is."""
    return FOLDER / f"{client}-{version}.json"


def named(path: Path) -> tuple[str, str]:
    """The client and the version of a manifest."""
    client, _, version = path.stem.partition("-")
    return client, version


def read(path: Path) -> dict[str, str]:
    """Documents by their hash; Refused where a hash is not that of its text."""
    documents: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    for hash_, text in documents.items():
        if hashlib.sha256(text.encode()).hexdigest() != hash_:
            raise Refused(f"{path.name}: {hash_} is not the SHA-256 of its text")
    return documents


def make(client: str, version: str) -> Path:
    """Write the manifest of a version; one that is there already must be the same."""
    if not (source := GENERATED.get(client)):
        raise Refused(f"{client} generates no documents; known: {', '.join(GENERATED)}")
    if not source.exists():
        raise Refused("The documents are not generated: `make client` (needs npm) generates them")
    path, documents = path_of(client, version), read(source)
    if path.exists() and read(path) != documents:
        raise Refused(f"{path.name} holds other documents: give the new ones another version")
    FOLDER.mkdir(exist_ok=True)
    path.write_text(json.dumps(documents, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return path


def problems(graph: GraphQLSchema, path: Path) -> list[str]:
    """What is wrong with the documents of a manifest, each with the names of both."""
    from graphql_api.edge.persisted import problem_of

    found = (problem_of(graph, text) for text in read(path).values())
    return sorted(f"{path.name}: {problem}" for problem in found if problem)


def check() -> list[str]:
    """What the schema as it is would refuse to versions that somebody still runs."""
    from graphql_api.schema import schema

    graph = schema._schema  # noqa: SLF001 - no public way in
    return [problem for path in sorted(FOLDER.glob("*.json")) for problem in problems(graph, path)]


def over_http(url: str) -> Post:
    """Posts to an API as whoever API_TOKEN names."""
    headers = {"authorization": f"Bearer {os.environ.get('API_TOKEN', '')}"}
    return lambda body: httpx.post(url, json=body, headers=headers, timeout=30).json()


def send(operation: str, variables: dict[str, Any], post: Post) -> Any:
    """The first field of the answer to a document of schema/operations/console."""
    query = (OPERATIONS / f"{operation}.graphql").read_text(encoding="utf-8")
    answer = post({"query": query, "variables": variables})
    if errors := answer.get("errors"):
        raise Refused("; ".join(error["message"] for error in errors))
    [payload] = answer["data"].values()
    if refusals := payload.get("userErrors"):
        raise Refused("; ".join(f"{r['code']}: {r['message']}" for r in refusals))
    return payload


def publish(client: str, version: str, post: Post) -> str:
    """Publish a manifest of the folder."""
    documents = read(path_of(client, version))
    given = [{"hash": hash_, "text": text} for hash_, text in documents.items()]
    variables = {"input": {"client": client, "version": version, "documents": given}}
    done = send("client_manifest_publish", variables, post)["clientManifest"]
    return f"{client} {version}: {done['state']}, {done['documentCount']} documents"


def publish_all() -> list[str]:
    """Publish every manifest here, and what clients have generated since, for `make dev`.

    Goes to the database that this process is pointed at; gives a line for each.
    """
    generated = {
        (client, f"dev-{hashlib.sha256(file.read_bytes()).hexdigest()[:8]}"): file
        for client, file in GENERATED.items()
        if file.exists()
    }
    manifests = {named(path): path for path in sorted(FOLDER.glob("*.json"))}
    return [_publish_here(*name, path) for name, path in (manifests | generated).items()]


def _publish_here(client: str, version: str, path: Path) -> str:
    from graphql_api.documents import service
    from graphql_api.errors import AppError
    from graphql_api.stores import service as stores
    from graphql_api.viewer import SYSTEM

    documents = tuple(
        service.ManifestDocument(hash=hash_, text=text) for hash_, text in read(path).items()
    )
    given = service.ManifestPublish(client=client, version=version, documents=documents)
    try:
        done = service.publish(given, viewer=SYSTEM, clock=stores.clock())
    except AppError as refusal:
        return f"{client} {version}: not published. {refusal.message}"
    return f"{client} {version}: {done.state}, {done.document_count} documents"


def retire(client: str, version: str, post: Post) -> str:
    """Retire a version."""
    variables = {"input": {"client": client, "version": version}}
    done = send("client_manifest_retire", variables, post)["clientManifest"]
    return f"{client} {version}: {done['state']}"


def listed(post: Post) -> list[str]:
    """A line for each manifest."""
    lines, after = [], None
    while True:
        page = send("client_manifests", {"first": 100, "after": after}, post)
        lines += [
            f"{m['client']} {m['version']}: {m['state']}, {m['documentCount']} documents"
            for m in page["nodes"]
        ]
        if not page["pageInfo"]["hasNextPage"]:
            return lines
        after = page["pageInfo"]["endCursor"]


def main(arguments: list[str] | None = None) -> int:
    """One of the commands above; 1 where it could not be done."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=["make", "check", "publish", "retire", "list"])
    parser.add_argument("client", nargs="?", default="mini_program")
    parser.add_argument("version", nargs="?")
    parser.add_argument("--url", default=LOCAL, help=f"the API; {LOCAL} unless given")
    chosen = parser.parse_args(arguments)
    if chosen.command in {"make", "publish", "retire"} and not chosen.version:
        parser.error("name a version")
    try:
        lines = _do(chosen)
    except (Refused, OSError, ValueError, httpx.HTTPError) as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(lines))
    return 1 if chosen.command == "check" and lines else 0


def _do(chosen: argparse.Namespace) -> list[str]:
    if chosen.command == "make":
        return [f"Wrote {make(chosen.client, chosen.version).relative_to(ROOT)}."]
    if chosen.command == "check":
        return check()
    post = over_http(chosen.url)
    if chosen.command == "list":
        return listed(post)
    do = publish if chosen.command == "publish" else retire
    return [do(chosen.client, chosen.version, post)]


if __name__ == "__main__":
    sys.exit(main())
