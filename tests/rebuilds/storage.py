"""Runs as they are stored, and publications as tests make them."""

import json
from typing import Any

from graphql_api.members.models import MembersItem
from graphql_api.policies.rules import PolicyKind
from graphql_api.rebuilds import repository
from graphql_api.rebuilds.models import RebuildsItem, Run
from graphql_api.standing.models import StandingItem
from graphql_api.standing.rules import ChangeKind
from tests.policies.factories import make_draft, publish
from tests.standing.storage import on

LADDER = {
    "tiers": [
        {"name": "V1", "threshold": 0},
        {"name": "V2", "threshold": 100},
        {"name": "V3", "threshold": 600},
    ]
}
"""A ladder of three: easier to come to V2 than the one shipped, and nothing above V3."""


def published(kind: PolicyKind = PolicyKind.TIER_LADDER, document: Any = LADDER) -> int:
    """Put a policy in force; gives its version."""
    draft = make_draft(kind, document, clock=on("2018-01-10"))
    return int(publish(draft, clock=on("2018-01-10")).version)


def run_now(run: Run) -> Run:
    """A run as it is now."""
    found = repository.get(run.id)
    assert found is not None
    return found


def tier_moves(run: Run) -> dict[tuple[str | None, str | None], int]:
    """How many members move between tiers."""
    moves = run_now(run).tally.moves.items()
    return {(m.old, m.new): n for m, n in moves if m.part is ChangeKind.TIER}


def items(*tables: Any, but: frozenset[str] = frozenset()) -> list[str]:
    """Every item of these tables as text, without some attributes."""
    found = [i.serialize() for t in tables for i in t.scan(consistent_read=True)]
    kept = [{k: v for k, v in item.items() if k not in but} for item in found]
    return sorted(json.dumps(item, sort_keys=True) for item in kept)


def members_stored() -> list[str]:
    """Every item of members and standings."""
    return items(MembersItem, StandingItem)


def runs_stored() -> list[str]:
    """Every item of runs."""
    return items(RebuildsItem)
