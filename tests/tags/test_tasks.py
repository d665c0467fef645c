"""What runs more than once ends as if it had run once: expiry, counts, and jobs killed anywhere."""

import itertools
from datetime import date, timedelta
from functools import partial
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graphql_api.errors import Conflict, ErrorCode
from graphql_api.guides.models import Guide
from graphql_api.kit import ids
from graphql_api.kit.dynamo.tallies import Told
from graphql_api.kit.time import Clock, real_now
from graphql_api.members import repository as members
from graphql_api.members.models import Member
from graphql_api.stores.models import Store
from graphql_api.tags import repository, service, tasks
from graphql_api.tags.models import SHARDS, Mark, Tag, TagJob
from graphql_api.tags.rules import JobState, TagAction
from graphql_api.tags.service import Whose
from graphql_api.viewer import SYSTEM, Role, Viewer
from tests.calls import counted
from tests.factories import make_member, make_store, make_unit
from tests.tags.factories import CLOCK, NOW, make_job, make_tag, make_tags, put_tags, set_tags
from tests.tags.storage import everything, happened, held
from tests.threads import at_once

TODAY = date(2018, 1, 10)
TOMORROW = Clock(wall=lambda: NOW + timedelta(days=1))


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


@pytest.fixture
def tags(chain: str) -> list[Tag]:
    """Two tags, of which one runs out."""
    return [make_tag(), make_tag(validity_days=3)]


def job_now(job: TagJob) -> TagJob:
    stored = repository.get_job(job.id)
    assert stored is not None
    return stored


def run(job: TagJob) -> TagJob:
    assert tasks.run_job(job.id, clock=CLOCK)
    return job_now(job)


# --- expiry ----------------------------------------------------------------------------------


def test_expiry_clears_away_what_ran_out_and_runs_again_for_nothing(store: Store) -> None:
    lasting, short = make_tags(2)
    people = [make_member(store) for _ in range(5)]
    for n, member in enumerate(people):
        set_tags(member, lasting)
        set_tags(member, short, expires_on=TODAY + timedelta(days=n))
    assert tasks.expire(TODAY, clock=CLOCK) == 0
    assert tasks.expire(TODAY + timedelta(days=2), clock=TOMORROW) == 2
    assert [len(held(member.id)) for member in people] == [1, 1, 2, 2, 2]
    before = everything()
    with counted() as calls:
        assert tasks.expire(TODAY + timedelta(days=2), clock=TOMORROW) == 0
    assert calls == {"Query": 16}
    assert everything() == before


def test_expiry_decides_on_the_member_and_not_on_the_index(store: Store) -> None:
    member, tag = make_member(store), make_tag()
    set_tags(member, tag, expires_on=TODAY)
    [shard] = [s for s in SHARDS if due(s)]
    read = repository.due_in
    renewed: list[None] = []

    def slow(*args: Any, **kwargs: Any) -> Any:
        page = read(*args, **kwargs)
        if page.items and not renewed:
            set_tags(member, tag, expires_on=TODAY + timedelta(days=9))
            renewed.append(None)
        return page

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(repository, "due_in", slow)
        assert tasks.expire_shard(shard, TODAY + timedelta(days=1), clock=TOMORROW) == 0
    assert set(held(member.id)) == {tag.id}


def due(shard: str) -> list[str]:
    page = repository.due_in(shard, date(2019, 1, 1), first=100, after=None)
    return [row.id for row in page.items]


def test_member_with_more_than_one_transaction_of_tags_loses_them_all(store: Store) -> None:
    member, tags = make_member(store), put_tags(40)
    for start in range(0, 40, 10):
        set_tags(member, *tags[start : start + 10], expires_on=TODAY)
    assert tasks.expire(TODAY + timedelta(days=1), clock=TOMORROW) == 40
    assert held(member.id) == {}


# --- counts ----------------------------------------------------------------------------------


