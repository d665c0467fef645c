"""From what WeCom pushes to friendships, members and owners, and to welcomes in time."""

import time
from collections.abc import Callable, Sequence
from datetime import date, datetime

from graphql_api.codes import service as codes
from graphql_api.codes.rules import Came
from graphql_api.config import settings
from graphql_api.connectors.errors import Later, NotSetUp
from graphql_api.connectors.turns import turn_of
from graphql_api.connectors.wecom import contacts
from graphql_api.connectors.wecom.events import ContactEvent, Push
from graphql_api.connectors.weixin_errors import Refused
from graphql_api.errors import AppError, Unavailable
from graphql_api.friends import (
    queueing,
    repository,
    rules,
    service,
    tag_links,
    tagging,
    transfers,
    ways,
)
from graphql_api.friends.models import Friend, Welcome, place_of
from graphql_api.friends.queueing import Check, Follow, Keep, Meet, Move, Sync
from graphql_api.friends.rules import Event, Happened
from graphql_api.guides import repository as guides
from graphql_api.kit.time import Clock, real_now
from graphql_api.members import service as member_service
from graphql_api.members.models import SOLE, Member
from graphql_api.members.rules import IdentityKind, OwnershipSource
from graphql_api.members.service import IdentityChange, NewIdentity
from graphql_api.observability import count, logger
from graphql_api.ownership import service as ownership
from graphql_api.ownership.service import Assign
from graphql_api.stores import repository as stores
from graphql_api.stores import service as store_service
from graphql_api.viewer import SYSTEM
from graphql_api.webhooks.tasks import Change

MAX_ATTEMPTS = 24
_WAITS = (5.0, 15.0, 60.0, 300.0, 900.0)
_PAGE = 100
_TRY_AGAIN = 1.0
_INDEX_SECONDS = 5.0
"""After which an index shows what was written."""
TRANSFERRED = "DELETE_BY_TRANSFER"

_EVENTS = {
    Push.ADDED: Event.ADDED,
    Push.HALF_ADDED: Event.HALF_ADDED,
    Push.DELETED_BY_GUIDE: Event.DELETED_BY_GUIDE,
    Push.DELETED_BY_CUSTOMER: Event.DELETED_BY_CUSTOMER,
}


# --- events ----------------------------------------------------------------------------------


def follow(text: str, *, clock: Callable[[], Clock] = store_service.clock) -> None:
    """One message of the queue of contacts; again, it finds what was done.

    While WeCom cannot be asked, the same comes again, for some hours; then it raises.
    """
    wanted = queueing.read(text)
    try:
        match wanted:
            case Meet():
                meet(wanted.meet, clock=clock())
            case Keep():
                keep_ways(wanted.keep_ways, at=real_now())
            case Move():
                transfers.move(wanted.transfer, wanted.step)
            case Sync():
                tagging.sync(wanted.tags_of, clock=clock())
            case Check():
                tag_links.check()
            case Follow():
                follow_event(wanted, clock=clock())
    except (Later, NotSetUp, Unavailable) as error:
        if wanted.attempts >= MAX_ATTEMPTS:
            raise
        wait = _WAITS[min(wanted.attempts, len(_WAITS) - 1)]
        seconds = error.seconds if isinstance(error, Later) else wait
        count("CONTACT_LATER")
        logger.warning("contact later", reason=str(error), attempts=wanted.attempts)
        queueing.again(wanted, max(wait, seconds))


def follow_event(event: Follow | ContactEvent, *, clock: Clock) -> Friend | None:
    """A friendship after an event, its member and their guide; None for one of no friendship."""
    happened = happened_in(event)
    if happened is None:
        if event.push is Push.EDITED:
            _sync_soon([event.external_user_id])
        return None
    friend = service.apply(event.user_id, event.external_user_id, happened)
    if happened.event in rules.BEGINS:  # though it may be over by now, and this come late
        meet(event.external_user_id, clock=clock, new=friend)
    return friend


