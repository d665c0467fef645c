"""`make audit`: a chain that is as it should be, and each kind of difference planted in it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from graphql_api.benefits import service as benefits
from graphql_api.benefits.models import BenefitsItem
from graphql_api.benefits.rules import JOINED
from graphql_api.coupons import repository as coupons
from graphql_api.coupons import service as coupon_service
from graphql_api.coupons.models import Coupon, CouponPointer, CouponsItem, code_id
from graphql_api.kit import ids
from graphql_api.kit.dynamo import Item, batch_write
from graphql_api.mall.models import MallTableItem
from graphql_api.mall.rules import RedemptionState
from graphql_api.members import repository as members
from graphql_api.members import service as member_service
from graphql_api.members.models import Claim, Counter, Member, MembersItem
from graphql_api.orders import repository as orders
from graphql_api.orders import service
from graphql_api.orders.models import SOLE, Order, OrdersItem, Pointer
from graphql_api.orders.service import Snapshot
from graphql_api.points import repository as points_repository
from graphql_api.points import service as points
from graphql_api.points.models import PointsItem
from graphql_api.policies.rules import PolicyKind
from graphql_api.rebuilds import models as rebuilds
from graphql_api.rebuilds.models import Run
from graphql_api.rebuilds.rules import RunKind, RunState
from graphql_api.stores import service as stores
from graphql_api.stores.models import Store
from graphql_api.viewer import SYSTEM
from scripts import audit, package
from tests.benefits.factories import gift_of
from tests.coupons.factories import HEADQUARTERS, issue, make_template
from tests.factories import (
    CLOCK,
    NOW,
    make_identity,
    make_member,
    make_refund,
    make_snapshot,
    make_store,
)
from tests.mall.factories import cancel, make_item, redeem


class Told(list[dict[str, Any]]):
    """What an audit told, by event."""

    status = 0

    @property
    def differing(self) -> list[tuple[str, str]]:
        """What differs, and where."""
        return [(one["what"], one["where"]) for one in self if one["event"] == "differs"]

    @property
    def counts(self) -> dict[str, int]:
        """The last line: how much was looked at."""
        return {name: n for name, n in self[-1].items() if name != "event"}


Auditor = Callable[..., Told]


@pytest.fixture
def audited(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Auditor:
    """Run the program on the day of the other tests."""
    monkeypatch.setattr(stores, "clock", lambda: CLOCK)

    def run(*arguments: str) -> Told:
        status = audit.main(list(arguments))
        told = Told(json.loads(line) for line in capsys.readouterr().out.splitlines())
        told.status = status
        return told

    return run


@pytest.fixture
def store(chain: str) -> Store:
    return make_store("S1")


@pytest.fixture
def member(store: Store) -> Member:
    """A member with a phone who bought twice; of the second order a part came back."""
    member = make_member(store, make_identity(), name="陈静")
    bought(store, member)
    bought(store, member, make_refund())
    return now(member)


def bought(store: Store, member: Member, *refunds: Any) -> Snapshot:
    snapshot = make_snapshot(store, *refunds, member_id=member.id)
    service.apply(snapshot, clock=CLOCK)
    return snapshot


def now(member: Member) -> Member:
    found = members.get(member.id)
    assert found is not None
    return found


def plant(table: type[Item], item: Item) -> None:
    """Store an item as it is, whatever is there."""
    batch_write(table, [item])


def test_chain_that_is_as_it_should_be_has_no_difference(
    store: Store, member: Member, audited: Auditor
) -> None:
    gone = make_member(store)
    bought(store, gone)
    member_service.archive(gone.id, viewer=SYSTEM, clock=CLOCK)
    told = audited()
    assert told.counts == {"members": 2, "orders": 3, "busy": 0, "differences": 0, "unread": 0}
    assert (told.status, len(told)) == (0, 1)


def test_facts_that_are_not_those_of_the_orders_are_found(member: Member, audited: Auditor) -> None:
    member.paid += 100
    member.month_document = {"2018-01": [2, 18_900, 190]}
    member.last_purchase_on = date(2018, 1, 6)
    plant(MembersItem, member)
    told = audited()
    assert told[0] == {
        "event": "differs",
        "member": member.id,
        "what": "facts.last_on",
        "where": member.id,
        "stored": "2018-01-06",
        "derived": "2018-01-05",
    }
    assert [what for what, _ in told.differing] == [
        "facts.last_on",
        "facts.months.2018-01",
        "facts.paid",
        "next_on",
        "foreseen",
    ]
    assert told.status == 1


def test_order_that_does_not_add_up_or_is_not_found_is_named(
    store: Store, member: Member, audited: Auditor
) -> None:
    one, other = orders.all_of_member(member)
    one.refunded, one.store_month = 500, "sto_9#2018-01"
    plant(OrdersItem, one)
    plant(OrdersItem, Pointer(other.id, SOLE, at_owner=other.id, at_place=other.place))
    told = audited()
    assert sorted(told.differing) == sorted(
        [
            ("order.refunded", one.id),
            ("order.store_month", one.id),
            ("order.pointer", other.id),
        ]
    )


def test_order_that_is_missing_is_found_by_its_facts(member: Member, audited: Auditor) -> None:
    lost: Order = orders.all_of_member(member)[-1]
    lost.delete()
    assert ("facts.orders", member.id) in audited().differing


def test_identity_that_leads_elsewhere_is_found_and_not_shown(
    store: Store, member: Member, audited: Auditor, capsys: pytest.CaptureFixture[str]
) -> None:
    other = make_member(store)
    [claim] = member.identity_claims
    plant(MembersItem, Claim(f"claim#{claim}", member_id=other.id))
    told = audited()
    assert told.differing == [("identity.OPENID", member.id)]
    assert claim.partition("#")[2] not in json.dumps(told)


def test_key_of_a_list_that_is_not_the_member_s_is_found_and_not_shown(
    member: Member, audited: Auditor
) -> None:
    member.name_key = "somebody-else"
    plant(MembersItem, member)
    told = audited()
    assert told.differing == [("member.name_key", member.id)]
    assert "somebody-else" not in json.dumps(told)


def test_standing_that_the_rules_would_not_give_is_found(member: Member, audited: Auditor) -> None:
    name, rank, *rest = member.standing_document["t"]
    member.standing_document = {**member.standing_document, "t": ["V6", 5, *rest]}
    member.foreseen = None
    plant(MembersItem, member)
    assert (name, rank) == ("V1", 0)
    told = audited()
    assert ("foreseen", member.id) in told.differing


def test_standings_are_left_alone_while_a_policy_is_brought_to_everyone(
    member: Member, audited: Auditor
) -> None:
    member.foreseen = None
    plant(MembersItem, member)
    assert audited().differing == [("foreseen", member.id)]
    run_id = ids.new_id("run")
    run = Run(run_id, kind=RunKind.REBUILD, state=RunState.IN_PROGRESS, listed=rebuilds.LISTED)
    run.place, run.created_at, run.created_by = run_id, NOW, "opr_1"
    run.policy_kind, run.policy_version = PolicyKind.GROWTH, 1
    run.as_of, run.total = NOW.date(), 1
    run.save()
    assert audited().differing == []


@pytest.fixture
def coupon(store: Store, member: Member) -> Coupon:
    """A coupon of a template of five, used by an order that was paid with points as well."""
    coupon = issue(member, make_template(stock=5))
    points.grant(member.id, 500, key="g", cause=points.Cause(CLOCK))
    order = make_snapshot(
        store, member_id=member.id, coupons=[coupon.code], points_used=200, paid_at=NOW
    )
    service.apply(order, clock=CLOCK)
    [now] = coupons.find([coupon.coupon_id])
    assert now is not None
    return now


def test_points_and_coupons_that_are_as_they_should_be_have_no_difference(
    store: Store, member: Member, coupon: Coupon, audited: Auditor
) -> None:
    friend = make_member(store)
    issue(friend, make_template(public=True))
    recycled = coupon_service.WithReason(
        id=issue(member, make_template(stock=1)).coupon_id, reason="x"
    )
    coupon_service.recycle(recycled, viewer=HEADQUARTERS, clock=CLOCK)
    told = audited()
    assert (told.status, told.differing) == (0, [])


def test_points_that_ledger_lots_and_member_do_not_agree_on_are_found(
    member: Member, coupon: Coupon, audited: Auditor
) -> None:
    entry = points_repository.all_entries(member.id)[-1]
    entry.delete()
    told = audited()
    assert told.differing == [("points", member.id)]
    assert "pending: 290 on the member, 290 in lots, 190 in the ledger" in str(told)
    plant(PointsItem, entry)
    assert audited().differing == []
    account = points_repository.get(member.id)
    assert account is not None
    account.debt = 5
    plant(PointsItem, account)
    # The balance, and that there is a debt beside points that can be spent.
    assert audited().differing == [("points", member.id)] * 2


def test_order_that_gave_other_points_than_it_says_is_found(
    member: Member, coupon: Coupon, audited: Auditor
) -> None:
    order = orders.all_of_member(member)[-1]
    order.points_document = {**order.points_document, "earned": 7}
    plant(OrdersItem, order)
    assert audited().differing == [("order.points", order.id)]


def test_coupon_that_its_order_its_pointers_or_its_limits_do_not_know_is_found(
    member: Member, coupon: Coupon, audited: Auditor
) -> None:
    claims = coupons.get_claims(member.id, coupon.template_id)
    claims.total = 3
    plant(CouponsItem, claims)
    coupon.order_id = "ord_other"
    plant(CouponsItem, coupon)
    lost = CouponPointer(code_id(coupon.code), member_id=member.id, place="coupon#elsewhere")
    plant(CouponsItem, lost)
    assert audited().differing == [
        ("coupon.order", coupon.coupon_id),
        ("coupon.code", coupon.coupon_id),
        ("coupon.taken", f"{member.id} {coupon.template_id}"),
    ]


def test_stock_that_was_counted_wrongly_is_found(
    member: Member, coupon: Coupon, audited: Auditor
) -> None:
    taken = next(part for part in coupons.stock_of(coupon.template_id) if part.issued)
    taken.issued = 0
    plant(CouponsItem, taken)
    assert audited().differing == [
        ("stock.left", coupon.template_id),
        ("stock.issued", coupon.template_id),
    ]
    assert audited("--blocks", "1").differing == []


def test_gifts_and_redemptions_stand_with_the_points_that_they_moved(
    store: Store, member: Member, audited: Auditor
) -> None:
    benefits.give(member.id, JOINED, NOW.date(), clock=CLOCK)
    item = make_item(points=5)
    kept, cancelled = (redeem(member, item, store) for _ in range(2))
    cancel(cancelled)
    assert audited().differing == []
    kept.state = RedemptionState.CANCELLED
    plant(MallTableItem, kept)
    gift = gift_of(member)
    gift.points = 30
    plant(BenefitsItem, gift)
    assert audited().differing == [
        ("gift.points", f"{member.id} gift#JOINING#-"),
        ("redemption.points", kept.redemption_id),
        ("redemption.taken", f"{member.id} {item.id}"),
    ]


def test_difference_that_a_second_look_does_not_find_is_none(
    store: Store, member: Member, audited: Auditor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Orders arrive between the reads of the member and those of the orders."""
    read, left = orders.all_of_member, [0, 0]

    def arriving(given: Member) -> list[Order]:
        if not left:
            return read(given)
        left.pop()
        bought(store, given)
        return read(given)

    monkeypatch.setattr(orders, "all_of_member", arriving)
    told = audited()
    assert left == []
    assert (told.differing, told.counts["orders"]) == ([], 4)


