"""What can be done to members: enrol, change, agree, identify, archive."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
)

from graphql_api.audit import service as audit
from graphql_api.audit.rules import AuditAction
from graphql_api.config import settings
from graphql_api.errors import (
    AppError,
    Conflict,
    Forbidden,
    ForbiddenTransition,
    Invalid,
    NotFound,
    Required,
    Taken,
)
from graphql_api.guides import repository as guides
from graphql_api.guides.rules import GuideStatus
from graphql_api.kit import ids, phone, secrecy
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.kit.time import Clock, to_the_millisecond
from graphql_api.members import repository, rules
from graphql_api.members.models import ConsentEntry, Member, consent_entry, tombstone_id
from graphql_api.members.rules import (
    ConsentChannel,
    ConsentPurpose,
    EffectKind,
    Gender,
    IdentityKind,
    Origin,
    Ownership,
    OwnershipSource,
    SourceChannel,
)
from graphql_api.policies import repository as policies
from graphql_api.policies.rules import OwnershipPolicy, PolicyKind
from graphql_api.stores import repository as stores
from graphql_api.viewer import WRITE_MEMBERS, Role, Viewer

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]

MAX_IDENTITIES = 20
MAX_CONSENTS = 40
MAX_CONSENTS_AT_ONCE = 24
LOCK = timedelta(minutes=5)
_OLDEST_BIRTH_YEAR = 1900
_LEAP_YEAR = 2000
_NO_SUCH_BIRTHDAY = "this birthday does not exist in this birth year"
_TOKEN = re.compile(r"[\x21-\x7e]{1,128}")


def _existing_day(month_day: str) -> str:
    if not rules.birthday_exists(month_day, _LEAP_YEAR):
        raise ValueError("a birthday is a day that exists, MM-DD")
    return month_day


_DOORS = {
    Role.MEMBER: SourceChannel.MINI_PROGRAM,
    Role.GUIDE: SourceChannel.STORE,
    Role.STORE_MANAGER: SourceChannel.STORE,
}
"""Through which door somebody speaks where nothing else is said."""

MonthDay = Annotated[str, StringConstraints(pattern="^[0-9]{2}-[0-9]{2}$")]
Birthday = Annotated[MonthDay, AfterValidator(_existing_day)]


class _Command(BaseModel):
    # Inputs hold personal data: an error that reaches a log must not print them.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class NewIdentity(_Command):
    """An identity as it comes from outside; any form of a phone that `kit.phone` reads."""

    kind: IdentityKind
    value: Annotated[str, StringConstraints(strip_whitespace=True)]

    @field_validator("value")
    @classmethod
    def _fits_its_kind(cls, value: str, info: ValidationInfo) -> str:
        if info.data.get("kind") is IdentityKind.PHONE:
            return phone.to_e164(value)
        if not _TOKEN.fullmatch(value):
            raise ValueError("an identity has 1 to 128 ASCII characters and no spaces")
        return value


class NewConsent(_Command):
    """An agreement, with the version of the text that was shown."""

    purpose: ConsentPurpose
    channel: ConsentChannel = ConsentChannel.ANY
    text_version: Annotated[str, StringConstraints(min_length=1, max_length=20)]
    at: AwareDatetime | None = None


class _Profile(_Command):
    name: Name | None = None
    nickname: Name | None = None
    gender: Gender | None = None
    birthday: Birthday | None = None
    birth_year: int | None = Field(default=None, ge=_OLDEST_BIRTH_YEAR, le=2100)
    city: Name | None = None
    occupation: Name | None = None
    income_band: Name | None = None

    @field_validator("birth_year")
    @classmethod
    def _has_the_birthday(cls, birth_year: int | None, info: ValidationInfo) -> int | None:
        if not rules.birthday_exists(info.data.get("birthday"), birth_year):
            raise ValueError(_NO_SUCH_BIRTHDAY)
        return birth_year


PROFILE_FIELDS = frozenset(_Profile.model_fields)


class Enrol(_Profile):
    """A new member. `store_id` may be left out by store staff, `guide_id` by a guide.

    `home_store_id` is for members who joined at another store than the one that keeps them now;
    the guide is one of the home store.
    """

    identities: list[NewIdentity] = Field(min_length=1, max_length=MAX_IDENTITIES)
    store_id: str | None = None
    home_store_id: str | None = None
    guide_id: str | None = None
    source: SourceChannel = SourceChannel.STORE
    joined_at: AwareDatetime | None = None
    consents: list[NewConsent] = Field(default_factory=list, max_length=MAX_CONSENTS_AT_ONCE)


class Update(_Profile):
    """What changes of a member; what is not set stays, what is null is cleared."""

    id: str
    store_id: str | None = None
    expected_version: int | None = None


class ConsentSet(_Command):
    """Give or withdraw one agreement; `source` is the door through which the member said so."""

    member_id: str
    purpose: ConsentPurpose
    channel: ConsentChannel = ConsentChannel.ANY
    granted: bool
    text_version: Annotated[str, StringConstraints(min_length=1, max_length=20)]
    source: SourceChannel | None = None


class IdentityChange(_Command):
    """Give an identity to a member, or take it away."""

    member_id: str
    identity: NewIdentity


@dataclass(frozen=True, slots=True)
class OwnershipTerms:
    """The policy by which ownerships begin, with the version that they record."""

    policy: OwnershipPolicy
    version: int

    @classmethod
    def in_force(cls) -> Self:
        """Those of now: one read, two where the policy is not the one shipped."""
        policy = policies.in_force(PolicyKind.OWNERSHIP)
        content = policy.content
        assert isinstance(content, OwnershipPolicy)
        return cls(content, int(policy.version))

    def begin(
        self, guide_id: str, source: OwnershipSource, since: datetime, clock: Clock
    ) -> Ownership:
        """An ownership with the validity and the protection that it has from its first day."""
        day = clock.day_of(since)
        return Ownership(
            guide_id=guide_id,
            since=to_the_millisecond(since),
            source=source,
            valid_until=self.policy.valid_until(day),
            protected_until=self.policy.protected_until(day),
            policy_version=self.version,
        )


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


def find(identities: list[NewIdentity]) -> str | None:
    """The member that holds any of these identities, the first that is held; read from claims."""
    return repository.id_by_claims([claim for i in identities for claim in claims_of(i)])


def enrol(
    new: Enrol,
    *,
    viewer: Viewer,
    clock: Clock,
    origin: Origin = Origin.LIVE,
    member_id: str | None = None,
    number: int | None = None,
) -> Member:
    """A new member with a number, claims on its identities, and the effect ENROLLED.

    Refuses an identity that somebody holds, a store or guide outside the viewer's reach, and a
    joining time in the future. `member_id` and `number` are for imports, which repeat themselves.
    """
    now = clock.now()
    joining_store_id, store_id, guide_id = _placed(new, viewer)
    joined_at = _joined_at(new, viewer, now)
    consents = _consents(new, joined_at, now)
    claims = _claims_or_taken(new.identities)
    lifted = _require_free(claims, new, viewer)
    member = Member(
        member_id or ids.new_id("mbr"),
        number=number or repository.take_numbers(),
        source=new.source,
        joined_at=joined_at,
        joining_store_id=joining_store_id,
        joining_guide_id=guide_id if store_id == joining_store_id else None,
        store_id=store_id,
        identity_claims=list(claims),
        consent_document=consents,
        created_at=joined_at if origin is Origin.BACKFILL else now,
    )
    if guide_id is not None:
        back = origin is Origin.BACKFILL
        source = OwnershipSource.IMPORT if back else OwnershipSource.REGISTRATION
        policy = OwnershipTerms.in_force()
        member.begin_ownership(policy.begin(guide_id, source, joined_at, clock))
    _set_profile(member, new)
    _set_phone(member, new.identities)
    member.fall_due()
    agreed = [_entry(member, key, True, new.source, viewer) for key in consents]

    def attempt(tx: Transaction) -> Member:
        if member_id is not None:
            repository.require_not_erased(tx, member_id, gone=_erased(("input",)))
        _add(tx, member, claims, origin, clock.today())
        repository.lift(tx, lifted)
        repository.put_consents(tx, agreed)
        fields = {*new.model_fields_set & PROFILE_FIELDS, *_kinds(claims)}
        audit.note(tx, viewer, AuditAction.ENROLLED, member.id, fields)
        return member

    return transact(attempt)


def _add(
    tx: Transaction, member: Member, claims: dict[str, AppError], origin: Origin, day: date
) -> None:
    placed = {member.store_id: "home_store_id", member.joining_store_id: "store_id"}
    for store_id, field in placed.items():
        stores.require_live_store(tx, str(store_id), gone=_closed(field))
    repository.create(tx, member, claims=claims)
    repository.put_effect(tx, member.id, EffectKind.ENROLLED, "-", origin=origin, day=day)


def update(given: Update, *, viewer: Viewer) -> Member:
    """A member with its changes; what is so already is not written.

    Without `expected_version` they are made to whatever is stored by then. Moving the home store is
    for managers and headquarters, and to a store within reach.
    """

    def attempt(tx: Transaction) -> Member:
        member = _reached(given.id, viewer, ("input", "id"))
        _require_version(member, given.expected_version)
        moved = "store_id" in given.model_fields_set and _move(tx, member, given.store_id, viewer)
        changed = _set_profile(member, given)
        _require_birthday(member, given)
        if changed or moved:
            member.fall_due()
            repository.save(tx, member)
        if changed:
            audit.note(tx, viewer, AuditAction.CHANGED, member.id, changed)
        return member

    return transact(attempt)


def _require_birthday(member: Member, given: Update) -> None:
    """Refuse a birthday that does not exist in the year that is stored by now."""
    year = None if member.birth_year is None else int(member.birth_year)
    if not rules.birthday_exists(member.birthday, year):
        field = "birth_year" if "birth_year" in given.model_fields_set else "birthday"
        raise Invalid(_NO_SUCH_BIRTHDAY, field=("input", field))


def _move(tx: Transaction, member: Member, store_id: str | None, viewer: Viewer) -> bool:
    """Give a member another home store; whether that is a change."""
    field = ("input", "store_id")
    if store_id is None:
        raise Required("A member has a home store", field=field)
    if viewer.role in {Role.MEMBER, Role.GUIDE}:
        raise Forbidden("Managers and headquarters move members", field=field)
    if store_id == member.store_id:
        return False
    _require_open_store(store_id, viewer, "store_id")
    stores.require_live_store(tx, store_id, gone=_closed("store_id"))
    member.store_id = store_id
    return True


def set_consent(given: ConsentSet, *, viewer: Viewer, clock: Clock) -> Member:
    """A member with one agreement given or withdrawn; saying the same again changes nothing."""

    def attempt(tx: Transaction) -> Member:
        member = _reached(given.member_id, viewer, ("input", "member_id"))
        key, row = _consent_row(given.purpose, given.channel, given.text_version, clock.now())
        old = member.consent_document.get(key)
        if given.granted:
            if old and old[2] is None and old[0] == given.text_version:
                return member
        elif old is None or old[2] is not None:
            return member
        else:
            row = [old[0], old[1], row[1]]
        if len({*member.consent_document, key}) > MAX_CONSENTS:
            raise Invalid(f"A member has at most {MAX_CONSENTS} consents", field=("input",))
        member.consent_document = {**member.consent_document, key: row}
        repository.save(tx, member)
        source = given.source or _DOORS.get(viewer.role)
        repository.put_consents(tx, [_entry(member, key, given.granted, source, viewer)])
        given_or_not = AuditAction.CONSENT_GIVEN if given.granted else AuditAction.CONSENT_WITHDRAWN
        audit.note(tx, viewer, given_or_not, member.id, [key])
        return member

    return transact(attempt)


def add_identity(given: IdentityChange, *, viewer: Viewer) -> Member:
    """A member that holds one more identity; a new phone takes the place of the old one."""
    field = ("input", "identity", "value")
    claims = claims_of(given.identity)
    lifted = [id_ for each in look_up(claims).gone.values() for id_ in each]
    if lifted and not rules.may_bring_back(viewer):
        raise _erased(field)

    def attempt(tx: Transaction) -> Member:
        member = _reached(given.member_id, viewer, ("input", "member_id"))
        held = list(member.identity_claims)
        of_phone = given.identity.kind is IdentityKind.PHONE
        if claims[0] in held and (not of_phone or given.identity.value == member.phone):
            return member
        dropped = _claims_on_phone(member) if of_phone else []
        kept = [c for c in held if c not in {*dropped, *claims}]
        if len(kept) + len(claims) > MAX_IDENTITIES:
            raise Invalid(f"A member has at most {MAX_IDENTITIES} identities", field=field)
        for claim in set(claims) - set(held):
            repository.take_claim(tx, claim, member.id, taken=_taken(field))
        for claim in set(dropped) - set(claims):
            repository.drop_claim(tx, claim, member.id)
        member.identity_claims = kept + claims
        _set_phone(member, [given.identity])
        repository.save(tx, member)
        repository.lift(tx, lifted)
        audit.note(tx, viewer, AuditAction.IDENTITY_ADDED, member.id, _kinds(claims))
        return member

    return transact(attempt)


def remove_identity(given: IdentityChange, *, viewer: Viewer) -> Member:
    """A member without this identity; the last one stays. One it does not hold changes nothing."""
    claims = claims_of(given.identity)

    def attempt(tx: Transaction) -> Member:
        member = _reached(given.member_id, viewer, ("input", "member_id"))
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
        audit.note(tx, viewer, AuditAction.IDENTITY_REMOVED, member.id, _kinds(dropped))
        return member

    return transact(attempt)


def archive(member_id: str, *, viewer: Viewer, clock: Clock) -> Member:
    """A member that left: out of every list, still found by id and identity. Again: no change."""
    return _mark(member_id, viewer, clock.now())


def restore(member_id: str, *, viewer: Viewer) -> Member:
    """An archived member back in the lists; again changes nothing."""
    return _mark(member_id, viewer, None)


def _mark(member_id: str, viewer: Viewer, archived_at: datetime | None) -> Member:
    def attempt(tx: Transaction) -> Member:
        member = _reached(member_id, viewer, ("id",))
        if (member.archived_at is None) == (archived_at is None):
            return member
        member.archived_at = archived_at
        repository.save(tx, member)
        action = AuditAction.ARCHIVED if archived_at else AuditAction.RESTORED
        audit.note(tx, viewer, action, member.id)
        return member

    return transact(attempt)


def lock(member_id: str, owner: str, *, clock: Clock) -> Member:
    """Take or renew a member's lock for five minutes of work of many steps.

    The version rises, so whoever decided on the member before decides again, and then waits.
    Raises NotFound, and Conflict while somebody else holds it.
    """

    def attempt(tx: Transaction) -> Member:
        member = repository.get(member_id)
        if member is None:
            raise NotFound("There is no such member")
        now = clock.now()
        if rules.held_by_another(member.lock_owner, member.locked_until, owner, now):
            raise Conflict("Somebody else is working on this member")
        if member.merge_id is not None:
            raise Conflict("This member is being merged")
        member.lock_owner, member.locked_until = owner, now + LOCK
        repository.save(tx, member)
        return member

    return transact(attempt)


def _placed(new: Enrol, viewer: Viewer) -> tuple[str, str, str | None]:
    """Joining store, home store and guide of a new member; store staff bring their own."""
    own_store = viewer.unit_id if viewer.role in {Role.GUIDE, Role.STORE_MANAGER} else None
    joining_id = new.store_id or own_store
    if joining_id is None:
        raise Required("Name the store that the member joins", field=("input", "store_id"))
    home_id = new.home_store_id or joining_id
    for store_id, field in {home_id: "home_store_id", joining_id: "store_id"}.items():
        _require_open_store(store_id, viewer, field)
    guide_id = new.guide_id or (viewer.id if viewer.role is Role.GUIDE else None)
    if guide_id is not None:
        _require_guide(guide_id, home_id, viewer)
    return joining_id, home_id, guide_id


def _require_open_store(store_id: str, viewer: Viewer, field: str) -> None:
    known = ids.prefix_of(store_id) == "sto" and viewer.reaches_store(store_id)
    store = stores.get(store_id) if known else None
    if store is None:
        raise NotFound("There is no such store", field=("input", field))
    if store.archived_at is not None:
        raise _closed(field)


def _require_guide(guide_id: str, store_id: str, viewer: Viewer) -> None:
    field = ("input", "guide_id")
    if viewer.role is Role.GUIDE and guide_id != viewer.id:
        raise Forbidden("A guide enrols members of their own", field=field)
    guide = guides.get(guide_id) if ids.prefix_of(guide_id) == "gde" else None
    if guide is None or guide.store_id != store_id:
        raise NotFound("This store has no such guide", field=field)
    if guide.status is not GuideStatus.ACTIVE:
        raise ForbiddenTransition("This guide does not take members now", field=field)


def _joined_at(new: Enrol, viewer: Viewer, now: datetime) -> datetime:
    field = ("input", "joined_at")
    if new.joined_at is None:
        return now
    if viewer.role not in {Role.OPERATOR, Role.INTEGRATION, Role.SYSTEM}:
        raise Forbidden("Store staff enrol members as of now", field=field)
    if new.joined_at > now:
        raise Invalid("A member cannot join in the future", field=field)
    return new.joined_at


def _consents(new: Enrol, joined_at: datetime, now: datetime) -> dict[str, list[str | None]]:
    for n, consent in enumerate(new.consents):
        if consent.at is not None and consent.at > now:
            field = ("input", "consents", str(n), "at")
            raise Invalid("An agreement is not given in the future", field=field)
    return dict(
        _consent_row(c.purpose, c.channel, c.text_version, c.at or joined_at) for c in new.consents
    )


def _claims_or_taken(identities: list[NewIdentity]) -> dict[str, AppError]:
    claims: dict[str, AppError] = {}
    phones = [i for i in identities if i.kind is IdentityKind.PHONE]
    if len(phones) > 1:
        raise Invalid("A member has one phone", field=("input", "identities"))
    for n, identity in enumerate(identities):
        taken = _taken(("input", "identities", str(n), "value"))
        claims |= dict.fromkeys(claims_of(identity), taken)
    return claims


def _require_free(claims: dict[str, AppError], new: Enrol, viewer: Viewer) -> list[str]:
    """Refuse identities that somebody holds; the tombstones of those that were erased.

    Who was erased comes back only where they agree to it now, and not by what a system repeats.
    """
    known = look_up(list(claims))
    for claim, holder in known.holders.items():
        if holder is not None:
            raise claims[claim]
    agreed = any(c.purpose is ConsentPurpose.SERVICE and c.at is None for c in new.consents)
    for claim in known.gone:
        if not rules.may_bring_back(viewer):
            raise _erased(claims[claim].field)
        if not agreed:
            text = "This person was erased and comes back by agreeing to SERVICE now"
            raise ForbiddenTransition(text, field=("input", "consents"))
    return [id_ for each in known.gone.values() for id_ in each]


def _reached(member_id: str, viewer: Viewer, field: tuple[str, ...]) -> Member:
    """The member as it is now, when the viewer may change it."""
    member = repository.get(member_id) if ids.prefix_of(member_id) == "mbr" else None
    writes = viewer.role is not Role.INTEGRATION or viewer.holds(WRITE_MEMBERS)
    if member is None or not writes or not rules.reaches(viewer, member):
        raise NotFound("There is no such member", field=field)
    return member


def _changes(member: Member, given: _Profile) -> dict[str, Any]:
    """The profile fields whose values differ from those stored."""
    new = given.model_dump(include=given.model_fields_set & PROFILE_FIELDS)
    if "gender" in new:
        new["gender"] = new["gender"] or Gender.UNKNOWN
    return {name: value for name, value in new.items() if getattr(member, name) != value}


def _set_profile(member: Member, given: _Profile) -> list[str]:
    """Take a profile over; the fields that changed."""
    changes = _changes(member, given)
    for name, value in changes.items():
        setattr(member, name, value)
    return list(changes)


def _set_phone(member: Member, identities: list[NewIdentity]) -> None:
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


def _kinds(claims: Iterable[str]) -> set[str]:
    """The kinds of identities behind some claims, which is all that may be said of them."""
    return {claim.partition("#")[0] for claim in claims}


def _entry(
    member: Member, key: str, granted: bool, source: SourceChannel | None, viewer: Viewer
) -> ConsentEntry:
    """What a member's history says of the agreement under a key, as the member now holds it."""
    text_version, given_at, withdrawn_at = member.consent_document[key]
    at = datetime.fromisoformat(given_at if granted else withdrawn_at)
    return consent_entry(
        member.id,
        key,
        granted=granted,
        text_version=text_version,
        at=at,
        source=source,
        by_role=viewer.role,
        by_id=viewer.id,
    )


def _consent_row(
    purpose: ConsentPurpose, channel: ConsentChannel, text_version: str, at: datetime
) -> tuple[str, list[str | None]]:
    instant = at.astimezone(UTC).isoformat(timespec="milliseconds")
    return f"{purpose}#{channel}", [text_version, instant, None]


def _taken(field: tuple[str, ...]) -> AppError:
    return Taken("This identity belongs to another member", field=field)


def _erased(field: tuple[str, ...]) -> AppError:
    return ForbiddenTransition("This person was erased; only they can come back", field=field)


def _closed(field: str) -> AppError:
    return ForbiddenTransition("This store is archived", field=("input", field))


def _require_version(member: Member, expected: int | None) -> None:
    if expected not in {None, member.version}:
        raise _moved_on()


def _moved_on() -> AppError:
    return Conflict("The member has changed since", field=("input", "expected_version"))
