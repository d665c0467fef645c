"""The member item stays small: it is written with every order."""

from datetime import UTC, date, datetime
from typing import Any

from graphql_api.kit import ids
from graphql_api.members import repository as members
from graphql_api.members.models import Member
from graphql_api.members.rules import (
    MAX_TAGS,
    MONTHS_KEPT,
    Bucket,
    Facts,
    HeldTag,
    SourceChannel,
    TagSource,
)
from graphql_api.members.service import MAX_CONSENTS, MAX_IDENTITIES
from graphql_api.standing import models
from graphql_api.standing.rules import (
    InQuadrant,
    Lifecycle,
    LifecycleState,
    Lock,
    LockKind,
    Phase,
    Quadrant,
    Relationship,
    Rfm,
    RfmClass,
    Standing,
    Tier,
)

NOW = datetime(2018, 1, 10, 4, tzinfo=UTC)
DAY = date(2018, 1, 10)
MOST = 10**12
LONG = "很" * 20


def fullest() -> Member:
    """A member with as much of everything as there can be."""
    member = Member(
        ids.new_id("mbr"),
        number=MOST,
        source=SourceChannel.OFFICIAL_ACCOUNT,
        joined_at=NOW,
        joining_store_id=ids.new_id("sto"),
        joining_guide_id=ids.new_id("gde"),
        store_id=ids.new_id("sto"),
        guide_id=ids.new_id("gde"),
        identity_claims=["WECOM_EXTERNAL#" + "x" * 64] * MAX_IDENTITIES,
        alias_ids=[ids.new_id("mbr") for _ in range(10)],
        sealed_phone="x" * 80,
        phone_last4="8000",
        name="名" * 60,
        nickname="名" * 60,
        birthday="12-31",
        birth_year=1990,
        city=LONG,
        occupation=LONG,
        income_band=LONG,
        consent_document={
            f"MARKETING#SUBSCRIPTION_MESSAGE{n}": ["v" * 20, NOW.isoformat(), NOW.isoformat()]
            for n in range(MAX_CONSENTS)
        },
        created_at=NOW,
        lock_owner="import",
        locked_until=NOW,
        due_on=DAY,
        next_on=DAY,
        version=1,
    )
    months = {
        f"{2015 + n // 12}-{n % 12 + 1:02d}": Bucket(9_999, MOST, MOST, -9_999, -MOST, -MOST)
        for n in range(MONTHS_KEPT)
    }
    member.facts = Facts(months, "2018-01", 10**6, MOST, MOST, MOST, DAY, DAY)
    member.tags = {
        ids.numbered_id("tag", 10**5 + n): HeldTag(TagSource.BY_HAND, DAY) for n in range(MAX_TAGS)
    }
    earned = Tier("等" * 20, 19, 736_000, 736_000, 10**4, 736_000, noticed=True)
    lock = Lock(LockKind.FLOOR, "等" * 20, 736_000, 736_000)
    locked = Tier(
        "等" * 20, 19, 736_000, 736_000, 10**4, 736_000, noticed=True, lock=lock, earned=earned
    )
    models.hold(
        member,
        Standing(
            locked,
            Lifecycle(LifecycleState.LOST, 736_000, 99, 10**4),
            Relationship(Phase.STABLE, 10**4),
            Rfm(5, 5, 5, RfmClass.HHH, 10**4),
            InQuadrant(Quadrant.LOW_LOW, 10**4),
            736_000,
        ),
    )
    members._index(member)
    return member


def test_fullest_member_takes_less_than_sixteen_thousand_bytes() -> None:
    item = fullest().serialize()
    assert sum(len(name) + size_of(value) for name, value in item.items()) < 16_000
    assert size_of(item["standing"]) < 400


def size_of(value: Any) -> int:
    """What DynamoDB counts for a value: bytes of text and of digits, three and one for a list."""
    [(kind, held)] = value.items()
    return 3 + sum(1 + size_of(one) for one in held) if kind == "L" else len(str(held).encode())


def test_standing_is_told_in_words_and_days() -> None:
    member = fullest()
    assert models.told(member, DAY) == {
        "tier": "等" * 20,
        "tierSince": "2016-02-06",
        "tierUntil": "2016-02-06",
        "tierLock": {"kind": "FLOOR", "until": "2016-02-06"},
        "lifecycle": "LOST",
        "lifecycleSince": "2016-02-06",
        "reactivations": 99,
        "phase": "STABLE",
        "rfm": [5, 5, 5],
        "rfmClass": "HHH",
        "quadrant": "LOW_LOW",
    }
    member.standing_document = None
    assert models.told(member, DAY) is None
