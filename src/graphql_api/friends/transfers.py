"""Handing customers over in WeCom 在职继承、离职继承: asked for in steps, then waited for."""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from graphql_api.connectors.wecom import transfers as wecom
from graphql_api.connectors.wecom.transfers import Result, Status
from graphql_api.connectors.weixin_errors import Refused
from graphql_api.errors import Conflict, Forbidden, ForbiddenTransition, Invalid, NotFound
from graphql_api.friends import queueing, repository, rules, service
from graphql_api.friends.models import Handed, Transfer, handed_sort
from graphql_api.friends.rules import Event, Happened, TransferOutcome, TransferState
from graphql_api.guides import repository as guides
from graphql_api.guides.models import Guide
from graphql_api.guides.rules import GuideStatus
from graphql_api.kit import ids
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.kit.time import real_now
from graphql_api.observability import count, logger
from graphql_api.viewer import Viewer

ASKED_AT_ONCE = 70  # as many as a transaction holds beside the hand-over
_SOON = 1.0
_TOLD = {
    Status.DONE: TransferOutcome.DONE,
    Status.REFUSED: TransferOutcome.REFUSED,
    Status.LIMIT: TransferOutcome.LIMIT,
    Status.NO_RECORD: TransferOutcome.FAILED,
}


class TransferStart(BaseModel):
    """Whose customers go to whom; `message` is what the customers are told, of guides at work."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    from_guide_id: str
    to_guide_id: str
    message: (
        Annotated[
            str,
            StringConstraints(strip_whitespace=True, min_length=1, max_length=wecom.MAX_MESSAGE),
        ]
        | None
    ) = None


# --- what people ask for ---------------------------------------------------------------------


def start(given: TransferStart, *, viewer: Viewer, at: datetime) -> Transfer:
    """A hand-over of all friends that a guide has in WeCom, to a guide at work.

    Of a guide at work WeCom moves a customer twice in 90 days at most; of one who left, within a
    year. Members and their owners here are handed over by `handOverCreate`. Refuses a second one
    for the same guide while the first runs.
    """
    giver = _guide(given.from_guide_id, viewer, ("input", "from_guide_id"))
    taker = _guide(given.to_guide_id, viewer, ("input", "to_guide_id"))
    if giver.id == taker.id:
        raise Invalid("A guide does not take from themselves", field=("input", "to_guide_id"))
    if taker.status is not GuideStatus.ACTIVE:
        text = "This guide does not take customers now"
        raise ForbiddenTransition(text, field=("input", "to_guide_id"))
    _require_none_running(giver)
    transfer = Transfer(
        ids.new_id("trf"),
        from_user_id=giver.wecom_user_id,
        to_user_id=taker.wecom_user_id,
        from_guide_id=giver.id,
        to_guide_id=taker.id,
        store_id=giver.store_id,
        has_left=giver.status is GuideStatus.LEFT,
        message=given.message,
        created_at=at,
        created_by=viewer.id,
    )
    transact(lambda tx: repository.save_transfer(tx, transfer))
    queueing.move(transfer.id, 0)
    return transfer


def cancel(transfer_id: str, *, viewer: Viewer, at: datetime) -> Transfer:
    """A hand-over that asks for nobody more and waits no longer; again changes nothing.

    What WeCom has begun goes on there: it takes nothing back.
    """

    def attempt(tx: Transaction) -> Transfer:
        known = ids.prefix_of(transfer_id) == "trf"
        transfer = repository.get_transfer(transfer_id) if known else None
        if transfer is None or not rules.may_transfer(viewer, transfer.store_id):
            raise NotFound("There is no such hand-over", field=("id",))
        if transfer.state in rules.TRANSFER_RUNS:
            transfer.state, transfer.ended_at = TransferState.CANCELLED, at
            repository.save_transfer(tx, transfer)
        elif transfer.state is TransferState.DONE:
            raise ForbiddenTransition("This hand-over is done", field=("id",))
        return transfer

    return transact(attempt)


# --- steps -----------------------------------------------------------------------------------


def move(transfer_id: str, step: int, *, now: Callable[[], datetime] = real_now) -> None:
    """Take a step, if the hand-over is still at it, and leave the next to another message.

    Killed anywhere, the same step asks WeCom again: who was asked for before is told so (40100).
    """
    transfer = repository.get_transfer(transfer_id)
    if transfer is None or transfer.state not in rules.TRANSFER_RUNS:
        return
    if transfer.step == step + 1:  # who took this step may have died before asking for the next
        queueing.move(transfer.id, int(transfer.step), _SOON)
    if transfer.step != step:
        return
    try:
        if transfer.state is TransferState.ASKING:
            _ask(transfer, now())
        else:
            _look(transfer, now())
    except Refused as refusal:
        _ended(transfer, now(), problem=f"{refusal.code}: {refusal.meaning}")


def _ask(transfer: Transfer, at: datetime) -> None:
    """Ask for the next friends; none left, begin to wait."""
    page = repository.page_of_user(
        transfer.from_user_id, first=ASKED_AT_ONCE, after=transfer.asked_to, reverse=False
    )
    customers = [friend.external_user_id for friend in page.items if friend.friendship.lasts]
    codes: Mapping[str, int] = {}
    if customers:
        codes = wecom.ask(
            transfer.from_user_id,
            transfer.to_user_id,
            customers,
            transfer.message,
            has_left=bool(transfer.has_left),
        )
    rows = [_asked(transfer, one, codes.get(one)) for one in customers]
    transfer.asked_to = page.last or transfer.asked_to
    if not page.more:
        transfer.state = TransferState.WAITING
    _stepped(transfer, rows, wait=_SOON)
    if transfer.state is TransferState.WAITING and not _open(transfer):
        _ended(transfer, at)


def _asked(transfer: Transfer, customer: str, errcode: int | None) -> Handed:
    outcome = TransferOutcome.NO_ANSWER if errcode is None else rules.outcome_of_asking(errcode)
    detail = str(errcode) if outcome is TransferOutcome.FAILED else None
    return Handed(transfer.id, handed_sort(customer), outcome=outcome, detail=detail)


def _look(transfer: Transfer, at: datetime) -> None:
    """Read a page of what became of them; after the last, look again later, or end."""
    results, cursor = wecom.results(
        transfer.from_user_id,
        transfer.to_user_id,
        transfer.cursor or "",
        has_left=bool(transfer.has_left),
    )
    over = [one for one in results[: wecom.MAX_CUSTOMERS] if one.status in _TOLD]
    moved = _moved(transfer, over)
    for one in moved:
        if one.status is Status.DONE:
            _follow(transfer, one, at)
    is_last = not cursor
    transfer.cursor = cursor or None
    if is_last and at - transfer.created_at > rules.PATIENCE:
        _ended(transfer, at)
        return
    wait = rules.polled_again(transfer.created_at, at).total_seconds() if is_last else _SOON
    _stepped(transfer, _rows(transfer, moved), wait=wait)
    if is_last and not _open(transfer):
        _ended(transfer, at)


def _moved(transfer: Transfer, over: list[Result]) -> list[Result]:
    """Of these the customers of this hand-over of whom nothing final was known; at most as many as
    a transaction holds, the others are told again."""
    known = repository.get_handed(transfer.id, [one.customer for one in over])
    open_ones = [
        one
        for one, row in zip(over, known, strict=True)
        if row is not None and rules.next_outcome(row.outcome, _TOLD[one.status]) != row.outcome
    ]
    return open_ones[:ASKED_AT_ONCE]


def _rows(transfer: Transfer, moved: list[Result]) -> list[Handed]:
    return [
        Handed(transfer.id, handed_sort(one.customer), outcome=_TOLD[one.status]) for one in moved
    ]


def _follow(transfer: Transfer, result: Result, at: datetime) -> None:
    """WeCom's pushes of it may come late, and of who was the taker's friend not at all."""
    when = result.at or at
    lost = Happened(Event.HANDED_OVER, when)
    service.apply(transfer.from_user_id, result.customer, lost)
    service.apply(transfer.to_user_id, result.customer, Happened(Event.ADDED, when))


def _stepped(transfer: Transfer, rows: list[Handed], *, wait: float) -> None:
    """Write a step with its rows, all or nothing, and have the next one taken."""
    counts = Counter(transfer.outcomes)
    known = repository.get_handed(transfer.id, [row.external_user_id for row in rows])
    for row, before in zip(rows, known, strict=True):
        if before is not None:
            counts[before.outcome] -= 1
        counts[row.outcome] += 1
    transfer.outcome_document = {outcome.value: n for outcome, n in counts.items()}
    transfer.step = int(transfer.step) + 1

    def attempt(tx: Transaction) -> None:
        repository.save_transfer(tx, transfer)
        for row in rows:
            repository.put_handed(tx, row)

    transact(attempt)
    queueing.move(transfer.id, int(transfer.step), wait)
    count("CUSTOMERS_HANDED_OVER", sum(row.outcome is TransferOutcome.DONE for row in rows))


def _ended(transfer: Transfer, at: datetime, *, problem: str | None = None) -> None:
    transfer.state, transfer.ended_at, transfer.problem = TransferState.DONE, at, problem
    transact(lambda tx: repository.save_transfer(tx, transfer))
    logger.info("customers handed over", transfer=transfer.id, problem=problem)


def _open(transfer: Transfer) -> int:
    """How many WeCom has begun and not ended."""
    return transfer.outcomes.get(TransferOutcome.ASKED, 0)


def _require_none_running(giver: Guide) -> None:
    page = repository.page_of_transfers(giver.wecom_user_id, first=1, after=None, reverse=True)
    if any(one.state in rules.TRANSFER_RUNS for one in page.items):
        text = "A hand-over of this guide's customers is running"
        raise Conflict(text, field=("input", "from_guide_id"))


def _guide(guide_id: str, viewer: Viewer, field: tuple[str, ...]) -> Guide:
    guide = guides.get(guide_id) if ids.prefix_of(guide_id) == "gde" else None
    if guide is None or not viewer.reaches_store(guide.store_id):
        raise NotFound("There is no such guide", field=field)
    if not rules.may_transfer(viewer, guide.store_id):
        raise Forbidden("Managers and headquarters hand customers over", field=field)
    return guide
