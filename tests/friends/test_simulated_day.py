"""A day of scans, friends, tags and a guide who leaves ends the same, whatever goes wrong."""

import heapq
import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from graphql_api.access.rules import WeChatPerson
from graphql_api.access.service import joining
from graphql_api.access.service.joining import Join
from graphql_api.codes import repository as code_repository
from graphql_api.codes import service as codes
from graphql_api.codes.models import Code
from graphql_api.config import settings
from graphql_api.connectors import http
from graphql_api.connectors.tokens import tokens
from graphql_api.connectors.wecom import receiving
from graphql_api.errors import Unavailable
from graphql_api.friends import repository, service, tag_links, tasks, ways
from graphql_api.friends.models import friend_id
from graphql_api.friends.rules import FriendState
from graphql_api.friends.tag_links import LinkSet
from graphql_api.guides import service as guides
from graphql_api.guides.models import Guide
from graphql_api.guides.rules import GuideStatus
from graphql_api.guides.service import GuideStatusSet
from graphql_api.kit import queues
from graphql_api.kit.time import Clock
from graphql_api.members import repository as members
from graphql_api.members import service as member_service
from graphql_api.members.rules import IdentityKind
from graphql_api.members.service import NewIdentity
from graphql_api.ownership import service as ownership
from graphql_api.ownership import tasks as ownership_tasks
from graphql_api.ownership.service import HandOverCreate
from graphql_api.stores.models import Store
from graphql_api.viewer import SYSTEM
from graphql_api.webhooks.tasks import Change
from scripts.simulator import wecom as simulated
from scripts.simulator.faults import Faults
from scripts.simulator.wecom import Knock, Wecom
from tests.factories import make_guide, make_store
from tests.tags.factories import make_tag

BEGIN = (datetime.now(UTC) - timedelta(hours=12)).replace(second=0, microsecond=0)
PEOPLE = 18
DOWN = BEGIN + timedelta(minutes=200), BEGIN + timedelta(minutes=260)
HELD_BACK = timedelta(minutes=50)
STANDINGS = {
    FriendState.FRIEND: simulated.FRIEND,
    FriendState.HALF: simulated.HALF,
    FriendState.DELETED_BY_GUIDE: simulated.GONE,
    FriendState.DELETED_BY_CUSTOMER: simulated.GONE,
}


@dataclass
class Line:
    """Both queues, in virtual time."""

    now: datetime = BEGIN
    waiting: list[tuple[datetime, int, str, str]] = field(default_factory=list)
    numbers: Any = field(default_factory=itertools.count)
    late: list[float] = field(default_factory=list)

    def send(self, url: str, messages: Sequence[queues.Message]) -> None:
        for message in messages:
            due = self.now + timedelta(seconds=min(message.delay, queues.LONGEST_DELAY))
            text = orjson.dumps(message.body).decode()
            heapq.heappush(self.waiting, (due, next(self.numbers), url, text))

    def run(self, until: datetime | None = None) -> None:
        while self.waiting and (until is None or self.waiting[0][0] <= until):
            due, _, url, text = heapq.heappop(self.waiting)
            self.now = max(self.now, due)
            if url == "welcomes":
                tasks.greet(text, now=lambda: self.now, sleep=self._sleep)
            else:
                tasks.follow(text, clock=self.clock)
        self.now = max(self.now, until or self.now)

    def clock(self) -> Clock:
        return Clock(wall=lambda: self.now)

    def _sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Chain:
    """Two stores, three guides and their codes, of one run."""

    prefix: str
    stores: list[Store]
    guides: list[Guide]
    codes: list[Code]
    tags: dict[str, str]

    def person(self, n: int) -> WeChatPerson:
        union_id = f"{self.prefix}-union-{n}" if n % 6 else None
        digit = "8" if self.prefix == "calm" else "9"
        return WeChatPerson(f"{self.prefix}-openid-{n}", union_id, f"+861{digit}{n:09d}")

    def customer(self, n: int) -> str:
        return f"wm-{self.prefix}-{n:04d}"

    def named(self, id_: str | None) -> str | None:
        """A guide or a store without what differs between the runs."""
        known = {guide.id: f"guide {n}" for n, guide in enumerate(self.guides)}
        known |= {store.id: f"store {n}" for n, store in enumerate(self.stores)}
        known |= {code.id: f"code {n}" for n, code in enumerate(self.codes)}
        known |= {tag_id: f"tag {n}" for n, tag_id in enumerate(self.tags.values())}
        return known.get(id_ or "", id_)


