"""Two members who are one person, all that is stored of them, and ways to interfere."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from graphql_api import tables
from graphql_api.access.service import sessions
from graphql_api.campaigns.models import Campaign
from graphql_api.campaigns.rules import ParticipationState
from graphql_api.coupons.models import Coupon
from graphql_api.coupons.service import Lock, Shown, lock
from graphql_api.guides.models import Guide
from graphql_api.kit.dynamo.connection import shared_client
from graphql_api.kit.time import real_now
from graphql_api.members.models import Member
from graphql_api.members.rules import (
    ConsentChannel,
    ConsentPurpose,
    Facts,
    Gender,
    IdentityKind,
    OwnershipSource,
    TagSource,
    derive,
)
from graphql_api.members.service import ConsentSet, NewConsent, set_consent
from graphql_api.merges import service
from graphql_api.merges.models import Merge
from graphql_api.orders import repository as orders
from graphql_api.orders import service as order_service
from graphql_api.orders.rules import contribution
from graphql_api.orders.service import Snapshot
from graphql_api.ownership import service as ownership
from graphql_api.points import service as points
from graphql_api.policies.rules import SHIPPED_GROWTH
from graphql_api.stores.models import Store
from graphql_api.tags.models import Tag
from graphql_api.tags.service import TagsSet, set_tags_as
from graphql_api.viewer import SYSTEM, Viewer
from tests.campaigns.factories import make_running, take_part
from tests.coupons.factories import claim, make_template
from tests.factories import (
    CLOCK,
    NOW,
    PAID_AT,
    make_guide,
    make_identity,
    make_member,
    make_refund,
    make_snapshot,
    make_store,
)
from tests.orders.storage import member_now
from tests.tags.factories import make_group, make_tag, set_tags

DAY = timedelta(days=1)
SURVIVORS_PHONE, LOSERS_PHONE = "+8613800138000", "+8613900139000"
Dump = dict[str, list[dict[str, Any]]]


class PowerCut(Exception):
    """The process died."""


@contextmanager
def power_cut(transactions: int, *, answered: bool) -> Iterator[None]:
    """The process dies at a transaction: before it is sent, or before its answer is read."""
    left = [transactions]

    def count(**_: Any) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise PowerCut

    event = f"{'after' if answered else 'before'}-call.dynamodb.TransactWriteItems"
    events = shared_client().meta.events
    events.register(event, count)
    try:
        yield
    finally:
        events.unregister(event, count)


@dataclass(frozen=True)
class Scene:
    """Two members who are one person, with what belongs to them."""

    survivor: Member
    loser: Member
    store: Store
    other_store: Store
    ann: Guide
    bob: Guide
    orders: dict[str, Snapshot]
    tags: dict[str, Tag]
    coupons: dict[str, Coupon]
    campaigns: dict[str, Campaign]

    def merge(self, *, viewer: Viewer = SYSTEM, **more: Any) -> Merge:
        """Merge the two."""
        given = service.MembersMerge(survivor_id=self.survivor.id, loser_id=self.loser.id)
        return service.merge(given, viewer=viewer, clock=CLOCK, **more)


def set_the_scene() -> Scene:
    """A survivor who joined later, and a loser with some of everything that can be moved."""
    store, other_store = make_store("S1"), make_store("S2")
    ann, bob = make_guide(store, "安"), make_guide(other_store, "波")
    survivor = make_member(
        store,
        make_identity(SURVIVORS_PHONE, IdentityKind.PHONE),
        make_identity("openid-new"),
        guide_id=ann.id,
        nickname="明",
        consents=[_consent(ConsentChannel.SMS), _consent(ConsentChannel.WECOM)],
    )
    loser = make_member(
        other_store,
        make_identity(LOSERS_PHONE, IdentityKind.PHONE),
        make_identity("openid-old"),
        make_identity("union-1", IdentityKind.UNIONID),
        joined_at=NOW - 100 * DAY,
        name="王小明",
        nickname="明明",
        gender=Gender.MALE,
        birthday="02-29",
        birth_year=1988,
        consents=[_consent(ConsentChannel.SMS), _consent(ConsentChannel.PHONE)],
    )
    _withdraw(loser, ConsentChannel.SMS)
    assigned = ownership.Assign(
        member_id=loser.id, guide_id=bob.id, source=OwnershipSource.ASSIGNED_BY_MANAGER
    )
    ownership.assign(assigned, viewer=SYSTEM, clock=CLOCK)
    sessions.begin(loser.id, at=real_now())
    _points(survivor, loser)
    return Scene(
        survivor=member_now(survivor.id),
        loser=member_now(loser.id),
        store=store,
        other_store=other_store,
        ann=ann,
        bob=bob,
        orders=_orders(store, survivor, loser),
        tags=_tags(survivor, loser),
        coupons=_coupons(survivor, loser),
        campaigns=_campaigns(survivor, loser),
    )


def _consent(channel: ConsentChannel) -> NewConsent:
    return NewConsent(purpose=ConsentPurpose.MARKETING, channel=channel, text_version="2017-09")


def _withdraw(member: Member, channel: ConsentChannel) -> None:
    given = ConsentSet(
        member_id=member.id,
        purpose=ConsentPurpose.MARKETING,
        channel=channel,
        granted=False,
        text_version="2017-09",
    )
    set_consent(given, viewer=SYSTEM, clock=CLOCK)


def _points(survivor: Member, loser: Member) -> None:
    """Some for each, of which the loser has put a part aside."""
    points.grant(survivor.id, 30, key="welcome", cause=points.Cause(CLOCK))
    points.grant(loser.id, 70, key="welcome", cause=points.Cause(CLOCK))
    given = points.PointsFreeze(member_id=loser.id, points=20, key="cart")
    points.freeze(given, viewer=SYSTEM, clock=CLOCK)


def _orders(store: Store, survivor: Member, loser: Member) -> dict[str, Snapshot]:
    """Four orders of the loser, one of the survivor in between, one that waits for an identity."""
    given = {
        "oldest": make_snapshot(store, member_id=loser.id, paid_at=PAID_AT - 40 * DAY, total=300),
        "refunded": make_snapshot(
            store, make_refund(amount=4_000), member_id=loser.id, paid_at=PAID_AT - 9 * DAY
        ),
        "own": make_snapshot(store, member_id=survivor.id, paid_at=PAID_AT - 8 * DAY, total=700),
        "gone": make_snapshot(
            store, make_refund(amount=10_000), member_id=loser.id, paid_at=PAID_AT - DAY
        ),
        "newest": make_snapshot(store, member_id=loser.id, paid_at=PAID_AT),
    }
    for snapshot in given.values():
        order_service.apply(snapshot, clock=CLOCK)
    return given


def _tags(survivor: Member, loser: Member) -> dict[str, Tag]:
    """Tags of each, one that both have, and one each of a group that allows one."""
    exclusive = make_group(exclusive=True)
    names = ("mine", "shared", "theirs", "timed")
    tags = {name: make_tag(name=name) for name in names}
    tags |= {name: make_tag(exclusive, name=name) for name in ("weaker", "stronger")}
    tags |= {f"more{n}": make_tag(name=f"more{n}") for n in range(3)}
    set_tags(survivor, tags["mine"], tags["shared"])
    _by_rule(survivor, tags["weaker"])
    set_tags(loser, *(tags[name] for name in ("theirs", "stronger", "more0", "more1", "more2")))
    set_tags(loser, tags["timed"], expires_on=CLOCK.today() + 3 * DAY, reason="到期")
    _by_rule(loser, tags["shared"])
    return tags


def _coupons(survivor: Member, loser: Member) -> dict[str, Coupon]:
    """A coupon of each, of one template; the loser's is held for an order."""
    template = make_template(per_member=1)
    coupons = {"mine": claim(survivor, template), "theirs": claim(loser, template)}
    held = Lock(coupon=Shown(id=coupons["theirs"].coupon_id), key="ord_1", until=NOW + DAY)
    lock(held, viewer=SYSTEM, clock=CLOCK)
    return coupons


