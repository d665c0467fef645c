"""Many members at a time: a guide hands over, or goes to another store; tasks.py carries it out."""

from collections.abc import Sequence
from dataclasses import dataclass

from graphql_api.errors import ForbiddenTransition, Invalid, NotFound
from graphql_api.guides import repository as guides
from graphql_api.guides import rules as guide_rules
from graphql_api.guides.models import Guide
from graphql_api.guides.rules import GuideStatus
from graphql_api.kit import ids
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.kit.time import Clock
from graphql_api.ownership import repository, rules
from graphql_api.ownership.models import HandOver
from graphql_api.ownership.rules import EndReason, HandOverState
from graphql_api.ownership.service.commands import GuideMove, HandOverCreate
from graphql_api.stores import repository as stores
from graphql_api.viewer import Viewer

_STORE = ("input", "store_id")


@dataclass(frozen=True, slots=True)
class Moved:
    """A guide who moved with the hand-over of their members; none for one who was there already."""

    guide: Guide
    hand_over: HandOver | None


def hand_over(given: HandOverCreate, *, viewer: Viewer, clock: Clock) -> HandOver:
    """A hand-over that waits for its first step; refuses guides not at work in the same store."""
    guide = _guide(given.from_guide_id, viewer, ("input", "from_guide_id"))
    reason = given.reason or rules.reason_to_hand_over(guide.status)
    _require_takers(given.target_ids, guide, ("input", "target_ids"))
    job = _job(guide, given.target_ids, reason, viewer, clock)

    def attempt(tx: Transaction) -> HandOver:
        repository.create_hand_over(tx, job)
        return job

    return transact(attempt)


def cancel_hand_over(hand_over_id: str, *, viewer: Viewer, clock: Clock) -> HandOver:
    """A hand-over that goes no further; who was moved stays moved. Again changes nothing."""

    def attempt(tx: Transaction) -> HandOver:
        job = repository.get_hand_over(hand_over_id)
        if job is None or rules.visible_hand_over(viewer, job) is None:
            raise NotFound("There is no such hand-over", field=("id",))
        if job.state is HandOverState.CANCELLED:
            return job
        if job.state in rules.OVER:
            raise ForbiddenTransition("This hand-over is over", field=("id",))
        job.state, job.ended_at = HandOverState.CANCELLED, clock.now()
        repository.save_hand_over(tx, job)
        return job

    return transact(attempt)


def move_guide(given: GuideMove, *, viewer: Viewer, clock: Clock) -> Moved:
    """A guide who works in another store from now on; the same store again changes nothing.

    The members stay with the old store: a hand-over that begins in the same transaction gives them
    to `hand_over_to`, guides at work there, or ends every ownership where none are named.
    """
    if not viewer.reaches_store(given.store_id):
        raise NotFound("There is no such store", field=_STORE)

    def attempt(tx: Transaction) -> Moved:
        guide = _guide(given.guide_id, viewer, ("input", "guide_id"))
        if guide.store_id == given.store_id:
            return Moved(guide, None)
        if guide.status is GuideStatus.LEFT:
            raise ForbiddenTransition("This guide has left", field=("input", "guide_id"))
        _require_open_store(tx, given.store_id)
        _require_takers(given.hand_over_to, guide, ("input", "hand_over_to"))
        job = _job(guide, given.hand_over_to, EndReason.MOVED_STORE, viewer, clock)
        guide.store_id = given.store_id
        guides.save(tx, guide)
        repository.create_hand_over(tx, job)
        return Moved(guide, job)

    return transact(attempt)


def _job(
    guide: Guide, target_ids: Sequence[str], reason: EndReason, viewer: Viewer, clock: Clock
) -> HandOver:
    return HandOver(
        ids.new_id("hov"),
        from_guide_id=guide.id,
        store_id=guide.store_id,
        target_ids=list(target_ids),
        reason=reason,
        source=rules.source_of(viewer),
        created_by=viewer.id,
        created_at=clock.now(),
    )


def _guide(guide_id: str, viewer: Viewer, field: tuple[str, ...]) -> Guide:
    guide = guides.get(guide_id) if ids.prefix_of(guide_id) == "gde" else None
    if guide is None or guide_rules.visible(viewer, guide) is None:
        raise NotFound("There is no such guide", field=field)
    return guide


def _require_takers(guide_ids: Sequence[str], giver: Guide, field: tuple[str, ...]) -> None:
    """Refuse guides who are not at work in the store of the one who gives, and that one."""
    for number, guide in enumerate(guides.get_now(guide_ids)):
        at = (*field, str(number))
        if guide is None or guide.store_id != giver.store_id:
            raise NotFound("The store has no such guide", field=at)
        if guide.id == giver.id:
            raise Invalid("Members are handed over to other guides", field=at)
        if guide.status is not GuideStatus.ACTIVE:
            raise ForbiddenTransition("This guide does not take members now", field=at)


def _require_open_store(tx: Transaction, store_id: str) -> None:
    store = stores.get(store_id) if ids.prefix_of(store_id) == "sto" else None
    if store is None:
        raise NotFound("There is no such store", field=_STORE)
    archived = ForbiddenTransition("This store is archived", field=_STORE)
    if store.archived_at is not None:
        raise archived
    stores.require_live_store(tx, store_id, gone=archived)