def test_member_whom_a_job_holds_is_left_to_it(
    store: Store, member: Member, audited: Auditor
) -> None:
    member.paid += 1
    plant(MembersItem, member)
    member_service.lock(member.id, "j", clock=CLOCK)
    told = audited()
    assert (told.status, told.counts["busy"], told.differing) == (0, 1, [])


def test_member_who_cannot_be_read_stops_nobody_else(
    store: Store, member: Member, audited: Auditor
) -> None:
    broken = make_member(store)
    broken.due_on = None
    broken.standing_document = {"t": ["V1"], "l": [0, 1, 1, 1], "p": [0, 1]}
    plant(MembersItem, broken)
    told = audited()
    assert told[0]["event"] == "not read"
    assert told[0]["member"] == broken.id
    assert (told.status, told.counts["members"], told.counts["unread"]) == (1, 2, 1)


def test_walk_goes_on_at_a_block_and_a_member_is_asked_alone(
    store: Store, member: Member, audited: Auditor
) -> None:
    plant(MembersItem, Counter("counter", last=300))
    far = make_member(store)
    far.paid += 1
    plant(MembersItem, far)
    assert audited("--from-block", "0", "--blocks", "1").counts["members"] == 1
    for arguments in (["--from-block", "1"], ["--member", far.id]):
        told = audited(*arguments)
        assert told.counts["members"] == 1
        assert told.differing == [("facts.paid", far.id)]


def test_stage_that_is_not_there_is_said_to_be_so(aws_account: str) -> None:
    asked = subprocess.run(
        [sys.executable, "scripts/audit.py", "--stage", "nowhere"],
        env={**os.environ, "PYTHONPATH": "src:."},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (asked.returncode, asked.stdout) == (1, "")
    assert asked.stderr == "There is no such chain in this account and region.\n"


def test_stage_is_known_by_the_names_of_its_tables() -> None:
    template = (package.ROOT / "infra" / "template.yaml").read_text()
    prefix = audit.STAGE_TABLES.format(stage="${Stage}")
    assert f'APP_TABLE_PREFIX: !Sub "{prefix}"' in template
