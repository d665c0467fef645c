"""Links of tags: which tag here and which corp tag 企业标签 of WeCom are the same."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from graphql_api.connectors.wecom import corp_tags
from graphql_api.connectors.wecom.corp_tags import CorpTag
from graphql_api.connectors.weixin_errors import said_plainly
from graphql_api.errors import Forbidden, Invalid, NotFound, Taken
from graphql_api.friends import repository
from graphql_api.friends.models import CorpTagLink, corp_tag_key
from graphql_api.kit import ids
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.observability import count, logger
from graphql_api.tags import repository as tags
from graphql_api.viewer import Viewer

_PAGE = 100

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
    """The links of a group's tags that were made after looking into WeCom; again makes none.

    Tags are alike where their names and those of their groups are; what is linked, on either side,
    stays so, but for a link that WeCom has no tag for any more. Invalid, before anything is made,
    for a name that WeCom does not take. Unavailable, in plain words, where it does not answer.
    """
    _require_headquarters(viewer)
    is_group = ids.prefix_of(given.group_id) == "tgg"
    [group] = tags.get_groups([given.group_id]) if is_group else [None]
    if group is None:
        raise NotFound("There is no such group", field=("input", "group_id"))
    ours = _tags_of(group.id)
    with said_plainly():
        known = corp_tags.all_tags()
        links = _checked(repository.corp_links(), known)
        linked = {link.tag_id for link in links}
        taken = {link.corp_tag_id for link in links}
        there = {t.name: t.id for t in known if t.group == group.name and t.id not in taken}
        open_ = {name: tag_id for name, tag_id in ours.items() if tag_id not in linked}
        missing = [name for name in open_ if name not in there]
        if missing and given.create_missing:
            for name in [group.name, *missing]:
                _require_short(name)
            there |= {tag.name: tag.id for tag in corp_tags.add(group.name, missing)}
    return [_linked(there[name], tag_id, at) for name, tag_id in open_.items() if name in there]


def check() -> list[CorpTagLink]:
    """The links to tags that WeCom has; those to others say so from now on, and are not followed.

    A tag that was deleted in WeCom was taken from nobody here. Raises what asking WeCom raises.
    """
    links = repository.corp_links()
    return _checked(links, corp_tags.all_tags()) if links else []


def _checked(links: list[CorpTagLink], known: Sequence[CorpTag]) -> list[CorpTagLink]:
    there = {tag.id for tag in known}
    for link in links:
        problem = None if link.corp_tag_id in there else str(corp_tags.UNKNOWN_TAG)
        if link.problem != problem:
            repository.note_corp_link(link, problem)
            if problem is not None:
                count("CORP_TAG_UNKNOWN")
                logger.warning("corp tag unknown", tag=link.tag_id, errcode=problem)
    return [link for link in links if link.problem is None]


def followed() -> list[CorpTagLink]:
    """The links that tags go by."""
    return [link for link in repository.corp_links() if link.problem is None]


def _tags_of(group_id: str) -> dict[str, str]:
    """The tags of a group that are in use, by name."""
    found: dict[str, str] = {}
    after: str | None = None
    while True:
        page = tags.page_of_group(group_id, first=_PAGE, after=after, reverse=False)
        found |= {tag.name: tag.id for tag in page.items if tag.archived_at is None}
        if not page.more:
            return found
        after = page.last


def _require_short(name: str) -> None:
    if len(name) > corp_tags.MAX_NAME:
        raise Invalid(
            f"WeCom takes names of {corp_tags.MAX_NAME} characters: {name} is longer",
            field=("input", "group_id"),
        )


def _linked(corp_tag_id: str, tag_id: str, at: datetime) -> CorpTagLink:
    """The link of the two; the one that leads to a tag that is gone gives way."""
    taken = Taken("One of the two is linked already", field=("input", "tag_id"))

    def attempt(tx: Transaction) -> CorpTagLink:
        link = repository.get_corp_link(corp_tag_id)
        if link is not None and link.tag_id == tag_id:
            return link
        claim = repository.get_corp_claim(tag_id)
        if link is not None:
            raise taken
        if claim is not None:
            dead = repository.get_corp_link(claim.corp_tag_id)
            if dead is None or dead.problem is None:
                raise taken
            return _relinked(tx, dead, corp_tag_id, at)
        link = CorpTagLink(
            corp_tag_key(corp_tag_id), corp_tag_id=corp_tag_id, tag_id=tag_id, linked_at=at
        )
        repository.create_corp_link(tx, link, taken=taken)
        return link

    return transact(attempt)


def _relinked(tx: Transaction, dead: CorpTagLink, corp_tag_id: str, at: datetime) -> CorpTagLink:
    link = CorpTagLink(
        corp_tag_key(corp_tag_id), corp_tag_id=corp_tag_id, tag_id=dead.tag_id, linked_at=at
    )
    repository.replace_corp_link(tx, dead, link)
    return link


def _require_headquarters(viewer: Viewer) -> None:
    if viewer.store_ids is not None:
        raise Forbidden("Headquarters link tags")