@dataclass
class Day:
    """What happens in a run, and how it arrives."""

    chain: Chain
    corp: Wecom
    line: Line
    twice: bool
    statuses: list[int] = field(default_factory=list)
    batch: list[Knock] = field(default_factory=list)

    def run(self, seed: int) -> None:
        for at, what, n in happenings(seed):
            if self.batch and self.batch[0].at + HELD_BACK <= at:
                self._pass(self.batch[0].at + HELD_BACK)
                self._deliver()
            self._pass(at)
            knocks = self._happens(what, n, at)
            self.batch += knocks
            if len(self.batch) >= (8 if self.twice else 1):
                self._deliver()
        self._deliver()
        self.corp.faults.is_down = False
        self.line.run()

    def _happens(self, what: str, n: int, at: datetime) -> list[Knock]:
        user, customer = self.chain.guides[n % 3].wecom_user_id, self.chain.customer(n)
        code = self.chain.codes[n % 3]
        match what:
            case "join":
                self._join(n, code)
                return []
            case "half":
                return self.corp.add(user, customer, at, state=code.scene, half=True)
            case "add":
                return self.corp.add(user, customer, at, state=code.scene)
            case "remark":
                tag = list(self.chain.tags)[n % 2]
                self.corp.tags.edit((user, customer), add=tag)
                return self.corp.edit(user, customer, at)
            case _:
                return self.corp.delete(user, customer, at, by_user=what == "delete")

    def _join(self, n: int, code: Code) -> None:
        """By the mini-program; the stream of members tells, perhaps twice."""
        person = self.chain.person(n)
        for _ in range(2 if self.twice else 1):
            given = Join(code="code", phone_code="phone", scene=code.scene)
            login = joining.join(
                given, ask=lambda *_: person, clock=self.line.clock(), at=datetime.now(UTC)
            )
            assert login.tokens is not None
            member = members.get(login.tokens.principal_id)
            assert member is not None
            tasks.notice([Change("1", self.line.now, None, member.serialize())])

    def _deliver(self) -> None:
        for knock in self.corp.faults.delivered(self.batch):
            if self.corp.faults.happens(self.corp.faults.forged):
                self._receive(knock.forged())
            self._receive(self.corp.again(knock, self.line.now))
        self.batch = []

    def _receive(self, knock: Knock) -> None:
        self.statuses.append(receiving.receive(knock.query, knock.raw, at=self.line.now).status)

    def _pass(self, at: datetime) -> None:
        for turn, is_down in zip(DOWN, (True, False), strict=True):
            if self.line.now < turn <= at and self.twice:
                self.line.run(turn)
                self.corp.faults.is_down = is_down
                self.corp.forget_tokens()
        self.line.run(at)


def happenings(seed: int) -> list[tuple[datetime, str, int]]:
    """What people do, in the order of its time.

    Who deletes somebody does so hours after they met and are known here: of a friend who is gone
    WeCom says nothing, and what nobody could look at before, such as a mark, went with them.
    """
    chance = random.Random(seed)
    found: list[tuple[datetime, str, int]] = []

    def then(minute: int, what: str, n: int) -> None:
        found.append((BEGIN + timedelta(minutes=minute, seconds=n), what, n))

    for n in range(PEOPLE):
        join, add = chance.sample(range(10, 400), 2)
        if n % 5:
            then(join, "join", n)
        if n % 4:
            if chance.random() < 0.4:
                then(add - 5, "half", n)
            then(add, "add", n)
            if chance.random() < 0.5:
                then(add + 3, "remark", n)
            if chance.random() < 0.4:
                known = max(join, add)
                then(known + 160, chance.choice(["delete", "deleted"]), n)
                if chance.random() < 0.5:
                    then(known + 200, "add", n)
    return sorted(found)


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> Iterator[Line]:
    made = Line()
    known = Wecom(Faults())
    for name, value in {
        "WECOM_CORP_ID": known.corp,
        "WECOM_CONTACTS_SECRET": known.secret,
        "WECOM_CALLBACK_TOKEN": known.token,
        "WECOM_CALLBACK_KEY": known.key,
        "WECOM_BASE_URL": "",
        "CONTACT_QUEUE_URL": "contacts",
        "WELCOME_QUEUE_URL": "welcomes",
    }.items():
        monkeypatch.setenv(f"APP_{name}", value)
    settings.cache_clear()
    monkeypatch.setattr(queues, "send", made.send)
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    yield made
    settings.cache_clear()


def lived(
    prefix: str, line: Line, monkeypatch: pytest.MonkeyPatch, seed: int, **faults: Any
) -> tuple[Chain, Day]:
    """The same day in a chain of its own, with these faults."""
    tokens.forget()
    line.now = BEGIN
    corp = Wecom(Faults(seed))

    def asked(url: str, query: dict[str, str], body: dict[str, Any]) -> dict[str, Any]:
        if corp.faults.fails():
            raise Unavailable("no answer")
        told = corp.answer(url, query, body, line.now)
        assert told is not None, url
        return told

    monkeypatch.setattr(http, "get", lambda url, **query: asked(url, query, {}))
    monkeypatch.setattr(http, "post", lambda url, body, **query: asked(url, query, body))
    chain = _chain(prefix, line)
    corp.faults = Faults(seed, **faults)
    corp.tags.groups = {"客户": {corp_tag_id: corp_tag_id for corp_tag_id in chain.tags}}
    corp.union_ids |= {
        chain.customer(n): str(chain.person(n).unionid) for n in range(PEOPLE) if n % 6
    }
    day = Day(chain, corp, line, twice=bool(faults))
    day.run(seed)
    _leaves(day)
    return chain, day


