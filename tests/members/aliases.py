"""Aliases as a merge leaves them, made by hand."""

from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.members import repository
from graphql_api.members.models import Member
from graphql_api.members.rules import NOTHING_BOUGHT
from tests.factories import NOW


def put_in_place_of(survivor: Member, loser: Member) -> None:
    """Have one member's id lead to another, who has bought nothing and takes the facts over."""
    loser.merged_into, loser.archived_at = survivor.id, NOW
    survivor.alias_ids = [*survivor.alias_ids, loser.id, *loser.alias_ids]
    survivor.facts, loser.facts = loser.facts, NOTHING_BOUGHT

    def attempt(tx: Transaction) -> None:
        for member in (survivor, loser):
            repository.save(tx, member)

    transact(attempt)
