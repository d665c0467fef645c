"""Access paths of shops, links, messages, positions, copies and runs."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from pynamodb.attributes import Attribute
from pynamodb.exceptions import PutError, UpdateError
from pynamodb.expressions.condition import Condition

from graphql_api.connectors import models, rules
from graphql_api.connectors.models import (
    ALL_SHOPS,
    SETUP,
    SOLE,
    TOKEN,
    BackLink,
    ConnectorsItem,
    Copy,
    Link,
    Message,
    Position,
    Rate,
    Run,
    Setup,
    Shop,
    Token,
)
from graphql_api.connectors.rules import (
    CopyKind,
    CopyState,
    LinkKind,
    MessageState,
    Outcome,
    Problem,
)
from graphql_api.kit.dynamo import Item, Page, Transaction, batch_get, key_page
from graphql_api.kit.dynamo.blocks import key_walk
from graphql_api.kit.dynamo.partitions import delete_all

_ALL_AT_ONCE = 100


# --- shops -----------------------------------------------------------------------------------


def get_shops(shop_ids: Sequence[str]) -> list[Shop | None]:
    """Shops by id."""
    return batch_get(Shop, [(id_, SOLE) for id_ in shop_ids])


def get_shop(shop_id: str) -> Shop | None:
    """One shop as it is now (strongly consistent), to decide on."""
    return batch_get(Shop, [(shop_id, SOLE)], consistent=True)[0]


def page_of_shops(*, first: int, after: str | None, reverse: bool) -> Page[Shop]:
    """All shops by time of linking: one Query, one BatchGetItem."""
    return _listed(Shop, ALL_SHOPS, first=first, after=after, reverse=reverse)


def all_shops() -> list[Shop]:
    """Every shop; they are few."""
    found: list[Shop] = []
    after: str | None = None
    while True:
        page = page_of_shops(first=_ALL_AT_ONCE, after=after, reverse=False)
        found += page.items
        if not page.more:
            return found
        after = page.last


def create_shop(tx: Transaction, shop: Shop) -> None:
    """Add a shop that is not there."""
    shop.listed, shop.place = ALL_SHOPS, models.place_of(shop.created_at, shop.id)
    tx.create(shop)


def save_shop(tx: Transaction, shop: Shop) -> None:
    """Write a shop over the version that was read."""
    tx.save(shop)


def delete_shop(tx: Transaction, shop: Shop) -> None:
    """Remove a shop in the version that was read."""
    tx.delete(shop)


# --- links -----------------------------------------------------------------------------------


def our_ids(shop_id: str, kind: LinkKind, vendor_keys: Sequence[str]) -> list[str | None]:
    """What things of the vendor are here; None where nobody said so."""
    found = batch_get(Link, [(shop_id, models.link_sort(kind, key)) for key in vendor_keys])
    return [link.our_id if link else None for link in found]


def our_id(shop_id: str, kind: LinkKind, vendor_key: str) -> str | None:
    """What a thing of the vendor is here."""
    return our_ids(shop_id, kind, [vendor_key])[0]


def vendor_keys(shop_id: str, kind: LinkKind, our_ids: Sequence[str]) -> list[str | None]:
    """What things of ours are at the vendor; None where nobody said so."""
    found = batch_get(BackLink, [(shop_id, models.back_sort(kind, id_)) for id_ in our_ids])
    return [link.vendor_key if link else None for link in found]


def vendor_key(shop_id: str, kind: LinkKind, our_id: str) -> str | None:
    """What a thing of ours is at the vendor."""
    return vendor_keys(shop_id, kind, [our_id])[0]


def page_of_links(
    shop_id: str, kind: LinkKind, *, first: int, after: str | None, reverse: bool
) -> Page[Link]:
    """The links of a shop's things of a kind, by the vendor's key: one Query."""
    return key_page(
        Link,
        shop_id,
        Link.sort,
        first=first,
        after=after,
        reverse=reverse,
        starts_with=models.link_sort(kind, ""),
    )


def has_link(shop_id: str, kind: LinkKind) -> bool:
    """Whether anything of a kind is linked: one Query."""
    return bool(page_of_links(shop_id, kind, first=1, after=None, reverse=False).items)


def linked_tags(shop_id: str) -> list[str]:
    """The vendor's keys of all tags that are linked; a chain has a few hundred at most."""
    found: list[str] = []
    after: str | None = None
    while True:
        page = page_of_links(shop_id, LinkKind.TAG, first=_ALL_AT_ONCE, after=after, reverse=False)
        found += [link.vendor_key for link in page.items]
        if not page.more:
            return found
        after = page.last


