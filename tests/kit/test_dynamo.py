"""Items, batch reads, pages and transactions, against the embedded DynamoDB."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError
from pynamodb.attributes import (
    BooleanAttribute,
    ListAttribute,
    MapAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
    VersionAttribute,
)
from pynamodb.exceptions import TransactWriteError
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from graphql_api.errors import AppError, Conflict, Forbidden, NotFound, Taken
from graphql_api.kit import ids
from graphql_api.kit.dynamo import (
    DayAttribute,
    InstantAttribute,
    Item,
    JsonAttribute,
    Page,
    Stale,
    Transaction,
    batch_get,
    batch_get_raw,
    batch_write,
    get_together,
    key_page,
    table_name,
    transact,
)
from graphql_api.kit.dynamo.connection import shared_client
from tests.calls import counted

Answer = dict[str, Any]
Call = Callable[[str, dict[str, Any]], Answer]


class GroupIndex(GlobalSecondaryIndex["Thing"]):
    """Things of a group, by place."""

    class Meta:
        index_name = "by_group"
        projection = KeysOnlyProjection()

    group = UnicodeAttribute(hash_key=True)
    place = UnicodeAttribute(range_key=True)


class Thing(Item):
    """Something with a version."""

    class Meta:
        table_name = table_name("things")
        billing_mode = "PAY_PER_REQUEST"

    id = UnicodeAttribute(hash_key=True)
    sort = UnicodeAttribute(range_key=True, default="@")
    group = UnicodeAttribute(null=True)
    place = UnicodeAttribute(null=True)
    name = UnicodeAttribute(null=True)
    size = NumberAttribute(null=True)
    version = VersionAttribute()

    by_group = GroupIndex()


class Named(Thing):
    """A thing whose id says what it is."""

    id_prefix = "nmd"


class Plain(Item):
    """Something of the same table without a version."""

    class Meta:
        table_name = table_name("things")

    id = UnicodeAttribute(hash_key=True)
    sort = UnicodeAttribute(range_key=True, default="@")
    size = NumberAttribute(null=True)
    when = InstantAttribute(null=True)
    day = DayAttribute(null=True)
    document = JsonAttribute(null=True)
    flag = BooleanAttribute(null=True)
    tags = UnicodeSetAttribute(null=True)
    list_: ListAttribute[Any] = ListAttribute(null=True)
    map_: MapAttribute[str, Any] = MapAttribute(null=True)


@pytest.fixture(autouse=True)
def things(aws_account: str) -> None:
    """An empty table."""
    Thing.create_table(wait=True)


def put(*items: Item) -> None:
    batch_write(Thing, items)


def stored() -> dict[str, Answer]:
    return {item.id: item.serialize() for item in Thing.scan()}


def thing(id_: str) -> Thing:
    found = batch_get(Thing, [(id_, "@")], consistent=True)[0]
    assert found is not None
    return found


def intercept(
    monkeypatch: pytest.MonkeyPatch, answer: Callable[[Call, str, Answer], Answer]
) -> None:
    """Let `answer(call, operation, request)` stand between us and DynamoDB."""
    client: Any = shared_client()
    call = client._make_api_call
    monkeypatch.setattr(client, "_make_api_call", lambda name, given: answer(call, name, given))


def failing(times: int, code: str, reasons: list[str] | None = None) -> Callable[..., Answer]:
    """Fails so many transactions, then lets them through."""
    left = iter(range(times))

    def answer(call: Call, name: str, given: Answer) -> Answer:
        if name != "TransactWriteItems" or next(left, None) is None:
            return call(name, given)
        error: Any = {"Error": {"Code": code, "Message": "no"}}
        if reasons:
            error["CancellationReasons"] = [{"Code": r, "Message": r} for r in reasons]
        raise ClientError(error, name)

    return answer


def test_created_item_has_version_one() -> None:
    item = Thing("a", name="x")
    transact(lambda tx: tx.create(item))
    assert item.version == 1
    assert (thing("a").name, thing("a").version) == ("x", 1)


def test_saved_item_has_the_next_version() -> None:
    put(Thing("a", name="x", version=7))
    item = thing("a")
    item.name = "y"
    transact(lambda tx: tx.save(item))
    assert item.version == 8
    assert (thing("a").name, thing("a").version) == ("y", 8)


def test_attempt_gives_its_result() -> None:
    assert transact(lambda _: 42) == 42


def test_attempt_that_adds_nothing_asks_nothing() -> None:
    with counted() as calls:
        transact(lambda _: None)
    assert calls == {}


def test_stale_attempt_runs_again_on_fresh_reads() -> None:
    put(Thing("a", size=0, version=1))
    tries = 0

    def attempt(tx: Transaction) -> int:
        nonlocal tries
        item = thing("a")
        if tries < 2:
            other = thing("a")
            other.size += 10
            other.save()
        tries += 1
        item.size += 1
        tx.save(item)
        return int(item.size)

    assert transact(attempt) == 21
    assert tries == 3
    assert (thing("a").size, thing("a").version) == (21, 4)


def test_attempt_may_call_itself_stale() -> None:
    tries = 0

    def attempt(tx: Transaction) -> None:
        nonlocal tries
        tries += 1
        tx.create(Thing(f"try {tries}"))
        if tries < 3:
            raise Stale

    transact(attempt)
    assert list(stored()) == ["try 3"]


def test_deadline_is_a_conflict_with_nothing_written() -> None:
    put(Thing("a", version=5))
    before = stored()
    tries = 0

    def attempt(tx: Transaction) -> None:
        nonlocal tries
        tries += 1
        tx.create(Thing("b"))
        tx.save(Thing("a", name="never read", version=4))

    with pytest.raises(Conflict):
        transact(attempt, seconds=0.05)
    assert tries > 1
    assert stored() == before


def test_refusal_inside_an_attempt_writes_nothing() -> None:
    def attempt(tx: Transaction) -> None:
        tx.create(Thing("a"))
        raise Forbidden("no")

    with pytest.raises(Forbidden):
        transact(attempt)
    assert stored() == {}


ADDED: dict[str, Callable[[Transaction, bool, AppError], None]] = {
    "create": lambda tx, lost, refusal: tx.create(Thing("taken" if lost else "free"), lost=refusal),
    "save": lambda tx, lost, refusal: tx.save(
        Thing("saved", version=1 if lost else 2), lost=refusal
    ),
    "update": lambda tx, lost, refusal: tx.update(
        Plain("updated"),
        [Plain.size.set(9)],
        condition=Plain.size == (1 if lost else 2),
        lost=refusal,
    ),
    "delete": lambda tx, lost, refusal: tx.delete(
        Plain("deleted"), condition=Plain.size == (1 if lost else 2), lost=refusal
    ),
    "check": lambda tx, lost, refusal: tx.check(
        Plain, ("checked", "@"), Plain.size == (1 if lost else 2), lost=refusal
    ),
}


@pytest.mark.parametrize("loser", ADDED)
def test_lost_condition_is_the_refusal_of_its_own_write(loser: str) -> None:
    put(Thing("taken", version=1), Thing("saved", version=2))
    put(*(Plain(name, size=2) for name in ("updated", "deleted", "checked")))
    before = stored()
    refusals = {name: Taken(name) for name in ADDED}

    def attempt(tx: Transaction) -> None:
        tx.put(Plain("another"))
        for name, add in ADDED.items():
            add(tx, name == loser, refusals[name])

    with pytest.raises(Taken) as refusal:
        transact(attempt)
    assert refusal.value is refusals[loser]
    assert stored() == before


def test_writes_of_all_kinds_happen_together() -> None:
    put(Thing("saved", version=2))
    put(*(Plain(name, size=2) for name in ("updated", "deleted", "checked")))

    def attempt(tx: Transaction) -> None:
        for add in ADDED.values():
            add(tx, False, NotFound("no"))
        tx.put(Plain("put"))

    transact(attempt)
    assert set(stored()) == {"free", "saved", "updated", "checked", "put"}
    assert (thing("saved").version, thing("updated").size, thing("checked").size) == (3, 9, 2)


def test_refusal_wins_over_staleness() -> None:
    put(Thing("taken", version=1), Thing("stale", version=2))

    def attempt(tx: Transaction) -> None:
        tx.save(Thing("stale", version=1))
        tx.create(Thing("taken"), lost=Taken("taken"))

    with counted() as calls, pytest.raises(Taken):
        transact(attempt)
    assert calls == {"TransactWriteItems": 1}


@pytest.mark.parametrize(
    ("code", "reasons"),
    [
        ("TransactionCanceledException", ["TransactionConflict", "None"]),
        ("TransactionCanceledException", ["None", "ThrottlingError"]),
        ("TransactionInProgressException", None),
        ("ThrottlingException", None),
        ("ProvisionedThroughputExceededException", None),
    ],
)
def test_what_passes_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, code: str, reasons: list[str] | None
) -> None:
    intercept(monkeypatch, failing(2, code, reasons))

    def attempt(tx: Transaction) -> None:
        tx.create(Thing("a"), lost=Taken("never"))
        tx.create(Thing("b"), lost=Taken("never"))

    transact(attempt)
    assert set(stored()) == {"a", "b"}


def test_contention_to_the_end_is_a_conflict(monkeypatch: pytest.MonkeyPatch) -> None:
    intercept(monkeypatch, failing(10_000, "TransactionCanceledException", ["TransactionConflict"]))
    with pytest.raises(Conflict):
        transact(lambda tx: tx.create(Thing("a"), lost=Taken("never")), seconds=0.05)


@pytest.mark.parametrize(
    ("code", "reasons"),
    [
        ("ValidationException", None),
        ("TransactionCanceledException", ["ValidationError"]),
        ("TransactionCanceledException", ["ItemCollectionSizeLimitExceeded"]),
    ],
)
def test_what_does_not_pass_is_raised(
    monkeypatch: pytest.MonkeyPatch, code: str, reasons: list[str] | None
) -> None:
    intercept(monkeypatch, failing(1, code, reasons))
    with pytest.raises(TransactWriteError):
        transact(lambda tx: tx.create(Thing("a"), lost=Taken("never")))
    assert stored() == {}


def test_eighty_writes_fit_into_a_transaction_and_more_do_not() -> None:
    def of(count: int) -> Callable[[Transaction], None]:
        def attempt(tx: Transaction) -> None:
            for n in range(count):
                tx.create(Thing(f"{count}-{n}"))

        return attempt

    transact(of(80))
    with pytest.raises(ValueError, match="81 writes"):
        transact(of(81))
    assert len(stored()) == 80


def test_batch_comes_in_the_order_asked_with_gaps_and_repeats() -> None:
    put(*(Thing(f"{n:03}", size=n, version=1) for n in range(250)))
    asked = [f"{n:03}" for n in (249, 7, 999, 7, 120, 0)] + [f"{n:03}" for n in range(250)]
    with counted() as calls:
        found = batch_get(Thing, [(id_, "@") for id_ in asked])
    assert [item and item.size for item in found] == [249, 7, None, 7, 120, 0, *range(250)]
    assert calls == {"BatchGetItem": 3}


def test_batch_of_nothing_asks_nothing() -> None:
    with counted() as calls:
        assert batch_get(Thing, []) == []
    assert calls == {}


def test_batch_reads_only_the_attributes_asked() -> None:
    put(Thing("a", name="x", size=3, version=1))
    found = batch_get(Thing, [("a", "@")], only=["id", "sort", "size"])[0]
    assert found is not None
    assert (found.size, found.name) == (3, None)


def test_raw_items_hold_what_was_asked_for_each_once() -> None:
    put(Plain("a", size=1, flag=True), Plain("b", flag=False))
    keys = [("b", "@"), ("a", "@"), ("b", "@"), ("gone", "@"), ("", "@")]
    with counted() as calls:
        found = list(batch_get_raw(Plain, keys, only=("id", "size"), consistent=True))
    by_id = sorted(found, key=lambda raw: str(raw["id"]["S"]))
    assert by_id == [{"id": {"S": "a"}, "size": {"N": "1"}}, {"id": {"S": "b"}}]
    assert calls == {"BatchGetItem": 1}


def test_key_that_cannot_be_is_absent() -> None:
    put(Thing("a", version=1))
    keys = [("", "@"), ("a", ""), ("é" * 1025, "@"), ("a", "é" * 513), ("a", "@")]
    found = batch_get(Thing, keys)
    assert [item and item.id for item in found] == [None, None, None, None, "a"]


def test_item_of_another_model_is_absent() -> None:
    named = ids.new_id("nmd")
    put(Thing("claim#x", version=1), Thing(named, version=1))
    found = batch_get(Named, [("claim#x", "@"), (named, "@"), (ids.new_id("oth"), "@")])
    assert [item and item.id for item in found] == [None, named, None]


def leaving(share: Callable[[list[Any]], tuple[list[Any], list[Any]]]) -> Callable[..., Answer]:
    """Answers a part of every batch and leaves the rest unprocessed."""

    def answer(call: Call, name: str, given: Answer) -> Answer:
        [(table, request)] = given["RequestItems"].items()
        if name == "BatchGetItem":
            now, later = share(request["Keys"])
            found = call(name, {"RequestItems": {table: {**request, "Keys": now}}})
            left = {table: {**request, "Keys": later}} if later else {}
            return {**found, "UnprocessedKeys": left}
        now, later = share(request)
        found = call(name, {"RequestItems": {table: now}})
        return {**found, "UnprocessedItems": {table: later} if later else {}}

    return answer


def test_unprocessed_keys_are_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    put(*(Thing(f"{n}", size=n, version=1) for n in range(6)))
    intercept(monkeypatch, leaving(lambda keys: (keys[:2], keys[2:])))
    with counted() as calls:
        found = batch_get(Thing, [(f"{n}", "@") for n in range(6)])
    assert [item and item.size for item in found] == [0, 1, 2, 3, 4, 5]
    assert calls == {"BatchGetItem": 3}


def test_unprocessed_items_are_put_again(monkeypatch: pytest.MonkeyPatch) -> None:
    intercept(monkeypatch, leaving(lambda items: (items[:2], items[2:])))
    with counted() as calls:
        put(*(Thing(f"{n}", version=1) for n in range(6)))
    assert calls == {"BatchWriteItem": 3}
    monkeypatch.undo()
    assert set(stored()) == set("012345")


def test_keys_never_processed_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)

    def nothing(_call: Call, _name: str, given: Answer) -> Answer:
        return {"Responses": {}, "UnprocessedKeys": given["RequestItems"]}

    intercept(monkeypatch, nothing)
    with pytest.raises(TimeoutError, match="1 keys"):
        batch_get(Thing, [("a", "@")])


class Other(Item):
    """Something of another table."""

    class Meta:
        table_name = table_name("others")
        billing_mode = "PAY_PER_REQUEST"

    id = UnicodeAttribute(hash_key=True)
    sort = UnicodeAttribute(range_key=True, default="@")
    name = UnicodeAttribute(null=True)
    size = NumberAttribute(null=True)


@pytest.fixture
def others() -> None:
    """Another table, with one item."""
    Other.create_table(wait=True)
    Other("a", name="other", size=7).save()


@pytest.mark.usefixtures("others")
def test_items_of_several_tables_come_by_one_call_in_the_order_asked() -> None:
    put(Thing("a", size=1, version=1), Thing("b", size=2, version=1))
    with counted() as calls:
        found = get_together(
            [
                (Thing, ("b", "@"), None),
                (Other, ("a", "@"), ("id", "sort", "size")),
                (Thing, ("none", "@"), None),
                (Plain, ("a", "@"), None),
            ]
        )
    assert calls == {"BatchGetItem": 1}
    thing, other, absent, plain = found
    assert (type(thing), thing.size, absent) == (Thing, 2, None)
    assert (type(other), other.size, other.name) == (Other, 7, None)
    assert (type(plain), plain.size) == (Plain, 1)


@pytest.mark.usefixtures("others")
def test_item_that_cannot_be_is_not_asked_for_together() -> None:
    with counted() as calls:
        assert get_together([(Named, ("claim#x", "@"), None), (Thing, ("", "@"), None)]) == [
            None,
            None,
        ]
    assert calls == {}


@pytest.mark.usefixtures("others")
def test_table_left_unprocessed_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    put(Thing("a", size=1, version=1))
    wanted = [(Thing, ("a", "@"), None), (Other, ("a", "@"), None)]

    def one_table(call: Call, name: str, given: Answer) -> Answer:
        first, *later = given["RequestItems"].items()
        answer = call(name, {"RequestItems": dict([first])})
        return {**answer, "UnprocessedKeys": dict(later)}

    intercept(monkeypatch, one_table)
    assert [item.size for item in get_together(wanted)] == [1, 7]
    monkeypatch.setattr("time.sleep", lambda _: None)
    intercept(
        monkeypatch,
        lambda _call, _name, given: {"Responses": {}, "UnprocessedKeys": given["RequestItems"]},
    )
    with pytest.raises(TimeoutError, match="2 keys"):
        get_together(wanted)


def test_items_are_put_25_at_a_time() -> None:
    with counted() as calls:
        put(*(Thing(f"{n}", version=1) for n in range(51)))
    assert calls == {"BatchWriteItem": 3}
    assert len(stored()) == 51


@pytest.fixture
def shelf() -> list[str]:
    """Seven places of one group, and one of another."""
    places = ["a1", "a2", "a3", "b1", "b2", "b3", "c1"]
    put(*(Thing(place, group="g", place=place, version=1) for place in places))
    put(Thing("z", group="h", place="a0", version=1))
    return places


def pages(**options: Any) -> Iterator[Page[Thing]]:
    after = None
    while True:
        page = key_page(Thing.by_group, "g", Thing.place, after=after, **options)
        yield page
        if not page.more:
            return
        after = page.places[-1]


def test_pages_join_up_to_the_whole_list(shelf: list[str]) -> None:
    for first, reverse in itertools.product((1, 2, 6, 7, 8), (False, True)):
        found = list(pages(first=first, reverse=reverse))
        expected = sorted(shelf, reverse=reverse)
        assert [place for page in found for place in page.places] == expected
        assert [item.id for page in found for item in page.items] == expected
        assert [len(page.items) for page in found[:-1]] == [first] * (len(found) - 1)


@contextmanager
def read_by_queries() -> Iterator[list[int]]:
    """How many items each Query reads, until the block ends."""
    read: list[int] = []

    def note(parsed: dict[str, Any], **_: Any) -> None:
        read.append(parsed["ScannedCount"])

    events = shared_client().meta.events
    events.register("after-call.dynamodb.Query", note)
    yield read
    events.unregister("after-call.dynamodb.Query", note)


def test_pages_keep_to_a_beginning(shelf: list[str]) -> None:
    for first, reverse, start in itertools.product((1, 2, 3), (False, True), ("", *"abcd")):
        found = list(pages(first=first, reverse=reverse, starts_with=start))
        expected = sorted((p for p in shelf if p.startswith(start)), reverse=reverse)
        assert [place for page in found for place in page.places] == expected


def test_pages_go_up_to_a_place_and_read_nothing_beyond(shelf: list[str]) -> None:
    for first, last in itertools.product((1, 2, 3), ("", "a", "a2", "b9", "z")):
        found = list(pages(first=first, up_to=last or "!"))
        expected = [p for p in sorted(shelf) if p <= (last or "!")]
        assert [place for page in found for place in page.places] == expected
    past = key_page(Thing.by_group, "g", Thing.place, first=2, after="a2", up_to="a2")
    assert past == Page()
    with read_by_queries() as read:
        key_page(Thing.by_group, "g", Thing.place, first=100, up_to="a1")
    assert read == [sum(p <= "a1" for p in shelf)]


def test_page_is_one_query(shelf: list[str]) -> None:
    with counted() as calls:
        page = key_page(Thing.by_group, "g", Thing.place, first=2, after="a1")
    assert (page.places, page.more) == (["a2", "a3"], True)
    assert calls == {"Query": 1}


def test_page_under_a_key_that_cannot_be_is_empty() -> None:
    with counted() as calls:
        assert key_page(Thing.by_group, "", Thing.place, first=2) == Page()
        assert key_page(Thing.by_group, "x" * 2049, Thing.place, first=2) == Page()
        long = "字" * 342
        assert key_page(Thing.by_group, "g", Thing.place, first=2, after=long) == Page()
        assert key_page(Thing.by_group, "g", Thing.place, first=2, starts_with=long) == Page()
    assert calls == {}


def test_attributes_come_back_as_they_were() -> None:
    instant = datetime(2018, 1, 1, 8, 0, 0, 123_456, tzinfo=timezone(timedelta(hours=8)))
    document = {"b": [1, 2.5, None, {"字": "符"}], "a": True}
    item = Plain("a", when=instant, day=date(2018, 2, 28), document=document)
    put(item)
    [raw] = (scanned.serialize() for scanned in Plain.scan())
    assert raw["when"] == {"S": "2018-01-01T00:00:00.123Z"}
    assert raw["day"] == {"S": "2018-02-28"}
    assert raw["document"] == {"S": '{"a":true,"b":[1,2.5,null,{"字":"符"}]}'}
    [found] = batch_get(Plain, [("a", "@")])
    assert found is not None
    assert found.when == datetime(2018, 1, 1, 0, 0, 0, 123_000, tzinfo=UTC)
    assert (found.day, found.document) == (date(2018, 2, 28), document)


def test_naive_instant_is_not_stored() -> None:
    with pytest.raises(ValueError, match="offset"):
        InstantAttribute().serialize(datetime(2018, 1, 1))  # noqa: DTZ001 - what is refused


def test_answers_are_those_of_the_stock_parser() -> None:
    rich = Plain(
        "a",
        size=12345678901234567890,
        flag=False,
        tags={"一", "b"},
        list_=["x", {"y": 1}],
        map_={"empty": {}, "deep": {"list": [1, None, "e"]}},
        document={"q": '"\\/\b\n\u2028😀'},
    )
    put(Thing("t", group="g", place="p", size=3, version=1))
    table = table_name("things")
    key = {"id": {"S": "a"}, "sort": {"S": "@"}}
    update = {
        "UpdateExpression": "ADD #s :n",
        "ExpressionAttributeNames": {"#s": "size"},
        "ExpressionAttributeValues": {":n": {"N": "0"}},
        "ReturnValues": "ALL_NEW",
    }
    questions: list[tuple[str, Answer]] = [
        ("GetItem", {"TableName": table, "Key": key}),
        ("GetItem", {"TableName": table, "Key": {**key, "id": {"S": "nobody"}}}),
        ("BatchGetItem", {"RequestItems": {table: {"Keys": [key]}}}),
        ("Scan", {"TableName": table}),
        (
            "Query",
            {
                "TableName": table,
                "IndexName": "by_group",
                "KeyConditionExpression": "#g = :g",
                "ExpressionAttributeNames": {"#g": "group"},
                "ExpressionAttributeValues": {":g": {"S": "g"}},
            },
        ),
        ("TransactGetItems", {"TransactItems": [{"Get": {"TableName": table, "Key": key}}]}),
        ("PutItem", {"TableName": table, "Item": key, "ReturnValues": "ALL_OLD"}),
        ("UpdateItem", {"TableName": table, "Key": key, **update}),
        ("DeleteItem", {"TableName": table, "Key": key, "ReturnValues": "ALL_OLD"}),
    ]
    stock: Any = botocore.session.get_session().create_client("dynamodb")
    ours: Any = shared_client()
    for operation, request in questions:
        put(rich)
        expected = stock._make_api_call(operation, request)
        put(rich)
        found = ours._make_api_call(operation, request)
        for answer in (expected, found):
            del answer["ResponseMetadata"]
        assert found == expected, operation
