"""Gifts are given once, whole or not at all, and what failed is tried again by hand."""

from datetime import date

import pytest

from graphql_api.benefits import repository, service
from graphql_api.benefits.rules import JOINED, GiftKind, GiftProblem, GiftState, Occasion
from graphql_api.benefits.service import GiftRetry
from graphql_api.config import settings
from graphql_api.coupons import service as coupons
from graphql_api.errors import (
    AppError,
    Conflict,
    Forbidden,
    ForbiddenTransition,
    LimitExceeded,
    NotFound,
)
from graphql_api.members import repository as members
from graphql_api.members import service as member_service
from graphql_api.members.models import Member
from graphql_api.members.rules import EffectKind
from graphql_api.standing import repository as standing_repository
from graphql_api.stores.models import Store
from graphql_api.viewer import SYSTEM, Role, Viewer
from tests.benefits.factories import (
    effects_of,
    everything,
    gift_of,
    gifts_of,
    given_of,
    of_every_tier,
    put_in_force,
)
from tests.coupons.factories import HEADQUARTERS, draft, later, make_template
from tests.factories import CLOCK, make_member
from tests.threads import at_once

TODAY = date(2018, 1, 10)
RISEN = Occasion(GiftKind.UPGRADE, "V2")


def points_of(member: Member) -> int:
    now = members.get(member.id)
    assert now is not None
    return int(now.points)


def give(member: Member, occasion: Occasion = JOINED) -> object:
    return service.give(member.id, occasion, TODAY, clock=CLOCK)


def retry(member: Member, viewer: Viewer = SYSTEM) -> GiftState:
    given = GiftRetry(member_id=member.id, kind=GiftKind.JOINING)
    return service.retry(given, viewer=viewer, clock=CLOCK).state


def test_gift_holds_points_and_coupons_and_names_what_decided(store: Store) -> None:
    template = make_template(stock=3)
    put_in_force({"V1": {"joiningGift": {"points": 30, "coupons": [template.id]}}})
    member = make_member(store)
    give(member)
    gift = gift_of(member)
    assert (gift.state, gift.tier, gift.points, gift.policy_version) == ("GIVEN", "V1", 30, 1)
    assert (gift.template_ids, len(gift.coupon_ids)) == ([template.id], 1)
    assert (gift.decided_on, points_of(member), given_of(template)) == (TODAY, 30, 1)
    assert [e.level for e in effects_of(member, EffectKind.GIFT_GIVEN)] == ["JOINING#-"]


def test_gift_is_given_once_however_often_it_is_asked_for(store: Store) -> None:
    template = make_template(stock=3)
    put_in_force({"V1": {"joiningGift": {"points": 30, "coupons": [template.id]}}})
    member = make_member(store)
    give(member)
    before = everything()
    give(member)
    assert everything() == before


def test_gift_asked_for_by_many_at_once_is_given_once(store: Store) -> None:
    put_in_force({"V1": {"joiningGift": {"points": 30}}})
    member = make_member(store)
    at_once([lambda: give(member)] * 4)
    assert (gifts_of(member), points_of(member)) == ([("JOINING", "-", "GIVEN")], 30)


def test_where_the_policy_gives_nothing_nothing_is_written(store: Store) -> None:
    put_in_force({"V1": {"joiningGift": {"points": 30}}})
    member = make_member(store)
    before = everything()
    assert give(member, RISEN) is None
    assert everything() == before


def test_who_left_and_who_is_not_there_get_nothing(store: Store) -> None:
    put_in_force(of_every_tier("joiningGift", points=30))
    member = make_member(store)
    member_service.archive(member.id, viewer=SYSTEM, clock=CLOCK)
    assert give(member) is None
    assert service.give("mbr_nobody", JOINED, TODAY, clock=CLOCK) is None
    assert gifts_of(member) == []


def test_gift_that_cannot_be_given_whole_is_not_given_and_kept_with_its_reason(
    store: Store,
) -> None:
    plenty, scarce = make_template(stock=5), make_template(stock=1)
    gift = {"points": 30, "coupons": [plenty.id, scarce.id]}
    put_in_force({"V1": {"joiningGift": gift}})
    lucky, late = make_member(store), make_member(store)
    give(lucky)
    give(late)
    assert gifts_of(lucky) == [("JOINING", "-", "GIVEN")]
    assert gifts_of(late) == [("JOINING", "-", "FAILED")]
    failed = gift_of(late)
    assert (failed.problem, failed.points, failed.coupon_ids) == ("OUT_OF_STOCK", 30, [])
    assert (points_of(late), given_of(plenty), given_of(scarce)) == (0, 1, 1)
    assert effects_of(late, EffectKind.GIFT_GIVEN) == []
    listed = repository.page_of_failed(first=10, after=None, reverse=False)
    assert [(one.id, one.problem) for one in listed.items] == [(late.id, "OUT_OF_STOCK")]
    before = everything()
    give(late)
    assert everything() == before


