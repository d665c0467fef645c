"""Members who are new."""

from datetime import date, datetime

from graphql_api.audit import service as audit
from graphql_api.audit.rules import AuditAction
from graphql_api.errors import AppError, Forbidden, ForbiddenTransition, Invalid, NotFound, Required
from graphql_api.guides import repository as guides
from graphql_api.guides.rules import GuideStatus
from graphql_api.kit import ids
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.kit.time import Clock
from graphql_api.members import repository, rules
from graphql_api.members.models import Member
from graphql_api.members.rules import (
    ConsentPurpose,
    EffectKind,
    IdentityKind,
    Origin,
    OwnershipSource,
)
from graphql_api.members.service.commands import PROFILE_FIELDS, Enrol, NewIdentity
from graphql_api.members.service.consents import consent_row, entry
from graphql_api.members.service.identities import claims_of, kinds, look_up, set_phone
from graphql_api.members.service.ownerships import OwnershipTerms
from graphql_api.members.service.profiles import set_profile
from graphql_api.members.service.reached import closed, erased, require_open_store, taken
from graphql_api.stores import repository as stores
from graphql_api.viewer import Role, Viewer


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
    set_profile(member, new)
    set_phone(member, new.identities)
    member.fall_due()
    agreed = [entry(member, key, True, new.source, viewer) for key in consents]

    def attempt(tx: Transaction) -> Member:
        if member_id is not None:
            repository.require_not_erased(tx, member_id, gone=erased(("input",)))
        _add(tx, member, claims, origin, clock.today())
        repository.lift(tx, lifted)
        repository.put_consents(tx, agreed)
        fields = {*new.model_fields_set & PROFILE_FIELDS, *kinds(claims)}
        audit.note(tx, viewer, AuditAction.ENROLLED, member.id, fields)
        return member

    return transact(attempt)


def _add(
    tx: Transaction, member: Member, claims: dict[str, AppError], origin: Origin, day: date
) -> None:
    placed = {member.store_id: "home_store_id", member.joining_store_id: "store_id"}
    for store_id, field in placed.items():
        stores.require_live_store(tx, str(store_id), gone=closed(field))
    repository.create(tx, member, claims=claims)
    repository.put_effect(tx, member.id, EffectKind.ENROLLED, "-", origin=origin, day=day)


def _placed(new: Enrol, viewer: Viewer) -> tuple[str, str, str | None]:
    """Joining store, home store and guide of a new member; store staff bring their own."""
    own_store = viewer.unit_id if viewer.role in {Role.GUIDE, Role.STORE_MANAGER} else None
    joining_id = new.store_id or own_store
    if joining_id is None:
        raise Required("Name the store that the member joins", field=("input", "store_id"))
    home_id = new.home_store_id or joining_id
    for store_id, field in {home_id: "home_store_id", joining_id: "store_id"}.items():
        require_open_store(store_id, viewer, field)
    guide_id = new.guide_id or (viewer.id if viewer.role is Role.GUIDE else None)
    if guide_id is not None:
        _require_guide(guide_id, home_id, viewer)
    return joining_id, home_id, guide_id


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
        consent_row(c.purpose, c.channel, c.text_version, c.at or joined_at) for c in new.consents
    )


def _claims_or_taken(identities: list[NewIdentity]) -> dict[str, AppError]:
    claims: dict[str, AppError] = {}
    phones = [i for i in identities if i.kind is IdentityKind.PHONE]
    if len(phones) > 1:
        raise Invalid("A member has one phone", field=("input", "identities"))
    for n, identity in enumerate(identities):
        refusal = taken(("input", "identities", str(n), "value"))
        claims |= dict.fromkeys(claims_of(identity), refusal)
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
            raise erased(claims[claim].field)
        if not agreed:
            text = "This person was erased and comes back by agreeing to SERVICE now"
            raise ForbiddenTransition(text, field=("input", "consents"))
    return [id_ for each in known.gone.values() for id_ in each]
