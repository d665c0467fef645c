"""Access paths of benefits: what is in force, and the gifts of members."""

from collections.abc import Sequence

from graphql_api.benefits import models
from graphql_api.benefits.models import GIFT, SHARDS, BenefitsItem, Gift
from graphql_api.benefits.rules import GiftState, Occasion
from graphql_api.kit.dynamo import Page, Transaction, batch_get, key_page
from graphql_api.kit.dynamo.blocks import key_walk, one_after_another
from graphql_api.policies import repository as policies
from graphql_api.policies.rules import BenefitsPolicy, PointsPolicy, PolicyKind


def in_force() -> tuple[int, BenefitsPolicy]:
    """What tiers bring, and its version, as known to the process for a minute at most."""
    version, document = policies.remembered(PolicyKind.BENEFITS)
    assert isinstance(document, BenefitsPolicy)
    return version, document


def in_force_now() -> tuple[int, BenefitsPolicy]:
    """The same as it is now (strongly consistent), for who has just published it."""
    policy = policies.in_force(PolicyKind.BENEFITS)
    document = policy.content
    assert isinstance(document, BenefitsPolicy)
    return int(policy.version), document


def points_in_force() -> PointsPolicy:
    """How many points tiers earn, as known to the process for a minute at most."""
    _, document = policies.remembered(PolicyKind.POINTS)
    assert isinstance(document, PointsPolicy)
    return document


def gifts_for(member_ids: Sequence[str], occasion: Occasion) -> list[Gift | None]:
    """What each of these has for an occasion, as it is now (strongly consistent): one batch."""
    sort = models.gift_sort(occasion)
    return batch_get(Gift, [(id_, sort) for id_ in member_ids], consistent=True)


def gifts_of_member(member_id: str, *, first: int, after: str | None, reverse: bool) -> Page[Gift]:
    """Every gift of a member, by occasion: one Query."""
    return key_page(
        Gift, member_id, Gift.sort, first=first, after=after, reverse=reverse, starts_with=GIFT
    )


def gifts_of_lives(
    member_ids: tuple[str, ...], *, first: int, after: str | None, reverse: bool
) -> Page[Gift]:
    """The same of a member who was several: id after id."""
    return one_after_another(gifts_of_member, member_ids, first=first, after=after, reverse=reverse)


def page_of_failed(*, first: int, after: str | None, reverse: bool) -> Page[Gift]:
    """Gifts that failed, shard after shard, each by time: a Query a shard, one BatchGetItem."""
    keys: Page[BenefitsItem] = key_walk(
        lambda shard, **page: key_page(
            BenefitsItem.by_failed, shard, BenefitsItem.failed_place, **page
        ),
        SHARDS,
        first=first,
        after=after,
        reverse=reverse,
    )
    return keys.showing(batch_get(Gift, [key.key for key in keys.items]))


def create(tx: Transaction, gift: Gift) -> None:
    """Add the gift of an occasion that has none; stale when it has."""
    _index(gift)
    tx.create(gift)


def save(tx: Transaction, gift: Gift) -> None:
    """Write a gift over the version that was read."""
    _index(gift)
    tx.save(gift)


def _index(gift: Gift) -> None:
    """Set the keys of the list of what failed; others leave it."""
    failed = gift.state is GiftState.FAILED
    gift.failed_shard = models.shard_of(gift.id) if failed else None
    gift.failed_place = models.failed_place(gift.at, gift.id, gift.sort) if failed else None