def happened_in(event: ContactEvent) -> Happened | None:
    """What an event means for the friendship; None where it means nothing."""
    kind = _EVENTS.get(event.push)
    if kind is None:
        return None
    if kind is Event.DELETED_BY_GUIDE and event.source == TRANSFERRED:
        kind = Event.HANDED_OVER
    return Happened(kind, event.created_at, event.state)


# --- members ---------------------------------------------------------------------------------


def meet(external_user_id: str, *, clock: Clock, new: Friend | None = None) -> Member | None:
    """The member whom a customer is, who then holds that identity; None while there is none.

    That they came through the codes of their friendships is noted, and whom nobody looks after gets
    the guide of their home store whose friend they are, the oldest first. Again changes nothing.
    A friendship that is `new` need not be in the index yet.
    """
    member = _member_of(external_user_id)
    if member is None or member.archived_at is not None:
        return None
    page = repository.page_of_customer(external_user_id, first=_PAGE, after=None, reverse=False)
    known = {friend.id: friend for friend in page.items}
    if new is not None:
        known[new.id] = new
    friends = sorted(known.values(), key=place_of)
    for friend in friends:
        if friend.code_id is not None and friend.scene_at is not None:
            codes.came(friend.code_id, member.id, Came.FRIENDED, at=friend.scene_at)
    _sync_soon([external_user_id], _INDEX_SECONDS)
    _own(member, [friend for friend in friends if friend.friendship.lasts], clock)
    return member


def _member_of(external_user_id: str) -> Member | None:
    [member] = repository.members_of([external_user_id])
    if member is not None:
        return member
    customer = repository.get_customer(external_user_id)
    if customer is None or customer.union_id is None:
        union_id = contacts.union_id_of(external_user_id)
        repository.put_customer(external_user_id, union_id)
    else:
        union_id = customer.union_id
    if union_id is None:
        return None
    member_id = member_service.find([NewIdentity(kind=IdentityKind.UNIONID, value=union_id)])
    if member_id is None:
        return None
    identity = NewIdentity(kind=IdentityKind.WECOM_EXTERNAL, value=external_user_id)
    try:
        change = IdentityChange(member_id=member_id, identity=identity)
        return member_service.add_identity(change, viewer=SYSTEM)
    except Unavailable:
        raise
    except AppError as refusal:
        logger.info("customer not linked", member=member_id, code=refusal.code)
        return None


def _own(member: Member, friends: Sequence[Friend], clock: Clock) -> None:
    """Give a member whom nobody looks after to the first of these guides who may have them."""
    if member.owned_on(clock.today()) is not None:
        return
    for friend in friends:
        guide = guides.get(friend.guide_id) if friend.guide_id else None
        if guide is None or guide.store_id != member.store_id:
            continue
        given = Assign(member_id=member.id, guide_id=guide.id, source=OwnershipSource.WECOM_FRIEND)
        try:
            ownership.assign(given, viewer=SYSTEM, clock=clock)
        except Unavailable:
            raise
        except AppError as refusal:
            logger.info("friend not assigned", member=member.id, code=refusal.code)
            continue
        return


def notice(changes: Sequence[Change]) -> int:
    """Have customers looked up whose unionid a member has brought; how many.

    Of members that have none, or had the same before, nothing is read.
    """
    if not settings().wecom_corp_id:
        return 0
    _notice_tags(changes)
    brought = sorted({claim for change in changes for claim in _brought(change)})
    if not brought:
        return 0
    known = [id_ for id_ in repository.customers_by_union(brought) if id_ is not None]
    queueing.meet(known)
    return len(known)


def _sync_soon(external_user_ids: list[str], delay: float = 0) -> None:
    """Have tags compared, where any are linked."""
    if tag_links.followed():
        queueing.sync(external_user_ids, delay)


def _notice_tags(changes: Sequence[Change]) -> None:
    """Have the tags of customers compared who are members whose linked tags changed."""
    tagged = [found for change in changes if (found := _tagged(change)) is not None]
    if not tagged:
        return
    linked = {link.tag_id for link in tag_links.followed()}
    customers = {
        i.value
        for member, tag_ids in tagged
        if linked & tag_ids
        for i in member.identities
        if i.kind is IdentityKind.WECOM_EXTERNAL
    }
    if customers:
        queueing.sync(sorted(customers))


