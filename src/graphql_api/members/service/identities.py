"""Identities of members: who holds which, one more, one less."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from graphql_api.audit import service as audit
from graphql_api.audit.rules import AuditAction
from graphql_api.config import settings
from graphql_api.errors import ForbiddenTransition, Invalid
from graphql_api.kit import secrecy
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.members import repository, rules
from graphql_api.members.models import Member, tombstone_id
from graphql_api.members.rules import IdentityKind
from graphql_api.members.service.commands import MAX_IDENTITIES, IdentityChange, NewIdentity
from graphql_api.members.service.reached import erased, reached, taken
from graphql_api.viewer import Viewer


def claims_of(identity: NewIdentity) -> list[str]:
    """The claims that stand for an identity: itself, or a phone's hash under every key."""
    if identity.kind is not IdentityKind.PHONE:
        return [f"{identity.kind}#{identity.value}"]
    hashes = secrecy.keyed_hashes(settings().phone_hash_keys, identity.value)
    return [f"{IdentityKind.PHONE}#{text}" for text in hashes]


def tombstones_of(claim: str) -> list[str]:
    """The keys under which a tombstone of an identity may stand, the one to write first.

    A phone's claim is a keyed hash already; other identities are hashed under the same keys.
    """
    kind = claim.partition("#")[0]
    if kind == IdentityKind.PHONE:
        return [tombstone_id(claim)]
    hashes = secrecy.keyed_hashes(settings().phone_hash_keys, claim)
    return [tombstone_id(f"{kind}#{text}") for text in hashes]


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of some identities: who holds each, and the tombstones of those erased."""

    holders: dict[str, str | None]
    gone: dict[str, list[str]]

    @property
    def member_id(self) -> str | None:
        """Who holds any of them, the first that is held."""
        return next((id_ for id_ in self.holders.values() if id_), None)


def look_up(claims: Sequence[str]) -> Known:
    """Who holds each of these identities, and which of them were erased: one read."""
    stones = {claim: tombstones_of(claim) for claim in claims}
    wanted = [id_ for each in stones.values() for id_ in each]
    held, standing = repository.holders_and_gone(claims, wanted)
    holders = dict(zip(claims, held, strict=True))
    gone = {c: [id_ for id_ in each if id_ in standing] for c, each in stones.items()}
    return Known(holders, {c: each for c, each in gone.items() if each and not holders[c]})


def openid_of(member_id: str) -> str | None:
    """What the mini-program knows a member by, the last that they brought."""
    member = repository.get(member_id)
    known = member.identities if member is not None else []
    return next((i.value for i in reversed(known) if i.kind is IdentityKind.OPENID), None)


def find(identities: list[NewIdentity]) -> str | None:
    """The member that holds any of these identities, the first that is held; read from claims."""
    return repository.id_by_claims([claim for i in identities for claim in claims_of(i)])


def add_identity(given: IdentityChange, *, viewer: Viewer) -> Member:
    """A member that holds one more identity; a new phone takes the place of the old one."""
    field = ("input", "identity", "value")
    claims = claims_of(given.identity)
    lifted = [id_ for each in look_up(claims).gone.values() for id_ in each]
    if lifted and not rules.may_bring_back(viewer):
        raise erased(field)

    def attempt(tx: Transaction) -> Member:
        member = reached(given.member_id, viewer, ("input", "member_id"))
        held = list(member.identity_claims)
        of_phone = given.identity.kind is IdentityKind.PHONE
        if claims[0] in held and (not of_phone or given.identity.value == member.phone):
            return member
        dropped = _claims_on_phone(member) if of_phone else []
        kept = [c for c in held if c not in {*dropped, *claims}]
        if len(kept) + len(claims) > MAX_IDENTITIES:
            raise Invalid(f"A member has at most {MAX_IDENTITIES} identities", field=field)
        for claim in set(claims) - set(held):
            repository.take_claim(tx, claim, member.id, taken=taken(field))
        for claim in set(dropped) - set(claims):
            repository.drop_claim(tx, claim, member.id)
        member.identity_claims = kept + claims
        set_phone(member, [given.identity])
        repository.save(tx, member)
        repository.lift(tx, lifted)
        audit.note(tx, viewer, AuditAction.IDENTITY_ADDED, member.id, kinds(claims))
        return member

    return transact(attempt)


def remove_identity(given: IdentityChange, *, viewer: Viewer) -> Member:
    """A member without this identity; the last one stays. One it does not hold changes nothing."""
    claims = claims_of(given.identity)

    def attempt(tx: Transaction) -> Member:
        member = reached(given.member_id, viewer, ("input", "member_id"))
        dropped = [c for c in member.identity_claims if c in claims]
        if not dropped:
            return member
        left = [c for c in member.identity_claims if c not in claims]
        if not left:
            text = "This is the member's last identity"
            raise ForbiddenTransition(text, field=("input", "identity"))
        for claim in dropped:
            repository.drop_claim(tx, claim, member.id)
        member.identity_claims = left
        if given.identity.kind is IdentityKind.PHONE and given.identity.value == member.phone:
            member.sealed_phone = member.phone_last4 = None
        repository.save(tx, member)
        audit.note(tx, viewer, AuditAction.IDENTITY_REMOVED, member.id, kinds(dropped))
        return member

    return transact(attempt)


def set_phone(member: Member, identities: list[NewIdentity]) -> None:
    for identity in identities:
        if identity.kind is IdentityKind.PHONE:
            member.sealed_phone = secrecy.encrypt(settings().phone_cipher_keys, identity.value)
            member.phone_last4 = identity.value[-4:]


def _claims_on_phone(member: Member) -> list[str]:
    """The claims that a member holds on the phone they have, not on those that a merge brought."""
    if member.phone is None:
        return []
    known = claims_of(NewIdentity(kind=IdentityKind.PHONE, value=member.phone))
    return [claim for claim in member.identity_claims if claim in known]


def kinds(claims: Iterable[str]) -> set[str]:
    """The kinds of identities behind some claims, which is all that may be said of them."""
    return {claim.partition("#")[0] for claim in claims}
