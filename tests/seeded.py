"""A small chain with everything filled in, for documents that are run against it."""

from datetime import date

import pytest

from graphql_api.members.rules import ConsentChannel, ConsentPurpose, Gender, IdentityKind
from graphql_api.members.service import ConsentSet, NewConsent, NewIdentity, set_consent
from graphql_api.orders import service as orders
from graphql_api.stores import service as stores
from graphql_api.stores.models import HEADQUARTERS_ID, Store
from graphql_api.stores.rules import UnitKind
from graphql_api.viewer import SYSTEM
from tests.factories import (
    CLOCK,
    make_guide,
    make_identity,
    make_member,
    make_refund,
    make_snapshot,
    make_store,
)

NAME = "王小明"
NICKNAME = "明明爱喝茶"
PHONE = "+8613800138000"
UNION_ID = "union-1"


@pytest.fixture
def seeded(chain: str) -> dict[str, str]:
    """The ids of a region with two stores, their guides, three members, and an order, by name.

    Every field of the first of each kind has a value. `member` belongs to `guide` and `store`.
    """
    new = stores.UnitCreate(
        kind=UnitKind.AGENT,
        name="华东代理",
        parent_id=HEADQUARTERS_ID,
        partner_level=3,
        partner_growth=1200,
    )
    region = stores.create_unit(new, viewer=SYSTEM, clock=CLOCK)
    store = _store(region.id)
    other_store = make_store("S2")
    guide = make_guide(store, "李芳", wecom_user_id="LiFang", employed_on=date(2016, 3, 1))
    other_guide = make_guide(other_store, "赵敏", wecom_user_id="ZhaoMin")
    member = make_member(
        store,
        NewIdentity(kind=IdentityKind.PHONE, value=PHONE),
        NewIdentity(kind=IdentityKind.UNIONID, value=UNION_ID),
        NewIdentity(kind=IdentityKind.OPENID, value="openid-1"),
        guide_id=guide.id,
        name=NAME,
        nickname=NICKNAME,
        gender=Gender.MALE,
        birthday="02-29",
        birth_year=1988,
        city="上海",
        occupation="教师",
        income_band="10k-15k",
        consents=[
            NewConsent(
                purpose=ConsentPurpose.MARKETING, channel=ConsentChannel.SMS, text_version="2017-09"
            )
        ],
    )
    withdrawn = ConsentSet(
        member_id=member.id,
        purpose=ConsentPurpose.MARKETING,
        channel=ConsentChannel.SMS,
        granted=False,
        text_version="2017-09",
    )
    set_consent(withdrawn, viewer=SYSTEM, clock=CLOCK)
    beside = make_member(store, make_identity("openid-2"), name="孙丽")
    elsewhere = make_member(other_store, make_identity("openid-3"), guide_id=other_guide.id)
    order = _order(store, guide_id=guide.id, member_id=member.id)
    return {
        "headquarters": HEADQUARTERS_ID,
        "region": region.id,
        "store": store.id,
        "other_store": other_store.id,
        "guide": guide.id,
        "other_guide": other_guide.id,
        "member": member.id,
        "member_no": member.member_no,
        "phone": PHONE,
        "union_id": UNION_ID,
        "member_beside": beside.id,
        "member_elsewhere": elsewhere.id,
        "order": order,
    }


def _store(region_id: str) -> Store:
    return make_store(
        "S1",
        under=region_id,
        name="人民广场店",
        city="上海",
        address="南京东路 1 号",
        phone="+862150001000",
        position=stores.Position(latitude=31.23, longitude=121.47),
        hours=[stores.Hours(weekday=1, opens="09:00", closes="22:00")],
        pickup=True,
        opened_on=date(2015, 5, 1),
    )


def _order(store: Store, *, guide_id: str, member_id: str) -> str:
    """An order of 100 yuan with two lines, of which one came back in part."""
    rice = orders.SnapshotLine(item_id="rice", name="大米", category="粮食", amount=6_000)
    tea = orders.SnapshotLine(item_id="tea", name="绿茶", category="茶", quantity=2, amount=4_000)
    snapshot = make_snapshot(
        store,
        make_refund("r1", amount=1_500, lines=[{"item_id": "tea", "amount": 1_500}]),
        external_id="W-1",
        guide_id=guide_id,
        member_id=member_id,
        lines=[rice, tea],
    )
    return orders.apply(snapshot, clock=CLOCK).order.id