def _tagged(change: Change) -> tuple[Member, set[str]] | None:
    """A member and which of their tags changed; None where none did."""
    new = _member_in(change)
    if new is None or change.old is None:
        return None
    was, is_now = Member.from_raw_data(change.old).tags, new.tags
    changed = {id_ for id_ in was.keys() | is_now.keys() if was.get(id_) != is_now.get(id_)}
    return (new, changed) if changed else None


def _member_in(change: Change) -> Member | None:
    """The member as a change left them; None for a change of something else."""
    key = (change.new or {}).get("id", {}).get("S"), (change.new or {}).get("sort", {}).get("S")
    if change.new is None or key[0] is None or key[1] != SOLE or not Member.owns((key[0], SOLE)):
        return None
    return Member.from_raw_data(change.new)


def _brought(change: Change) -> set[str]:
    """The unionids that a member has since a write."""
    member = _member_in(change)
    if member is None:
        return set()
    return _union_ids(member) - (
        _union_ids(Member.from_raw_data(change.old)) if change.old else set()
    )


def _union_ids(member: Member) -> set[str]:
    return {i.value for i in member.identities if i.kind is IdentityKind.UNIONID}


# --- contact ways ----------------------------------------------------------------------------


def keep_ways(day: date, *, at: datetime) -> int:
    """Lead contact ways to the guides at work now, once on a day of the chain; how many changed.

    Links of tags are looked at too: perhaps no push told that a tag is gone. Where WeCom cannot be
    asked, the rest waits for the next time that somebody wants it on this day. Raises Later while
    somebody is at it.
    """
    with turn_of(tagging.SOURCE, "ways", day.isoformat()):
        if repository.was_kept(day):
            return 0
        try:
            led = ways.keep(at)
            tag_links.check()
        except (Later, NotSetUp, Refused) as error:
            logger.warning("contact ways not led", reason=str(error))
            return 0
        repository.note_kept(day)
    logger.info("contact ways led anew", ways=led)
    return led


# --- the fast lane ---------------------------------------------------------------------------


def greet(
    text: str,
    *,
    now: Callable[[], datetime] = real_now,
    sleep: Callable[[float], None] = time.sleep,
) -> bool:
    """Welcome a new friend while their code works; whether they were welcomed by this.

    Another app that is at it, and a WeCom that is busy, are waited for within the 20 seconds. After
    them there is nothing left to do: nothing of this is tried again later.
    """
    event = ContactEvent.model_validate_json(text)
    welcome, names = _welcome_for(event.user_id)
    if event.welcome_code is None or welcome is None:
        count("WELCOME_NONE")
        return False
    words = rules.welcome_text(welcome.text, **names)
    while rules.may_welcome(event.created_at, now()):
        try:
            done = contacts.send_welcome(event.welcome_code, words, welcome.link)
        except Later as later:
            sleep(max(_TRY_AGAIN, min(later.seconds, 2.0)))
            continue
        except (Refused, NotSetUp) as refusal:
            count("WELCOME_REFUSED")
            logger.warning("friend not welcomed", reason=str(refusal))
            return False
        count("WELCOMED" if done else "WELCOMED_BEFORE")
        return done
    count("WELCOME_LATE")
    logger.warning("friend not welcomed", reason="the code is over")
    return False


def _welcome_for(user_id: str) -> tuple[Welcome | None, dict[str, str | None]]:
    """What a new friend of a user is told, and the names in it."""
    guide_id = guides.id_by_wecom_user_id(user_id)
    guide = guides.get(guide_id) if guide_id else None
    store = stores.get(guide.store_id) if guide else None
    welcome = service.welcome_of(guide.store_id if guide else None)
    return welcome, {"guide": guide.name if guide else None, "store": store.name if store else None}