def put_link(
    tx: Transaction, shop_id: str, kind: LinkKind, vendor_key: str, our_id: str, *, at: datetime
) -> None:
    """Say what a thing of the vendor is here, both ways, whatever was said before."""
    sort, back = models.link_sort(kind, vendor_key), models.back_sort(kind, our_id)
    tx.put(Link(shop_id, sort, kind=kind, vendor_key=vendor_key, our_id=our_id, created_at=at))
    tx.put(BackLink(shop_id, back, kind=kind, vendor_key=vendor_key))


def take_link(tx: Transaction, link: Link, *, keep: bool = False) -> None:
    """Unsay it, both ways; the way back stays where another key of the vendor has it by now.

    With `keep` only the way back goes: the way there is written anew.
    """
    if not keep:
        tx.delete(Link(link.id, link.sort), condition=Link.our_id == link.our_id)
    back = models.back_sort(link.kind, link.our_id)
    if vendor_key(link.id, link.kind, link.our_id) == link.vendor_key:
        tx.delete(BackLink(link.id, back), condition=BackLink.vendor_key == link.vendor_key)


def get_link(shop_id: str, kind: LinkKind, vendor_key: str) -> Link | None:
    """A link as it is now (strongly consistent), to decide on."""
    key = (shop_id, models.link_sort(kind, vendor_key))
    return batch_get(Link, [key], consistent=True)[0]


# --- messages --------------------------------------------------------------------------------


def receive(message: Message) -> Message | None:
    """Keep a message that is not there; the one that is, if it was sent before."""
    absent = ConnectorsItem.id.does_not_exist()
    try:
        message.save(condition=absent)
    except PutError as error:
        if error.cause_response_code != "ConditionalCheckFailedException":
            raise
        return get_message(message.id)
    return None


def get_messages(message_ids: Sequence[str]) -> list[Message | None]:
    """Messages by id."""
    return batch_get(Message, [(id_, SOLE) for id_ in message_ids])


def get_message(message_id: str) -> Message | None:
    """A message as it is now (strongly consistent), to decide on."""
    return batch_get(Message, [(message_id, SOLE)], consistent=True)[0]


def page_of_messages(
    shop_id: str,
    since: datetime,
    until: datetime,
    *,
    first: int,
    after: str | None,
    reverse: bool,
) -> Page[Message]:
    """A shop's messages by time of arrival, of whole days: one Query for each that it touches."""
    days = (until.date() - since.date()).days
    keys = key_walk(
        lambda day, **page: key_page(ConnectorsItem.by_list, day, ConnectorsItem.place, **page),
        [models.day_key(shop_id, since + timedelta(days=n)) for n in range(days + 1)],
        first=first,
        after=after,
        reverse=reverse,
    )
    return _with_items(Message, keys)


def page_of_open_messages(
    shop_id: str, state: MessageState, *, first: int, after: str | None, reverse: bool
) -> Page[Message]:
    """A shop's messages that wait, or that were given up, by time of arrival."""
    key = models.open_key(shop_id, "message", state)
    return _opened(Message, key, first=first, after=after, reverse=reverse)


