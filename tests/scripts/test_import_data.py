"""The import: complete, exact, and the same whatever happens to it on the way."""

import json
import os
import random
import re
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from graphql_api import tables
from graphql_api.audit.models import AuditItem
from graphql_api.campaigns import repository as campaigns
from graphql_api.campaigns.models import SHARDS
from graphql_api.kit.dynamo import reset_connections
from graphql_api.kit.time import Clock
from graphql_api.members import repository as members
from graphql_api.members.models import MembersItem
from graphql_api.members.rules import derive
from graphql_api.orders import repository as orders
from graphql_api.orders.rules import contribution
from graphql_api.policies.rules import SHIPPED_GROWTH
from graphql_api.stores import service as stores
from scripts import complete_journey, import_data
from scripts.complete_journey import Dataset
from tests.conftest import Client
from tests.points.storage import figures_of, ledger_of
from tests.scripts import import_process
from tests.tags.factories import make_tags, set_tags
from tests.test_reads import asked

HOUSEHOLDS = 7
CHANGES_FROM_RUN_TO_RUN = {"sealed_phone", "version", "lock_owner", "locked_until"}
OF_THE_REAL_CLOCK = {"at", "forget_at", "place"}
RANDOM = re.compile(r"\b(con|aud)_[0-9a-z]{26}\b|(?<=#)[0-9]{10}(?=#[0-9]{2}\b)")
"""Ids that are drawn, and versions of members in the places of their histories."""


def _everything() -> dict[str, list[Any]]:
    """All items of all tables, without what is random or counts attempts."""
    client = boto3.client("dynamodb")
    found = {}
    for model in tables.TABLES:
        pages = client.get_paginator("scan").paginate(TableName=model.Meta.table_name)
        changes = CHANGES_FROM_RUN_TO_RUN | (OF_THE_REAL_CLOCK if model is AuditItem else set())
        items = [
            {k: RANDOM.sub("", json.dumps(v)) for k, v in item.items() if k not in changes}
            for page in pages
            for item in page["Items"]
        ]
        found[model.Meta.table_name] = sorted(items, key=repr)
    return found


def _members_there() -> int:
    client = boto3.client("dynamodb")
    try:
        answer = client.scan(
            TableName=MembersItem.Meta.table_name,
            Select="COUNT",
            FilterExpression="attribute_exists(joined_at)",
        )
    except client.exceptions.ResourceNotFoundException:
        return 0
    return int(answer["Count"])


def _kill_when_members_reach(count: int) -> None:
    importer = import_process.start(HOUSEHOLDS)
    while _members_there() < count and importer.is_alive():
        time.sleep(0.01)
    assert importer.is_alive(), "the importer was through before it could be killed"
    importer.kill()
    importer.join()