def _by_rule(member: Member, tag: Tag) -> None:
    given = TagsSet(member_id=member.id, add=[tag.id])
    set_tags_as(given, source=TagSource.RULE, source_ref="rule-1", clock=CLOCK)


def _campaigns(survivor: Member, loser: Member) -> dict[str, Campaign]:
    """A campaign that the loser took part in, and two in which both did."""
    campaigns = {name: make_running(name) for name in ("theirs", "further", "behind")}
    states = ParticipationState
    take_part(campaigns["theirs"], loser)
    take_part(campaigns["further"], survivor, state=states.INVITED)
    take_part(campaigns["further"], loser, state=states.CONVERTED)
    take_part(campaigns["behind"], survivor, state=states.JOINED)
    take_part(campaigns["behind"], loser, state=states.EXCLUDED)
    return campaigns


def facts_of_all_orders(member: Member) -> Facts:
    """What `derive` makes of every order that stands under a member's own id."""
    held = orders.some_of_member(member.id, at_most=1_000)
    given = [contribution(order.state, SHIPPED_GROWTH) for order in held]
    return derive(one for one in given if one is not None)


# --- whole tables ----------------------------------------------------------------------------


def dump() -> Dump:
    """Every item of every table."""
    found: Dump = {}
    client: Any = shared_client()
    for model in tables.TABLES:
        name = model.Meta.table_name
        pages = client.get_paginator("scan").paginate(TableName=name, ConsistentRead=True)
        found[name] = [item for page in pages for item in page["Items"]]
    return found


def put(items: Dump) -> None:
    """Put these items into their tables."""
    _write(
        {name: [{"PutRequest": {"Item": item}} for item in rows] for name, rows in items.items()}
    )


def restore(wanted: Dump, *, found: Dump) -> None:
    """Have tables in which all this was found hold what is wanted, and nothing else."""
    keys = {m.Meta.table_name: list(m.raw_key(("", ""))) for m in tables.TABLES}
    for name, rows in found.items():
        before = {text(item): item for item in wanted[name]}
        now = {text(item): item for item in rows}
        back = [item for known, item in before.items() if known not in now]
        gone = [item for known, item in now.items() if known not in before]
        places = [text({k: item[k] for k in keys[name]}) for item in back]
        dropped = [{k: item[k] for k in keys[name]} for item in gone]
        _write({name: [{"DeleteRequest": {"Key": k}} for k in dropped if text(k) not in places]})
        put({name: back})


def _write(requests: dict[str, list[Any]]) -> None:
    client: Any = shared_client()
    for name, wanted in requests.items():
        for start in range(0, len(wanted), 25):
            client.batch_write_item(RequestItems={name: wanted[start : start + 25]})


def text(item: Any) -> str:
    """An item, or a key, as text that can be compared."""
    return json.dumps(item, sort_keys=True, ensure_ascii=False)


def everything(found: Dump | None = None) -> list[str]:
    """Every item of every table as text; of what was recorded of it, not when."""
    happens = {"place", "actor_place", "at", "forget_at", "of_actor"}
    return sorted(
        f"{name} {text(_without(item, happens) if name.endswith('audit') else item)}"
        for name, items in (found or dump()).items()
        for item in items
    )


def _without(item: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name not in names}
