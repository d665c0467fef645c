"""The steps of a send: its friends are listed, WeCom is asked once, and asked what became of it."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from graphql_api.connectors.errors import Later, NotSetUp
from graphql_api.connectors.wecom import sends as wecom
from graphql_api.connectors.weixin_errors import Refused
from graphql_api.errors import Unavailable
from graphql_api.friends import repository as friends
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.kit.time import Clock, real_now
from graphql_api.observability import count, logger
from graphql_api.sends import queueing, repository, rules
from graphql_api.sends.models import Send, Target, target_sort
from graphql_api.sends.queueing import Step
from graphql_api.sends.rules import SendKind, SendOutcome, SendState
from graphql_api.stores import service as stores

AT_ONCE = 70  # as many as a transaction holds beside the send
MAX_ATTEMPTS = 24
_SOON = 1.0
_LATER = 60.0
_SLACK = timedelta(minutes=5)
"""By how much WeCom's clock and ours may differ."""


def follow(
    wanted: Step,
    *,
    now: Callable[[], datetime] = real_now,
    clock: Callable[[], Clock] = stores.clock,
) -> None:
    """Take a step, if the send is still at it, and leave the next to another message.

    While WeCom cannot be asked, the same step comes again for some hours; then it raises. What
    WeCom refuses ends the send, with the reason.
    """
    send = repository.get(wanted.send)
    if send is None or send.state not in rules.RUNS:
        return
    if send.step == wanted.step + 1:  # who took this step may have died before asking for the next
        queueing.step(send.id, int(send.step), _SOON)
    if send.step != wanted.step:
        return
    try:
        _take(send, now(), clock)
    except (Later, NotSetUp, Unavailable) as error:
        if wanted.attempts >= MAX_ATTEMPTS:
            raise
        logger.warning("send later", send=send.id, reason=str(error))
        wait = _LATER * 2 ** min(wanted.attempts, 4)
        queueing.step(send.id, wanted.step, wait, attempts=wanted.attempts + 1)
    except Refused as refusal:
        _end(send, SendState.FAILED, now(), problem=f"{refusal.code}: {refusal.meaning}")


def _take(send: Send, at: datetime, clock: Callable[[], Clock]) -> None:
    match send.state:
        case SendState.LISTING:
            _list(send, at, clock())
        case SendState.ASKING:
            _ask(send, at)
        case _ if send.kind is SendKind.MASS:
            _look(send, at)
        case _:
            _look_at_moment(send, at)


# --- to whom ---------------------------------------------------------------------------------


def _list(send: Send, at: datetime, clock: Clock) -> None:
    """Put the next friends on the list, ten thousand at most."""
    page = friends.page_of_user(send.user_id, first=AT_ONCE, after=send.listed_to, reverse=False)
    found = [friend.external_user_id for friend in page.items if friend.friendship.lasts]
    if send.tag_id is not None:
        known = friends.members_of(found)
        found = [
            one
            for one, member in zip(found, known, strict=True)
            if member is not None and send.tag_id in member.tags_on(clock.today())
        ]
    room = rules.MAX_FRIENDS - sum(send.outcomes.values())
    send.listed_to = page.last or send.listed_to
    if not page.more or len(found) >= room:
        send.state = SendState.ASKING
    rows = dict.fromkeys(found[:room], SendOutcome.UNSENT)
    _step(send, rows, wait=_SOON)
    if send.state is SendState.ASKING and not send.outcomes:
        _end(send, SendState.DONE, at)


# --- asking once -----------------------------------------------------------------------------


def _ask(send: Send, at: datetime) -> None:
    """Ask WeCom for the task, once: an attempt before this one may have made it."""
    is_first = send.asked_at is None
    if is_first:
        send.asked_at = at
        transact(lambda tx: repository.save(tx, send))
    try:
        is_mass = send.kind is SendKind.MASS
        failed = (_ask_mass if is_mass else _ask_moment)(send, at, is_first=is_first)
    except Later as later:
        if is_first and not later.is_unsure:  # surely not made: the next attempt is the first again
            send.asked_at = None
            transact(lambda tx: repository.save(tx, send))
        raise
    if failed is not None:
        send.state = SendState.WAITING
        _step(send, dict.fromkeys(failed, SendOutcome.REFUSED), wait=_SOON)


def _ask_mass(send: Send, at: datetime, *, is_first: bool) -> Sequence[str] | None:
    found = None
    if not is_first and send.asked_at is not None:
        found = wecom.find_mass(send.user_id, send.text, send.asked_at - _SLACK, at + _SLACK)
    failed: list[str] = []
    if found is None:
        customers = repository.all_targets(send.id)
        found, failed = wecom.create_mass(send.user_id, customers, send.text, send.link)
    send.task_id = found
    return failed[:AT_ONCE]