def settle(message: Message, outcome: Outcome, note: str | None, *, at: datetime) -> bool:
    """Write that a message is done with; False when another attempt of its turn was faster."""
    message.move(MessageState.HANDLED)
    actions: list[Any] = [
        Message.state.set(message.state),
        Message.outcome.set(outcome),
        _set(Message.note, note),
        Message.turn.set(int(message.turn) + 1),
        Message.attempts.set(int(message.attempts) + 1),
        Message.handled_at.set(at),
        Message.next_at.remove(),
        Message.problem.remove(),
        Message.detail.remove(),
        ConnectorsItem.open_in.remove(),
    ]
    return _updated(message, actions, Message.turn == message.turn)


def fail(
    message: Message, problem: Problem, detail: str | None, *, next_at: datetime | None
) -> bool:
    """Write that an attempt failed, and when the next is; with None the message is given up.

    False when another attempt of its turn was faster.
    """
    message.move(MessageState.WAITING if next_at else MessageState.DEAD)
    actions: list[Any] = [
        Message.state.set(message.state),
        Message.turn.set(int(message.turn) + 1),
        Message.attempts.set(int(message.attempts) + 1),
        _set(Message.next_at, next_at),
        Message.problem.set(problem),
        _set(Message.detail, detail),
        ConnectorsItem.open_in.set(message.open_in),
    ]
    return _updated(message, actions, Message.turn == message.turn)


def begin_again(message: Message, at: datetime) -> bool:
    """Have a message handled from the start; False when it moved since it was read."""
    turn = int(message.turn)
    message.move(MessageState.WAITING)
    message.turn, message.attempts = turn + 1, 0
    message.begun_at = message.next_at = at
    actions: list[Any] = [
        Message.state.set(message.state),
        Message.turn.set(turn + 1),
        Message.attempts.set(0),
        Message.begun_at.set(at),
        Message.next_at.set(at),
        ConnectorsItem.open_in.set(message.open_in),
    ]
    return _updated(message, actions, Message.turn == turn)


# --- positions -------------------------------------------------------------------------------


def hold(position_id: str, holder: str, *, at: datetime, until: datetime) -> Position | None:
    """Take a position for a time; None while somebody else has it."""
    position = Position(position_id)
    free = Position.held_until.does_not_exist() | (Position.held_until < at)
    actions: list[Any] = [Position.held_by.set(holder), Position.held_until.set(until)]
    # What a position is for outlives the messages that could still be replayed.
    actions.append(ConnectorsItem.forget_at.set(at + 2 * rules.KEPT))
    return position if _updated(position, actions, free) else None


def let_go(position: Position, holder: str, *, applied: int | None) -> bool:
    """Give a position up, with how far was applied; False when it was lost before."""
    actions: list[Any] = [Position.held_by.remove(), Position.held_until.remove()]
    if applied is not None:
        actions.append(Position.applied.set(applied))
    return _updated(position, actions, Position.held_by == holder)


# --- tokens and rates ------------------------------------------------------------------------


def get_token(shop_id: str) -> Token | None:
    """A shop's token as it is now (strongly consistent)."""
    return batch_get(Token, [(shop_id, TOKEN)], consistent=True)[0]


def ask_token(
    shop_id: str, holder: str, *, seen: datetime | None, at: datetime, until: datetime
) -> bool:
    """Be the one who asks for a token, for a time; False while somebody else is, or got one."""
    free = Token.asked_until.does_not_exist() | (Token.asked_until < at)
    same = Token.got_at.does_not_exist() if seen is None else Token.got_at == seen
    actions: list[Any] = [Token.asked_by.set(holder), Token.asked_until.set(until)]
    return _updated(Token(shop_id, TOKEN), actions, free & same)


def give_up_token(shop_id: str, holder: str) -> bool:
    """Let somebody else ask."""
    actions: list[Any] = [Token.asked_by.remove(), Token.asked_until.remove()]
    return _updated(Token(shop_id, TOKEN), actions, Token.asked_by == holder)


