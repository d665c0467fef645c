"""Tags both ways: what a guide marks in WeCom and what a member has here come to the same."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from graphql_api.connectors.errors import Later
from graphql_api.connectors.turns import Turn, turn_of
from graphql_api.connectors.wecom import corp_tags
from graphql_api.connectors.wecom.contacts import NOT_A_CUSTOMER
from graphql_api.connectors.wecom.corp_tags import Followed
from graphql_api.connectors.weixin_errors import Refused
from graphql_api.errors import AppError, Conflict, Unavailable
from graphql_api.friends import repository, rules, tag_links
from graphql_api.friends.models import CorpTagLink, Friend
from graphql_api.friends.rules import Marks
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.kit.time import Clock
from graphql_api.members import repository as members
from graphql_api.members.models import Member
from graphql_api.members.rules import TagSource
from graphql_api.observability import count, logger
from graphql_api.tags import service as tag_service
from graphql_api.tags.service import TagsSet

SOURCE = "wecom"
MAX_PAIRS = 100
_MERGING_SECONDS = 15.0
_NOTED_ALONG = 40
"""Friendships that are noted in the transaction that changes a member; it holds eighty items."""

_Note = tuple[list[str], list[str], datetime | None, int | None]


@dataclass(frozen=True, slots=True)
class Pair:
    """A friendship, the linked tags that its guide has there, and since when WeCom says it is."""

    friend: Friend
    marks: Marks
    began: int | None


def sync(external_user_id: str, *, clock: Clock) -> None:
    """Have a customer's linked tags be the same with all their guides and on the member.

    What a guide gave or took in WeCom since the last time is done here first; then each guide has
    what the member has. One at a time for a customer: WeCom refuses two calls of a pair at once.
    Killed anywhere, the next one goes on from there. Raises Later while somebody is at it, while
    the member is being merged, and where it takes so long that somebody else may begin.
    """
    links = tag_links.followed()
    if not links:
        return
    with turn_of(SOURCE, "tags", external_user_id) as turn:
        member = _member(external_user_id)
        friends = _lasting(external_user_id) if member is not None else []
        if member is None or not friends:
            return
        there = corp_tags.marks_of(external_user_id)
        pairs = _seen(friends, there, links)
        _gained, lost = rules.done_there(pair.marks for pair in pairs)
        if lost:  # by a guide, or by whoever deleted the tag itself
            links = tag_links.check()
            pairs = _seen(friends, there, links)
        here = _taken_over(member, pairs, links, turn, clock)
        for pair in pairs:
            _marked(pair, here, links, turn)


def _member(external_user_id: str) -> Member | None:
    [found] = repository.members_of([external_user_id])
    member = members.get(found.id) if found is not None else None
    if member is not None and member.merge_id is not None:
        raise Later(_MERGING_SECONDS)  # the tags of the other come after the identities
    return None if member is None or member.archived_at is not None else member


def _lasting(external_user_id: str) -> list[Friend]:
    page = repository.page_of_customer(external_user_id, first=MAX_PAIRS, after=None, reverse=False)
    found = repository.get_now([friend.id for friend in page.items])
    return [friend for friend in found if friend is not None and friend.friendship.lasts]


def _seen(
    friends: Sequence[Friend], there: Mapping[str, Followed], links: Sequence[CorpTagLink]
) -> list[Pair]:
    """The friendships that WeCom shows, with the linked tags of each."""
    linked = {link.corp_tag_id for link in links}
    found = []
    for friend in friends:
        followed = there.get(friend.user_id.lower())
        if followed is None:
            continue
        marks = Marks(
            told=_among(links, friend.told_links or ()),
            asked=_among(links, friend.asked_links or ()),
            there=followed.tags & linked,
            is_anew=(friend.told_in, friend.told_began) != (friend.changed_at, followed.began),
        )
        found.append(Pair(friend, marks, followed.began))
    return found


def _among(links: Sequence[CorpTagLink], names: Iterable[str]) -> frozenset[str]:
    """The tags of WeCom's that are noted by their links; those of links that ended say nothing."""
    noted = set(names)
    return frozenset(link.corp_tag_id for link in links if link.name in noted)


# --- from guides to the member ---------------------------------------------------------------