def test_records_are_counted_once_however_often_they_come(chain: str) -> None:
    one, other = make_tags(2)
    records = [Told(f"e{n}", {one.id: 1}) for n in range(90)]
    records += [Told("f", {other.id: 1}), Told("g", {other.id: 1}), Told("h", {other.id: -1})]
    assert tasks.count_members(records[:50]) == 50
    assert tasks.count_members(records) == 43
    before = everything()
    assert tasks.count_members(records[::-1]) == 0
    assert everything() == before
    ids_ = [other.id, one.id, ids.numbered_id("tag", 77)]
    assert repository.member_counts(ids_) == [1, 90, 0]


on_storage = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@on_storage
@given(
    differences=st.lists(st.tuples(st.integers(0, 2), st.sampled_from([1, -1])), max_size=60),
    cuts=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=4),
)
def test_counts_are_exact_after_any_replay(
    differences: list[tuple[int, int]], cuts: list[tuple[int, int]], chain: str
) -> None:
    tags = make_tags(3)
    example = tags[0].id
    records = [
        Told(f"{example}-{n}", {tags[t].id: change}) for n, (t, change) in enumerate(differences)
    ]
    for start, end in [*cuts, (0, 60)]:
        tasks.count_members(records[start:end])
    expected = [sum(change for t, change in differences if t == n) for n in range(3)]
    assert repository.member_counts([tag.id for tag in tags]) == expected