def store_token(
    shop_id: str, holder: str, sealed: str, *, got_at: datetime, expires_at: datetime
) -> bool:
    """Keep a token that was got; False when its asker took too long and somebody else asks."""
    actions: list[Any] = [
        Token.sealed.set(sealed),
        Token.got_at.set(got_at),
        Token.expires_at.set(expires_at),
        Token.asked_by.remove(),
        Token.asked_until.remove(),
    ]
    return _updated(Token(shop_id, TOKEN), actions, Token.asked_by == holder)


def end_token(shop_id: str, *, got_at: datetime, at: datetime) -> bool:
    """Have a token end now, unless there is another one by now."""
    actions: list[Any] = [Token.expires_at.set(at)]
    return _updated(Token(shop_id, TOKEN), actions, Token.got_at == got_at)


def count_call(shop_id: str, api: str, at: datetime, *, at_most: int) -> bool:
    """Count a call of a shop's API within its second; False when so many were made."""
    rate = Rate(models.rate_id(shop_id, api, at))
    room = Rate.calls.does_not_exist() | (Rate.calls < at_most)
    actions: list[Any] = [
        Rate.calls.add(1),
        ConnectorsItem.forget_at.set(at + timedelta(minutes=10)),
    ]
    return _updated(rate, actions, room)


# --- copies ----------------------------------------------------------------------------------


def get_copies(copy_ids: Sequence[str]) -> list[Copy | None]:
    """Copies as they are now (strongly consistent), to decide on."""
    return batch_get(Copy, [(id_, SOLE) for id_ in copy_ids], consistent=True)


def page_of_open_copies(
    shop_id: str, state: CopyState, *, first: int, after: str | None, reverse: bool
) -> Page[Copy]:
    """What a shop has to be told, or was not told in a day of trying."""
    key = models.open_key(shop_id, "copy", state)
    return _opened(Copy, key, first=first, after=after, reverse=reverse)


def delete_copies(copy_ids: Sequence[str]) -> None:
    """Delete copies, without conditions; absent ones stay absent."""
    delete_all(Copy, [(id_, SOLE) for id_ in copy_ids])


def mark_due(shop_id: str, kind: CopyKind, subject_id: str, at: datetime) -> Copy:
    """Have a copy be compared from the start, at a turn of its own; it is made where it is not."""
    copy = _copy(shop_id, kind, subject_id, CopyState.DUE, at)
    actions: list[Any] = [
        *_whose(copy),
        Copy.state.set(CopyState.DUE),
        Copy.turn.add(1),
        Copy.attempts.set(0),
        Copy.begun_at.set(at),
        Copy.next_at.set(at),
        ConnectorsItem.open_in.set(copy.open_in),
        ConnectorsItem.place.set(copy.place),
        Copy.problem.remove(),
        Copy.detail.remove(),
    ]
    copy.update(actions=actions, add_version_condition=False)
    return copy


def note_heard(
    shop_id: str, kind: CopyKind, subject_id: str, known: Copy | None, told: Any, at: datetime
) -> bool:
    """Write what a vendor has, over what was known; False when somebody else wrote meanwhile."""
    copy = known or _copy(shop_id, kind, subject_id, CopyState.TOLD, at)
    actions: list[Any] = [_set(Copy.told, told)]
    if known is None:
        actions += [*_whose(copy), Copy.state.set(copy.state), Copy.begun_at.set(at)]
        actions += [Copy.turn.set(0), Copy.attempts.set(0)]
        return _updated(copy, actions, ConnectorsItem.id.does_not_exist())
    same = Copy.told.does_not_exist() if known.told is None else Copy.told == known.told
    return _updated(copy, actions, same)


def note_told(copy: Copy, told: Any, *, at: datetime) -> bool:
    """Write that a vendor has what we had; False when it became due again, and is told anew."""
    actions: list[Any] = [
        _set(Copy.told, told),
        Copy.state.set(CopyState.TOLD),
        Copy.told_at.set(at),
        Copy.turn.set(int(copy.turn) + 1),
        Copy.next_at.remove(),
        Copy.problem.remove(),
        Copy.detail.remove(),
        ConnectorsItem.open_in.remove(),
    ]
    return _updated(copy, actions, Copy.turn == copy.turn)