def _taken_over(
    member: Member,
    pairs: Sequence[Pair],
    links: Sequence[CorpTagLink],
    turn: Turn,
    clock: Clock,
) -> frozenset[str]:
    """The linked tags that the member has after what guides did.

    What the rules of tags refuse is not taken over: guides are told otherwise then.
    """
    tag_ids = {link.corp_tag_id: link.tag_id for link in links}
    gained, lost = rules.done_there(pair.marks for pair in pairs)
    held = set(member.tags_on(clock.today()))
    for one in sorted(gained | lost):
        given = [tag_ids[one]]
        if one in gained and tag_ids[one] in held:
            continue  # a rule's or an import's stays theirs; that the guide has it is noted below
        turn.require_time()
        wanted = TagsSet(
            member_id=member.id,
            add=given if one in gained else [],
            remove=given if one in lost else [],
        )
        try:
            tag_service.set_tags_as(
                wanted,
                source=TagSource.BY_HAND,
                source_ref=SOURCE,
                clock=clock,
                along=_noting(one, pairs, links),
            )
        except (Conflict, Unavailable):
            raise
        except AppError as refusal:
            logger.info("tag not taken over", member=member.id, code=refusal.code)
    now_is = members.get(member.id) or member
    ours = set(now_is.tags_on(clock.today()))
    return frozenset(one for one, tag_id in tag_ids.items() if tag_id in ours)


def _noting(
    one: str, pairs: Sequence[Pair], links: Sequence[CorpTagLink]
) -> Callable[[Transaction], None]:
    """Note, with the member's change, what was taken over: it must not be done twice."""
    name = next(link.name for link in links if link.corp_tag_id == one)
    changed = [p for p in pairs if (one in p.marks.there) != (one in p.marks.before)]

    def along(tx: Transaction) -> None:
        for pair in changed[:_NOTED_ALONG]:
            kept = repository.get(pair.friend.id)
            if kept is None:
                continue
            told = set(kept.told_links or ()) - {name}
            kept.told_links = sorted(told | {name} if one in pair.marks.there else told)
            repository.save(tx, kept)

    return along


# --- from the member to guides ---------------------------------------------------------------


def _marked(pair: Pair, here: frozenset[str], links: Sequence[CorpTagLink], turn: Turn) -> None:
    """Have a guide's customer have what the member has, and remember it.

    What WeCom is asked for is noted first: whoever finds it there, and no answer noted, does not
    take it for the guide's.
    """
    add, remove = sorted(here - pair.marks.there), sorted(pair.marks.there - here)
    if add or remove:
        turn.require_time()
        _noted(pair, links, told=pair.marks.there, asked=frozenset([*add, *remove]))
        done = _done(pair.friend, add, remove, links)
        if done is None:
            return
        links = done
    _noted(pair, links, told=here)


def _done(
    friend: Friend, add: list[str], remove: list[str], links: Sequence[CorpTagLink]
) -> Sequence[CorpTagLink] | None:
    """The links that are followed after it is done; None where WeCom did not do it.

    One tag that WeCom does not know keeps no other from being marked.
    """
    try:
        corp_tags.mark(friend.user_id, friend.external_user_id, add, remove)
    except Refused as refusal:
        if refusal.errcode == corp_tags.UNKNOWN_TAG:
            links = tag_links.check()
            known = {link.corp_tag_id for link in links}
            fewer = [one for one in add if one in known], [one for one in remove if one in known]
            if fewer != (add, remove):
                return _done(friend, *fewer, links) if any(fewer) else links
        if refusal.errcode not in NOT_A_CUSTOMER:
            count("CORP_TAGS_REFUSED")
            logger.warning("tags not marked", friend=friend.id, errcode=refusal.code)
        return None
    count("CORP_TAGS_MARKED", len(add) + len(remove))
    return links


def _noted(
    pair: Pair,
    links: Sequence[CorpTagLink],
    *,
    told: frozenset[str],
    asked: frozenset[str] = frozenset(),
) -> None:
    """Remember what a guide has there, in the friendship as it was when WeCom was looked into."""
    friend = pair.friend
    wanted = (
        sorted(link.name for link in links if link.corp_tag_id in told),
        sorted(link.name for link in links if link.corp_tag_id in asked),
        friend.changed_at,
        pair.began,
    )
    if _noted_in(friend) == wanted:
        return
    _note(friend, wanted)

    def attempt(tx: Transaction) -> None:
        kept = repository.get(friend.id)
        if kept is not None and _noted_in(kept) != wanted:
            _note(kept, wanted)
            repository.save(tx, kept)

    transact(attempt)


def _noted_in(friend: Friend) -> _Note:
    began = None if friend.told_began is None else int(friend.told_began)
    return list(friend.told_links or ()), list(friend.asked_links or ()), friend.told_in, began


def _note(friend: Friend, noted: _Note) -> None:
    friend.told_links, friend.asked_links, friend.told_in, friend.told_began = noted
