"""What runs more than once ends as if it had run once: expiry, counts, and jobs killed anywhere."""

import itertools
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3
import pytest

from graphql_api.coupons import repository, service, tasks
from graphql_api.coupons.models import CouponsItem, IssueJob, Template
from graphql_api.coupons.rules import CouponState, IssueState
from graphql_api.coupons.service import IssueWhose, JobCreate, Lock, Shown
from graphql_api.errors import ErrorCode, Forbidden, ForbiddenTransition, Invalid, NotFound
from graphql_api.handlers import coupon_changes
from graphql_api.kit.dynamo import batch_write
from graphql_api.members.models import Member
from graphql_api.stores.models import Store
from graphql_api.viewer import Role, Viewer
from scripts.stream_pump import Pump
from tests.calls import counted
from tests.coupons.factories import (
    CLOCK,
    HEADQUARTERS,
    NOW,
    TODAY,
    claim,
    delayed,
    follow,
    fresh_member,
    later,
    make_template,
    make_terms,
    use_of,
)
from tests.coupons.storage import all_coupons, everything, require_consistent, state_of, stock
from tests.factories import make_guide, make_member, make_store

TOMORROW = TODAY + timedelta(days=1)


class Killed(BaseException):
    """The process ended here."""


def die_at(patch: pytest.MonkeyPatch, module: ModuleType, name: str, nth: int) -> None:
    """Have the process end right after the n-th call of a function."""
    original = getattr(module, name)
    calls = itertools.count(1)

    def deadly(*args: Any, **kwargs: Any) -> Any:
        answer = original(*args, **kwargs)
        if next(calls) == nth:
            raise Killed
        return answer

    patch.setattr(module, name, deadly)


# --- expiry ----------------------------------------------------------------------------------


def test_expiry_writes_what_time_has_made_and_runs_again_for_nothing(member: Member) -> None:
    short, lasting, held = (
        claim(member, make_template(make_terms(validity=delayed(days)))) for days in (1, 9, 9)
    )
    until = NOW + timedelta(hours=1)
    given = Lock(coupon=Shown(id=held.coupon_id), key="ord_1", until=until)
    service.lock(given, viewer=HEADQUARTERS, clock=CLOCK)
    assert tasks.expire(TODAY, clock=CLOCK) == 0
    assert tasks.expire(TOMORROW, clock=later(days=1)) == 2
    states = [state_of(one) for one in (short, lasting, held)]
    assert states == [CouponState.EXPIRED, CouponState.ISSUED, CouponState.ISSUED]
    before = everything()
    with counted() as calls:
        assert tasks.expire(TOMORROW, clock=later(days=1)) == 0
    assert calls == {"Query": 16}
    assert everything() == before


