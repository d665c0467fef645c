"""What a policy moves is counted alike in any pieces; cut points are those of the whole base."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from graphql_api.policies.rules import CutMethod, RfmPolicy
from graphql_api.rebuilds import rules
from graphql_api.rebuilds.rules import SAMPLES, Measured, Move, Tally
from graphql_api.standing.rules import ChangeKind, facts_of
from graphql_api.viewer import MANAGE_POLICIES, Role, Viewer

MONTH = 2018 * 12
TODAY = date(2018, 1, 10)
MOVES = [
    Move(part, old, new)
    for part in (ChangeKind.TIER, ChangeKind.TAG)
    for old, new in (("V1", "V2"), (None, "V1"), ("V2", None))
]
SEEN = st.lists(st.lists(st.sampled_from(MOVES), unique=True, max_size=3), max_size=30)


def tally(seen: list[list[Move]], start: int = 0) -> Tally:
    found = Tally()
    for n, moves in enumerate(seen, start):
        found.add(f"mbr_{n:03d}", moves)
    return found


@given(seen=SEEN, cut=st.integers(0, 30))
def test_pieces_together_are_the_whole(seen: list[list[Move]], cut: int) -> None:
    whole, parts = tally(seen), tally(seen[:cut]).plus(tally(seen[cut:], cut))
    assert parts == whole
    stored = Tally.of(whole.members, whole.changed, whole.rows())
    assert stored == whole
    assert all(len(named) <= SAMPLES for named in whole.samples.values())
    assert sum(whole.moves.values()) == sum(map(len, seen))
    assert whole.changed == sum(map(bool, seen))


def test_most_frequent_move_of_a_part_stands_first() -> None:
    up, down = Move(ChangeKind.TIER, "V1", "V2"), Move(ChangeKind.TIER, "V2", "V1")
    rows = tally([[down], [up], [up]]).rows()
    assert rows == [
        ["TIER", "V1", "V2", 2, ["mbr_001", "mbr_002"]],
        ["TIER", "V2", "V1", 1, ["mbr_000"]],
    ]


def test_every_number_is_in_one_piece() -> None:
    assert rules.pieces_of(0, 256) == rules.pieces_of(2047, 256) == 1
    assert rules.pieces_of(2048, 256) == 2
    assert [*rules.blocks_of(0), *rules.blocks_of(1)] == list(range(16))


def measured(*people: tuple[int, int, int]) -> Measured:
    """The base of members who bought so many days ago, so many orders, for so many fen."""
    base = Measured()
    for days, orders, fen in people:
        last = date.fromordinal(TODAY.toordinal() - days)
        facts = facts_of({MONTH: (orders, fen, 0)}, joined=last, last=last)
        base.add(facts, TODAY.toordinal(), MONTH, 12)
    return base


PEOPLE = st.tuples(st.integers(0, 400), st.integers(0, 20), st.integers(0, 10**6))


@given(people=st.lists(PEOPLE, max_size=20), cut=st.integers(0, 20))
def test_base_measured_in_pieces_is_the_base(people: list[tuple[int, int, int]], cut: int) -> None:
    whole = measured(*people)
    parts = measured(*people[:cut]).plus(measured(*people[cut:]))
    assert Measured.of(parts.document()) == parts
    assert parts.document() == whole.document()


def test_quintiles_are_taken_where_the_policy_asks_for_them() -> None:
    people = [(n * 10, n, n * 10_000) for n in range(1, 11)]
    policy = RfmPolicy(recency_method=CutMethod.QUANTILE, monetary_method=CutMethod.QUANTILE)
    cut = rules.with_cut_points(policy, measured(*people), TODAY)
    assert [band.max_days for band in cut.recency] == [20, 40, 60, 80, None]
    assert [band.min_fen for band in cut.monetary] == [90_000, 70_000, 50_000, 30_000, 0]
    assert cut.frequency == policy.frequency
    assert cut.measured_on == TODAY
    assert cut.averages is not None
    assert (cut.averages.orders_percent, cut.averages.order_fen) == (550, 10_000)


def test_equals_share_a_score() -> None:
    policy = RfmPolicy(frequency_method=CutMethod.QUANTILE)
    cut = rules.with_cut_points(policy, measured(*[(1, 1, 100)] * 9, (1, 5, 100)), TODAY)
    limits = {band.score: band.min_orders for band in cut.frequency}
    one = max(score for score, least in limits.items() if least <= 1)
    five = max(score for score, least in limits.items() if least <= 5)
    assert (one, five) == (3, 5)


def test_base_in_which_nobody_is_changes_nothing() -> None:
    nobody = facts_of({}, joined=TODAY)
    base = Measured()
    base.add(nobody, TODAY.toordinal(), MONTH, 12)
    assert base == Measured()
    quantile = RfmPolicy(recency_method=CutMethod.QUANTILE)
    assert rules.with_cut_points(quantile, base, TODAY) == quantile


def test_base_that_bought_long_ago_has_no_averages() -> None:
    cut = rules.with_cut_points(RfmPolicy(), measured((300, 0, 0)), TODAY)
    assert (cut.averages, cut.measured_on) == (None, TODAY)


def test_runs_are_for_headquarters_and_keys_that_manage_policies() -> None:
    region = Viewer(Role.OPERATOR, id="opr_2", unit_id="org_1", store_ids=frozenset())
    key = Viewer(Role.INTEGRATION, id="key_1")
    manages = Viewer(Role.INTEGRATION, id="key_2", scopes=frozenset({MANAGE_POLICIES}))
    seen = [rules.is_visible(v) for v in (Viewer(Role.OPERATOR, id="opr_1"), region, key, manages)]
    assert seen == [True, False, False, True]
