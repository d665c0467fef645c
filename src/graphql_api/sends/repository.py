"""Access paths of sends and their friends."""

from collections.abc import Sequence

from graphql_api.kit.dynamo import Page, Transaction, batch_get, key_page
from graphql_api.sends import models
from graphql_api.sends.models import SOLE, TO, Send, SendsItem, Target


def get_many(send_ids: Sequence[str]) -> list[Send | None]:
    """Sends by id."""
    return batch_get(Send, [(id_, SOLE) for id_ in send_ids])


def get(send_id: str) -> Send | None:
    """One send as it is now (strongly consistent)."""
    return batch_get(Send, [(send_id, SOLE)], consistent=True)[0]


def save(tx: Transaction, send: Send) -> None:
    """Write a send, new or over the version that was read."""
    send.of_guide = send.guide_id
    tx.save(send)


def page_of_guide(guide_id: str, *, first: int, after: str | None, reverse: bool) -> Page[Send]:
    """The sends of a guide by time: one Query, one BatchGetItem."""
    keys = key_page(
        SendsItem.by_guide, guide_id, SendsItem.id, first=first, after=after, reverse=reverse
    )
    return keys.showing(batch_get(Send, [item.key for item in keys.items]))


def get_targets(send_id: str, customers: Sequence[str]) -> list[Target | None]:
    """Friends of a send as they are now (strongly consistent)."""
    keys = [(send_id, models.target_sort(one)) for one in customers]
    return batch_get(Target, keys, consistent=True)


def put_target(tx: Transaction, target: Target) -> None:
    """Write what became of a friend; the send, in the same transaction, has the condition."""
    tx.put(target)


def all_targets(send_id: str) -> list[str]:
    """Everybody to whom a send goes, at most ten thousand (strongly consistent)."""
    under = SendsItem.sort.startswith(TO)
    return [one.external_user_id for one in Target.query(send_id, under, consistent_read=True)]


def page_of_targets(send_id: str, *, first: int, after: str | None, reverse: bool) -> Page[Target]:
    """The friends of a send: one Query."""
    return key_page(
        Target,
        send_id,
        SendsItem.sort,
        first=first,
        after=after,
        reverse=reverse,
        starts_with=TO,
    )
