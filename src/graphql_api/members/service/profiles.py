"""What changes of members: profile, home store, whether they left, and who works on them."""

from datetime import datetime, timedelta
from typing import Any

from graphql_api.audit import service as audit
from graphql_api.audit.rules import AuditAction
from graphql_api.errors import AppError, Conflict, Forbidden, Invalid, NotFound, Required
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.kit.time import Clock
from graphql_api.members import repository, rules
from graphql_api.members.models import Member
from graphql_api.members.rules import Gender
from graphql_api.members.service.commands import NO_SUCH_BIRTHDAY, PROFILE_FIELDS, Profile, Update
from graphql_api.members.service.reached import closed, reached, require_open_store
from graphql_api.stores import repository as stores
from graphql_api.viewer import Role, Viewer


def update(given: Update, *, viewer: Viewer) -> Member:
    """A member with its changes; what is so already is not written.

    Without `expected_version` they are made to whatever is stored by then. Moving the home store is
    for managers and headquarters, and to a store within reach.
    """

    def attempt(tx: Transaction) -> Member:
        member = reached(given.id, viewer, ("input", "id"))
        _require_version(member, given.expected_version)
        moved = "store_id" in given.model_fields_set and _move(tx, member, given.store_id, viewer)
        changed = set_profile(member, given)
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
        raise Invalid(NO_SUCH_BIRTHDAY, field=("input", field))


def _move(tx: Transaction, member: Member, store_id: str | None, viewer: Viewer) -> bool:
    """Give a member another home store; whether that is a change."""
    field = ("input", "store_id")
    if store_id is None:
        raise Required("A member has a home store", field=field)
    if viewer.role in {Role.MEMBER, Role.GUIDE}:
        raise Forbidden("Managers and headquarters move members", field=field)
    if store_id == member.store_id:
        return False
    require_open_store(store_id, viewer, "store_id")
    stores.require_live_store(tx, store_id, gone=closed("store_id"))
    member.store_id = store_id
    return True


def _changes(member: Member, given: Profile) -> dict[str, Any]:
    """The profile fields whose values differ from those stored."""
    new = given.model_dump(include=given.model_fields_set & PROFILE_FIELDS)
    if "gender" in new:
        new["gender"] = new["gender"] or Gender.UNKNOWN
    return {name: value for name, value in new.items() if getattr(member, name) != value}


def set_profile(member: Member, given: Profile) -> list[str]:
    """Take a profile over; the fields that changed."""
    changes = _changes(member, given)
    for name, value in changes.items():
        setattr(member, name, value)
    return list(changes)


def _require_version(member: Member, expected: int | None) -> None:
    if expected not in {None, member.version}:
        raise _moved_on()


def _moved_on() -> AppError:
    return Conflict("The member has changed since", field=("input", "expected_version"))


def archive(member_id: str, *, viewer: Viewer, clock: Clock) -> Member:
    """A member that left: out of every list, still found by id and identity. Again: no change."""
    return _mark(member_id, viewer, clock.now())


def restore(member_id: str, *, viewer: Viewer) -> Member:
    """An archived member back in the lists; again changes nothing."""
    return _mark(member_id, viewer, None)


def _mark(member_id: str, viewer: Viewer, archived_at: datetime | None) -> Member:
    def attempt(tx: Transaction) -> Member:
        member = reached(member_id, viewer, ("id",))
        if (member.archived_at is None) == (archived_at is None):
            return member
        member.archived_at = archived_at
        repository.save(tx, member)
        action = AuditAction.ARCHIVED if archived_at else AuditAction.RESTORED
        audit.note(tx, viewer, action, member.id)
        return member

    return transact(attempt)


LOCK = timedelta(minutes=5)


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
