"""Laws on storage: whatever happens in whatever sequence, members stand as a decision from nothing
but their facts would have them, and a second run writes nothing."""

from datetime import date, timedelta
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from graphql_api.members.models import Member
from graphql_api.orders.service import Snapshot
from graphql_api.policies import service as policies
from graphql_api.policies.rules import PolicyKind
from graphql_api.standing import models, repository, rules, tasks
from graphql_api.standing.rules import Standing
from graphql_api.stores.models import Store
from graphql_api.tags import service as tags
from graphql_api.viewer import SYSTEM
from tests.factories import make_member
from tests.orders.storage import on_storage
from tests.standing.storage import buy, give_back, member_now, on, standing_now
from tests.tags.factories import make_tag

START = date(2018, 1, 10)
BEGIN = on("2018-01-10")

# What happens, so many days after what happened before.
happenings = st.lists(
    st.tuples(
        st.sampled_from(["buy", "buy", "refund", "tag", "untag", "run", "run"]),
        st.integers(0, 120),
        st.sampled_from([0, 9_900, 20_000, 60_000]),
    ),
    min_size=3,
    max_size=7,
)


@settings(on_storage, max_examples=8)
@given(happened=happenings)
@example(happened=[("buy", 0, 60_000), ("buy", 100, 0), ("buy", 92, 60_000)])
def test_members_stand_as_if_every_day_had_been_decided_on(
    happened: list[tuple[str, int, int]], store: Store
) -> None:
    by_hand, by_rule = make_tag(), make_tag()
    follow_tags(by_hand.id, by_rule.id)
    member = make_member(store, clock=BEGIN)
    tasks.follow(member.id, clock=BEGIN)
    walked = Walk(member)
    bought: list[Snapshot] = []
    today = START
    for what, days, fen in happened:
        walked.to(today + timedelta(days=days))
        today += timedelta(days=days)
        day = today.isoformat()
        if what == "buy":
            bought.append(buy(store, member, day, fen))
        elif what == "refund" and bought:
            give_back(bought.pop(), day, 20_000)
        elif what in {"tag", "untag"}:
            tag(member, by_hand.id, day, add=what == "tag")
        elif what == "run":
            tasks.run(today, clock=on(day))
        walked.take_in(today)
    end = (today + timedelta(days=1)).isoformat()
    walked.to(date.fromisoformat(end))
    tasks.run(date.fromisoformat(end), clock=on(end))
    assert standing_now(member) == walked.standing
    before = member_now(member).serialize()
    assert tasks.run_shard(shard_of(member), date.fromisoformat(end), clock=on(end)).members == 0
    assert member_now(member).serialize() == before


class Walk:
    """A member's standing decided on day by day, from facts as they are stored that day."""

    def __init__(self, member: Member) -> None:
        self.member, self.today = member, START
        self.facts = self.read()
        self.standing: Standing = rules.decide(
            self.facts, None, repository.in_force(), START
        ).standing

    def read(self) -> rules.Facts:
        now = member_now(self.member)
        return models.facts(now, BEGIN.day_of(now.joined_at))

    def to(self, day: date) -> None:
        """Let the days pass with the facts that there were."""
        while self.today < day:
            self.today += timedelta(days=1)
            self.decide()

    def take_in(self, day: date) -> None:
        """Decide with the facts that there are now."""
        self.facts = self.read()
        self.decide()

    def decide(self) -> None:
        decision = rules.decide(self.facts, self.standing, repository.in_force(), self.today)
        self.standing = decision.standing


def shard_of(member: Member) -> str:
    return f"{int(member.number) % 16:02d}"


def tag(member: Member, tag_id: str, day: str, *, add: bool) -> None:
    """Give a tag by hand for a week, or take it away; the stream follows."""
    wish: dict[str, Any] = {"remove": [tag_id]}
    if add:
        wish = {"add": [tag_id], "expires_on": date.fromisoformat(day) + timedelta(days=7)}
    tags.set_tags(tags.TagsSet(member_id=member.id, **wish), viewer=SYSTEM, clock=on(day))
    tasks.follow(member.id, clock=on(day))


def follow_tags(by_hand: str, by_rule: str) -> None:
    """A rule that hangs on a tag by hand, on the calendar and on purchases."""
    when = {
        "any": [
            {"fact": "TAG", "op": "IS", "values": [by_hand]},
            {"fact": "DAYS_SINCE_PURCHASE", "op": "AT_LEAST", "number": 40},
        ]
    }
    document = {"rules": [{"name": "R", "tag": by_rule, "when": when}]}
    draft = policies.PolicyDraft(kind=PolicyKind.TAG_RULES, document=document)
    drafted = policies.draft(draft, viewer=SYSTEM, clock=BEGIN)
    publish = policies.PolicyPublish(kind=PolicyKind.TAG_RULES, draft_version=int(drafted.version))
    policies.publish(publish, viewer=SYSTEM, clock=BEGIN)
    repository.forget()
