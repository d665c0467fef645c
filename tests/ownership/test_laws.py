"""Whatever is done in whatever sequence, the history is whole, and a plain model tells the same."""

from dataclasses import dataclass, field
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from graphql_api.errors import AppError
from graphql_api.guides.models import Guide
from graphql_api.members.models import Member
from graphql_api.ownership import service, tasks
from graphql_api.ownership.models import Term
from graphql_api.ownership.service import Assign, HandOverCreate, Release, TakeOver
from graphql_api.stores.models import Store
from graphql_api.viewer import SYSTEM
from tests.factories import NOW, make_guide, make_member
from tests.ownership.storage import history, member_now, on_day

TODAY = date(2018, 1, 10)
PROTECTION = 30

steps = st.one_of(
    st.tuples(
        st.just("assign"),
        st.integers(0, 2),  # whom
        st.sampled_from([None, 0, 5, 40]),  # valid for so many days
    ),
    st.tuples(st.just("take"), st.integers(0, 2), st.booleans()),  # by force
    st.tuples(st.just("hand over"), st.integers(0, 2), st.integers(0, 2)),
    st.tuples(st.just("release"), st.none(), st.none()),
    st.tuples(st.just("expire"), st.none(), st.none()),
    st.tuples(st.just("pass"), st.sampled_from([1, 6, 31]), st.none()),  # days
)


@dataclass
class Had:
    """A guide had the member: the first day, the last by validity, and the day and way it ended."""

    guide: int
    since: int
    valid_until: int | None
    ended: int | None = None
    how: str | None = None


@dataclass
class Model:
    """What a clerk with a sheet of paper would note; days count from the first."""

    day: int = 0
    rows: list[Had] = field(default_factory=list)

    def open(self) -> Had | None:
        """Who has the member today."""
        if not self.rows or self.rows[-1].ended is not None:
            return None
        row = self.rows[-1]
        if row.valid_until is not None and row.valid_until < self.day:
            row.ended, row.how = row.valid_until + 1, "EXPIRED"
            return None
        return row

    def close(self, how: str) -> None:
        """End what is open today."""
        if row := self.open():
            row.ended, row.how = self.day, how

    def do(self, what: str, whom: int, more: int | None) -> None:
        """One step, by the rules in words."""
        now = self.open()
        if what == "pass":
            self.day += whom
        elif what == "release":
            self.close("BY_HAND")
        elif what == "assign" and now is None:
            last = None if more is None else self.day + more
            self.rows.append(Had(whom, self.day, last))
        elif what == "take" and (now is None or now.guide != whom):
            if now is None or more or self.day > now.since + PROTECTION:
                self.close("TAKEN_OVER")
                self.rows.append(Had(whom, self.day, None))
        elif what == "hand over" and now and now.guide == whom and whom != more:
            self.close("HANDED_OVER")
            self.rows.append(Had(more or 0, self.day, None))


def do(
    what: str, whom: int, more: int | None, member: Member, guides: list[Guide], day: int
) -> None:
    """The same step by the service; a refusal changes nothing."""
    clock = on_day(day)
    try:
        if what == "release":
            service.release(Release(member_id=member.id), viewer=SYSTEM, clock=clock)
        elif what == "expire":
            tasks.expire(clock.today(), clock=clock)
        elif what == "assign":
            last = None if more is None else clock.today() + timedelta(days=more)
            wanted = Assign(member_id=member.id, guide_id=guides[whom].id, valid_until=last)
            service.assign(wanted, viewer=SYSTEM, clock=clock)
        elif what == "take":
            taken = TakeOver(member_id=member.id, guide_id=guides[whom].id, force=bool(more))
            service.take_over(taken, viewer=SYSTEM, clock=clock)
        elif what == "hand over":
            target = HandOverCreate(
                from_guide_id=guides[whom].id, target_ids=[guides[more or 0].id]
            )
            job = service.hand_over(target, viewer=SYSTEM, clock=clock)
            assert tasks.run_hand_over(job.id, clock=clock)
    except AppError:
        return


def shown(term: Term, guides: list[Guide]) -> tuple[object, ...]:
    """A stored term as the model has it; an end at midnight is that of the day which begins."""
    ended = None if term.ended_at is None else on_day(0).day_of(term.ended_at)
    last = term.valid_until
    return (
        [guide.id for guide in guides].index(term.guide_id),
        (on_day(0).day_of(term.since) - TODAY).days,
        None if last is None else (last - TODAY).days,
        None if ended is None else (ended - TODAY).days,
        term.end_reason,
    )


@pytest.fixture
def guides(store: Store) -> list[Guide]:
    return [make_guide(store, name) for name in ("甲", "乙", "丙")]


@settings(
    max_examples=20,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(sequence=st.lists(steps, min_size=2, max_size=8), enrolled=st.sampled_from([None, 0]))
def test_history_is_what_happened(
    sequence: list[tuple[str, int, int | None]],
    enrolled: int | None,
    store: Store,
    guides: list[Guide],
) -> None:
    model = Model()
    member = make_member(store, guide_id=None if enrolled is None else guides[enrolled].id)
    if enrolled is not None:
        model.rows.append(Had(enrolled, 0, None))
    for what, whom, more in sequence:
        do(what, whom, more, member, guides, model.day)
        model.do(what, whom, more)
    model.open()
    clock = on_day(model.day)
    tasks.expire(clock.today(), clock=clock)
    told = [shown(term, guides) for term in history(member.id)]
    assert told == [(r.guide, r.since, r.valid_until, r.ended, r.how) for r in model.rows]
    assert member_now(member.id).terms == len(model.rows)
    assert NOW.date() == TODAY
