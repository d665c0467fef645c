"""The documents say what is there: links, commands, queries, terms, helpers and dependencies."""

import ast
import json
import re
import tomllib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLObjectType,
    is_introspection_type,
    parse,
    validate,
)

from graphql_api.errors import ErrorCode
from graphql_api.kit.money import to_yuan
from graphql_api.members.rules import shown_number
from graphql_api.schema import schema
from scripts import complete_journey

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
READMES = [ROOT / "README.md", ROOT / "README.zh-CN.md"]
DECISIONS = ROOT / "docs" / "decisions"

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MACHINE_PATH = re.compile(r"(?<![\w.$}])/(?:home|root|tmp|Users|work|mnt|private)/|file://|\bC:\\")
SCHEMA_SUFFIX = re.compile(r"(?<=[a-z])(Connection|Edge|Payload)$")

every_document = pytest.mark.parametrize(
    "document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT))
)


def blocks(document: Path, language: str) -> list[str]:
    """The fenced blocks of a language."""
    return [body for name, body in FENCE.findall(document.read_text()) if name == language]


def prose(document: Path) -> str:
    """A document without its fenced blocks."""
    return FENCE.sub("", document.read_text())


def links(document: Path) -> list[str]:
    """The targets of a document's links that stay within the repository."""
    targets = re.findall(r"\]\(([^)\s]+)\)", prose(document))
    return [target for target in targets if not re.match(r"[a-z]+:", target)]


def anchors(document: Path) -> set[str]:
    """What the headings of a document are called in links."""
    headings = re.findall(r"^#+ (.+)$", prose(document), re.MULTILINE)
    bare = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in bare}


def commands(document: Path) -> list[str]:
    """What a document tells to type in a shell, without the comments."""
    lines = "".join(blocks(document, "sh")).splitlines()
    return [bare for line in lines if (bare := re.sub(r"(^|\s+)#.*", "", line))]


def code(document: Path) -> str:
    """All that is set as code, in the text and in blocks."""
    spans = re.findall(r"`([^`\n]+)`", prose(document))
    return "\n".join([*spans, *(body for _, body in FENCE.findall(document.read_text()))])


def headings(document: Path) -> list[str]:
    """The levels of a document's headings, in order."""
    return re.findall(r"^(#+) ", prose(document), re.MULTILINE)