def test_records_that_somebody_else_counts_meanwhile_count_once(
    chain: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tag = make_tag()
    records = [Told(f"e{n}", {tag.id: 1}) for n in range(5)]
    unmarked = repository.unmarked
    others = iter([records])

    def slow(event_ids: list[str]) -> list[str]:
        found = unmarked(event_ids)
        for theirs in others:
            tasks.count_members(theirs)
        return found

    monkeypatch.setattr(repository, "unmarked", slow)
    assert tasks.count_members(records) == 0
    assert repository.member_counts([tag.id]) == [5]


def test_marks_go_after_three_days(chain: str) -> None:
    tasks.count_members([Told("e1", {make_tag().id: 1})])
    [mark] = Mark.scan(Mark.id.startswith("mark#"))
    left = mark.forget_at - real_now()
    assert timedelta(days=2, hours=23) < left < timedelta(days=3, minutes=1)


# --- jobs ------------------------------------------------------------------------------------


def test_job_gives_every_listed_member_the_tags_once(store: Store) -> None:
    tag, gone = make_tags(2)
    people = [make_member(store) for _ in range(25)]
    set_tags(people[0], gone)
    listed = [*(member.id for member in people), people[3].id]
    job = make_job(add=[tag], remove=[gone.id], reason="开业活动", whose=Whose(ids=listed))
    assert (job.state, job.total, job.done) == (JobState.WAITING, 25, 0)
    assert not tasks.run_job(job.id, clock=CLOCK, steps=1)
    halfway = job_now(job)
    assert (halfway.state, halfway.done, halfway.total) == (JobState.IN_PROGRESS, 20, 25)
    over = run(job)
    assert (over.state, over.done, over.failed, over.problem) == (JobState.DONE, 25, 0, None)
    assert (over.started_at, over.finished_at) == (NOW, NOW)
    assert [set(held(member.id)) for member in people] == [{tag.id}] * 25
    [row] = repository.assignments(people[0].id)
    assert (row.by_id, row.source_ref, row.reason) == ("opr_1", job.id, "开业活动")
    before = everything()
    assert run(job).version == over.version
    assert everything() == before


def test_list_of_a_job_may_be_long(chain: str) -> None:
    listed = [ids.derived_id("mbr", str(n)) for n in range(1_100)]
    job = make_job(add=[make_tag()], whose=Whose(ids=listed))
    seen: list[str] = []
    after = None
    while True:
        page = repository.listed_page(job.id, first=tasks.STEP, after=after)
        seen += page.items
        if not page.more:
            break
        after = page.places[-1]
    assert seen == listed


def test_members_that_cannot_be_tagged_fail_alone(store: Store) -> None:
    tag = make_tag()
    manager = Viewer(Role.STORE_MANAGER, "stm_1", store.id, frozenset({store.id}))
    own, elsewhere = make_member(store), make_member(make_store("S2"))
    missing = Member(ids.new_id("mbr"))
    over = run(make_job(elsewhere, own, missing, add=[tag], viewer=manager))
    assert (over.state, over.done, over.failed, over.total) == (JobState.DONE, 3, 2, 3)
    assert [(f.member_id, f.code) for f in over.failures] == [
        (elsewhere.id, ErrorCode.NOT_FOUND),
        (missing.id, ErrorCode.NOT_FOUND),
    ]
    assert over.failures[0].message == "There is no such member"
    assert [len(held(one.id)) for one in (own, elsewhere)] == [1, 0]


@pytest.mark.parametrize("of_guide", [False, True])
def test_job_over_a_store_or_a_guide_takes_all_of_its_members(
    store: Store, guide: Guide, of_guide: bool
) -> None:
    tag = make_tag()
    mine = [make_member(store, guide_id=guide.id) for _ in range(22)]
    beside, elsewhere = make_member(store), make_member(make_store("S2"))
    whose = Whose(guide_id=guide.id) if of_guide else Whose(store_id=store.id)
    job = make_job(add=[tag], whose=whose)
    assert (job.total, job.store_id) == (None, store.id)
    over = run(job)
    count = 22 if of_guide else 23
    assert (over.state, over.done, over.total, over.failed) == (JobState.DONE, count, count, 0)
    tagged = [member.id for member in (*mine, beside, elsewhere) if held(member.id)]
    assert tagged == [m.id for m in (mine if of_guide else [*mine, beside])]


def test_job_over_nobody_is_done_at_once(store: Store) -> None:
    over = run(make_job(add=[make_tag()], whose=Whose(store_id=store.id)))
    assert (over.state, over.done, over.total) == (JobState.DONE, 0, 0)


def test_job_whose_tag_was_archived_meanwhile_fails_with_the_reason(store: Store) -> None:
    tag = make_tag()
    job = make_job(make_member(store), add=[tag])
    service.archive_tag(tag.id, viewer=SYSTEM, clock=CLOCK)
    over = run(job)
    assert (over.state, over.problem, over.done) == (JobState.FAILED, "This tag is archived", 0)
    assert over.finished_at == NOW


def test_cancelled_job_goes_no_further_and_knows_how_far_it_got(store: Store) -> None:
    tag = make_tag()
    people = [make_member(store) for _ in range(25)]
    job = make_job(*people, add=[tag])
    tasks.run_job(job.id, clock=CLOCK, steps=1)
    cancelled = service.cancel_job(job.id, viewer=SYSTEM, clock=CLOCK)
    assert run(job).version == cancelled.version
    assert (cancelled.state, cancelled.done, cancelled.finished_at) == (JobState.CANCELLED, 20, NOW)
    assert len([member for member in people if held(member.id)]) == 20


def test_job_that_is_cancelled_during_a_step_still_tells_of_it(store: Store) -> None:
    people = [make_member(store) for _ in range(3)]
    job = make_job(*people, add=[make_tag()])
    change = service.change

    def cancel_first(*args: Any, **kwargs: Any) -> Any:
        service.cancel_job(job.id, viewer=SYSTEM, clock=CLOCK)
        return change(*args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(service, "change", cancel_first)
        over = run(job)
    assert (over.state, over.done) == (JobState.CANCELLED, 3)


def test_job_that_is_cancelled_as_it_begins_does_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    member = make_member(store)
    job = make_job(member, add=[make_tag()])
    want = service.want

    def cancel_first(*args: Any) -> Any:
        service.cancel_job(job.id, viewer=SYSTEM, clock=CLOCK)
        return want(*args)

    monkeypatch.setattr(service, "want", cancel_first)
    over = run(job)
    assert (over.state, over.done, over.started_at) == (JobState.CANCELLED, 0, None)
    assert held(member.id) == {}


def test_busy_member_ends_the_step_and_loses_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    tag = make_tag()
    people = [make_member(store) for _ in range(4)]
    job = make_job(*people, add=[tag])
    change = service.change
    tries: list[str] = []

    def busy(member_id: str, *args: Any) -> Any:
        tries.append(member_id)
        if member_id == people[2].id and tries.count(member_id) < 3:
            raise Conflict("busy")
        return change(member_id, *args)

    monkeypatch.setattr(service, "change", busy)
    with pytest.raises(Conflict):
        tasks.run_job(job.id, clock=CLOCK)
    assert (job_now(job).done, job_now(job).failed) == (2, 0)
    over = run(job)
    assert (over.state, over.done, over.failed) == (JobState.DONE, 4, 0)
    assert [len(happened(member.id)) for member in people] == [1] * 4


POINTS = [
    (service, "change"),
    (members, "save"),
    (repository, "put_history"),
    (repository, "save_job"),
    (repository, "get_job"),
    (repository, "listed_page"),
]


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    deaths=st.lists(
        st.tuples(st.integers(0, len(POINTS) - 1), st.integers(1, 9)), min_size=2, max_size=2
    )
)
def test_job_killed_twice_anywhere_ends_complete_with_each_member_once(
    deaths: list[tuple[int, int]], store: Store, tags: list[Tag], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "STEP", 3)
    people = [make_member(store) for _ in range(5)]
    missing = Member(ids.new_id("mbr"))
    job = make_job(*people[:3], missing, *people[3:], add=tags)
    for point, nth in deaths:
        with pytest.MonkeyPatch.context() as patch:
            die_at(patch, *POINTS[point], nth)
            try:
                tasks.run_job(job.id, clock=CLOCK)
            except Killed:
                continue
    over = run(job)
    assert (over.state, over.done, over.failed, over.total) == (JobState.DONE, 6, 1, 6)
    assert [failure.member_id for failure in over.failures] == [missing.id]
    once = sorted((tag.id, TagAction.ADDED) for tag in tags)
    assert [sorted(happened(member.id)) for member in people] == [once] * 5


def test_job_that_runs_twice_at_once_ends_complete_with_each_member_once(
    store: Store, tags: list[Tag], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "STEP", 2)
    people = [make_member(store) for _ in range(9)]
    job = make_job(*people, add=tags)
    assert at_once([partial(tasks.run_job, job.id, clock=CLOCK)] * 2) == [True, True]
    over = job_now(job)
    assert (over.state, over.done, over.failed, over.total) == (JobState.DONE, 9, 0, 9)
    assert [len(happened(member.id)) for member in people] == [2] * 9


def test_records_that_are_counted_twice_at_once_count_once(chain: str) -> None:
    tag = make_tag()
    records = [Told(f"e{n}", {tag.id: 1}) for n in range(80)]
    counting = [partial(tasks.count_members, mine) for mine in (records, records[::-1])]
    assert sum(at_once(counting)) == 80
    assert repository.member_counts([tag.id]) == [80]


def test_step_after_midnight_is_that_of_the_day_the_job_was_made(
    store: Store, tags: list[Tag]
) -> None:
    member = make_member(store)
    job = make_job(member, add=tags)
    with pytest.MonkeyPatch.context() as patch:
        die_at(patch, service, "change", 1)
        with pytest.raises(Killed):
            tasks.run_job(job.id, clock=CLOCK)
    assert tasks.run_job(job.id, clock=TOMORROW)
    assert len(happened(member.id)) == 2
    assert {held_.expires_on for held_ in held(member.id).values()} == {None, date(2018, 1, 13)}


def test_job_of_a_region_reaches_what_the_region_reaches_now(store: Store) -> None:
    region = make_unit("华东")
    inside = make_member(make_store("S8", under=region.id))
    outside = make_member(store)
    viewer = Viewer(Role.OPERATOR, "opr_2", unit_id=region.id, store_ids=frozenset())
    over = run(make_job(inside, outside, add=[make_tag()], viewer=viewer))
    assert [failure.member_id for failure in over.failures] == [outside.id]
    assert len(held(inside.id)) == 1


def test_only_the_newest_write_of_a_job_is_followed(store: Store) -> None:
    job = make_job(*[make_member(store) for _ in range(3)], add=[make_tag()])
    tasks.follow_job(job.id, 7, clock=CLOCK)
    assert job_now(job).state is JobState.WAITING
    tasks.follow_job(job.id, 1, clock=CLOCK)
    over = job_now(job)
    assert over.state is JobState.DONE
    for version in range(1, 5):
        tasks.follow_job(job.id, version, clock=CLOCK)
    assert job_now(job).version == over.version