@pytest.mark.parametrize(("state", "problem"), [("DRAFT", "NOT_ISSUED"), ("NONE", "NO_TEMPLATE")])
def test_coupon_that_is_not_given_out_or_does_not_exist_is_the_reason(
    store: Store, state: str, problem: str
) -> None:
    template_id = draft().id if state == "DRAFT" else "ctp_" + "0" * 26
    put_in_force({"V1": {"joiningGift": {"points": 30, "coupons": [template_id]}}})
    member = make_member(store)
    give(member)
    assert (gift_of(member).state, gift_of(member).problem) == ("FAILED", problem)
    assert points_of(member) == 0


def test_failed_gift_is_given_by_hand_by_what_the_policy_says_now(store: Store) -> None:
    scarce = make_template(stock=0)
    put_in_force({"V1": {"joiningGift": {"points": 30, "coupons": [scarce.id]}}})
    member = make_member(store)
    give(member)
    before = everything()
    with pytest.raises(LimitExceeded):
        retry(member)
    assert everything() == before
    put_in_force({"V1": {"joiningGift": {"points": 45}}})
    assert retry(member) is GiftState.GIVEN
    gift = gift_of(member)
    assert (gift.points, gift.template_ids, gift.policy_version) == (45, [], 2)
    assert (points_of(member), gift.problem) == (45, None)
    assert repository.page_of_failed(first=10, after=None, reverse=False).items == []
    before = everything()
    assert retry(member) is GiftState.GIVEN
    assert everything() == before


def test_what_was_just_published_counts_for_who_tries_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_in_force({"V1": {"joiningGift": {"coupons": [make_template(stock=0).id]}}})
    member = make_member(store)
    give(member)
    monkeypatch.setattr(standing_repository, "forget", lambda: None)
    put_in_force({"V1": {"joiningGift": {"points": 45}}})
    assert retry(member) is GiftState.GIVEN
    assert points_of(member) == 45


def test_failed_gift_of_which_nothing_is_in_force_any_more_is_void(store: Store) -> None:
    scarce = make_template(stock=0)
    put_in_force({"V1": {"joiningGift": {"coupons": [scarce.id]}}})
    member = make_member(store)
    give(member)
    put_in_force({})
    assert retry(member) is GiftState.VOID
    assert gift_of(member).problem is GiftProblem.NOTHING_IN_FORCE
    assert repository.page_of_failed(first=10, after=None, reverse=False).items == []


def test_retry_refuses_what_nobody_has_and_who_is_out_of_reach(store: Store) -> None:
    stopped = make_template(stock=5)
    coupons.stop_template(stopped.id, viewer=HEADQUARTERS)
    put_in_force({"V1": {"joiningGift": {"coupons": [stopped.id]}}})
    member = make_member(store)
    with pytest.raises(NotFound):
        retry(member)
    give(member)
    before = everything()
    elsewhere = Viewer(Role.OPERATOR, id="opr_2", store_ids=frozenset({"sto_other"}))
    refusals: list[tuple[Viewer, type[AppError]]] = [
        (elsewhere, NotFound),
        (SYSTEM, ForbiddenTransition),
    ]
    for viewer, refusal in refusals:
        with pytest.raises(refusal):
            retry(member, viewer)
    assert everything() == before


def test_who_left_is_given_nothing_by_hand_either(store: Store) -> None:
    put_in_force({"V1": {"joiningGift": {"coupons": [make_template(stock=0).id]}}})
    member = make_member(store)
    give(member)
    member_service.archive(member.id, viewer=SYSTEM, clock=CLOCK)
    put_in_force({"V1": {"joiningGift": {"points": 5}}})
    before = everything()
    with pytest.raises(Forbidden):
        retry(member)
    assert everything() == before


def test_member_held_by_a_job_gets_the_gift_after_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_in_force({"V1": {"joiningGift": {"points": 30}}})
    member = make_member(store)
    member_service.lock(member.id, "import", clock=CLOCK)
    monkeypatch.setenv("APP_TRANSACTION_DEADLINE_SECONDS", "0")
    settings.cache_clear()
    with pytest.raises(Conflict):
        give(member)
    assert gifts_of(member) == []
    service.give(member.id, JOINED, TODAY, clock=later(minutes=6))
    monkeypatch.undo()
    settings.cache_clear()
    assert points_of(member) == 30
