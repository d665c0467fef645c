"""What the audit log holds, to compare."""

from graphql_api.audit.models import AuditEntry, AuditItem

Said = tuple[str, str, str, list[str]]


def entries(member_id: str | None = None) -> list[AuditEntry]:
    """Every entry, or those about a member, by time."""
    found = AuditEntry.scan() if member_id is None else AuditEntry.query(member_id)
    return sorted(found, key=lambda entry: str(entry.place))


def said(member_id: str | None = None) -> list[Said]:
    """Who did what to which fields, by time."""
    return [(e.actor_role, e.actor_id, e.action, list(e.fields)) for e in entries(member_id)]


def forget() -> None:
    """Empty the log, to see what comes after."""
    for item in AuditItem.scan():
        item.delete()
