"""What orders and their members take of the 400 kB of an item, by DynamoDB's rules of size."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from graphql_api.kit.dynamo.connection import shared_client
from graphql_api.members import service as member_service
from graphql_api.members.models import MembersItem
from graphql_api.members.rules import ConsentChannel, ConsentPurpose, IdentityKind
from graphql_api.members.service import (
    MAX_CONSENTS_AT_ONCE,
    MAX_IDENTITIES,
    ConsentSet,
    NewConsent,
    NewIdentity,
    set_consent,
)
from graphql_api.orders import service
from graphql_api.orders.models import OrdersItem
from graphql_api.orders.service import (
    MAX_COUPONS,
    MAX_FEN,
    MAX_LINES,
    MAX_POINTS,
    MAX_REFUNDS,
    SnapshotLine,
)
from graphql_api.orders.service import SnapshotRefundLine as RefundLine
from graphql_api.stores.models import Store
from graphql_api.viewer import SYSTEM
from tests.factories import (
    CLOCK,
    PAID_AT,
    make_guide,
    make_identity,
    make_member,
    make_refund,
    make_snapshot,
)
from tests.orders.storage import member_now, order_of

ITEM_LIMIT = 400 * 1024
MEMBER_LIMIT = 16 * 1000


def size(value: Mapping[str, Any]) -> int:
    """Bytes of one attribute value: UTF-8 text; about half of a number's digits, and one; lists by
    what is in them and a byte for each, and three."""
    [(kind, given)] = value.items()
    match kind:
        case "S":
            return len(given.encode())
        case "N":
            return (len(given.strip("-").replace(".", "").strip("0")) + 1) // 2 + 1
        case "BOOL" | "NULL":
            return 1
        case "L":
            return 3 + sum(1 + size(one) for one in given)
        case "M":
            return 3 + sum(1 + len(name.encode()) + size(one) for name, one in given.items())
    raise AssertionError(kind)


def item_size(table: type[OrdersItem | MembersItem], key: tuple[str, str]) -> int:
    """Bytes of a stored item: names and values."""
    client: Any = shared_client()
    [item] = client.batch_get_item(
        RequestItems={table.Meta.table_name: {"Keys": [table.raw_key(key)]}}
    )["Responses"][table.Meta.table_name]
    return sum(len(name.encode()) + size(value) for name, value in item.items())


def test_sizes_are_those_that_the_manual_gives() -> None:
    assert size({"S": "中文ab"}) == 8
    assert [size({"N": n}) for n in ("0", "7", "100", "12345", "-1234567")] == [1, 2, 2, 4, 5]
    assert size({"L": [{"S": "ab"}, {"N": "7"}]}) == 9


def test_largest_order_fits_into_an_item(store: Store) -> None:
    long = "超" * 200
    lines = [
        SnapshotLine(item_id=f"{n:0100d}", name=long, category=long, quantity=10**6, amount=MAX_FEN)
        for n in range(MAX_LINES)
    ]
    refunds = [
        make_refund(
            f"{n:0100d}",
            revision=2**62,
            amount=MAX_FEN,
            lines=[RefundLine(item_id=f"{i:0100d}", amount=MAX_FEN // 2) for i in range(n, n + 2)],
        )
        for n in range(MAX_REFUNDS)
    ]
    buyer = [NewIdentity(kind=IdentityKind.UNIONID, value=f"{n:0128d}") for n in range(8)]
    snapshot = make_snapshot(
        store,
        *refunds,
        external_id="W" * 100,
        revision=2**62,
        guide_id=make_guide(store).id,
        total=None,
        buyer=buyer,
        lines=lines,
        points_used=MAX_POINTS,
        coupons=[f"{n:0100d}" for n in range(MAX_COUPONS)],
    )
    service.apply(snapshot, clock=CLOCK)
    order = order_of(snapshot)
    assert len(order.lines) == MAX_LINES
    assert len(order.refunds) == MAX_REFUNDS
    assert 280_000 < item_size(OrdersItem, order.key) < ITEM_LIMIT


def test_what_stands_beside_the_lists_of_an_order_is_under_two_thousand_bytes(store: Store) -> None:
    member = make_member(store, guide_id=make_guide(store).id)
    snapshot = make_snapshot(
        store,
        external_id="W" * 100,
        revision=2**62,
        guide_id=make_guide(store, "乙").id,
        member_id=member.id,
        total=MAX_FEN,
    )
    service.apply(snapshot, clock=CLOCK)
    assert item_size(OrdersItem, order_of(snapshot).key) < ITEM_LIMIT - service.MAX_BYTES
    assert item_size(OrdersItem, order_of(snapshot).key) < 2_000


def test_largest_member_is_under_sixteen_kilobytes(store: Store) -> None:
    long = "超" * 60
    identities = [make_identity("+8613800138000", IdentityKind.PHONE)]
    identities += [
        NewIdentity(kind=IdentityKind.WECOM_EXTERNAL, value=f"{n:0128d}")
        for n in range(MAX_IDENTITIES - 1)
    ]
    consents = [
        NewConsent(purpose=purpose, channel=channel, text_version="v" * 20)
        for purpose in ConsentPurpose
        for channel in ConsentChannel
    ]
    member = make_member(
        store,
        *identities,
        guide_id=make_guide(store).id,
        consents=consents[:MAX_CONSENTS_AT_ONCE],
        name=long,
        nickname=long,
        gender="FEMALE",
        birthday="02-29",
        birth_year=1988,
        city=long,
        occupation=long,
        income_band=long,
    )
    for late in consents[MAX_CONSENTS_AT_ONCE:]:
        said = late.model_dump(exclude={"at"}) | {"member_id": member.id, "granted": True}
        set_consent(ConsentSet(**said), viewer=SYSTEM, clock=CLOCK)
    history = [
        make_snapshot(
            store,
            external_id=f"W{month}",
            member_id=member.id,
            total=MAX_FEN - month,
            paid_at=PAID_AT - timedelta(days=30.44 * month),
        )
        for month in range(40)
    ]
    service.backfill(member.id, history, clock=CLOCK, job="j")
    member_service.archive(member.id, viewer=SYSTEM, clock=CLOCK)
    member_service.lock(member.id, "j" * 100, clock=CLOCK)
    assert len(member_now(member.id).facts.months) == 36
    assert len(member_now(member.id).identity_claims) == MAX_IDENTITIES
    assert 8_000 < item_size(MembersItem, member_now(member.id).key) < MEMBER_LIMIT
