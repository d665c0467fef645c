"""Customers of a vendor: enrolled when they are members there, kept up to date, erased."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from graphql_api.connectors import repository
from graphql_api.connectors.doors import people
from graphql_api.connectors.errors import Later, NotLinked
from graphql_api.connectors.models import Shop
from graphql_api.connectors.rules import LinkKind, Outcome
from graphql_api.connectors.turns import turn_of
from graphql_api.errors import ForbiddenTransition, Taken
from graphql_api.kit import phone as phones
from graphql_api.kit.time import Clock
from graphql_api.members import repository as members
from graphql_api.members import service as member_service
from graphql_api.members.models import Member
from graphql_api.members.rules import Gender, IdentityKind, birthday_exists
from graphql_api.members.service import Enrol, IdentityChange, NewIdentity, Update
from graphql_api.privacy import service as privacy
from graphql_api.viewer import SYSTEM

_TURN = "customer"
_LEAP_YEAR = 2000
_OLDEST_BIRTH_YEAR = 1900
_SOON = 2.0


@dataclass(frozen=True, slots=True)
class Customer:
    """What a vendor tells of a person; None is not told. Masked values are no values."""

    key: str
    phone: str | None = None
    unionid: str | None = None
    name: str | None = None
    gender: Gender | None = None
    birthday: str | None = None
    birth_year: int | None = None
    store_key: str | None = None
    joined_at: datetime | None = None


def changed(shop: Shop, told: Customer, *, is_member: bool, clock: Clock) -> Outcome:
    """Have the person be as told: found by the vendor's id, else by phone or unionid.

    Who is nobody here is enrolled if they are a member there. What the vendor does not know or
    masks changes nothing, and a birthday is only filled in. A person who was erased stays so:
    IGNORED. Raises NotLinked for a new member without a store, and Later where somebody else took
    one of the identities meanwhile: next time they are found by it.
    """
    with turn_of(shop.id, _TURN, told.key):
        identities = _identities(shop, told)
        if people.is_erased(identities[0]):
            return Outcome.IGNORED
        member_id = member_service.find(identities)
        if member_id is None:
            return _enrolled(shop, told, identities, clock) if is_member else Outcome.IGNORED
        member = members.get(member_id)
        if member is None:
            return Outcome.IGNORED
        try:
            added = [_add(member.id, identity) for identity in _new_to(member, identities)]
        except Taken:
            raise Later(_SOON) from None
        updated = not _lives_on(shop, told) and _updated(member, told)
        return Outcome.APPLIED if updated or any(added) else Outcome.UNCHANGED


def phone_changed(shop: Shop, key: str, phone: str | None) -> Outcome:
    """Have a customer's phone be this one; a masked one is none, nor is that of who was erased.

    Refuses one that another has.
    """
    value = plain_phone(phone)
    member_id = people.member_id_of(shop, key)
    if value is None or member_id is None:
        return Outcome.IGNORED
    identity = NewIdentity(kind=IdentityKind.PHONE, value=value)
    if people.is_erased(identity):
        return Outcome.IGNORED
    return Outcome.APPLIED if _add(member_id, identity) else Outcome.UNCHANGED


def closed(shop: Shop, key: str, *, clock: Clock) -> Outcome:
    """Have a person erased who closed their account; who is nobody here is IGNORED.

    So is the end of a customer who became another one by a merge: the person lives on.
    """
    member_id = people.member_id_of(shop, key)
    if member_id is None or people.keys_of(shop, key)[0] != key:
        return Outcome.IGNORED
    privacy.erase(member_id, viewer=SYSTEM, clock=clock)
    return Outcome.APPLIED


def plain_phone(text: str | None) -> str | None:
    """A phone that is one, in E.164; None for what is masked, sealed or no phone."""
    if text is None:
        return None
    try:
        return phones.to_e164(text)
    except ValueError:
        return None


def _identities(shop: Shop, told: Customer) -> list[NewIdentity]:
    """By what a person is known: the vendor's keys, the one that lives on first; then the rest."""
    found = [people.identity_of(shop, key) for key in people.keys_of(shop, told.key)]
    if value := plain_phone(told.phone):
        found.append(NewIdentity(kind=IdentityKind.PHONE, value=value))
    if told.unionid:
        found.append(NewIdentity(kind=IdentityKind.UNIONID, value=told.unionid))
    return found


def _new_to(member: Member, identities: list[NewIdentity]) -> list[NewIdentity]:
    """Those that nobody holds or had erased; a phone only to who has none."""
    return [
        identity
        for identity in identities
        if member_service.find([identity]) is None
        and not people.is_erased(identity)
        and (identity.kind is not IdentityKind.PHONE or member.phone is None)
    ]


def _enrolled(shop: Shop, told: Customer, identities: list[NewIdentity], clock: Clock) -> Outcome:
    joined_at = told.joined_at if told.joined_at and told.joined_at <= clock.now() else None
    new = Enrol(
        identities=identities,
        store_id=_store_of(shop, told.store_key),
        source=people.SOURCES[shop.vendor],
        joined_at=joined_at,
        **({} if _lives_on(shop, told) else _profile(told)),
    )
    try:
        member_service.enrol(new, viewer=SYSTEM, clock=clock)
    except Taken:
        raise Later(_SOON) from None
    except ForbiddenTransition:
        if any(people.is_erased(identity) for identity in identities):
            return Outcome.IGNORED
        raise
    return Outcome.APPLIED


def _lives_on(shop: Shop, told: Customer) -> bool:
    """Whether the customer is another one by now, whose profile is the one that counts."""
    return people.keys_of(shop, told.key)[0] != told.key


def _store_of(shop: Shop, key: str | None) -> str:
    store_id = repository.our_id(shop.id, LinkKind.STORE, key) if key else None
    if found := store_id or shop.default_store_id:
        return str(found)
    raise NotLinked(LinkKind.STORE, key or shop.vendor_key)


def _add(member_id: str, identity: NewIdentity) -> bool:
    """Whether the member did not have this identity."""
    given = IdentityChange(member_id=member_id, identity=identity)
    claims = member_service.claims_of(identity)
    member = members.get(member_id)
    if member is not None and claims[0] in member.identity_claims:
        return False
    member_service.add_identity(given, viewer=SYSTEM)
    return True


def _updated(member: Member, told: Customer) -> bool:
    """Whether the profile changed."""
    wanted = _profile(told)
    if member.birthday is not None:
        wanted.pop("birthday", None)
        wanted.pop("birth_year", None)
    news = {name: value for name, value in wanted.items() if getattr(member, name) != value}
    if not news:
        return False
    member_service.update(Update(id=member.id, **news), viewer=SYSTEM)
    return True


def _profile(told: Customer) -> dict[str, Any]:
    """What of a profile is told and can be believed."""
    name = told.name.strip()[:60] if told.name and "*" not in told.name else None
    has_day = (
        told.birthday is not None
        and birthday_exists(told.birthday, told.birth_year or _LEAP_YEAR)
        and (told.birth_year or _LEAP_YEAR) >= _OLDEST_BIRTH_YEAR
    )
    profile = {
        "name": name or None,
        "gender": told.gender,
        "birthday": told.birthday if has_day else None,
        "birth_year": told.birth_year if has_day else None,
    }
    return {field: value for field, value in profile.items() if value is not None}
