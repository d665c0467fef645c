"""Coupons come to members once, from a stock that is exact, under limits that hold."""

from datetime import date, timedelta
from functools import partial

import pytest

from graphql_api.coupons import repository, service, tokens
from graphql_api.coupons.models import Template
from graphql_api.coupons.rules import CouponSource, CouponState
from graphql_api.coupons.service import Claim, CouponClaimToken, TemplateUpdate
from graphql_api.errors import Forbidden, ForbiddenTransition, Invalid, LimitExceeded, NotFound
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.members import repository as members
from graphql_api.members.models import Member
from graphql_api.members.rules import Origin
from graphql_api.stores.models import Store
from graphql_api.viewer import Role, Viewer
from tests.calls import counted
from tests.coupons.factories import (
    CLOCK,
    HEADQUARTERS,
    NOW,
    TODAY,
    claim,
    delayed,
    draft,
    fixed,
    issue,
    later,
    make_template,
    make_terms,
    viewer_of,
)
from tests.coupons.storage import all_coupons, everything, require_consistent, stock
from tests.factories import make_guide, make_member, make_store


def test_claimed_coupon_holds_from_its_day_and_is_found_by_id_and_code(member: Member) -> None:
    template = make_template(make_terms(validity=delayed(30, after_days=2)), stock=20)
    coupon = claim(member, template)
    assert (coupon.valid_from, coupon.valid_until) == (date(2018, 1, 12), date(2018, 2, 10))
    assert (coupon.state, coupon.source) == (CouponState.ISSUED, CouponSource.CLAIM)
    for name in (coupon.coupon_id, coupon.code, f"{coupon.code[:6].lower()}-{coupon.code[6:]}"):
        [found] = repository.find([name])
        assert found is not None
        assert found.key == coupon.key
    assert stock(template) == (19, 1, 0)
    require_consistent(template)


def test_claiming_reads_once_and_writes_what_it_must(member: Member) -> None:
    template = make_template(stock=800)
    with counted() as calls:
        claim(member, template)
    assert calls == {"BatchGetItem": 3, "TransactWriteItems": 1}


def test_stock_gives_out_to_the_last_one_and_no_more(store: Store) -> None:
    template = make_template(stock=10)
    people = [make_member(store) for _ in range(11)]
    for one in people[:10]:
        claim(one, template)
    before = everything()
    with pytest.raises(LimitExceeded, match="None of this coupon is left"):
        claim(people[10], template)
    assert everything() == before
    assert stock(template) == (0, 10, 0)


def test_stock_without_end_counts_what_is_issued(member: Member) -> None:
    template = make_template()
    for _ in range(3):
        claim(member, template)
    assert stock(template) == (None, 3, 0)


def test_member_has_no_more_than_the_limit_also_from_staff(member: Member) -> None:
    template = make_template(per_member=2)
    claim(member, template)
    issue(member, template)
    before = everything()
    for once_more in (partial(claim, member, template), partial(issue, member, template)):
        with pytest.raises(LimitExceeded, match="all that one may have"):
            once_more()
    assert everything() == before


def test_limits_of_a_store_hold_for_what_is_claimed_there(store: Store) -> None:
    other = make_store("S2")
    template = make_template(per_member_and_store=1, per_store=2)
    people = [make_member(store) for _ in range(3)]
    issue(people[0], template, store=store)
    with pytest.raises(LimitExceeded, match="one may have"):
        issue(people[0], template, store=store)
    issue(people[0], template, store=other)
    issue(people[1], template, store=store)
    with pytest.raises(LimitExceeded, match="The store has given out"):
        issue(people[2], template, store=store)
    issue(people[2], template, store=other)
    require_consistent(template)


def issue_under(key: str, member: Member, template: Template) -> str:
    """Issue by right, as a benefit does."""

    def attempt(tx: Transaction) -> str:
        found = members.get(member.id)
        assert found is not None
        coupon = service.issue_in(
            tx,
            found,
            template,
            key=key,
            source=CouponSource.BENEFIT,
            origin=Origin.LIVE,
            clock=CLOCK,
        )
        members.require_present(tx, member.id)
        return coupon.coupon_id

    return transact(attempt)


def test_what_is_issued_under_a_key_is_issued_once_and_beside_the_limits(member: Member) -> None:
    template = make_template(per_member=1, stock=5)
    first = issue_under("joining", member, template)
    assert issue_under("joining", member, template) == first
    assert issue_under("birthday", member, template) != first
    claim(member, template)
    assert stock(template) == (2, 3, 0)
    require_consistent(template)


def test_key_is_of_its_template(member: Member) -> None:
    one, other = make_template(), make_template()
    assert issue_under("joining", member, one) != issue_under("joining", member, other)


def test_nothing_is_given_out_of_a_draft_or_once_stopped(member: Member) -> None:
    template = draft()
    with pytest.raises(NotFound):
        claim(member, template)
    service.activate_template(template.id, viewer=HEADQUARTERS, clock=CLOCK)
    claim(member, template)
    service.stop_template(template.id, viewer=HEADQUARTERS)
    with pytest.raises(ForbiddenTransition, match="not given out"):
        claim(member, template)
    service.activate_template(template.id, viewer=HEADQUARTERS, clock=CLOCK)
    claim(member, template)
    assert stock(template) == (None, 2, 0)


