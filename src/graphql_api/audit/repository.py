"""Access paths of the audit log."""

from collections.abc import Sequence
from datetime import date

from graphql_api.audit import models
from graphql_api.audit.models import AuditEntry, AuditItem
from graphql_api.kit.dynamo import Page, Transaction, batch_get, batch_write, key_page
from graphql_api.kit.dynamo.blocks import one_after_another


def add(tx: Transaction, entry: AuditEntry) -> None:
    """Record what the caller's transaction does, together with it."""
    tx.create(entry)


def add_all(entries: Sequence[AuditEntry]) -> None:
    """Record entries of which nobody decides anything, 25 to a call; again changes nothing."""
    batch_write(AuditItem, entries)


def page_of_member(
    member_id: str, *, first: int, after: str | None, reverse: bool
) -> Page[AuditEntry]:
    """Who read or changed a member's personal data, by time: one Query."""
    return key_page(
        AuditEntry, member_id, AuditEntry.place, first=first, after=after, reverse=reverse
    )


def page_of_lives(
    member_ids: tuple[str, ...], *, first: int, after: str | None, reverse: bool
) -> Page[AuditEntry]:
    """The same of a member who was several: id after id."""
    return one_after_another(page_of_member, member_ids, first=first, after=after, reverse=reverse)


def page_of_actor(
    actor_id: str, day: date, *, first: int, after: str | None, reverse: bool
) -> Page[AuditEntry]:
    """What somebody did on a business day, by time: one Query, one BatchGetItem."""
    keys = key_page(
        AuditItem.by_actor,
        models.actor_day(actor_id, day),
        AuditItem.actor_place,
        first=first,
        after=after,
        reverse=reverse,
    )
    return keys.showing(batch_get(AuditEntry, [key.key for key in keys.items]))
