"""The documents that clients send: each is valid, and each is run by the viewer that it names.

A document begins with comments: who sends it, and with which variables.

    # viewer: GUIDE id=$guide unit=$store scopes=members:pii
    # variables: {"by": {"id": "$member"}, "first": 5}

`$name` stands for an id of the fixture `seeded`. `id`, `unit`, `scopes` and `session` may be left
out: the principal is then the seeded one of that role, store staff are of the seeded store, an
integration holds every scope, and no login is behind the token. The variables may run over several
lines; nothing follows them.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

import pytest
from graphql import DocumentNode, OperationDefinitionNode, parse, validate

from graphql_api import auth
from graphql_api.schema import schema
from graphql_api.viewer import SCOPES, Role
from tests.conftest import Client

FOLDER = Path(__file__).parents[1] / "schema" / "operations"
CLIENTS = ("console", "integration", "mini_program")
DOCUMENTS = {str(file.relative_to(FOLDER)): file for file in sorted(FOLDER.rglob("*.graphql"))}

PRINCIPALS = {
    Role.MEMBER: "$member",
    Role.GUIDE: "$guide",
    Role.STORE_MANAGER: "stm_1",
    Role.OPERATOR: "opr_1",
    Role.INTEGRATION: "key_1",
}


@dataclass(frozen=True)
class Run:
    """How a document is run."""

    role: Role
    viewer: dict[str, str]
    variables: str

    def token(self, seeded: Mapping[str, str]) -> str | None:
        """The token of the viewer."""
        if self.role is Role.ANONYMOUS:
            return None
        works = self.role in {Role.GUIDE, Role.STORE_MANAGER}
        scopes = SCOPES if self.role is Role.INTEGRATION else frozenset()
        if "scopes" in self.viewer:
            scopes = frozenset(self.viewer["scopes"].split(","))
        unit = self.viewer.get("unit", "$store" if works else None)
        return auth.issue(
            self.role,
            filled(self.viewer.get("id", PRINCIPALS[self.role]), seeded),
            unit_id=unit and filled(unit, seeded),
            scopes=scopes,
            session_id=filled(self.viewer["session"], seeded) if "session" in self.viewer else None,
        )


def filled(text: str, seeded: Mapping[str, str]) -> str:
    """Text with `$name` replaced; KeyError for a name that is not seeded."""
    return Template(text).substitute(seeded)


def read_run(text: str) -> Run:
    """The run that the leading comments of a document describe; ValueError when none does."""
    comments = re.match(r"(?:#.*\n)*", text)
    header = re.sub(r"^#[ \t]?", "", comments.group() if comments else "", flags=re.MULTILINE)
    named = re.search(r"^viewer: (\w+)((?: \w+=\S+)*)$", header, re.MULTILINE)
    if named is None:
        raise ValueError("the first lines say `# viewer: ROLE`")
    variables = re.search(r"^variables: (\{.*\})\s*\Z", header, re.MULTILINE | re.DOTALL)
    if variables is None and "variables:" in header:
        raise ValueError("the comments end with `# variables: {…}`")
    pairs = dict(pair.split("=", 1) for pair in named[2].split())
    return Run(Role(named[1]), pairs, variables[1] if variables else "{}")


def operations(document: DocumentNode) -> list[OperationDefinitionNode]:
    """The operations of a document, without its fragments."""
    return [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]


def empty_answers(data: dict[str, Any]) -> list[str]:
    """Root fields that came back null, and payloads that refuse or lack their object."""
    return [
        name
        for name, value in data.items()
        if value is None
        or (isinstance(value, dict) and (value.get("userErrors") or None in value.values()))
    ]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_document_is_valid_and_holds_one_named_operation(name: str) -> None:
    document = parse(DOCUMENTS[name].read_text())
    assert validate(schema._schema, document) == []
    [operation] = operations(document)
    assert operation.name is not None


@pytest.mark.parametrize("name", DOCUMENTS)
def test_document_is_answered(name: str, seeded: Mapping[str, str], send: Client) -> None:
    text = DOCUMENTS[name].read_text()
    run = read_run(text)
    variables = json.loads(filled(run.variables, seeded))
    data = send(text, token=run.token(seeded), **variables)
    assert data
    assert empty_answers(data) == [], data


def test_documents_belong_to_a_known_client() -> None:
    assert {name.partition("/")[0] for name in DOCUMENTS} <= set(CLIENTS)


@pytest.mark.parametrize("client", CLIENTS)
def test_names_of_a_client_are_unique(client: str) -> None:
    """A client's generated code has one name space."""
    files = sorted((FOLDER / client).rglob("*.graphql"))
    found = [operation for file in files for operation in operations(parse(file.read_text()))]
    names = Counter(operation.name.value for operation in found if operation.name)
    assert [name for name, times in names.items() if times > 1] == []


def test_run_is_read_from_the_comments() -> None:
    run = read_run(
        "# A guide looks somebody up.\n"
        "# viewer: GUIDE id=$guide scopes=members:pii\n"
        '# variables: {"by":\n'
        '#   {"id": "$member"}}\n'
        "query Member { __typename } # viewer: OPERATOR\n"
    )
    assert (run.role, run.viewer) == (Role.GUIDE, {"id": "$guide", "scopes": "members:pii"})
    assert json.loads(filled(run.variables, {"member": "mbr_1"})) == {"by": {"id": "mbr_1"}}


@pytest.mark.parametrize(
    "text",
    [
        "query Q { __typename }",
        "query Q { __typename }\n# viewer: OPERATOR\n",
        "# viewer: NOBODY\nquery Q { __typename }",
        "# viewer: GUIDE\n# variables: {}\n# Says more.\nquery Q { __typename }",
        "# viewer: GUIDE store\nquery Q { __typename }",
    ],
)
def test_document_without_a_run_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"viewer|NOBODY|variables"):
        read_run(text)


def test_viewer_has_the_seeded_principal_unless_another_is_named(database: str) -> None:
    seeded = {"guide": "gui_1", "store": "sto_1"}
    viewer = auth.viewer_of(read_run("# viewer: GUIDE\n").token(seeded))
    assert (viewer.role, viewer.id, viewer.store_ids) == (Role.GUIDE, "gui_1", {"sto_1"})
    assert auth.viewer_of(read_run("# viewer: INTEGRATION\n").token({})).scopes == SCOPES
    assert read_run("# viewer: ANONYMOUS\n").token({}) is None


def test_null_and_refusals_count_as_no_answer() -> None:
    data: dict[str, Any] = {
        "store": None,
        "storeUpdate": {"store": {"id": "sto_1"}, "userErrors": [{"code": "CONFLICT"}]},
        "storeArchive": {"store": None},
        "storeRestore": {"store": {"id": "sto_1"}, "userErrors": []},
        "stores": {"nodes": []},
    }
    assert empty_answers(data) == ["store", "storeUpdate", "storeArchive"]
