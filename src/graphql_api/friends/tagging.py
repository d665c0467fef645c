"""Tags both ways: what a guide marks in WeCom and what a member has here come to the same."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from graphql_api.connectors.turns import turn_of
from graphql_api.connectors.wecom import corp_tags
from graphql_api.connectors.wecom.contacts import NOT_A_CUSTOMER
from graphql_api.connectors.weixin_errors import Refused, said_plainly
from graphql_api.errors import AppError, Conflict, Forbidden, NotFound, Taken, Unavailable
from graphql_api.friends import repository, rules
from graphql_api.friends.models import CorpTagLink, Friend, corp_tag_key
from graphql_api.kit import ids
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.kit.time import Clock
from graphql_api.members import repository as members
from graphql_api.members.models import Member
from graphql_api.members.rules import TagSource
from graphql_api.observability import count, logger
from graphql_api.tags import repository as tags
from graphql_api.tags import service as tag_service
from graphql_api.tags.service import TagsSet
from graphql_api.viewer import Viewer

SOURCE = "wecom"
MAX_PAIRS = 100
_UNKNOWN_TAG = 40068

CorpTagId = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,64}$")]


class LinkSet(BaseModel):
    """A tag here and its counterpart in WeCom."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tag_id: str
    corp_tag_id: CorpTagId


class LinkRemove(BaseModel):
    """Which link ends, by the tag of WeCom."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    corp_tag_id: CorpTagId


class LinksPull(BaseModel):
    """Link the tags of a group with those of WeCom that are called alike; make those that lack."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    group_id: str
    create_missing: bool = False


# --- links -----------------------------------------------------------------------------------


def set_link(given: LinkSet, *, viewer: Viewer, at: datetime) -> CorpTagLink:
    """A tag that goes both ways from now on; each side has one counterpart at most."""
    _require_headquarters(viewer)
    known = ids.prefix_of(given.tag_id) == "tag"
    if not known or tags.get_many([given.tag_id]) == [None]:
        raise NotFound("There is no such tag", field=("input", "tag_id"))
    return _linked(given.corp_tag_id, given.tag_id, at)


def remove_link(given: LinkRemove, *, viewer: Viewer) -> CorpTagLink:
    """A link that ends: who has the tag keeps it, on either side."""
    _require_headquarters(viewer)

    def attempt(tx: Transaction) -> CorpTagLink:
        link = repository.get_corp_link(given.corp_tag_id)
        if link is None:
            raise NotFound("There is no such link", field=("input", "corp_tag_id"))
        repository.delete_corp_link(tx, link)
        return link

    return transact(attempt)


def pull_links(given: LinksPull, *, viewer: Viewer, at: datetime) -> list[CorpTagLink]:
    """The links of a group's tags after looking into WeCom; again changes nothing.

    Tags are alike where their names and those of their groups are. Unavailable, in plain words,
    where WeCom does not answer.
    """
    _require_headquarters(viewer)
    known = ids.prefix_of(given.group_id) == "tgg"
    [group] = tags.get_groups([given.group_id]) if known else [None]
    if group is None:
        raise NotFound("There is no such group", field=("input", "group_id"))
    page = tags.page_of_group(group.id, first=100, after=None, reverse=False)
    ours = {tag.name: tag.id for tag in page.items if tag.archived_at is None}
    with said_plainly():
        there = {t.name: t.id for t in corp_tags.all_tags() if t.group == group.name}
        missing = [name for name in ours if name not in there]
        if missing and given.create_missing:
            there |= {t.name: t.id for t in corp_tags.add(group.name, missing)}
    linked = {link.tag_id for link in repository.corp_links()}
    return [
        _linked(there[name], tag_id, at)
        for name, tag_id in ours.items()
        if name in there and tag_id not in linked
    ]


