"""A vendor's customer came to another guide, or to none."""

from graphql_api.connectors import repository
from graphql_api.connectors.doors import people
from graphql_api.connectors.models import Shop
from graphql_api.connectors.rules import CopyKind, LinkKind, Outcome
from graphql_api.connectors.service import copies
from graphql_api.guides import repository as guides
from graphql_api.kit.time import Clock
from graphql_api.members import service as members
from graphql_api.members.models import Member
from graphql_api.members.rules import OwnershipSource
from graphql_api.members.service import Update
from graphql_api.ownership import service as ownership
from graphql_api.ownership.service import Release, TakeOver
from graphql_api.viewer import SYSTEM


def told(shop: Shop, key: str, guide_key: str | None, *, clock: Clock) -> Outcome:
    """Have the linked guide look after the member, or nobody; the vendor decided, as headquarters.

    A guide of another store brings the member to theirs. A guide who is not linked is of no
    concern. The caller sees to it that an end is that of the relation that holds.
    """
    member = people.member_of(shop, key)
    if member is None:
        return Outcome.IGNORED
    guide_id = repository.our_id(shop.id, LinkKind.GUIDE, guide_key) if guide_key else None
    if guide_key and guide_id is None:
        return Outcome.IGNORED
    outcome = _given_to(member, guide_id, clock)
    # Behind the change: before it, who tells the vendor would take it back there.
    copies.heard(shop, CopyKind.GUIDE, member.id, guide_key)
    return outcome


def _given_to(member: Member, guide_id: str | None, clock: Clock) -> Outcome:
    owned = member.owned_on(clock.today())
    if (owned.guide_id if owned else None) == guide_id:
        return Outcome.UNCHANGED
    if guide_id is None:
        ownership.release(Release(member_id=member.id), viewer=SYSTEM, clock=clock)
        return Outcome.APPLIED
    return _taken(member, guide_id, clock)


def _taken(member: Member, guide_id: str, clock: Clock) -> Outcome:
    guide = guides.get(guide_id)
    if guide is None:
        return Outcome.IGNORED
    if guide.store_id != member.store_id:
        members.update(Update(id=member.id, store_id=guide.store_id), viewer=SYSTEM)
    ownership.take_over(
        TakeOver(
            member_id=member.id,
            guide_id=guide_id,
            source=OwnershipSource.ASSIGNED_BY_SYSTEM,
            force=True,
        ),
        viewer=SYSTEM,
        clock=clock,
    )
    return Outcome.APPLIED
