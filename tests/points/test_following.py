"""What orders do to points, on storage."""

from datetime import date

from graphql_api.members.models import Member
from graphql_api.members.rules import Origin
from graphql_api.points import repository, service
from graphql_api.points.models import part_sort, program_id
from graphql_api.points.rules import OrderPoints
from graphql_api.stores.models import Store
from tests.calls import counted
from tests.factories import make_member
from tests.points.factories import buy, refunded
from tests.points.storage import (
    CAUSE,
    account_of,
    figures_of,
    follow,
    ledger_of,
    on_day,
    publish_points,
)


def test_order_earns_points_that_wait_and_its_refund_takes_them_back(member: Member) -> None:
    kept = follow(member.id, buy(yuan=100), tier="V3")
    assert isinstance(kept, OrderPoints)
    assert (kept.version, kept.percent, kept.tier, kept.earned) == (0, 110, "V3", 110)
    assert figures_of(member.id) == (0, 110, 0)
    half = follow(member.id, refunded(buy(yuan=100), 50), kept, tier="V6")
    assert half is not None
    assert (half.percent, half.earned) == (110, 55)
    assert figures_of(member.id) == (0, 55, 0)
    follow(member.id, refunded(buy(yuan=100), 100), half)
    assert figures_of(member.id) == (0, 0, 0)
    assert [kind for kind, *_ in ledger_of(member.id)] == ["EARN", "REVERSE", "REVERSE"]


def test_the_same_version_again_reads_and_writes_nothing_of_points(member: Member) -> None:
    kept = follow(member.id, buy())
    with counted() as calls:
        assert follow(member.id, buy(), kept) == kept
    assert calls == {"BatchGetItem": 1, "TransactWriteItems": 1}  # the member alone
    assert len(ledger_of(member.id)) == 1


def test_terms_stay_when_the_policy_changes(member: Member) -> None:
    kept = follow(member.id, buy(yuan=100))
    publish_points(fenPerPoint=10)
    more = follow(member.id, buy(yuan=120), kept)
    assert more is not None
    assert (more.version, more.earned) == (0, 120)
    other = follow(member.id, buy("ord_2", yuan=1))
    assert other is not None
    assert (other.version, other.earned) == (1, 10)
    assert figures_of(member.id) == (0, 130, 0)


def test_order_that_goes_to_another_takes_everything_back(member: Member, store: Store) -> None:
    other = make_member(store)
    grant(member, 500)
    kept = follow(member.id, buy(used=200))
    assert figures_of(member.id) == (300, 100, 0)
    assert follow(member.id, None, kept) is None
    assert figures_of(member.id) == (500, 0, 0)
    moved = follow(other.id, buy(used=200), None)
    assert moved is not None
    assert figures_of(other.id) == (-200, 100, 0)


def test_back_filled_order_has_nothing_to_do_with_points_ever(member: Member) -> None:
    kept = follow(member.id, buy(used=50), origin=Origin.BACKFILL)
    assert kept is not None
    assert kept.exempt
    again = follow(member.id, refunded(buy(used=50), 100), OrderPoints.of_row(kept.row))
    assert again == kept
    assert figures_of(member.id) == (0, 0, 0)
    assert repository.get(member.id) is None
    assert follow(member.id, None, kept) is None


def test_purchase_that_earns_nothing_keeps_points_that_run_out_by_inactivity(
    member: Member,
) -> None:
    publish_points(expiry="INACTIVITY", expiryMonths=2, excludedChannels=["MALL"])
    service.grant(member.id, 30, key="g", cause=CAUSE)
    told = buy(on=date(2018, 1, 11), channel="MALL")
    kept = follow(member.id, told, clock=on_day(1))
    assert kept is not None
    assert (kept.earned, account_of(member.id).active_on) == (0, date(2018, 1, 11))
    assert follow(member.id, told, kept, clock=on_day(1)) == kept
    assert figures_of(member.id) == (30, 0, 0)


def test_shell_of_nobody_stands_for_nothing(member: Member) -> None:
    assert follow(member.id, None, None) is None
    assert repository.get(member.id) is None


def test_program_gives_so_much_in_a_month_and_a_refund_makes_room(
    member: Member, store: Store
) -> None:
    publish_points(programPerMonth=150)
    other = make_member(store)
    first = follow(member.id, buy("ord_1", yuan=100))
    second = follow(other.id, buy("ord_2", yuan=100))
    assert first is not None
    assert second is not None
    assert (first.counted, second.counted, second.capped) == (100, 50, 50)
    assert figures_of(other.id) == (0, 50, 0)
    assert sum(repository.program_parts("2018-01")) == 150
    follow(member.id, refunded(buy("ord_1", yuan=100), 100), first)
    assert sum(repository.program_parts("2018-01")) == 50
    third = follow(member.id, buy("ord_3", yuan=100))
    assert third is not None
    assert (third.counted, third.capped) == (100, 0)
    follow(member.id, None, third)
    assert sum(repository.program_parts("2018-01")) == 50
    assert repository.program_parts("2018-02") == [0] * 16


def test_no_part_of_the_program_gives_more_than_its_share(member: Member) -> None:
    publish_points(programPerMonth=33)
    follow(member.id, buy(yuan=30))
    assert max(repository.program_parts("2018-01")) == 3
    assert sum(repository.program_parts("2018-01")) == 30
    assert (program_id("2018-01"), part_sort(3)) == ("program#2018-01", "part#03")


def test_account_names_the_day_on_which_somebody_has_to_look(member: Member) -> None:
    follow(member.id, buy(on=date(2018, 1, 5)))
    item = repository.get(member.id)
    assert item is not None
    assert item.due_key == f"2018-01-12#{member.id}"
    [lot] = account_of(member.id).lots
    assert (lot.activates_on, lot.expires_on) == (date(2018, 1, 12), date(2019, 1, 31))


def grant(member: Member, points: int) -> None:
    """Points that a member has already."""
    service.grant(member.id, points, key=f"g{points}", cause=CAUSE)
