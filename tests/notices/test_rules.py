"""Quotas are never below nothing, and values are what WeChat takes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphql_api.notices import rules
from graphql_api.notices.rules import NoticeAnswer, Quota

steps = st.lists(st.sampled_from([*NoticeAnswer, "take", "give back", "refused"]), max_size=40)


@given(steps)
def test_quota_is_never_below_nothing_and_never_gives_more_than_was_agreed(
    happened: list[NoticeAnswer | str],
) -> None:
    quota, sent = Quota(), 0
    for step in happened:
        if isinstance(step, NoticeAnswer):
            quota = rules.answered(quota, step)
        elif step == "take":
            taken = rules.took(quota)
            assert (taken is None) == (quota.left == 0)
            if taken is not None:
                quota, sent = taken, sent + 1
        elif step == "give back" and sent:
            quota, sent = rules.gave_back(quota), sent - 1
        elif step == "refused":
            quota = rules.refused(quota)
        assert quota.left >= 0
        assert quota.taken == sent <= quota.accepted
        assert quota.left + quota.taken <= quota.accepted


def test_ban_takes_away_and_a_tick_after_it_counts_again() -> None:
    quota = rules.answered(rules.answered(Quota(), NoticeAnswer.ACCEPT), NoticeAnswer.BAN)
    assert (quota.left, quota.is_banned) == (0, True)
    quota = rules.answered(quota, NoticeAnswer.ACCEPT)
    assert (quota.left, quota.is_banned) == (1, False)
    assert (
        rules.answered(quota, NoticeAnswer.REJECT)
        == quota
        == rules.answered(quota, NoticeAnswer.FILTER)
    )


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("thing1", "积分到账"),
        ("thing12", "好" * 20),
        ("number2", "-100.5"),
        ("letter3", "VIP"),
        ("symbol1", "!!"),
        ("character_string4", "SH001-2026#1"),
        ("time3", "2026-11-20 10:05"),
        ("time3", "2026年11月20日 10:05"),
        ("time3", "10:05"),
        ("date5", "2026-11-20"),
        ("amount6", "¥100.50"),
        ("amount6", "100.5元"),
        ("phone_number7", "0571-88888888"),
        ("car_number8", "浙A12345"),
        ("name9", "王小姐"),
        ("name9", "Wang Fang"),
        ("phrase10", "已发货"),
        ("enum11", "金卡"),
    ],
)
def test_value_within_its_kind_is_taken(key: str, value: str) -> None:
    assert rules.problem_with(key, value) is None


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("thing1", "好" * 21, "thing1 is at most 20 characters"),
        ("thing1", "", "thing1 is at most"),
        ("thing1", "一\n二", "thing1 is"),
        ("number2", "一百", "number2 is a number"),
        ("number2", "1" * 33, "number2 is"),
        ("character_string4", "中文", "character_string4 is at most 32"),
        ("time3", "25:00", "time3 is a time"),
        ("date5", "20.11.2026", "date5 is a date"),
        ("amount6", "12345678901", "amount6 is an amount"),
        ("name9", "王" * 11, "name9 is 10 Chinese"),
        ("phrase10", "已经发货了吗", "phrase10 is at most 5"),
        ("thing", "x", "There is no kind of field like 'thing'"),
        ("colour1", "x", "There is no kind of field like 'colour1'"),
    ],
)
def test_value_beyond_its_kind_is_told(key: str, value: str, said: str) -> None:
    assert (rules.problem_with(key, value) or "").startswith(said)
