"""Access paths of guides."""

from collections.abc import Sequence

from graphql_api.errors import AppError
from graphql_api.guides import models
from graphql_api.guides.models import SOLE, Guide, GuidesItem, WecomClaim
from graphql_api.guides.rules import GuideStatus
from graphql_api.kit.dynamo import Page, Transaction, batch_get, batch_write, key_page


def get_many(guide_ids: Sequence[str]) -> list[Guide | None]:
    """Guides by id."""
    return batch_get(Guide, [(id_, SOLE) for id_ in guide_ids])


def get(guide_id: str) -> Guide | None:
    """One guide as they are now (strongly consistent), to decide on."""
    return batch_get(Guide, [(guide_id, SOLE)], consistent=True)[0]


def get_now(guide_ids: Sequence[str]) -> list[Guide | None]:
    """Several guides as they are now (strongly consistent), to decide on."""
    return batch_get(Guide, [(id_, SOLE) for id_ in guide_ids], consistent=True)


def id_by_wecom_user_id(wecom_user_id: str) -> str | None:
    """Who holds a WeCom user id, read from its claim."""
    key = (models.wecom_claim_id(wecom_user_id), SOLE)
    claim = batch_get(WecomClaim, [key], consistent=True)[0]
    return claim.guide_id if claim else None


def page_of_store(store_id: str, *, first: int, after: str | None, reverse: bool) -> Page[Guide]:
    """The guides of a store who have not left, by name."""
    keys = key_page(
        GuidesItem.by_store, store_id, GuidesItem.place, first=first, after=after, reverse=reverse
    )
    return keys.showing(batch_get(Guide, [key.key for key in keys.items]))


def create(tx: Transaction, guide: Guide, *, wecom_taken: AppError) -> None:
    """Add a new guide and their claim on a WeCom user id; `wecom_taken` refuses one in use."""
    _index(guide)
    tx.create(guide)
    _claim(tx, guide, wecom_taken)


def move_claim(tx: Transaction, old: str, guide: Guide, *, wecom_taken: AppError) -> None:
    """Give up the claim on a guide's old WeCom user id and take their new one."""
    if models.wecom_claim_id(old) != models.wecom_claim_id(guide.wecom_user_id):
        release_claim(tx, old)
        _claim(tx, guide, wecom_taken)


def release_claim(tx: Transaction, wecom_user_id: str) -> None:
    """Give up the claim on a WeCom user id, for whoever is hired next."""
    tx.delete(WecomClaim(models.wecom_claim_id(wecom_user_id)))


def save(tx: Transaction, guide: Guide) -> None:
    """Write a guide over the version that was read; who left leaves the store's list."""
    _index(guide)
    tx.save(guide)


def require_at_work(tx: Transaction, guide: Guide) -> None:
    """Hold the transaction to a guide who is at work in the store where they were read; stale."""
    at_work = (Guide.status == GuideStatus.ACTIVE) & (Guide.store_id == guide.store_id)
    tx.check(Guide, (guide.id, SOLE), at_work)


def put_all(guides: Sequence[Guide]) -> None:
    """Write many guides with their claims, unconditionally; for a first import only."""
    claims = [WecomClaim(models.wecom_claim_id(g.wecom_user_id), guide_id=g.id) for g in guides]
    for guide in guides:
        _index(guide)
        guide.version = 1
    batch_write(GuidesItem, [*guides, *claims])


def _claim(tx: Transaction, guide: Guide, taken: AppError) -> None:
    claim = WecomClaim(models.wecom_claim_id(guide.wecom_user_id), guide_id=guide.id)
    tx.create(claim, lost=taken)


def _index(guide: Guide) -> None:
    """Set the keys of the list; a guide who left has none."""
    listed = guide.left_at is None
    guide.at_store = guide.store_id if listed else None
    guide.place = models.place_of(guide) if listed else None
