"""What can be done to guides."""

from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from graphql_api.errors import (
    AppError,
    Conflict,
    Forbidden,
    ForbiddenTransition,
    Invalid,
    NotFound,
    Taken,
)
from graphql_api.guides import repository, rules
from graphql_api.guides.models import Guide
from graphql_api.guides.rules import GuideStatus
from graphql_api.kit import ids
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.kit.time import Clock
from graphql_api.policies import repository as policies
from graphql_api.policies.rules import GuideLevelsPolicy, PolicyKind
from graphql_api.stores import repository as stores
from graphql_api.viewer import Role, Viewer

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
WecomUserId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}$")]


class _Command(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class GuideCreate(_Command):
    """A new guide of a store."""

    store_id: str
    name: Name
    wecom_user_id: WecomUserId
    employed_on: date | None = None
    level: int | None = Field(default=None, ge=1)


class GuideUpdate(_Command):
    """What changes of a guide; what is not set stays, what is null is cleared."""

    id: str
    name: Name | None = None
    wecom_user_id: WecomUserId | None = None
    employed_on: date | None = None
    level: int | None = Field(default=None, ge=1)
    expected_version: int | None = None


class GuideStatusSet(_Command):
    """Which guide, and what becomes of them."""

    id: str
    status: GuideStatus


def create(new: GuideCreate, *, viewer: Viewer, clock: Clock) -> Guide:
    """A new guide. Refuses a WeCom user id in use and a store that is not there or archived.

    Headquarters decide the level, up to the highest of the policy in force.
    """
    _require_reach(viewer, new.store_id)
    _require_level(new, viewer)
    guide = Guide(
        ids.new_id("gde"),
        store_id=new.store_id,
        name=new.name,
        wecom_user_id=new.wecom_user_id,
        status=GuideStatus.ACTIVE,
        employed_on=new.employed_on,
        level=new.level,
        created_at=clock.now(),
    )

    def attempt(tx: Transaction) -> Guide:
        _require_live_store(tx, new.store_id, field=("input", "store_id"))
        repository.create(tx, guide, wecom_taken=_wecom_taken())
        return guide

    return transact(attempt)


def update(change: GuideUpdate, *, viewer: Viewer) -> Guide:
    """A guide with their changes; refuses one who left, Conflict when `expected_version` passed.

    Headquarters decide the level, up to the highest of the policy in force.
    """
    _require_level(change, viewer)

    def attempt(tx: Transaction) -> Guide:
        guide = _guide(change.id, viewer)
        _require_version(guide, change.expected_version)
        if guide.status is GuideStatus.LEFT:
            raise ForbiddenTransition("This guide has left", field=("input", "id"))
        old_wecom_user_id = guide.wecom_user_id
        _set_fields(guide, change)
        repository.move_claim(tx, old_wecom_user_id, guide, wecom_taken=_wecom_taken())
        repository.save(tx, guide)
        return guide

    return transact(attempt)


def set_status(change: GuideStatusSet, *, viewer: Viewer, clock: Clock) -> Guide:
    """A guide who is active, stopped or has left for good; again changes nothing.

    Who leaves gives back the WeCom user id; who returns to work needs a store that is open.
    """

    def attempt(tx: Transaction) -> Guide:
        guide = _guide(change.id, viewer)
        if guide.status is change.status:
            return guide
        field = ("input", "status")
        if not rules.may_become(guide.status, change.status):
            raise ForbiddenTransition("A guide who left does not come back", field=field)
        if change.status is GuideStatus.ACTIVE:
            _require_live_store(tx, guide.store_id, field=field)
        if change.status is GuideStatus.LEFT:
            guide.left_at = clock.now()
            repository.release_claim(tx, guide.wecom_user_id)
        guide.status = change.status
        repository.save(tx, guide)
        return guide

    return transact(attempt)


def _set_fields(guide: Guide, change: GuideUpdate) -> None:
    given = change.model_dump(include=change.model_fields_set - {"id", "expected_version"})
    for name, value in given.items():
        if value is None and name not in {"employed_on", "level"}:
            raise Invalid("This cannot be null", field=("input", name))
        setattr(guide, name, value)


def _require_level(given: GuideCreate | GuideUpdate, viewer: Viewer) -> None:
    if "level" not in given.model_fields_set:
        return
    field = ("input", "level")
    if viewer.role is Role.STORE_MANAGER:
        raise Forbidden("Headquarters decide this field", field=field)
    policy = policies.in_force(PolicyKind.GUIDE_LEVELS).content
    assert isinstance(policy, GuideLevelsPolicy)
    if given.level is not None and given.level > policy.highest:
        raise Invalid(f"The highest level is {policy.highest}", field=field)


def _wecom_taken() -> AppError:
    return Taken("This WeCom user id is in use", field=("input", "wecom_user_id"))


def _guide(guide_id: str, viewer: Viewer) -> Guide:
    guide = repository.get(guide_id)
    if guide is None or rules.visible(viewer, guide) is None:
        raise NotFound("There is no such guide", field=("input", "id"))
    return guide


def _require_reach(viewer: Viewer, store_id: str) -> None:
    if not viewer.reaches_store(store_id):
        raise NotFound("There is no such store", field=("input", "store_id"))


def _require_live_store(tx: Transaction, store_id: str, *, field: tuple[str, ...]) -> None:
    store = stores.get(store_id)
    if store is None:
        raise NotFound("There is no such store", field=field)
    archived = ForbiddenTransition("This store is archived", field=field)
    if store.archived_at is not None:
        raise archived
    stores.require_live_store(tx, store_id, gone=archived)


def _require_version(guide: Guide, expected: int | None) -> None:
    if expected is not None and expected != guide.version:
        text = f"It is at version {guide.version}, not {expected}"
        raise Conflict(text, field=("input", "expected_version"))
