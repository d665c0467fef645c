"""Recording who read or changed personal data."""

from collections.abc import Iterable, Mapping

from graphql_api.audit import models, repository, rules
from graphql_api.audit.models import AuditEntry
from graphql_api.audit.rules import AuditAction
from graphql_api.config import settings
from graphql_api.kit import ids
from graphql_api.kit.dynamo import InstantAttribute, Transaction
from graphql_api.kit.time import DEFAULT_ZONE, business_day, real_now, to_the_millisecond
from graphql_api.viewer import Role, Viewer

_INSTANT = InstantAttribute()


def note(
    tx: Transaction,
    viewer: Viewer,
    action: AuditAction,
    member_id: str,
    fields: Iterable[str] = (),
) -> None:
    """Record a change of a member's personal data in the transaction that makes it."""
    repository.add(tx, _entry(viewer, action, member_id, fields))


def note_reads(viewer: Viewer, shown: Mapping[str, Iterable[str]]) -> int:
    """Record what a request showed of members in full: an entry for each member; how many."""
    read = {member_id: fields for member_id, fields in shown.items() if fields}
    entries = [_entry(viewer, AuditAction.READ, id_, fields) for id_, fields in read.items()]
    repository.add_all(entries)
    return len(entries)


def _entry(
    viewer: Viewer, action: AuditAction, member_id: str, fields: Iterable[str]
) -> AuditEntry:
    request = viewer.request
    at = to_the_millisecond(real_now())
    day = business_day(at, request.clock.zone if request else DEFAULT_ZONE)
    place = f"{_INSTANT.serialize(at)}#{ids.new_id('aud')}"
    named = viewer.role is not Role.SYSTEM  # an import would put a whole chain under one key
    return AuditEntry(
        member_id,
        place,
        at=at,
        actor_id=viewer.id,
        actor_role=viewer.role,
        action=action,
        fields=sorted(fields),
        request_id=request.id if request else None,
        operation=request.operation if request else None,
        of_actor=models.actor_day(viewer.id, day) if named else None,
        actor_place=place if named else None,
        forget_at=rules.kept_until(at, settings().audit_years),
    )
