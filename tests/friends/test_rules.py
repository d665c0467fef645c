"""Friendships: events in any order, as often as they come, come to the same."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from graphql_api.friends import rules
from graphql_api.friends.rules import Event, Friendship, FriendState, Happened

AT = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)

events = st.builds(
    Happened,
    st.sampled_from(Event),
    st.integers(0, 5).map(lambda n: AT + timedelta(seconds=n)),
    st.none() | st.sampled_from(["aaaaaaaaaa", "bbbbbbbbbb"]),
)


@given(st.lists(events, min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_order_and_repeats_make_no_difference(happened: list[Happened], random: object) -> None:
    shuffled = [*happened, *happened[: len(happened) // 2]]
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis's own kind of Random
    assert rules.derive(shuffled) == rules.derive(happened)


@given(st.lists(events, min_size=1, max_size=8))
def test_the_last_event_decides(happened: list[Happened]) -> None:
    friendship = rules.derive(happened)
    assert friendship is not None
    last = max(one.at for one in happened)
    assert friendship.changed_at == last
    assert friendship.last in {one.event for one in happened if one.at == last}
    begun = [one.at for one in happened if one.event in {Event.ADDED, Event.HALF_ADDED}]
    assert friendship.since == min(begun, default=None)


def story(*happened: tuple[Event, int]) -> Friendship:
    derived = rules.derive(Happened(event, AT + timedelta(seconds=n)) for event, n in happened)
    assert derived is not None
    return derived


def test_friendships_go_as_people_make_them_go() -> None:
    half = story((Event.HALF_ADDED, 0))
    assert (half.state, half.lasts) == (FriendState.HALF, True)
    friend = story((Event.HALF_ADDED, 0), (Event.ADDED, 60))
    assert (friend.state, friend.since) == (FriendState.FRIEND, AT)
    gone = story((Event.ADDED, 0), (Event.DELETED_BY_CUSTOMER, 9))
    assert (gone.state, gone.lasts) == (FriendState.DELETED_BY_CUSTOMER, False)
    back = story((Event.ADDED, 0), (Event.DELETED_BY_GUIDE, 9), (Event.ADDED, 20))
    assert (back.state, back.since) == (FriendState.FRIEND, AT)
    assert story((Event.ADDED, 0), (Event.HANDED_OVER, 0)).state is FriendState.HANDED_OVER


def test_code_of_the_last_coming_counts_and_one_without_takes_none_away() -> None:
    first = Happened(Event.ADDED, AT, "aaaaaaaaaa")
    later = Happened(Event.ADDED, AT + timedelta(days=1), "bbbbbbbbbb")
    bare = Happened(Event.ADDED, AT + timedelta(days=2))
    friendship = rules.derive([bare, first, later])
    assert friendship is not None
    assert (friendship.scene, friendship.scene_at) == ("bbbbbbbbbb", later.at)


def test_welcome_has_twenty_seconds_and_names() -> None:
    assert rules.may_welcome(AT, AT + timedelta(seconds=19))
    assert not rules.may_welcome(AT, AT + timedelta(seconds=20))
    text = rules.welcome_text("我是{store}的{guide}", guide="小花", store="西湖店")
    assert text == "我是西湖店的小花"
    assert rules.welcome_text("{guide}您好", guide=None, store=None) == "您好"
    assert rules.fits("好" * 1266)
    assert not rules.fits("好" * 1267)
