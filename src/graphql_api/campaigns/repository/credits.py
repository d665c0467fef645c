"""Access paths of the orders that campaigns brought."""

import random
from collections.abc import Sequence

from pynamodb.expressions.update import Action

from graphql_api.campaigns import models
from graphql_api.campaigns.models import (
    SHARDS,
    SOLE,
    CreditRow,
    CreditSum,
    OrderCredits,
)
from graphql_api.campaigns.rules import Brought
from graphql_api.kit.dynamo import Page, Transaction, batch_get, key_page
from graphql_api.kit.dynamo.blocks import key_walk


def credits_of(order_id: str) -> OrderCredits | None:
    """The credit of an order as it is now (strongly consistent), to decide on."""
    return all_credits_of([order_id])[0]


def all_credits_of(order_ids: Sequence[str]) -> list[OrderCredits | None]:
    """The same of several orders."""
    return batch_get(OrderCredits, [(id_, SOLE) for id_ in order_ids], consistent=True)


def brought_by(campaign_ids: Sequence[str]) -> list[Brought]:
    """What each campaign brought: one batch of the eight parts of each."""
    shards = range(SHARDS)
    keys = [(id_, models.credit_sort(shard)) for id_ in campaign_ids for shard in shards]
    found = batch_get(CreditSum, keys)
    parts = [found[n : n + SHARDS] for n in range(0, len(found), SHARDS)]
    return [
        Brought(
            sum(int(part.orders) for part in of_one if part),
            sum(int(part.net) for part in of_one if part),
        )
        for of_one in parts
    ]


def page_of_credits(
    campaign_id: str, *, first: int, after: str | None, reverse: bool
) -> Page[CreditRow]:
    """The rows of a campaign, shard after shard, each by day; a page reads few of them."""
    return key_walk(
        lambda key, **page: key_page(CreditRow, key, CreditRow.sort, **page),
        [models.credit_id(campaign_id, shard) for shard in range(SHARDS)],
        first=first,
        after=after,
        reverse=reverse,
    )


def save_credits(tx: Transaction, item: OrderCredits) -> None:
    """Write the credit of an order over the version that was read, or for the first time."""
    if item.version is None:
        tx.create(item)
    else:
        tx.save(item)


def add_credit(tx: Transaction, row: CreditRow) -> None:
    """Add a row of which there is none yet, and move the campaign's sum.

    Which part of it is a matter of chance, so that two orders seldom meet in one.
    """
    tx.create(row)
    part = CreditSum(row.campaign_id, models.credit_sort(random.randrange(SHARDS)))  # noqa: S311 - no secret
    moved: list[Action] = [CreditSum.orders.add(int(row.orders)), CreditSum.net.add(int(row.net))]
    tx.update(part, moved)
