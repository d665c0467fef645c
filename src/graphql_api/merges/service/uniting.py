"""What stands on the members' own items: united in the transaction that makes one an alias.

Each function changes both members in place, adds what is not on them to the transaction, and says
how much it moved. A slice whose decisions stand on the member has one here: a pure function of its
rules says what stands.
"""

from collections.abc import Callable

from graphql_api.kit.dynamo import Transaction
from graphql_api.members import repository as members
from graphql_api.members import rules as member_rules
from graphql_api.members.models import Effect
from graphql_api.members.rules import NOTHING_BOUGHT, Gender
from graphql_api.merges import rules
from graphql_api.merges.rules import PROFILE, MergePart
from graphql_api.merges.service.two import Two
from graphql_api.ownership import service as ownership
from graphql_api.points import service as points
from graphql_api.standing import service as standing

MARKED_AT_ONCE = 30

Unite = Callable[[Transaction, Two], int]


def identities(tx: Transaction, two: Two) -> int:
    """Every identity leads to the survivor; of two phones the survivor's is shown, both are found.

    The loser's id becomes an alias, and so do those that led to it.
    """
    survivor, loser = two.survivor, two.loser
    claims = list(loser.identity_claims)
    for claim in claims:
        members.repoint_claim(tx, claim, was=loser.id, now=survivor.id)
    survivor.identity_claims = [*survivor.identity_claims, *claims]
    if survivor.sealed_phone is None:
        survivor.sealed_phone, survivor.phone_last4 = loser.sealed_phone, loser.phone_last4
    survivor.alias_ids = [*survivor.alias_ids, loser.id, *loser.alias_ids]
    loser.identity_claims, loser.alias_ids = [], []
    loser.sealed_phone = loser.phone_last4 = None
    loser.merged_into = survivor.id
    loser.archived_at = loser.archived_at or two.clock.now()
    return len(claims)


def effects(tx: Transaction, two: Two) -> int:
    """What was decided of one was decided of both, the newest first: no gift comes twice."""
    missing = missing_effects(two)[:MARKED_AT_ONCE]
    for effect in missing:
        members.mark_effect(tx, two.survivor.id, effect)
    return len(missing)


def missing_effects(two: Two) -> list[Effect]:
    """The effects of the loser that the survivor has not, the newest first."""
    had = {effect.sort for effect in members.effects_of(two.survivor.id)}
    missing = [effect for effect in members.effects_of(two.loser.id) if effect.sort not in had]
    return sorted(missing, key=lambda effect: effect.decided_on, reverse=True)


def standings(_tx: Transaction, two: Two) -> int:
    """The better tier stands, the later validity; what follows from purchases is decided anew."""
    return int(standing.unite(two.survivor, two.loser, clock=two.clock))


def facts(_tx: Transaction, two: Two) -> int:
    """The survivor has bought what both have; the orders themselves follow."""
    bought = two.loser.facts
    two.survivor.facts = member_rules.unite(two.survivor.facts, bought)
    two.loser.facts = NOTHING_BOUGHT
    return int(bought != NOTHING_BOUGHT)


def pointed(tx: Transaction, two: Two) -> int:
    """The survivor has the points of both, with their days; ledgers stay where they are."""
    return points.absorb(tx, two.survivor, two.loser, clock=two.clock)


def profile(_tx: Transaction, two: Two) -> int:
    """What is not known of the survivor is taken from the loser, of whom nothing is kept."""
    gaps = rules.filled(two.survivor, two.loser)
    for name, value in gaps.items():
        setattr(two.survivor, name, value)
    for name in (*PROFILE, "birthday", "birth_year"):
        setattr(two.loser, name, None)
    two.loser.gender = Gender.UNKNOWN
    return len(gaps)


def joining(_tx: Transaction, two: Two) -> int:
    """The earlier joining stands, with its store, guide and door."""
    first = rules.joining(two.survivor, two.loser)
    if first is two.survivor:
        return 0
    two.survivor.joined_at, two.survivor.source = first.joined_at, first.source
    two.survivor.joining_store_id = first.joining_store_id
    two.survivor.joining_guide_id = first.joining_guide_id
    return 1


def consents(_tx: Transaction, two: Two) -> int:
    """Withdrawn under one id is withdrawn."""
    mine, theirs = two.survivor.consent_document, two.loser.consent_document
    united = rules.united_consents(mine, theirs)
    two.survivor.consent_document, two.loser.consent_document = united, {}
    return sum(1 for key, row in united.items() if mine.get(key) != row)


def owner(tx: Transaction, two: Two) -> int:
    """The guide with the stronger relation looks after both, in their store."""
    return int(ownership.absorb(tx, two.survivor, two.loser, clock=two.clock))


UNITING: tuple[tuple[MergePart, Unite], ...] = (
    (MergePart.IDENTITIES, identities),
    (MergePart.EFFECTS, effects),
    (MergePart.STANDING, standings),
    (MergePart.FACTS, facts),
    (MergePart.POINTS, pointed),
    (MergePart.PROFILE, profile),
    (MergePart.JOINING, joining),
    (MergePart.CONSENTS, consents),
    (MergePart.OWNERSHIP, owner),
)