def _chain(prefix: str, line: Line) -> Chain:
    stores = [make_store(f"{prefix}-{n}") for n in range(2)]
    made = [make_guide(stores[n // 2], f"导购{n}", wecom_user_id=f"{prefix}{n}") for n in range(3)]
    own = [
        codes.create(codes.CodeCreate(guide_id=guide.id), viewer=SYSTEM, clock=line.clock())
        for guide in made
    ]
    words = service.WelcomeSet(text="您好，我是{store}的{guide}")
    service.set_welcome(words, viewer=SYSTEM, at=BEGIN)
    for code in own:
        ways.make(code.id, viewer=SYSTEM, at=line.now)
    tags = {f"{prefix}-{name}": make_tag(name=f"{prefix}{name}").id for name in ("high", "low")}
    for corp_tag_id, tag_id in tags.items():
        link = LinkSet(tag_id=tag_id, corp_tag_id=corp_tag_id)
        tag_links.set_link(link, viewer=SYSTEM, at=BEGIN)
    return Chain(prefix, stores, made, own, tags)


def _leaves(day: Day) -> None:
    """The second guide leaves: members go to the first, the way ends, the code is the store's."""
    first, second = day.chain.guides[:2]
    clock = day.line.clock()
    left = GuideStatusSet(id=second.id, status=GuideStatus.LEFT)
    guides.set_status(left, viewer=SYSTEM, clock=clock)
    given = HandOverCreate(from_guide_id=second.id, target_ids=[first.id])
    job = ownership.hand_over(given, viewer=SYSTEM, clock=clock)
    for _ in range(6 if day.twice else 1):  # every quarter of an hour
        ownership_tasks.run_hand_over(job.id, clock=clock)
        tasks.keep_ways(clock.today() + timedelta(days=ord(day.chain.prefix[0])), at=day.line.now)
    day._join(PEOPLE + 1, day.chain.codes[1])


def outcome(chain: Chain) -> dict[str, Any]:
    """What there is at the end, without the names that differ between runs."""
    people: dict[int, Any] = {}
    for n in [*range(PEOPLE), PEOPLE + 1]:
        identity = NewIdentity(kind=IdentityKind.OPENID, value=chain.person(n).openid)
        member_id = member_service.find([identity])
        member = members.get(member_id) if member_id else None
        friend = repository.get(friend_id(chain.guides[n % 3].wecom_user_id, chain.customer(n)))
        visits = code_repository.page_of_visits(str(member_id), first=9, after=None, reverse=False)
        people[n] = (
            member
            and (
                chain.named(member.store_id),
                chain.named(member.guide_id),
                sorted(str(i.kind) for i in member.identities),
                sorted((str(chain.named(v.code_id)), str(v.how)) for v in visits.items),
                sorted(str(chain.named(tag_id)) for tag_id in member.tags),
            ),
            friend and (friend.state, friend.since, chain.named(friend.code_id)),
        )
    tallies = code_repository.tallies([code.id for code in chain.codes])
    return {"people": people, "friended": [int(t.friended) for t in tallies]}


@pytest.mark.parametrize("seed", [3])
def test_day_of_faults_ends_where_the_undisturbed_day_ends(
    chain: str, line: Line, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    calm, calm_day = lived("calm", line, monkeypatch, seed)
    wild, wild_day = lived(
        "wild", line, monkeypatch, seed, doubled=0.4, reach=6, forged=0.15, failing=0.1
    )
    assert set(calm_day.statuses) == {200}
    assert wild_day.statuses.count(401) > 0
    one, other = outcome(calm), outcome(wild)
    for n, told in one["people"].items():
        assert _returned_once(other["people"][n]) == told, n
    assert one["friended"] == other["friended"]
    assert sum(one["friended"]) > 5
    assert sum(bool(member and member[4]) for member, _ in one["people"].values()) > 1

    for run, day in ((calm, calm_day), (wild, wild_day)):
        for n in range(PEOPLE):
            user = run.guides[n % 3].wecom_user_id
            tie = day.corp.ties.get((user, run.customer(n)))
            friend = repository.get(friend_id(user, run.customer(n)))
            assert (tie and tie.standing) == (friend and STANDINGS[friend.state])
        assert sorted(way["user"] for way in day.corp.ways.values()) == [
            [run.guides[0].wecom_user_id],
            [run.guides[2].wecom_user_id],
        ]
        late = outcome(run)["people"][PEOPLE + 1][0]
        assert late[:2] == ("store 0", None)
    # Undisturbed, everybody is welcomed, with names; none is welcomed twice, which WeCom sees to.
    texts = [welcome.text for welcome in calm_day.corp.welcomes.values()]
    assert texts
    assert all(text and "{" not in text and "导购" in text for text in texts)


def _returned_once(told: Any) -> Any:
    """A run in which everybody taps twice has them come back; the rest must be the same."""
    member, friend = told
    if member is None:
        return told
    visits = [visit for visit in member[3] if visit[1] != "RETURNED"]
    return ((*member[:3], visits, member[4]), friend)
