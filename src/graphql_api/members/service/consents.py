"""Agreements of members, given and withdrawn."""

from datetime import UTC, datetime

from graphql_api.audit import service as audit
from graphql_api.audit.rules import AuditAction
from graphql_api.errors import Invalid
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.kit.time import Clock
from graphql_api.members import repository
from graphql_api.members.models import ConsentEntry, Member, consent_entry
from graphql_api.members.rules import ConsentChannel, ConsentPurpose, SourceChannel
from graphql_api.members.service.commands import ConsentSet
from graphql_api.members.service.reached import reached
from graphql_api.viewer import Role, Viewer

MAX_CONSENTS = 40
_DOORS = {
    Role.MEMBER: SourceChannel.MINI_PROGRAM,
    Role.GUIDE: SourceChannel.STORE,
    Role.STORE_MANAGER: SourceChannel.STORE,
}
"""Through which door somebody speaks where nothing else is said."""


def set_consent(given: ConsentSet, *, viewer: Viewer, clock: Clock) -> Member:
    """A member with one agreement given or withdrawn; saying the same again changes nothing."""

    def attempt(tx: Transaction) -> Member:
        member = reached(given.member_id, viewer, ("input", "member_id"))
        key, row = consent_row(given.purpose, given.channel, given.text_version, clock.now())
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
        repository.put_consents(tx, [entry(member, key, given.granted, source, viewer)])
        given_or_not = AuditAction.CONSENT_GIVEN if given.granted else AuditAction.CONSENT_WITHDRAWN
        audit.note(tx, viewer, given_or_not, member.id, [key])
        return member

    return transact(attempt)


def entry(
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


def consent_row(
    purpose: ConsentPurpose, channel: ConsentChannel, text_version: str, at: datetime
) -> tuple[str, list[str | None]]:
    instant = at.astimezone(UTC).isoformat(timespec="milliseconds")
    return f"{purpose}#{channel}", [text_version, instant, None]