@pytest.fixture(autouse=True)
def _read_once(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(complete_journey, "open_dataset", lambda: dataset)


@pytest.fixture
def other_account(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Moves this test into a second empty account."""

    def move() -> None:
        account = f"{random.randrange(10**12):012d}"
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", account)
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
        reset_connections()

    return move


def test_importer_killed_at_three_random_points_ends_with_the_items_of_an_undisturbed_run(
    database: str, other_account: Any
) -> None:
    command = [sys.executable, "-m", "scripts.import_data", "--households", str(HOUSEHOLDS)]
    subprocess.run(
        command,
        env={**os.environ, "PYTHONPATH": "src:."},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    undisturbed = _everything()
    other_account()
    for count in sorted(random.sample(range(1, HOUSEHOLDS - 2), 3)):
        _kill_when_members_reach(count)
    last = import_process.start(HOUSEHOLDS)
    last.join()

    assert last.exitcode == 0
    assert _everything() == undisturbed


def test_import_equals_the_data_it_came_from(database: str, clock: Clock, dataset: Dataset) -> None:
    stores.set_up_chain("测试连锁", zone="Asia/Shanghai", offset_days=0, clock=clock)
    import_data.run(households=3, say=lambda _: None, clock=clock)

    people = {h.household_id: h for h in dataset.households(3)}
    for household_id, baskets in dataset.baskets_of(people):
        member = members.get(import_data.member_id(household_id))
        refunds = list(dataset.refunds_of(baskets))
        assert member is not None
        assert member.facts.paid == sum(basket.amount for basket in baskets)
        assert member.facts.refunded == sum(refund.amount for refund in refunds)
        assert member.joined_at == min(basket.paid_at for basket in baskets)
        assert member.phone == people[household_id].phone
        assert member.store_id == import_data.store_id(people[household_id].store_id)
        held = orders.all_of_member(member)
        assert [o.external_id for o in held] == [str(b.basket_id) for b in baskets]
        assert [len(o.lines) for o in held] == [len(b.lines) for b in baskets]
        given = [contribution(o.state, SHIPPED_GROWTH) for o in held]
        assert member.facts == derive(c for c in given if c is not None)
        assert 0 < figures_of(member.id).balance <= member.facts.growth * 60 // 100
        assert [kind for kind, *_ in ledger_of(member.id)] == ["OPEN"]
    assert import_data.held().points == sum(int(member.points) for member in _all_members())


def test_campaigns_stand_as_on_the_first_day_and_sends_are_participations(
    database: str, clock: Clock, dataset: Dataset
) -> None:
    stores.set_up_chain("测试连锁", zone="Asia/Shanghai", offset_days=0, clock=clock)
    import_data.run(households=8, say=lambda _: None, clock=clock)

    people = {h.household_id for h in dataset.households(8)}
    sent = {(s.campaign_id, s.household_id) for s in dataset.sends() if s.household_id in people}
    assert len(dataset.sends()) == 6_589
    page = campaigns.page_of_all(first=100, after=None, reverse=False)
    told = {campaign.external_id: campaign for campaign in page.items}
    assert list(told) == [f"complete-journey:{n}" for n in range(1, 28)]
    assert Counter((c.kind, c.state) for c in page.items) == {
        ("SCENE", "ENDED"): 4,
        ("PROMOTION", "ENDED"): 14,
        ("PROMOTION", "RUNNING"): 3,
        ("FESTIVAL", "ENDED"): 4,
        ("FESTIVAL", "RUNNING"): 2,
    }
    last = told["complete-journey:15"]
    assert last.starts_at == datetime(2017, 9, 19, 16, tzinfo=UTC)
    assert last.ends_at == datetime(2018, 2, 28, 16, tzinfo=UTC)
    found = set()
    for campaign_id, household_id in sent:
        member_id = import_data.member_id(household_id)
        cmp_id = import_data.campaign_id(campaign_id)
        [part] = campaigns.get_participations(cmp_id, [member_id])
        assert part is not None
        assert (part.state, part.origin, part.channel) == ("INVITED", "BACKFILL", None)
        found.add((campaign_id, household_id))
    assert found == sent
    held = import_data.held()
    assert (held.members, held.campaigns, held.participations) == (8, 27, len(sent))


def test_import_that_dies_among_the_campaigns_goes_on_to_the_same_end(
    database: str, other_account: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def imported() -> dict[str, list[Any]]:
        import_data.run(households=2, say=lambda _: None)
        return _everything()

    create, add = campaigns.create, campaigns.add_participation
    left = [3, 2]

    def dying(kind: int, do: Any) -> Any:
        def work(*args: Any, **kwargs: Any) -> Any:
            left[kind] -= 1
            if left[kind] == 0:
                raise KeyboardInterrupt
            return do(*args, **kwargs)

        return work

    tables.create_all()
    undisturbed = imported()
    other_account()
    tables.create_all()
    monkeypatch.setattr(campaigns, "create", dying(0, create))
    monkeypatch.setattr(campaigns, "add_participation", dying(1, add))
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            imported()
    assert imported() == undisturbed


def test_larger_import_keeps_the_members_of_a_smaller_one(database: str) -> None:
    import_data.run(households=2, say=lambda _: None)
    before = {m.id: int(m.number) for m in _all_members()}
    import_data.run(households=4, say=lambda _: None)

    after = {m.id: int(m.number) for m in _all_members()}
    assert len(before) == 2
    assert sorted(after.values()) == [1, 2, 3, 4]
    assert after == {**after, **before}
    assert import_data.is_complete(4)
    assert not import_data.is_complete(5)


def test_chain_lives_on_the_first_of_january_2018_from_its_first_import(database: str) -> None:
    import_data.run(households=1, say=lambda _: None)

    assert stores.clock().today() == import_data.FIRST_BUSINESS_DAY


def _all_members() -> list[Any]:
    return list(members.page_of_all(first=100, after=None, reverse=False).items)


def test_nouns_of_the_imported_chain_are_asked_together_in_counted_reads(
    database: str, clock: Clock, send: Client, operator: str
) -> None:
    stores.set_up_chain("测试连锁", zone="Asia/Shanghai", offset_days=0, clock=clock)
    import_data.run(households=HOUSEHOLDS, say=lambda _: None, clock=clock)
    tags = make_tags(2)
    for member in _all_members()[:3]:
        set_tags(member, *tags)
    document = """query ($last: Boolean! = false) {
      members(first: 5) {
        nodes { memberNo tags { name } store { name } guide { name store { name } } }
      }
      campaigns(first: 3, reverse: $last) {
        nodes { name kind state participations(first: 2) { nodes { member { memberNo } } } }
      }
    }"""
    send("{ me { role } }", token=operator)
    with asked() as seen:
        answer = send(document, token=operator)
    people = answer["members"]["nodes"]
    assert [len(member["tags"]) for member in people] == [2, 2, 2, 0, 0]
    assert all(member["store"] and member["guide"] for member in people)
    assert all(member["guide"]["store"] == member["store"] for member in people)
    assert [list(one.values()) for one in answer["campaigns"]["nodes"]] == [
        ["品类促销·1", "PROMOTION", "ENDED", {"nodes": []}],
        ["品类促销·2", "PROMOTION", "ENDED", {"nodes": []}],
        ["季节主题·3", "FESTIVAL", "ENDED", {"nodes": []}],
    ]
    reads = {
        "Query members.block": 1,
        "get 5 members": 1,
        "get 2 tags": 1,
        "get 4 stores": 1,  # of the members and of their guides
        "get 4 guides": 1,
        "Query campaigns.block": 1,
        "get 3 campaigns": 1,
        "Query campaigns": 3 * SHARDS,  # few households: no shard holds two that were sent it
    }
    assert seen == reads
    with asked() as seen:
        answer = send(document, token=operator, last=True)
    newest = answer["campaigns"]["nodes"][0]
    assert [list(one.values()) for one in newest["participations"]["nodes"]] == [
        [{"memberNo": "000000021"}],
        [{"memberNo": "000000037"}],
    ]
    # Beside: the number of the newest campaign, and the two members.
    assert seen == reads | {"get 1 campaigns": 1, "get 2 members": 1}
