"""A member who has been through everything, and all that is stored anywhere."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from graphql_api import tables
from graphql_api.access.service import sessions
from graphql_api.benefits import service as benefits
from graphql_api.benefits.rules import JOINED
from graphql_api.campaigns.rules import CampaignChannel
from graphql_api.checkout import service as checkout
from graphql_api.guides.models import Guide
from graphql_api.kit.dynamo.connection import shared_client
from graphql_api.kit.time import real_now
from graphql_api.members import service as members
from graphql_api.members.models import Member
from graphql_api.members.rules import ConsentChannel, ConsentPurpose, IdentityKind
from graphql_api.members.service import ConsentSet, IdentityChange, NewConsent, NewIdentity, Update
from graphql_api.merges.rules import MergeState
from graphql_api.merges.service import MembersMerge, merge
from graphql_api.orders import service as orders
from graphql_api.orders.service import Snapshot
from graphql_api.ownership import service as ownership
from graphql_api.ownership.service import HandOverCreate
from graphql_api.ownership.tasks import run_hand_over
from graphql_api.stores.models import Store
from graphql_api.viewer import SYSTEM, Role, Viewer
from tests.campaigns.factories import make_running, take_part
from tests.coupons.factories import claim, make_template
from tests.factories import (
    CLOCK,
    make_guide,
    make_identity,
    make_member,
    make_refund,
    make_snapshot,
    make_store,
)
from tests.mall.factories import make_item, redeem
from tests.orders.storage import member_now
from tests.tags.factories import make_tag, set_tags

OPERATOR = Viewer(Role.OPERATOR, id="opr_1", scopes=frozenset({"members:pii"}))
NAME, NICKNAME, OTHER_NAME = "欧阳小明", "明明爱喝茶", "欧阳明明"
PHONE = NewIdentity(kind=IdentityKind.PHONE, value="+8613812345678")
OPENID = make_identity("openid-of-xiaoming")
UNIONID = make_identity("unionid-of-xiaoming", IdentityKind.UNIONID)
CARD = make_identity("card-of-xiaoming", IdentityKind.POS_CARD)
OLD_OPENID = make_identity("openid-of-the-other-account")
REASON = "小明说喜欢新茶"
IDENTITIES = (PHONE, OPENID, UNIONID, CARD, OLD_OPENID)


@dataclass(frozen=True)
class Life:
    """The ids of what a member did; `merged` is an id that leads to the member."""

    member: Member
    merged: str
    store: Store
    snapshots: list[Snapshot]


def live() -> Life:
    """A member with orders in three states, tags, a hand-over, a campaign, logins and an alias."""
    store = make_store("S1")
    first, second = make_guide(store, "李芳"), make_guide(store, "陈静")
    merged = make_member(store, OLD_OPENID, name=OTHER_NAME, guide_id=first.id)
    member = make_member(
        store,
        PHONE,
        OPENID,
        UNIONID,
        guide_id=first.id,
        name=NAME,
        nickname=NICKNAME,
        birthday="02-29",
        birth_year=1988,
        occupation="教师",
        consents=[NewConsent(purpose=ConsentPurpose.SERVICE, text_version="v1")],
    )
    one = MembersMerge(survivor_id=member.id, loser_id=merged.id, reason=REASON)
    assert merge(one, viewer=OPERATOR, clock=CLOCK).state is MergeState.DONE
    card = IdentityChange(member_id=member.id, identity=CARD)
    members.add_identity(card, viewer=OPERATOR)
    members.update(Update(id=member.id, city="杭州"), viewer=OPERATOR)
    _agree(member)
    _be_tagged(member)
    _be_handed_over(first, second)
    take_part(
        make_running("会员日", clock=CLOCK), member, clock=CLOCK, channel=CampaignChannel.WECOM
    )
    claim(member, make_template(per_member=2))
    sessions.begin(member.id, at=real_now())
    _be_given(member, store)
    _check_out(member)
    return Life(member_now(member.id), merged.id, store, _buy(member, store))


def _agree(member: Member) -> None:
    for granted in (True, False):
        given = ConsentSet(
            member_id=member.id,
            purpose=ConsentPurpose.MARKETING,
            channel=ConsentChannel.SMS,
            granted=granted,
            text_version="v1",
        )
        members.set_consent(given, viewer=SYSTEM, clock=CLOCK)


def _be_tagged(member: Member) -> None:
    kept, dropped = make_tag(name="爱喝茶"), make_tag(name="爱吃辣")
    day = date(2018, 12, 31)
    set_tags(member, kept, dropped, reason=REASON, expires_on=day)
    set_tags(member, remove=[dropped], reason=REASON)


def _be_handed_over(giver: Guide, taker: Guide) -> None:
    given = HandOverCreate(from_guide_id=giver.id, target_ids=[taker.id])
    job = ownership.hand_over(given, viewer=SYSTEM, clock=CLOCK)
    assert run_hand_over(job.id, clock=CLOCK)


def _be_given(member: Member, store: Store) -> None:
    """A gift for joining, and something for some of its points."""
    benefits.give(member.id, JOINED, date(2018, 1, 10), clock=CLOCK)
    redeem(member, make_item(name="茶杯", points=5), store)


def _check_out(member: Member) -> None:
    line = checkout.CheckoutLine(item_id="tea", unit_price=8_000)
    given = checkout.CheckoutReserve(
        member_id=member.id,
        lines=[line],
        coupons=[],
        source="mall",
        external_id="M-1",
        payable=8_000,
    )
    checkout.reserve(given, viewer=SYSTEM, clock=CLOCK)


def _buy(member: Member, store: Store) -> list[Snapshot]:
    """Orders by each way to name the buyer: paid, refunded in part, and refunded."""
    told: list[dict[str, Any]] = [
        {"member_id": member.id},
        {"buyer": [PHONE], "guide_id": None},
        {"buyer": [OPENID, CARD], "total": 1_000},
    ]
    refunds = [[], [make_refund("r1", amount=500)], [make_refund("r2", amount=1_000)]]
    snapshots = [
        make_snapshot(store, *refund, external_id=f"W-{n}", **body)
        for n, (body, refund) in enumerate(zip(told, refunds, strict=True))
    ]
    for snapshot in snapshots:
        orders.apply(snapshot, clock=CLOCK)
    return snapshots


# --- all that is stored ----------------------------------------------------------------------


Stored = tuple[str, dict[str, Any]]


def stored() -> Iterator[Stored]:
    """Every item of every table, with the table's name."""
    client: Any = shared_client()
    for table in tables.TABLES:
        name = table.Meta.table_name
        for page in client.get_paginator("scan").paginate(TableName=name):
            for item in page["Items"]:
                yield name, item


def everything() -> list[str]:
    """Every item of every table as text."""
    return sorted(f"{name} {text_of(item)}" for name, item in stored())


def text_of(item: dict[str, Any]) -> str:
    """An item as it is compared and searched."""
    return json.dumps(item, ensure_ascii=False, sort_keys=True)


def secrets_of(life: Life) -> list[str]:
    """Everything that tells who the person was, as it may stand anywhere."""
    told = [NAME, NICKNAME, OTHER_NAME, "小明", "1988", "02-29", "教师", "杭州"]
    told += [identity.value for identity in IDENTITIES if identity is not PHONE]
    told += [str(life.member.sealed_phone)]
    return told
