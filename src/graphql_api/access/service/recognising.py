"""Whom WeChat's person is among the members."""

from graphql_api.access import rules
from graphql_api.access.rules import WeChatPerson
from graphql_api.errors import Invalid, Taken
from graphql_api.members import repository as member_repository
from graphql_api.members import service as members
from graphql_api.members.models import Member
from graphql_api.members.rules import IdentityKind
from graphql_api.members.service import IdentityChange, NewIdentity
from graphql_api.observability import logger
from graphql_api.viewer import Role, Viewer


def identities_of(person: WeChatPerson) -> list[NewIdentity]:
    """What somebody brings, the surest first."""
    found = {
        IdentityKind.OPENID: person.openid,
        IdentityKind.UNIONID: person.unionid,
        IdentityKind.PHONE: person.phone,
    }
    return [NewIdentity(kind=kind, value=value) for kind, value in found.items() if value]


def recognised(person: WeChatPerson) -> Member | None:
    """The member who holds any of these identities, given those that nobody held.

    Raises Taken when only the phone is known and its member has another WeChat account: phone
    numbers change hands.
    """
    identities = identities_of(person)
    holders = _holders(identities)
    member_id = rules.first_holder(holders)
    member = member_repository.get(member_id) if member_id else None
    if member is None:
        return None
    held = {identity.kind for identity in member.identities}
    known = {i.kind for i, holder in zip(identities, holders, strict=True) if holder}
    if known == {IdentityKind.PHONE} and IdentityKind.OPENID in held:
        text = "This phone belongs to a member with another WeChat account"
        raise Taken(text, field=("input", "phone_code"))
    return _completed(member, [i for i in identities if i.kind not in known])


def _holders(identities: list[NewIdentity]) -> list[str | None]:
    """Who holds each: one read of all their claims."""
    claims = [members.claims_of(identity) for identity in identities]
    held = iter(member_repository.holders([claim for each in claims for claim in each]))
    return [rules.first_holder([next(held) for _ in each]) for each in claims]


def _completed(member: Member, missing: list[NewIdentity]) -> Member:
    """A member with more identities, a phone only where there is none; what cannot be added waits.

    A login does not fail because another member took an identity a moment ago.
    """
    if member.archived_at is not None:
        return member
    for identity in missing:
        if identity.kind is IdentityKind.PHONE and member.sealed_phone is not None:
            continue
        try:
            change = IdentityChange(member_id=member.id, identity=identity)
            oneself = Viewer(Role.MEMBER, id=member.id)
            member = members.add_identity(change, viewer=oneself)
        except (Taken, Invalid) as refusal:
            logger.info("identity not added", member=member.id, code=refusal.code)
    return member