def _ask_moment(send: Send, at: datetime, *, is_first: bool) -> Sequence[str] | None:
    """None where nobody knows whether it was made: a job cannot be found again, its moment can."""
    if is_first:
        send.task_id = wecom.create_moment(send.user_id, send.text, send.link)
        return ()
    assert send.asked_at is not None
    send.moment_id = wecom.find_moment(send.text, send.asked_at - _SLACK, at + _SLACK)
    if send.moment_id is None:
        _end(send, SendState.UNSURE, at)
        return None
    return ()


# --- what became of it -----------------------------------------------------------------------


def _look(send: Send, at: datetime) -> None:
    """Whether the guide confirmed; then what became of a page of friends."""
    if send.confirmed_at is None:
        send.confirmed_at = wecom.mass_confirmed_at(str(send.task_id), send.user_id)
        if send.confirmed_at is None:
            _wait(send, at)
            return
        send.state = SendState.CONFIRMED
    told, cursor = wecom.mass_results(str(send.task_id), send.user_id, send.cursor or "")
    over = {one: rules.OUTCOMES.get(n, SendOutcome.UNSENT) for one, n in told.items()}
    known = repository.get_targets(send.id, list(over))
    fresh = {
        target.external_user_id: over[target.external_user_id]
        for target in known
        if target is not None
        and rules.next_outcome(target.outcome, over[target.external_user_id]) != target.outcome
    }
    rows = dict(list(fresh.items())[:AT_ONCE])
    if len(rows) == len(fresh):
        send.cursor = cursor or None  # else the same page is read once more
    is_last = not cursor and len(rows) == len(fresh)
    if (is_last and not _open(send, rows)) or (is_last and rules.is_given_up(send.created_at, at)):
        _step(send, rows, wait=None)
        _end(send, SendState.DONE, at)
    else:
        _step(send, rows, wait=rules.POLLED_EVERY.total_seconds() if is_last else _SOON)


def _look_at_moment(send: Send, at: datetime) -> None:
    """Whether the moment is made, then published; then who can see it."""
    if send.moment_id is None:
        made = wecom.moment_of(str(send.task_id))
        if made.problem is not None:
            _end(send, SendState.FAILED, at, problem=made.problem)
            return
        send.moment_id = made.moment_id
        if made.moment_id is None:
            _wait(send, at)
            return
    if send.confirmed_at is None:
        if not wecom.is_published(send.moment_id, send.user_id):
            _wait(send, at)
            return
        send.confirmed_at, send.state = at, SendState.CONFIRMED
    seers, cursor = wecom.moment_seers(send.moment_id, send.user_id, send.cursor or "")
    known = repository.get_targets(send.id, seers)
    fresh = [one for one, target in zip(seers, known, strict=True) if target is None]
    rows = dict.fromkeys(fresh[:AT_ONCE], SendOutcome.SENT)
    if len(rows) == len(fresh):
        send.cursor = cursor or None
    if not cursor and len(rows) == len(fresh):
        _step(send, rows, wait=None)
        _end(send, SendState.DONE, at)
    else:
        _step(send, rows, wait=_SOON)


def _wait(send: Send, at: datetime) -> None:
    if rules.is_given_up(send.created_at, at):
        _end(send, SendState.DONE, at, problem="the guide did not confirm it")
        return
    _step(send, {}, wait=rules.POLLED_EVERY.total_seconds())


# --- writing ---------------------------------------------------------------------------------


def _step(send: Send, rows: dict[str, SendOutcome], *, wait: float | None) -> None:
    """Write a step with its friends, all or nothing, and have the next one taken."""
    counts = Counter(send.outcomes)
    known = repository.get_targets(send.id, list(rows))
    for before, (_, outcome) in zip(known, rows.items(), strict=True):
        if before is not None:
            counts[before.outcome] -= 1
        counts[outcome] += 1
    send.outcome_document = {outcome.value: n for outcome, n in counts.items() if n}
    send.step = int(send.step) + 1

    def attempt(tx: Transaction) -> None:
        repository.save(tx, send)
        for customer, outcome in rows.items():
            repository.put_target(tx, Target(send.id, target_sort(customer), outcome=outcome))

    transact(attempt)
    if wait is not None:
        queueing.step(send.id, int(send.step), wait)


def _end(send: Send, state: SendState, at: datetime, *, problem: str | None = None) -> None:
    send.state, send.ended_at, send.problem = state, at, problem
    transact(lambda tx: repository.save(tx, send))
    count(f"SEND_{state.value}")
    logger.info("send ended", send=send.id, state=state.value, problem=problem)


def _open(send: Send, rows: dict[str, SendOutcome]) -> int:
    """How many friends nothing is known of after these."""
    unsent = send.outcomes.get(SendOutcome.UNSENT, 0)
    return unsent - sum(outcome is not SendOutcome.UNSENT for outcome in rows.values())