def _linked(corp_tag_id: str, tag_id: str, at: datetime) -> CorpTagLink:
    def attempt(tx: Transaction) -> CorpTagLink:
        link = repository.get_corp_link(corp_tag_id)
        if link is not None and link.tag_id == tag_id:
            return link
        if link is not None or any(one.tag_id == tag_id for one in repository.corp_links()):
            raise Taken("One of the two is linked already", field=("input", "tag_id"))
        link = CorpTagLink(
            corp_tag_key(corp_tag_id), corp_tag_id=corp_tag_id, tag_id=tag_id, linked_at=at
        )
        repository.create_corp_link(tx, link)
        return link

    return transact(attempt)


def _require_headquarters(viewer: Viewer) -> None:
    if viewer.store_ids is not None:
        raise Forbidden("Headquarters link tags")


# --- both ways -------------------------------------------------------------------------------


def sync(external_user_id: str, *, clock: Clock) -> None:
    """Have a customer's linked tags be the same with all their guides and on the member.

    What a guide gave or took in WeCom since the last time is done here first; then each guide has
    what the member has. One at a time for a customer: WeCom refuses two calls of a pair at once.
    Killed anywhere, it comes to the same again. Raises Later while somebody is at it.
    """
    links = {link.corp_tag_id: link.tag_id for link in repository.corp_links()}
    if not links:
        return
    with turn_of(SOURCE, "tags", external_user_id):
        [member] = repository.members_of([external_user_id])
        if member is None or member.archived_at is not None:
            return
        page = repository.page_of_customer(
            external_user_id, first=MAX_PAIRS, after=None, reverse=False
        )
        lasting = [friend for friend in page.items if friend.friendship.lasts]
        if lasting:
            _united(member, lasting, links, clock)


def _united(member: Member, friends: Sequence[Friend], links: dict[str, str], clock: Clock) -> None:
    marks = corp_tags.marks_of(friends[0].external_user_id)
    pairs = [friend for friend in friends if friend.user_id.lower() in marks]
    there = {f.id: marks[f.user_id.lower()] & links.keys() for f in pairs}
    told = {f.id: set(f.told_tags or ()) & links.keys() for f in pairs}
    gained, lost = rules.done_there([(told[f.id], there[f.id]) for f in pairs])
    if gained or lost:
        member = _changed(member, gained, lost, links, clock)
    ours = set(member.tags_on(clock.today()))
    here = {corp_id for corp_id, tag_id in links.items() if tag_id in ours}
    for friend in pairs:
        _marked(friend, here, there[friend.id])


def _changed(
    member: Member, gained: set[str], lost: set[str], links: dict[str, str], clock: Clock
) -> Member:
    """The member after what guides did; what the rules of tags refuse is put right there again."""
    for add, remove in [
        *(([one], []) for one in sorted(gained)),
        *(([], [one]) for one in sorted(lost)),
    ]:
        wanted = TagsSet(
            member_id=member.id,
            add=[links[one] for one in add],
            remove=[links[one] for one in remove],
        )
        try:
            tag_service.set_tags_as(
                wanted, source=TagSource.BY_HAND, source_ref=SOURCE, clock=clock
            )
        except (Conflict, Unavailable):
            raise
        except AppError as refusal:
            logger.info("tag not taken over", member=member.id, code=refusal.code)
    return members.get(member.id) or member


def _marked(friend: Friend, here: set[str], there: set[str]) -> None:
    """Have a guide's customer have what the member has, and remember it."""
    add, remove = sorted(here - there), sorted(there - here)
    if add or remove:
        try:
            corp_tags.mark(friend.user_id, friend.external_user_id, add, remove)
        except Refused as refusal:
            if refusal.errcode in NOT_A_CUSTOMER:
                return
            if refusal.errcode == _UNKNOWN_TAG:
                count("CORP_TAG_UNKNOWN")
                logger.warning("corp tag unknown", friend=friend.id, errcode=refusal.code)
                return
            raise
        count("CORP_TAGS_MARKED", len(add) + len(remove))
    if sorted(here) == list(friend.told_tags or ()):
        return

    def attempt(tx: Transaction) -> None:
        kept = repository.get(friend.id)
        if kept is not None:
            kept.told_tags = sorted(here)
            repository.save(tx, kept)

    transact(attempt)