def test_template_that_is_stopped_meanwhile_gives_nothing_out(
    member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    template = make_template(stock=8)
    read = repository.get_template

    def slow(template_id: str) -> Template | None:
        found = read(template_id)
        monkeypatch.setattr(repository, "get_template", read)
        service.stop_template(template.id, viewer=HEADQUARTERS)
        return found

    monkeypatch.setattr(repository, "get_template", slow)
    with pytest.raises(ForbiddenTransition):
        claim(member, template)
    assert all_coupons() == []
    assert stock(template) == (8, 0, 0)


def test_claims_have_their_time(member: Member) -> None:
    template = make_template(opens_at=NOW + timedelta(hours=1), closes_at=NOW + timedelta(hours=2))
    with pytest.raises(ForbiddenTransition, match="not given out yet"):
        claim(member, template)
    claim(member, template, clock=later(hours=1))
    with pytest.raises(ForbiddenTransition, match="not given out any more"):
        claim(member, template, clock=later(hours=2))
    assert issue(member, template).source is CouponSource.STAFF


def test_coupon_for_other_tiers_is_not_claimed(member: Member) -> None:
    with pytest.raises(Forbidden, match="other tiers"):
        claim(member, make_template(make_terms(tiers=["V6"])))
    assert all_coupons() == []


def test_coupons_whose_days_are_over_are_not_issued(member: Member) -> None:
    template = make_template(make_terms(validity=fixed(TODAY, TODAY)))
    claim(member, template)
    with pytest.raises(ForbiddenTransition, match="not given out any more"):
        claim(member, template, clock=later(days=1))
    over = draft(make_terms(validity=fixed(date(2018, 1, 1), date(2018, 1, 9))))
    with pytest.raises(Invalid, match="over"):
        service.activate_template(over.id, viewer=HEADQUARTERS, clock=CLOCK)


def test_private_template_is_claimed_by_its_word_or_by_scanning(
    member: Member, store: Store
) -> None:
    template = make_template(public=False, claim_code="新年快乐", per_member_and_store=1)
    viewer = viewer_of(member)
    with pytest.raises(NotFound):
        claim(member, template)
    by_word = service.claim(Claim(word=" 新年快乐 "), viewer=viewer, clock=CLOCK)
    assert by_word.store_id is None
    guide = make_guide(store, "李芳")
    at_work = Viewer(Role.GUIDE, id=guide.id, unit_id=store.id, store_ids=frozenset({store.id}))
    shown = CouponClaimToken(template_id=template.id, store_id=store.id)
    token = service.claim_token(shown, viewer=at_work, clock=CLOCK)
    scanned = service.claim(Claim(token=token), viewer=viewer, clock=CLOCK)
    assert scanned.store_id == store.id
    with pytest.raises(LimitExceeded):
        service.claim(Claim(token=token), viewer=viewer, clock=CLOCK)
    with pytest.raises(Invalid, match="has run out"):
        service.claim(Claim(token=token), viewer=viewer, clock=later(minutes=10))
    for wrong in ("x", token[:-2] + "AA", tokens.of_coupon(scanned.coupon_id, at=NOW)):
        with pytest.raises(Invalid, match="none of our codes"):
            service.claim(Claim(token=wrong), viewer=viewer, clock=CLOCK)
    with pytest.raises(NotFound, match="gives nothing"):
        service.claim(Claim(word="新年"), viewer=viewer, clock=CLOCK)


def test_front_line_gives_to_members_within_reach_what_is_meant_for_them(store: Store) -> None:
    guide = make_guide(store, "李芳")
    mine, other = make_member(store, guide_id=guide.id), make_member(store)
    viewer = Viewer(Role.GUIDE, id=guide.id, unit_id=store.id, store_ids=frozenset({store.id}))
    template = make_template()
    assert issue(mine, template, viewer=viewer).by_id == guide.id
    before = everything()
    with pytest.raises(NotFound):
        issue(other, template, viewer=viewer)
    with pytest.raises(NotFound):
        issue(mine, template, viewer=viewer, store=make_store("S2"))
    assert everything() == before
    with pytest.raises(Forbidden, match="Headquarters"):
        issue(mine, make_template(by_front_line=False), viewer=viewer)


def test_archived_member_gets_nothing(member: Member) -> None:
    from graphql_api.members import service as people

    people.archive(member.id, viewer=HEADQUARTERS, clock=CLOCK)
    with pytest.raises(Forbidden):
        claim(member, make_template())
    assert all_coupons() == []


def test_stock_rises_and_falls_by_what_is_left(store: Store) -> None:
    template = make_template(stock=3)
    claim(make_member(store), template)

    def to(number: int) -> Template:
        change = TemplateUpdate(id=template.id, stock=number)
        return service.update_template(change, viewer=HEADQUARTERS)

    assert stock(to(30)) == (29, 1, 0)
    assert stock(to(1)) == (0, 1, 0)
    with pytest.raises(Invalid, match="Only 0 are left"):
        to(0)
    with pytest.raises(ForbiddenTransition, match="stays as it began"):
        service.update_template(TemplateUpdate(id=template.id, stock=None), viewer=HEADQUARTERS)
    assert stock(to(9)) == (8, 1, 0)