def note_untold(
    copy: Copy, problem: Problem, detail: str | None, *, next_at: datetime | None
) -> bool:
    """Write that an attempt failed, and when the next is; with None the copy is given up."""
    copy.move(CopyState.DUE if next_at else CopyState.DEAD)
    actions: list[Any] = [
        Copy.state.set(copy.state),
        Copy.turn.set(int(copy.turn) + 1),
        Copy.attempts.set(int(copy.attempts) + 1),
        _set(Copy.next_at, next_at),
        Copy.problem.set(problem),
        _set(Copy.detail, detail),
        ConnectorsItem.open_in.set(copy.open_in),
    ]
    return _updated(copy, actions, Copy.turn == copy.turn)


def note_asked(copy: Copy, told: Any) -> bool:
    """Write what is being asked for, before it is; False when the copy moved."""
    return _updated(copy, [_set(Copy.told, told)], Copy.turn == copy.turn)


def _copy(shop_id: str, kind: CopyKind, subject_id: str, state: CopyState, at: datetime) -> Copy:
    copy = Copy(
        models.copy_id(shop_id, kind, subject_id),
        shop_id=shop_id,
        kind=kind,
        subject_id=subject_id,
        begun_at=at,
    )
    copy.move(state)
    return copy


def _whose(copy: Copy) -> list[Any]:
    return [
        Copy.shop_id.set(copy.shop_id),
        Copy.kind.set(copy.kind),
        Copy.subject_id.set(copy.subject_id),
    ]


# --- runs and setup --------------------------------------------------------------------------


def get_run(run_id: str) -> Run | None:
    """A run as it is now (strongly consistent), to decide on."""
    return batch_get(Run, [(run_id, SOLE)], consistent=True)[0]


def get_runs(run_ids: Sequence[str]) -> list[Run | None]:
    """Runs by id."""
    return batch_get(Run, [(id_, SOLE) for id_ in run_ids])


def create_run(tx: Transaction, run: Run) -> None:
    """Add a run that is not there."""
    run.listed = models.runs_key(run.shop_id)
    run.place = models.place_of(run.started_at, run.id)
    tx.create(run)


def save_run(tx: Transaction, run: Run) -> None:
    """Write a run over the version that was read."""
    tx.save(run)


def page_of_runs(shop_id: str, *, first: int, after: str | None, reverse: bool) -> Page[Run]:
    """The runs of a shop by time."""
    return _listed(Run, models.runs_key(shop_id), first=first, after=after, reverse=reverse)


def get_setup() -> Setup | None:
    """What holds for all vendors (strongly consistent); None before anybody said so."""
    return batch_get(Setup, [(SETUP, SOLE)], consistent=True)[0]


def save_setup(tx: Transaction, setup: Setup) -> None:
    """Write it over the version that was read."""
    if setup.version is None:
        tx.create(setup)
    else:
        tx.save(setup)


# --- how -------------------------------------------------------------------------------------


def _set(attribute: Attribute[Any], value: Any) -> Any:
    return attribute.remove() if value is None else attribute.set(value)


def _updated(item: Item, actions: list[Any], condition: Condition) -> bool:
    try:
        item.update(actions=actions, condition=condition, add_version_condition=False)
    except UpdateError as error:
        if error.cause_response_code == "ConditionalCheckFailedException":
            return False
        raise
    return True


def _listed(model: Any, key: str, **page: Any) -> Page[Any]:
    return _with_items(model, key_page(ConnectorsItem.by_list, key, ConnectorsItem.place, **page))


def _opened(model: Any, key: str, **page: Any) -> Page[Any]:
    return _with_items(model, key_page(ConnectorsItem.by_open, key, ConnectorsItem.place, **page))


def _with_items(model: Any, keys: Page[Any]) -> Page[Any]:
    return keys.showing(batch_get(model, [key.key for key in keys.items]))
