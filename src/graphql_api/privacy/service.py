"""What a person may ask of their data: all of it, or that it is erased; tasks.py carries it out."""

from graphql_api.audit import service as audit
from graphql_api.audit.rules import AuditAction
from graphql_api.errors import NotFound
from graphql_api.kit import ids
from graphql_api.kit.dynamo import Stale, Transaction, transact
from graphql_api.kit.time import Clock
from graphql_api.members import repository as members
from graphql_api.members import rules as member_rules
from graphql_api.members import service as member_service
from graphql_api.members.models import Member, tombstone_id
from graphql_api.orders import repository as orders
from graphql_api.privacy import models, repository, rules
from graphql_api.privacy.models import Erasure, Export
from graphql_api.viewer import Viewer


def export(member_id: str, *, viewer: Viewer, clock: Clock) -> Export:
    """An export that waits for its first step; the same that one got for asking before that day.

    Refuses everybody but the member and headquarters that see names.
    """

    def attempt(tx: Transaction) -> Export:
        member = members.get(member_id) if _is_member(member_id) else None
        if member is None or not rules.may_ask(viewer, _ids_of(member)):
            raise _nobody()
        asked = (member.id, viewer.role, viewer.id, clock.today().isoformat())
        export_id = ids.derived_id("exp", *asked)
        if known := repository.get_export(export_id):
            return known
        job = Export(
            export_id,
            member_id=member.id,
            member_ids=_ids_of(member),
            by_role=viewer.role,
            by_id=viewer.id,
            created_at=clock.now(),
            place=[0, 0, None],
        )
        repository.create_export(tx, job)
        audit.note(tx, viewer, AuditAction.EXPORTED, member.id)
        return job

    return transact(attempt)


def erase(member_id: str, *, viewer: Viewer, clock: Clock) -> Erasure:
    """An erasure; the member, their identities and profile are gone with it, the rest follows.

    Again, and by an id that was merged, it is the same erasure. Waits for others at work on the
    member, and for a merge, to the deadline: then Conflict, with nothing erased.
    """

    def attempt(tx: Transaction) -> Erasure:
        known = _is_member(member_id)
        member = members.get(member_id) if known else None
        if member is None:
            return _erased_before(member_id, viewer)
        if not rules.may_ask(viewer, _ids_of(member)):
            raise _nobody()
        _wait_for_others(member, clock)
        job = Erasure(
            models.erasure_id(member.id),
            member_id=member.id,
            member_ids=_ids_of(member),
            by_role=viewer.role,
            by_id=viewer.id,
            created_at=clock.now(),
            waiting_ids=_waiting_for(member),
        )
        _bury(tx, member, job, clock)
        repository.create_erasure(tx, job)
        audit.note(tx, viewer, AuditAction.ERASED, member.id)
        return job

    return transact(attempt)


def _bury(tx: Transaction, member: Member, job: Erasure, clock: Clock) -> None:
    """Remove a member with their claims, and put a tombstone in the place of each."""
    stones = [tombstone_id(member.id)]
    for claim in member.identity_claims:
        members.drop_claim(tx, claim, member.id)
        stones.append(member_service.tombstones_of(claim)[0])
    members.remove(tx, member)
    members.bury(tx, stones, erasure_id=job.id, day=clock.today())


def _erased_before(member_id: str, viewer: Viewer) -> Erasure:
    erasure_id = members.erasure_of(member_id) if _is_member(member_id) else None
    job = repository.get_erasure(erasure_id) if erasure_id else None
    if job is None or not rules.may_ask(viewer, job.member_ids):
        raise _nobody()
    return job


def _wait_for_others(member: Member, clock: Clock) -> None:
    owner, until = member.lock_owner, member.locked_until
    if member.merge_id or member_rules.held_by_another(owner, until, "", clock.now()):
        raise Stale


def _waiting_for(member: Member) -> list[str]:
    """Orders that wait for an identity which the member holds, on their way to the member."""
    return sorted({id_ for claim in member.identity_claims for id_ in orders.waiting_for(claim)})


def _ids_of(member: Member) -> list[str]:
    return [member.id, *member.alias_ids]


def _is_member(member_id: str) -> bool:
    return ids.prefix_of(member_id) == "mbr"


def _nobody() -> NotFound:
    return NotFound("There is no such member", field=("id",))
