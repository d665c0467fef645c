"""What can be done with codes: make, draw, retire, resolve a scene, note who came."""

import secrets
from collections.abc import Callable
from datetime import datetime

from pydantic import BaseModel, ConfigDict, model_validator

from graphql_api.campaigns import repository as campaigns
from graphql_api.codes import models, repository, rules
from graphql_api.codes.models import Code
from graphql_api.codes.rules import Came, Placing, Way
from graphql_api.errors import Forbidden, ForbiddenTransition, Invalid, NotFound, Required
from graphql_api.guides import repository as guides
from graphql_api.guides.models import Guide
from graphql_api.guides.rules import GuideStatus
from graphql_api.kit import files, ids
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.kit.time import Clock
from graphql_api.observability import logger
from graphql_api.stores import repository as stores
from graphql_api.viewer import Role, Viewer

Draw = Callable[[str], bytes]
"""Has WeChat draw the picture of a scene; raises a refusal."""


class CodeCreate(BaseModel):
    """What a code stands for: a guide, a store, a campaign, or a campaign at one of the others."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    guide_id: str | None = None
    store_id: str | None = None
    campaign_id: str | None = None

    @model_validator(mode="after")
    def _one_place(self) -> "CodeCreate":
        if self.guide_id is not None and self.store_id is not None:
            raise ValueError("a code of a guide leads to the guide's store")
        return self


def create(new: CodeCreate, *, viewer: Viewer, clock: Clock) -> Code:
    """The code of a target; the same target has the same one, a retired one works again.

    A guide who names nothing gets their own. Refuses a target outside the viewer's reach, one that
    does not work any more, and no target at all.
    """
    guide = _guide(new, viewer)
    store_id = guide.store_id if guide else new.store_id
    _require_target(new, guide, store_id, viewer)
    guide_id = guide.id if guide else None

    def attempt(tx: Transaction) -> Code:
        code = repository.get(models.code_id(store_id, guide_id, new.campaign_id))
        if code is None:
            code = Code(
                models.code_id(store_id, guide_id, new.campaign_id),
                scene=new_scene(),
                store_id=store_id,
                guide_id=guide_id,
                campaign_id=new.campaign_id,
                created_at=clock.now(),
                created_by=viewer.id,
            )
            repository.create(tx, code)
        elif code.retired_at is not None or code.store_id != store_id:
            code.retired_at = None
            code.store_id = store_id
            repository.save(tx, code)
        return code

    return transact(attempt)


def draw(code_id: str, *, draw: Draw, viewer: Viewer, at: datetime) -> Code:
    """A code whose picture is there for some days; it is drawn only when there is none."""
    code = _code(code_id, viewer)
    if code.retired_at is not None:
        raise ForbiddenTransition("This code is retired", field=("id",))
    if rules.picture_holds(code.drawn_at, at):
        return code
    files.put(models.picture_key(code), draw(code.scene), content_type="image/png")

    def attempt(tx: Transaction) -> Code:
        drawn = _code(code_id, viewer)
        drawn.drawn_at = at
        repository.save(tx, drawn)
        return drawn

    return transact(attempt)


def retire(code_id: str, *, viewer: Viewer, clock: Clock) -> Code:
    """A code that leads nowhere any more; again changes nothing. What came through it stays."""

    def attempt(tx: Transaction) -> Code:
        code = _code(code_id, viewer)
        if not rules.may_make(viewer, code.store_id, code.guide_id):
            raise Forbidden("Who may make this code retires it", field=("id",))
        if code.retired_at is None:
            code.retired_at = clock.now()
            repository.save(tx, code)
        return code

    return transact(attempt)


def by_scene(text: str) -> Way | None:
    """Where a scene leads now; None for what is no scene of ours, or of a retired code."""
    scene = rules.scene_in(text)
    code_id = repository.id_by_scene(scene) if scene else None
    code = repository.get(code_id) if code_id else None
    if code is None or code.retired_at is not None:
        return None
    guide = guides.get(code.guide_id) if code.guide_id else None
    placing = (
        Placing(guide.id, guide.store_id, guide.status is GuideStatus.ACTIVE) if guide else None
    )
    store_id = rules.led_to(code.store_id, placing)
    store = stores.get(store_id) if store_id else None
    is_open = store is not None and store.archived_at is None
    return rules.way(code.id, code.store_id, code.campaign_id, placing, store_is_open=is_open)


def came(code_id: str, member_id: str, how: Came, *, at: datetime) -> bool:
    """Note that a member came through a code; False where that is noted, and nothing changes."""

    def attempt(tx: Transaction) -> bool:
        if repository.has_visit(member_id, code_id, how):
            return False
        repository.add_visit(tx, code_id, member_id, how, at=at)
        return True

    is_new = transact(attempt)
    if is_new:
        logger.info("came through a code", code=code_id, member=member_id, how=how.value)
    return is_new


def new_scene() -> str:
    """50 random bits: nobody guesses one, and few ever meet."""
    return "".join(secrets.choice(rules.ALPHABET) for _ in range(rules.SCENE_LENGTH))


def _guide(new: CodeCreate, viewer: Viewer) -> Guide | None:
    field = ("input", "guide_id")
    own = viewer.id if viewer.role is Role.GUIDE and new.store_id is None else None
    guide_id = new.guide_id or own
    if guide_id is None:
        return None
    guide = guides.get(guide_id) if ids.prefix_of(guide_id) == "gde" else None
    if guide is None or not viewer.reaches_store(guide.store_id):
        raise NotFound("There is no such guide", field=field)
    if guide.status is GuideStatus.LEFT:
        raise ForbiddenTransition("This guide has left", field=field)
    return guide


def _require_target(
    new: CodeCreate, guide: Guide | None, store_id: str | None, viewer: Viewer
) -> None:
    if store_id is None and new.campaign_id is None:
        raise Required("Name a guide, a store or a campaign", field=("input",))
    if not rules.may_make(viewer, store_id, guide.id if guide else None):
        raise Forbidden("This code is not yours to make", field=("input",))
    if guide is None and store_id is not None:
        store = stores.get(store_id) if ids.prefix_of(store_id) == "sto" else None
        if store is None:
            raise NotFound("There is no such store", field=("input", "store_id"))
        if store.archived_at is not None:
            raise ForbiddenTransition("This store is archived", field=("input", "store_id"))
    if new.campaign_id is not None:
        known = ids.prefix_of(new.campaign_id) == "cmp"
        campaign = campaigns.get(new.campaign_id) if known else None
        if campaign is None:
            raise NotFound("There is no such campaign", field=("input", "campaign_id"))
        if campaign.archived_at is not None:
            raise Invalid("This campaign is archived", field=("input", "campaign_id"))


def _code(code_id: str, viewer: Viewer) -> Code:
    code = repository.get(code_id) if ids.prefix_of(code_id) == "cde" else None
    seen = rules.visible(viewer, code) if code else None
    if seen is None:
        raise NotFound("There is no such code", field=("id",))
    return seen