@every_document
def test_links_lead_somewhere(document: Path) -> None:
    for link in links(document):
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@every_document
def test_make_targets_exist(document: Path) -> None:
    targets = set(re.findall(r"^([a-z][\w-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = re.findall(r"\bmake (?:-s )?(?:[A-Z]+=\S+ )*([a-z][\w-]*)", code(document))
    assert [name for name in named if name not in targets] == []


@every_document
def test_queries_are_valid(document: Path) -> None:
    inline = re.findall(r"`(\{ [a-z][^`]* \})`", prose(document))
    for text in [*blocks(document, "graphql"), *inline]:
        assert validate(schema._schema, parse(text)) == [], text


@every_document
def test_examples_are_well_formed(document: Path) -> None:
    for text in blocks(document, "json"):
        json.loads(text)
    for text in blocks(document, "python"):
        ast.parse(text)


@every_document
def test_files_that_are_named_exist(document: Path) -> None:
    named = re.findall(r"`([\w./-]+/[\w.-]+\.(?:py|txt|yaml|csv|toml|graphql))`", prose(document))
    folders = (ROOT, ROOT / "src" / "graphql_api")
    absent = [name for name in named if not any((folder / name).exists() for folder in folders)]
    assert absent == []


@every_document
def test_no_machine_is_named(document: Path) -> None:
    assert MACHINE_PATH.findall(document.read_text()) == []


def terms() -> Iterator[str]:
    """The object types and enums of the schema; `MemberEdge` is a member and an edge."""
    for name, named in schema._schema.type_map.items():
        shown = isinstance(named, GraphQLObjectType | GraphQLEnumType)
        if shown and not is_introspection_type(named):
            yield from filter(None, SCHEMA_SUFFIX.split(name))


def test_every_type_and_enum_is_in_the_glossary() -> None:
    rows = (ROOT / "docs" / "glossary.md").read_text().splitlines()
    columns = [row.split(" | ") for row in rows if row.startswith("| ")]
    named = {name for row in columns for name in re.findall(r"`(\w+)`", row[1])}
    assert sorted(set(terms()) - named) == []


def test_names_in_the_glossary_are_names_of_the_code() -> None:
    rows = (ROOT / "docs" / "glossary.md").read_text().splitlines()
    columns = [row.split(" | ") for row in rows if row.startswith("| ")]
    named = {name for row in columns for name in re.findall(r"`(\w+)[`/]", row[1])}
    files = [*(ROOT / "src").rglob("*.py"), *(ROOT / "scripts").glob("*.py")]
    known = set(re.findall(r"\w+", "\n".join(file.read_text() for file in files)))
    known |= {file.parent.name for file in files} | set(re.findall(r"\w+", str(schema)))
    assert named - known - {"Connection", "Edge", "Payload"} == set()


def test_every_term_has_its_chinese() -> None:
    rows = [r for r in (ROOT / "docs" / "glossary.md").read_text().splitlines() if r[:2] == "| "]
    terms = [row for row in rows if not row.startswith("| term ")]
    assert [row for row in terms if not re.search("[一-鿿]", row.split(" | ")[2])] == []


def test_readmes_have_the_same_sections_commands_and_examples() -> None:
    english, chinese = READMES
    assert headings(english) == headings(chinese)
    assert commands(english) == commands(chinese)
    assert [target for target in links(english) if target not in {"README.zh-CN.md"}] == [
        target for target in links(chinese) if target not in {"README.md"}
    ]
    for language in ("graphql", "json"):
        assert blocks(english, language) == blocks(chinese, language)
    tables = [re.findall(r"^\| (`\w+`)", prose(readme), re.MULTILINE) for readme in READMES]
    assert tables[0] == tables[1]


def first_members() -> list[dict[str, Any]]:
    """The first five members of the data set's part as the first query shows them."""
    dataset = complete_journey.open_dataset()
    names = {store.store_id: store.name for store in dataset.stores()}
    households = dataset.households(250)[:5]
    baskets = dict(dataset.baskets_of(household.household_id for household in households))
    return [
        {
            "memberNo": shown_number(number),
            "joinedAt": f"{household.joined_at:%Y-%m-%dT%H:%M:%S}.000Z",
            "store": {"name": names[household.store_id]},
            "orders": {
                "nodes": [
                    {
                        "paidAt": f"{basket.paid_at:%Y-%m-%dT%H:%M:%S}.000Z",
                        "total": to_yuan(basket.amount),
                    }
                    for basket in islice(baskets[household.household_id], 2)
                ]
            },
        }
        for number, household in enumerate(households, start=1)
    ]


def test_first_answer_is_that_of_the_data_set() -> None:
    [answer] = blocks(READMES[0], "json")
    assert json.loads(answer) == {"data": {"members": {"nodes": first_members()}}}


def test_every_helper_is_listed() -> None:
    kit = ROOT / "src" / "graphql_api" / "kit"
    modules = {
        f"kit/{file.relative_to(kit)}" for file in kit.rglob("*.py") if file.stem != "__init__"
    }
    listed = re.findall(r"^\| `(kit/[\w/]+\.py)` \|", prose(ROOT / "CONTRIBUTING.md"), re.MULTILINE)
    assert sorted(listed) == sorted(modules)


def test_every_error_code_is_explained() -> None:
    text = prose(ROOT / "docs" / "api.md")
    assert [code for code in ErrorCode if f"| `{code}` |" not in text] == []


def test_every_dependency_has_its_line() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    names = {re.split(r"[\[<>=~!;, ]", text)[0] for text in wanted}
    listed = re.findall(
        r"^\| `([\w-]+)` \|", prose(DECISIONS / "0019-dependencies.md"), re.MULTILINE
    )
    assert sorted(listed) == sorted(names)


def test_every_decision_is_a_numbered_screen_with_its_sentence_first() -> None:
    files = sorted(DECISIONS.glob("[0-9]*.md"))
    numbers = [int(file.name[:4]) for file in files]
    assert numbers == sorted(set(numbers))
    assert links(DECISIONS / "README.md") == [file.name for file in files]
    for file in files:
        title, _, decision, *_ = file.read_text().splitlines()
        assert title.startswith(f"# {int(file.name[:4])}. ")
        assert re.fullmatch(r"\*\*[^*]+\.\*\*", decision), file.name
        assert len(file.read_text().splitlines()) <= 80, file.name
