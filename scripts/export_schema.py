"""Write schema/schema.graphql, or check that it is what the code says.

    python scripts/export_schema.py [--check]

The order is alphabetical, made here and nowhere else: a sorted executable schema breaks
Strawberry's enums. Strawberry's printer writes it, because graphql-core's drops the directives that
Strawberry knows of, @oneOf among them; both keep @specifiedBy and @deprecated.
"""

import argparse
import copy
import difflib
import sys
from pathlib import Path

import strawberry
from graphql import build_schema, find_breaking_changes, lexicographic_sort_schema
from strawberry.printer import print_schema

FILE = Path(__file__).resolve().parents[1] / "schema" / "schema.graphql"


def exported(schema: strawberry.Schema) -> str:
    """The schema as SDL, in alphabetical order."""
    ordered = copy.copy(schema)
    ordered._schema = lexicographic_sort_schema(schema._schema)  # noqa: SLF001 - no public way in
    return f"{print_schema(ordered)}\n"


def difference(old: str, new: str) -> list[str]:
    """The lines of a unified diff."""
    lines = (old.splitlines(), new.splitlines())
    return list(difflib.unified_diff(*lines, "committed", "code", lineterm="", n=1))


def breaking_changes(old: str, new: str) -> list[str]:
    """What clients of `old` would lose, a sentence each."""
    changes = find_breaking_changes(build_schema(old), build_schema(new))
    told = (change.description for change in changes)
    # A built-in scalar that nobody uses any more is no loss of its own.
    return sorted(text for text in told if not text.startswith("Standard scalar "))


def check(committed: str, current: str) -> int:
    """0 when the committed schema is fresh; otherwise says what has changed."""
    if committed == current:
        return 0
    print("\n".join(difference(committed, current)))
    if breaking := breaking_changes(committed, current) if committed else []:
        print("\nBreaking for clients:\n" + "\n".join(f"  {change}" for change in breaking))
    print(f"\n{FILE.name} is stale: run `make schema` and review the difference.")
    return 1


def main() -> int:
    """Write, or check."""
    parser = argparse.ArgumentParser(description="Write schema/schema.graphql from the code.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when it is stale")
    options = parser.parse_args()
    from graphql_api.schema import schema

    current = exported(schema)
    if options.check:
        return check(FILE.read_text(encoding="utf-8") if FILE.exists() else "", current)
    FILE.write_text(current, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
