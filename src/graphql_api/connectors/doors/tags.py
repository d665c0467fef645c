"""A vendor's customer got a tag, or lost one."""

from collections.abc import Sequence

from graphql_api.connectors import repository
from graphql_api.connectors.doors import people
from graphql_api.connectors.models import Shop
from graphql_api.connectors.rules import LinkKind, Outcome
from graphql_api.connectors.service import copies
from graphql_api.kit.time import Clock
from graphql_api.members.rules import TagSource
from graphql_api.tags import service as tags
from graphql_api.tags.service import TagsSet


def told(
    shop: Shop, key: str, gained: Sequence[str], lost: Sequence[str], *, clock: Clock
) -> Outcome:
    """Give and take the tags that the vendor's are linked to; the others are of no concern.

    What the vendor has by then is noted, so that they are not told of it.
    """
    member_id = people.member_id_of(shop, key)
    if member_id is None:
        return Outcome.IGNORED
    known = repository.our_ids(shop.id, LinkKind.TAG, [*gained, *lost])
    pairs = dict(zip([*gained, *lost], known, strict=True))
    add = [id_ for name in gained if (id_ := pairs[name])]
    remove = [id_ for name in lost if (id_ := pairs[name]) and id_ not in add]
    if not add and not remove:
        return Outcome.IGNORED
    changed = tags.set_tags_as(
        TagsSet(member_id=member_id, add=add, remove=remove),
        source=TagSource.IMPORTED,
        source_ref=shop.id,
        clock=clock,
    )
    # Behind the change: before it, who tells the vendor would take it back there.
    copies.heard_tags(
        shop,
        member_id,
        gained=[name for name in gained if pairs[name]],
        lost=[name for name in lost if pairs[name]],
    )
    return Outcome.APPLIED if changed.changes else Outcome.UNCHANGED
