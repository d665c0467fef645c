"""Any sequence of gifts, rules, imports and days is what the plain model says of it."""

from dataclasses import dataclass, field
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graphql_api.kit.ids import numbered_id
from graphql_api.kit.time import Clock
from graphql_api.members.models import Member
from graphql_api.members.rules import HeldTag, TagSource
from graphql_api.stores.models import Store
from graphql_api.tags import service, tasks
from graphql_api.tags.models import Tag
from graphql_api.tags.rules import TagAction
from graphql_api.tags.service import TagsSet
from tests.factories import make_member, make_store
from tests.tags.factories import HEADQUARTERS, NOW, make_group, make_tag
from tests.tags.storage import happened, held

# Every example has a member of its own: the tables need not be fresh.
on_storage = settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

TODAY = date(2018, 1, 10)
ONE_OF = (0, 1, 2)
"""Three tags of an exclusive group; tag 4 holds one day after the day it is given."""

STRONGER = {
    TagSource.RULE: {TagSource.IMPORTED, TagSource.BY_HAND},
    TagSource.IMPORTED: {TagSource.BY_HAND},
    TagSource.BY_HAND: set(),
}


@dataclass(frozen=True)
class Step:
    """Somebody sets a tag, or takes one; or so many days pass and what ran out is cleared away."""

    does: str
    tag: int = 0
    source: TagSource = TagSource.BY_HAND
    lasts: int | None = None


steps = st.one_of(
    st.builds(
        Step,
        st.sampled_from(["set", "set", "take"]),
        st.integers(0, 4),
        st.sampled_from(TagSource),
        st.none() | st.integers(0, 2),
    ),
    st.builds(Step, st.sampled_from(["wait", "clear"]), lasts=st.integers(0, 2)),
)


@dataclass
class Reference:
    """What anybody would expect, one tag at a time: source and last day by tag."""

    day: date = TODAY
    tags: dict[int, tuple[TagSource, date | None]] = field(default_factory=dict)

    def has(self, tag: int) -> bool:
        last_day = self.tags[tag][1] if tag in self.tags else TODAY - timedelta(days=1)
        return tag in self.tags and (last_day is None or self.day <= last_day)

    def do(self, step: Step) -> None:
        if step.does == "take":
            self._take(step)
        elif step.does == "set":
            self._set(step)
        else:
            self.day += timedelta(days=step.lasts or 0)

    def _take(self, step: Step) -> None:
        if self.has(step.tag) and step.source in {TagSource.BY_HAND, self.tags[step.tag][0]}:
            del self.tags[step.tag]

    def _set(self, step: Step) -> None:
        rivals = [t for t in ONE_OF if t in self.tags and t != step.tag and step.tag in ONE_OF]
        in_the_way = [t for t in [*rivals, step.tag] if self.has(t)]
        if any(self.tags[t][0] in STRONGER[step.source] for t in in_the_way):
            return
        for rival in rivals:
            del self.tags[rival]
        asked = None if step.lasts is None else self.day + timedelta(days=step.lasts)
        by_tag = self.day + timedelta(days=1) if step.tag == 4 else None
        unchanged = self.has(step.tag) and self.tags[step.tag][0] is step.source
        if step.source is TagSource.BY_HAND or asked or not unchanged:
            self.tags[step.tag] = (step.source, asked or by_tag)

    @property
    def now(self) -> dict[int, tuple[TagSource, date | None]]:
        """The tags that hold."""
        return {tag: value for tag, value in self.tags.items() if self.has(tag)}


@pytest.fixture
def store(chain: str) -> Store:
    """A store."""
    return make_store("S1")


@pytest.fixture
def tags(chain: str) -> list[Tag]:
    """Three tags that exclude each other, one that does not, and one that runs out."""
    group = make_group(exclusive=True)
    return [*(make_tag(group) for _ in ONE_OF), make_tag(), make_tag(validity_days=1)]


def clock_of(day: date) -> Clock:
    return Clock(wall=lambda: NOW + (day - TODAY))


def perform(step: Step, member: Member, tags: list[Tag], day: date) -> None:
    """Do a step for real, as whoever has that source does it."""
    clock = clock_of(day)
    if step.does == "clear":
        tasks.expire(day, clock=clock)
    if step.does not in {"set", "take"}:
        return
    named = {"add" if step.does == "set" else "remove": [tags[step.tag].id]}
    last_day = None if step.lasts is None else day + timedelta(days=step.lasts)
    wish = TagsSet(member_id=member.id, expires_on=last_day, **named)
    if step.source is TagSource.BY_HAND:
        service.set_tags(wish, viewer=HEADQUARTERS, clock=clock)
    else:
        service.set_tags_as(wish, source=step.source, source_ref="law@1", clock=clock)


@on_storage
@given(todo=st.lists(steps, max_size=12))
def test_any_sequence_is_what_the_model_says(
    todo: list[Step], store: Store, tags: list[Tag]
) -> None:
    member = make_member(store)
    reference = Reference()
    numbers = {tag.id: n for n, tag in enumerate(tags)}
    for step in todo:
        reference.do(step)
        perform(step, member, tags, reference.day)
        stored = held(member.id)  # rows and item say the same
        shown = {numbers[id_]: tag for id_, tag in stored.items() if tag.holds(reference.day)}
        expected = {n: HeldTag(*value) for n, value in reference.now.items()}
        assert shown == expected
        assert len([n for n in ONE_OF if tags[n].id in stored]) <= 1
        if step.does == "clear":
            assert len(stored) == len(shown)
    assert_history_adds_up(member, reference, tags)


def assert_history_adds_up(member: Member, reference: Reference, tags: list[Tag]) -> None:
    """Told from the beginning, the history ends with the tags of the item."""
    told: set[str] = set()
    for tag_id, action in happened(member.id):
        if action is TagAction.ADDED:
            told.add(tag_id)
        elif action is TagAction.CHANGED:
            assert tag_id in told
        else:
            told.remove(tag_id)
    assert told == set(held(member.id))
    assert {tags[n].id for n in reference.now} <= told


@given(
    st.lists(st.tuples(st.integers(0, 4), st.sampled_from(TagSource)), max_size=5),
    st.lists(st.integers(0, 4), unique=True, max_size=3),
)
def test_map_of_the_item_is_read_as_it_was_written(
    given_tags: list[tuple[int, TagSource]], lasting: list[int]
) -> None:
    member = Member("mbr_1")
    written = {
        numbered_id("tag", 1 + n * 40_000): HeldTag(source, TODAY if n in lasting else None)
        for n, source in given_tags
    }
    member.tags = written
    assert member.tags == written