def test_coupon_that_is_used_while_it_runs_out_is_used(
    member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    coupon = claim(member, make_template(make_terms(validity=delayed(1))))
    read = repository.get_at

    def slow(keys: Any) -> Any:
        found = read(keys)
        monkeypatch.setattr(repository, "get_at", read)
        follow(fresh_member(member), use_of(coupon))
        return found

    monkeypatch.setattr(repository, "get_at", slow)
    assert not service.settle(coupon.key, TOMORROW, clock=later(days=1))
    assert state_of(coupon) is CouponState.REDEEMED


# --- counts ----------------------------------------------------------------------------------


def test_counts_follow_the_stream_once_however_often_it_comes(store: Store, tmp_path: Path) -> None:
    template = make_template(make_terms(validity=delayed(1)))
    first, second, third = (claim(make_member(store), template) for _ in range(3))
    one = fresh_member(Member(first.member_id))
    kept = follow(one, use_of(first))
    other = fresh_member(Member(second.member_id))
    back = follow(other, use_of(second, order_id="ord_2"))
    follow(other, use_of(second, order_id="ord_2", refunded=True), back)
    tasks.expire(TOMORROW, clock=later(days=1))
    assert kept is not None
    batches: list[dict[str, Any]] = []

    def keeping(event: dict[str, Any], context: Any) -> Any:
        batches.append(event)
        return coupon_changes.handler(event, context)

    pump = Pump(CouponsItem.Meta.table_name, keeping, tmp_path)
    streams = boto3.client("dynamodbstreams")
    while pump.drain(streams):
        pass
    assert counts(template) == {CouponState.REDEEMED: 1, CouponState.EXPIRED: 2}
    before = everything()
    for batch in batches[::-1]:
        coupon_changes.handler(batch, None)
    assert everything() == before
    assert state_of(third) is CouponState.EXPIRED


def counts(template: Template) -> dict[CouponState, int]:
    [found] = repository.counts([template.id])
    return {state: number for state, number in found.items() if number}


def test_coupon_that_goes_to_another_member_or_is_forgotten_moves_no_count() -> None:
    coupon = {"template_id": "ctp_1", "state": "ISSUED", "version": "1"}
    new = tasks.told("e", {}, coupon)
    assert new is not None
    assert new.differences == {"ctp_1#ISSUED": 1}
    assert tasks.told("e", {}, coupon | {"version": "3"}) is None
    assert tasks.told("e", coupon, {}) is None
    assert tasks.told("e", coupon, coupon | {"version": "2"}) is None
    used = tasks.told("e", coupon, coupon | {"version": "2", "state": "REDEEMED"})
    assert used is not None
    assert used.differences == {"ctp_1#ISSUED": -1, "ctp_1#REDEEMED": 1}


# --- jobs ------------------------------------------------------------------------------------


def make_job(template: Template, viewer: Viewer = HEADQUARTERS, **whose: Any) -> IssueJob:
    given = JobCreate(template_id=template.id, members=IssueWhose(**whose))
    return service.create_job(given, viewer=viewer, clock=CLOCK)


def job_now(job: IssueJob) -> IssueJob:
    stored = repository.get_job(job.id)
    assert stored is not None
    return stored


def run(job: IssueJob) -> IssueJob:
    assert tasks.run_job(job.id, clock=CLOCK)
    return job_now(job)


def holders() -> list[str]:
    return sorted(coupon.member_id for coupon in all_coupons())


def test_job_issues_one_to_every_listed_member(store: Store) -> None:
    template = make_template(stock=50)
    people = [make_member(store) for _ in range(12)]
    ids = [member.id for member in people]
    job = make_job(template, ids=[*ids, ids[3]])
    assert (job.state, job.total) == (IssueState.WAITING, 12)
    done = run(job)
    assert (done.state, done.done, done.failed, done.total) == (IssueState.DONE, 12, 0, 12)
    assert holders() == sorted(ids)
    before = everything()
    assert tasks.run_job(job.id, clock=CLOCK)
    assert everything() == before
    require_consistent(template)


@pytest.mark.parametrize("nth", [1, 3, 5])
def test_job_killed_anywhere_and_resumed_issues_once(
    store: Store, monkeypatch: pytest.MonkeyPatch, nth: int
) -> None:
    monkeypatch.setattr(tasks, "STEP", 3)
    template = make_template(stock=50)
    people = [make_member(store) for _ in range(5)]
    job = make_job(template, store_id=store.id)
    with monkeypatch.context() as patch:
        die_at(patch, service, "issue_for_job", nth)
        with pytest.raises(Killed):
            tasks.run_job(job.id, clock=CLOCK)
    done = run(job)
    assert (done.state, done.done, done.failed) == (IssueState.DONE, 5, 0)
    assert holders() == sorted(member.id for member in people)
    assert stock(template) == (45, 5, 0)


def test_job_goes_on_past_members_who_cannot_have_it_and_says_who(store: Store) -> None:
    template = make_template(per_member=1)
    has_it, free = make_member(store), make_member(store)
    claim(has_it, template)
    nobody = "mbr_" + "0" * 26
    done = run(make_job(template, ids=[has_it.id, nobody, free.id]))
    assert (done.state, done.done, done.failed) == (IssueState.DONE, 3, 2)
    assert [(one.member_id, one.code) for one in done.failures] == [
        (has_it.id, ErrorCode.LIMIT_EXCEEDED),
        (nobody, ErrorCode.NOT_FOUND),
    ]


def test_job_ends_where_the_stock_does(store: Store) -> None:
    template = make_template(stock=2)
    people = [make_member(store) for _ in range(3)]
    done = run(make_job(template, ids=[member.id for member in people]))
    assert (done.state, done.done, done.problem) == (
        IssueState.FAILED,
        2,
        "None of this coupon is left",
    )
    assert stock(template) == (0, 2, 0)


def test_job_of_a_guide_is_about_their_members(store: Store) -> None:
    guide = make_guide(store, "李芳")
    mine = make_member(store, guide_id=guide.id)
    make_member(store)
    viewer = Viewer(Role.GUIDE, id=guide.id, unit_id=store.id, store_ids=frozenset({store.id}))
    template = make_template()
    done = run(make_job(template, viewer, guide_id=guide.id))
    assert (done.done, holders()) == (1, [mine.id])
    with pytest.raises(NotFound, match="store"):
        make_job(template, viewer, store_id=store.id)
    with pytest.raises(NotFound, match="guide"):
        make_job(template, viewer, guide_id=make_guide(store, "陈静").id)
    with pytest.raises(Forbidden, match="tag"):
        make_job(template, viewer, tag_id="tag_1")
    with pytest.raises(Forbidden, match="Headquarters"):
        make_job(make_template(by_front_line=False), viewer, guide_id=guide.id)
    with pytest.raises(Invalid, match="not the id of a member"):
        make_job(template, ids=["sto_1"])


def test_cancelled_job_goes_no_further(store: Store) -> None:
    template = make_template()
    job = make_job(template, ids=[make_member(store).id])
    cancelled = service.cancel_job(job.id, viewer=HEADQUARTERS, clock=CLOCK)
    assert cancelled.state is IssueState.CANCELLED
    before = everything()
    service.cancel_job(job.id, viewer=HEADQUARTERS, clock=CLOCK)
    assert run(job).done == 0
    assert everything() == before
    over = run(make_job(template, ids=[make_member(store).id]))
    with pytest.raises(ForbiddenTransition, match="is over"):
        service.cancel_job(over.id, viewer=HEADQUARTERS, clock=CLOCK)
    stranger = Viewer(Role.STORE_MANAGER, id="stm_9", store_ids=frozenset({store.id}))
    with pytest.raises(NotFound):
        service.cancel_job(over.id, viewer=stranger, clock=CLOCK)


def test_stream_carries_a_job_to_its_end(store: Store, tmp_path: Path) -> None:
    template = make_template()
    people = [make_member(store) for _ in range(3)]
    job = make_job(template, ids=[member.id for member in people])
    pump = Pump(CouponsItem.Meta.table_name, coupon_changes.handler, tmp_path)
    streams = boto3.client("dynamodbstreams")
    while pump.drain(streams):
        pass
    assert job_now(job).state is IssueState.DONE
    assert counts(template) == {CouponState.ISSUED: 3}


def test_member_who_was_two_gets_one_coupon_of_a_job(store: Store) -> None:
    template = make_template()
    one, other = make_member(store), make_member(store)
    job = make_job(template, ids=[one.id, other.id])
    service.issue_for_job(job, other.id, viewer=HEADQUARTERS, clock=CLOCK)
    merged = fresh_member(other)
    merged.merged_into = one.id
    survivor = fresh_member(one)
    survivor.alias_ids = [other.id]
    batch_write(Member, [merged, survivor])
    service.issue_for_job(job, one.id, viewer=HEADQUARTERS, clock=CLOCK)
    assert len(all_coupons()) == 1


def test_job_is_refused_where_nothing_is_given_out(chain: str) -> None:
    template = make_template()
    service.stop_template(template.id, viewer=HEADQUARTERS)
    member = make_member(make_store("S1"))
    with pytest.raises(ForbiddenTransition):
        make_job(template, ids=[member.id])
