"""What becomes of friendships, and what new friends are told."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints, model_validator

from graphql_api.codes import repository as codes
from graphql_api.codes import rules as code_rules
from graphql_api.errors import Forbidden, ForbiddenTransition, Invalid, NotFound
from graphql_api.friends import models, repository, rules
from graphql_api.friends.models import Friend, Welcome
from graphql_api.friends.rules import Happened
from graphql_api.guides import repository as guides
from graphql_api.kit import ids
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.stores import repository as stores
from graphql_api.viewer import Role, Viewer

MAX_TITLE, MAX_URL = 40, 512

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class WelcomeSet(BaseModel):
    """What new friends are told; of a store, or of the whole chain."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    store_id: str | None = None
    text: Text
    link_title: Annotated[str, StringConstraints(min_length=1, max_length=MAX_TITLE)] | None = None
    link_url: (
        Annotated[str, StringConstraints(pattern=r"^https://[\x21-\x7e]+$", max_length=MAX_URL)]
        | None
    ) = None

    @model_validator(mode="after")
    def _whole_link(self) -> "WelcomeSet":
        if (self.link_title is None) != (self.link_url is None):
            raise ValueError("a link has a title and an address")
        return self


class WelcomeRemove(BaseModel):
    """Whose welcome is to go: that of a store, or of the chain."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    store_id: str | None = None


def apply(user_id: str, external_user_id: str, happened: Happened) -> Friend:
    """A friendship after an event; the same for events in any order, and for repeats."""
    scene = code_rules.scene_in(happened.scene) if happened.scene else None
    known = Happened(happened.event, happened.at, scene)
    guide_id = guides.id_by_wecom_user_id(user_id)
    guide = guides.get(guide_id) if guide_id else None

    def attempt(tx: Transaction) -> Friend:
        id_ = models.friend_id(user_id, external_user_id)
        friend = repository.get(id_)
        now_is = rules.after(friend.friendship if friend else None, known)
        is_same = friend is not None and friend.friendship == now_is
        if friend is None:
            friend = Friend(id_, user_id=user_id, external_user_id=external_user_id)
        moved = guide is not None and (friend.guide_id, friend.store_id) != (
            guide.id,
            guide.store_id,
        )
        if is_same and not moved:
            return friend
        friend.friendship = now_is
        friend.code_id = codes.id_by_scene(now_is.scene) if now_is.scene else None
        if guide is not None:
            friend.guide_id, friend.store_id = guide.id, guide.store_id
        repository.save(tx, friend)
        return friend

    return transact(attempt)


def set_welcome(given: WelcomeSet, *, viewer: Viewer, at: datetime) -> Welcome:
    """What new friends are told from now on: managers say it for their store, headquarters for all.

    `{guide}` and `{store}` stand for their names.
    """
    _require_reach(given.store_id, viewer, ("input", "store_id"))
    if not rules.fits(given.text):
        raise Invalid(
            f"At most {rules.MAX_TEXT_BYTES - 200} bytes in UTF-8", field=("input", "text")
        )

    def attempt(tx: Transaction) -> Welcome:
        key = models.welcome_key(given.store_id)
        welcome = repository.welcomes([key])[0] or Welcome(key)
        welcome.text = given.text
        welcome.link_title = given.link_title
        welcome.link_url = given.link_url
        welcome.changed_at = at
        welcome.changed_by = viewer.id
        repository.save_welcome(tx, welcome)
        return welcome

    return transact(attempt)


def remove_welcome(store_id: str | None, *, viewer: Viewer) -> bool:
    """Have a store's friends told what the chain says, or nobody anything; False without one."""
    _require_reach(store_id, viewer, ("input", "store_id"))

    def attempt(tx: Transaction) -> bool:
        [welcome] = repository.welcomes([models.welcome_key(store_id)])
        if welcome is not None:
            repository.delete_welcome(tx, welcome)
        return welcome is not None

    return transact(attempt)


def welcome_of(store_id: str | None) -> Welcome | None:
    """What the new friends of a guide of this store are told: the store's words, or the chain's."""
    keys = [models.welcome_key(store_id), models.welcome_key(None)]
    return next((found for found in repository.welcomes(keys) if found), None)


def _require_reach(store_id: str | None, viewer: Viewer, field: tuple[str, ...]) -> None:
    if store_id is None:
        if viewer.store_ids is not None:
            raise Forbidden("Headquarters welcome for the whole chain", field=field)
        return
    known = ids.prefix_of(store_id) == "sto" and viewer.reaches_store(store_id)
    store = stores.get(store_id) if known else None
    if store is None:
        raise NotFound("There is no such store", field=field)
    if store.archived_at is not None:
        raise ForbiddenTransition("This store is archived", field=field)
    if viewer.role is Role.GUIDE:
        raise Forbidden("Managers welcome for their store", field=field)
