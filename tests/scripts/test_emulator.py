"""The emulator's life: what it keeps, what it ends, whom it refuses. Each test starts real ones."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from scripts import emulator, processes
from scripts.emulator import Running
from scripts.processes import EngineError

pytestmark = pytest.mark.engine("ministack", "its state, its patches, its orphans")

SESSION = boto3.Session("123456789012", "local", region_name="us-east-1")

STARTS_AND_DIES = """
import os, signal, sys
from pathlib import Path
from scripts import emulator
running = emulator.start(Path(sys.argv[1]), persist=sys.argv[2] == "keep")
print(running.pid, running.url, flush=True)
sys.stdin.read()
os.kill(os.getpid(), signal.SIGKILL)
"""

Start = Callable[..., Running]


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    emulator.ensure_environment()


@pytest.fixture
def said() -> list[str]:
    """What was told to the user."""
    return []


@pytest.fixture
def start(tmp_path: Path, said: list[str]) -> Iterator[Start]:
    """Starts emulators on one directory, and ends what a test leaves."""
    started: list[Running] = []

    def start_one(**options: Any) -> Running:
        started.append(emulator.start(tmp_path, progress=said.append, **options))
        return started[-1]

    yield start_one
    for running in started:
        kill(running)


@pytest.fixture
def starter(tmp_path: Path) -> Iterator[Callable[[str], "Starter"]]:
    """Starts emulators from another process, which can be killed."""
    made: list[Starter] = []

    def make(mode: str) -> Starter:
        made.append(Starter(tmp_path, mode))
        return made[-1]

    yield make
    for one in made:
        one.clean_up()


class Starter:
    def __init__(self, directory: Path, mode: str) -> None:
        self.process = subprocess.Popen(
            (sys.executable, "-c", STARTS_AND_DIES, str(directory), mode),
            cwd=processes.ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout
        pid, self.url = self.process.stdout.readline().split()
        self.emulator = int(pid)
        self.identity = processes.process_identity(self.emulator)

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def runs(self) -> bool:
        return processes.process_identity(self.emulator) == self.identity

    def clean_up(self) -> None:
        self.kill()
        if self.runs():
            os.kill(self.emulator, signal.SIGKILL)


def kill(running: Running) -> None:
    """As the kernel ends a process when memory runs out."""
    running.process.kill()
    running.process.wait()


def tables(url: str) -> Any:
    return SESSION.client("dynamodb", endpoint_url=url)


def create(url: str, name: str = "members", *, stream: bool = False) -> Any:
    client = tables(url)
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        StreamSpecification={"StreamEnabled": stream, "StreamViewType": "NEW_AND_OLD_IMAGES"}
        if stream
        else {"StreamEnabled": False},
    )
    return client


def put(client: Any, key: str, name: str = "members", **values: str) -> None:
    item = {"id": {"S": key}} | {attribute: {"S": value} for attribute, value in values.items()}
    client.put_item(TableName=name, Item=item)


def keys(url: str, name: str = "members") -> set[str]:
    return {item["id"]["S"] for item in tables(url).scan(TableName=name)["Items"]}


def until(condition: Callable[[], bool], seconds: float = 30.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def test_state_survives_a_restart_on_the_same_port(start: Start, said: list[str]) -> None:
    with start() as first:
        put(create(first.url), "a")
        queues = SESSION.client("sqs", endpoint_url=first.url)
        queue = queues.create_queue(QueueName="effects")["QueueUrl"]
        queues.send_message(QueueUrl=queue, MessageBody="given")
    assert said == ["Starting with nothing.", "Saved 1 item."]

    with start() as second:
        assert keys(second.url) == {"a"}
        queues = SESSION.client("sqs", endpoint_url=second.url)
        assert queues.receive_message(QueueUrl=queue)["Messages"][0]["Body"] == "given"
        assert second.port == first.port
    assert said[2].startswith("Restored 1 item in 1 table, saved ")


def test_a_consumer_of_a_stream_goes_on_after_a_restart(start: Start) -> None:
    with start() as first:
        client = create(first.url, stream=True)
        put(client, "a", name_="before")
        put(client, "a", name_="after")
        put(client, "b")
        arn, records = read_stream(first.url, ShardIteratorType="TRIM_HORIZON")
        assert [record["eventName"] for record in records] == ["INSERT", "MODIFY", "INSERT"]
    position = records[0]["dynamodb"]["SequenceNumber"]

    with start() as second:
        put(tables(second.url), "c")
        again, rest = read_stream(
            second.url, ShardIteratorType="AFTER_SEQUENCE_NUMBER", SequenceNumber=position
        )
    assert again == arn
    assert rest[:2] == records[1:]
    assert rest[0]["dynamodb"]["OldImage"]["name_"] == {"S": "before"}
    assert [record["dynamodb"]["Keys"]["id"]["S"] for record in rest] == ["a", "b", "c"]


def read_stream(url: str, **position: Any) -> tuple[str, list[dict[str, Any]]]:
    client: Any = SESSION.client("dynamodbstreams", endpoint_url=url)
    arn = client.list_streams(TableName="members")["Streams"][0]["StreamArn"]
    shard = client.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    iterator = client.get_shard_iterator(StreamArn=arn, ShardId=shard, **position)["ShardIterator"]
    return arn, client.get_records(ShardIterator=iterator)["Records"]


def test_a_kill_loses_only_what_came_after_the_save(start: Start, said: list[str]) -> None:
    running = start()
    client = create(running.url)
    put(client, "saved")
    saved = emulator.save_now(running)
    put(client, "unsaved")
    kill(running)

    assert (saved.items, saved.tables) == (1, 1)
    assert saved.pause < 0.5
    with start() as restarted:
        assert keys(restarted.url) == {"saved"}
    assert said[1].startswith("The last run was killed: going back to 1 item in 1 table, saved ")


def test_a_kill_before_any_save_is_admitted(start: Start, said: list[str]) -> None:
    running = start()
    create(running.url)
    kill(running)

    with start() as restarted:
        assert tables(restarted.url).list_tables()["TableNames"] == []
    assert "The last run was killed before anything was saved: starting with nothing." in said


def test_a_save_is_one_instant_of_all_tables(start: Start) -> None:
    running = start()
    create(running.url, "orders")
    client = create(running.url, "members")
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            item = {"id": {"S": "n"}, "number": {"N": str(number)}}
            puts = [{"Put": {"TableName": name, "Item": item}} for name in ("orders", "members")]
            client.transact_write_items(TransactItems=puts)

    writer = threading.Thread(target=write)
    writer.start()
    for _ in range(5):
        emulator.save_now(running)
    stop.set()
    writer.join()
    kill(running)

    with start() as restarted:
        client = tables(restarted.url)
        key = {"id": {"S": "n"}}
        numbers = [
            client.get_item(TableName=name, Key=key)["Item"]["number"]
            for name in ("orders", "members")
        ]
    assert numbers[0] == numbers[1]


def test_it_saves_by_itself_when_something_was_written_and_only_then(
    start: Start, tmp_path: Path
) -> None:
    def saves() -> int:
        return int(json.loads((tmp_path / emulator.RECORD).read_text())["written"])

    running = start(autosave_seconds=0.1)
    client = create(running.url)
    assert until(lambda: saves() > 0)
    put(client, "a")
    emulator.save_now(running)
    settled = saves()
    client.scan(TableName="members")
    time.sleep(0.5)
    assert saves() == settled
    put(client, "b")
    assert until(lambda: saves() > settled)
    kill(running)

    with start() as restarted:
        assert keys(restarted.url) == {"a", "b"}


def test_a_broken_snapshot_is_refused_and_left_alone(start: Start, tmp_path: Path) -> None:
    with start() as running:
        put(create(running.url), "a")
    snapshot = tmp_path / emulator.STATE / "snapshot.jsonl"
    half = b"".join(snapshot.read_bytes().splitlines(keepends=True)[:-2])
    snapshot.write_bytes(half)

    with pytest.raises(EngineError, match=r"cannot be restored: .*snapshot\.jsonl breaks off"):
        start()
    assert snapshot.read_bytes() == half


def test_a_half_written_snapshot_does_not_replace_a_good_one(start: Start, tmp_path: Path) -> None:
    with start() as running:
        put(create(running.url), "a")
    (tmp_path / emulator.STATE / "snapshot.jsonl.new").write_text('{"format":1,"tab')

    with start() as restarted:
        assert keys(restarted.url) == {"a"}


def test_a_save_that_fails_is_an_error_and_the_next_one_may_succeed(
    start: Start, tmp_path: Path
) -> None:
    with start() as running:
        put(create(running.url), "a")
        (in_the_way := tmp_path / emulator.STATE / "snapshot.jsonl.new").mkdir()
        with pytest.raises(EngineError, match="Saving failed"):
            emulator.save_now(running)
        in_the_way.rmdir()
        assert emulator.save_now(running).items == 1


def test_an_orphan_is_ended_and_its_state_kept(
    start: Start, starter: Callable[[str], Starter], said: list[str]
) -> None:
    killed = starter("keep")
    put(create(killed.url), "a")
    killed.kill()
    assert killed.runs()

    with start() as running:
        assert not killed.runs()
        assert keys(running.url) == {"a"}
    still_there = f"of a run that was killed is still there (process {killed.emulator})"
    assert said[:2] == [f"The emulator {still_there}: ending it.", "Saved 1 item."]


def test_one_that_keeps_nothing_ends_with_its_starter(starter: Callable[[str], Starter]) -> None:
    killed = starter("forget")
    killed.kill()
    assert until(lambda: not killed.runs())


def test_a_second_start_on_a_directory_in_use_is_refused(start: Start, tmp_path: Path) -> None:
    with start() as running:
        sentence = (
            f"An emulator runs on {tmp_path} already: process {running.pid}, port {running.port}, "
            f"started by process {os.getpid()}. Stop that one first."
        )
        with pytest.raises(EngineError) as refused:
            start()
        assert str(refused.value) == sentence
        assert emulator.healthy(running.url)


def test_the_address_of_a_directory_is_that_of_its_own_emulator(
    start: Start, tmp_path: Path
) -> None:
    assert emulator.address(tmp_path) is None
    with start() as running:
        assert emulator.address(tmp_path) == running.url
        neighbour = tmp_path / "neighbour"
        neighbour.mkdir()
        (neighbour / emulator.RECORD).write_text(json.dumps({"pid": 1, "port": running.port}))
        assert emulator.address(neighbour) is None
    assert emulator.address(tmp_path) is None


def test_two_starts_at_the_same_moment_leave_one(tmp_path: Path) -> None:
    outcomes: list[Running | EngineError] = []

    def attempt() -> None:
        try:
            outcomes.append(emulator.start(tmp_path, progress=lambda _: None))
        except EngineError as error:
            outcomes.append(error)

    attempts = [threading.Thread(target=attempt) for _ in range(2)]
    for one in attempts:
        one.start()
    for one in attempts:
        one.join()
    running = [outcome for outcome in outcomes if isinstance(outcome, Running)]
    refused = [outcome for outcome in outcomes if isinstance(outcome, EngineError)]
    for one_running in running:
        one_running.stop()
    assert (len(running), len(refused)) == (1, 1)
    assert "already" in str(refused[0])


def test_a_stranger_with_the_recorded_process_number_lives(start: Start, tmp_path: Path) -> None:
    with subprocess.Popen(("sleep", "60")) as stranger:
        record = {"pid": stranger.pid, "identity": "an earlier process", "phase": "serving"}
        (tmp_path / emulator.RECORD).write_text(json.dumps(record))
        with start():
            assert stranger.poll() is None
        stranger.kill()


def test_it_listens_on_the_loopback_address_only(start: Start) -> None:
    with start(persist=False) as running:
        with socket.create_connection(("127.0.0.1", running.port)):
            pass
        # Every address of 127/8 reaches a server that is bound to all.
        with pytest.raises(OSError, match=r"refused|assign|unreachable"):
            socket.create_connection(("127.0.0.2", running.port), timeout=2)


def test_a_port_that_was_asked_for_and_is_taken_is_an_error(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(EngineError, match=f"Port {port} is taken"):
            start(port=port)


def test_one_that_does_not_end_is_killed_and_said_to_be(start: Start, said: list[str]) -> None:
    running = start(persist=False)
    os.kill(running.pid, signal.SIGSTOP)
    running.stop(timeout=0.2)
    assert said == ["The emulator did not end within 0 s: killing it."]


def test_saving_one_that_keeps_nothing_is_refused(start: Start) -> None:
    with start(persist=False) as running, pytest.raises(EngineError, match="nothing to save"):
        emulator.save_now(running)


def test_a_number_that_is_none_is_refused_each_time(start: Start) -> None:
    with start(persist=False) as running:
        client = create(running.url)
        for value in ("1", "one", "1", "one"):
            item = {"id": {"S": value}, "number": {"N": value}}
            if value == "1":
                client.put_item(TableName="members", Item=item)
            else:
                with pytest.raises(client.exceptions.ClientError, match="numeric value: one"):
                    client.put_item(TableName="members", Item=item)


def test_a_repeated_transaction_is_known_by_its_token(start: Start) -> None:
    with start(persist=False) as running:
        client = create(running.url)

        def add(amount: str) -> None:
            update = {
                "TableName": "members",
                "Key": {"id": {"S": "a"}},
                "UpdateExpression": "ADD points :n",
                "ExpressionAttributeValues": {":n": {"N": amount}},
            }
            client.transact_write_items(
                TransactItems=[{"Update": update}], ClientRequestToken="earn-1"
            )

        add("5")
        add("5")
        with pytest.raises(client.exceptions.IdempotentParameterMismatchException):
            add("6")
        item = client.get_item(TableName="members", Key={"id": {"S": "a"}})["Item"]
        assert item["points"] == {"N": "5"}


def test_in_the_foreground_it_runs_until_it_is_interrupted(tmp_path: Path) -> None:
    command = (sys.executable, "-m", "scripts.emulator", "--data-dir", str(tmp_path))
    with subprocess.Popen(command, cwd=processes.ROOT, stderr=subprocess.PIPE, text=True) as shell:
        assert shell.stderr
        assert shell.stderr.readline() == "Starting with nothing.\n"
        url = shell.stderr.readline().split()[0]
        put(create(url), "a")
        shell.send_signal(signal.SIGINT)
        assert shell.stderr.read() == "Saved 1 item.\n"
    assert shell.returncode == 0
    assert not emulator.healthy(url)


def test_an_environment_is_made_once_by_whoever_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    lock = tmp_path / "requirements.txt"
    lock.write_text("")
    monkeypatch.setattr(emulator, "REQUIREMENTS", lock)
    monkeypatch.setattr(emulator, "ENVIRONMENT", tmp_path / "tools" / "emulator")
    attempts = [
        threading.Thread(target=emulator.ensure_environment, args=(said.append,)) for _ in range(2)
    ]
    for one in attempts:
        one.start()
    for one in attempts:
        one.join()
    emulator.ensure_environment(said.append)
    assert sorted(said) == [
        "Installing the emulator (once, about 20 seconds).",
        "Somebody else is installing the emulator: waiting.",
    ]
    assert (tmp_path / "tools" / "emulator" / "bin" / "python").exists()
