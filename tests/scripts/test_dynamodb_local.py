"""The second engine's life: what a kill leaves, whom it refuses, with whom it ends, where it is."""

import itertools
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from scripts import dynamodb_local, processes
from scripts.dynamodb_local import Running
from scripts.processes import EngineError

pytestmark = pytest.mark.engine("dynamodb-local", "its files, its process, its socket")

STARTS_AND_WAITS = """
import sys
from pathlib import Path
from scripts import dynamodb_local
running = dynamodb_local.start(Path(sys.argv[1]), persist=sys.argv[2] == "keep")
print(running.pid, running.url, flush=True)
sys.stdin.read()
"""

Start = Callable[..., Running]


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    dynamodb_local.ensure_environment()


@pytest.fixture
def said() -> list[str]:
    """What was told to the user."""
    return []


@pytest.fixture
def start(tmp_path: Path, said: list[str]) -> Iterator[Start]:
    """Starts engines on one directory, and ends what a test leaves."""
    started: list[Running] = []

    def start_one(**options: Any) -> Running:
        started.append(dynamodb_local.start(tmp_path, progress=said.append, **options))
        return started[-1]

    yield start_one
    for running in started:
        running.stop()


def kill(running: Running) -> None:
    running.process.kill()
    running.process.wait()


def service(url: str, name: str = "dynamodb", account: str = "123456789012") -> Any:
    session: Any = boto3.Session(account, "local", region_name="us-east-1")
    once = Config(retries={"total_max_attempts": 1})
    return session.client(name, endpoint_url=url, config=once)


def create(url: str) -> Any:
    client = service(url)
    client.create_table(
        TableName="members",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    return client


def put(client: Any, *ids: str) -> None:
    for id_ in ids:
        client.put_item(TableName="members", Item={"id": {"S": id_}})


def stored(url: str) -> set[str]:
    pages = service(url).get_paginator("scan").paginate(TableName="members")
    return {item["id"]["S"] for page in pages for item in page["Items"]}


def streamed(url: str, **position: str) -> list[dict[str, Any]]:
    streams = service(url, "dynamodbstreams")
    arn = streams.list_streams(TableName="members")["Streams"][0]["StreamArn"]
    [shard] = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    where = position or {"ShardIteratorType": "TRIM_HORIZON"}
    found = streams.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], **where)
    answer: dict[str, list[Any]] = streams.get_records(ShardIterator=found["ShardIterator"])
    return answer["Records"]


def test_kill_in_the_middle_of_writing_loses_nothing_that_was_answered(
    start: Start, said: list[str]
) -> None:
    running = start()
    create(running.url)
    answered: list[str] = []

    def write(who: int) -> None:
        client = service(running.url)
        with suppress(BotoCoreError):
            for n in itertools.count():
                put(client, f"{who}-{n}")
                answered.append(f"{who}-{n}")

    writers = [threading.Thread(target=write, args=(who,)) for who in range(3)]
    for writer in writers:
        writer.start()
    while len(answered) < 60:
        time.sleep(0.01)
    kill(running)
    for writer in writers:
        writer.join()

    again = start()
    there = stored(again.url)
    assert set(answered) <= there
    assert len(there) <= len(answered) + len(writers)
    assert len(streamed(again.url)) == len(there)
    assert again.port == running.port
    assert said == ["Starting with nothing.", "Going on with what is on the disk."]


def test_consumer_of_a_stream_goes_on_after_a_kill(start: Start) -> None:
    first = start()
    put(create(first.url), "a", "b")
    before = streamed(first.url)
    kill(first)
    second = start()
    put(service(second.url), "c")
    rest = streamed(
        second.url,
        ShardIteratorType="AFTER_SEQUENCE_NUMBER",
        SequenceNumber=before[0]["dynamodb"]["SequenceNumber"],
    )
    assert [record["dynamodb"]["Keys"]["id"]["S"] for record in rest] == ["b", "c"]
    assert rest[0] == before[1]


@pytest.mark.skipif(sys.platform != "linux", reason="reads what Linux tells of sockets")
def test_it_listens_on_the_loopback_address_only(start: Start) -> None:
    running = start(persist=False)
    listening = [
        line.split()[1]
        for kind in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{kind}").read_text().splitlines()[1:]
        if line.split()[3] == "0A" and line.split()[9] in sockets_of(running.pid)
    ]
    assert listening == [f"0100007F:{running.port:04X}"]


def sockets_of(pid: int) -> set[str]:
    targets: set[str] = set()
    for file in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            targets.add(str(file.readlink()))
    return {name[8:-1] for name in targets if name.startswith("socket:[")}


def test_one_that_forgets_writes_no_files_and_keeps_accounts_apart(
    start: Start, tmp_path: Path
) -> None:
    running = start(persist=False)
    put(create(running.url), "a")
    other = service(running.url, account="210987654321")
    assert other.list_tables()["TableNames"] == []
    assert list((tmp_path / dynamodb_local.STATE).iterdir()) == []
    running.stop()
    assert start(persist=False).port == running.port
    assert service(running.url).list_tables()["TableNames"] == []


def test_files_are_for_their_owner_alone(start: Start, tmp_path: Path) -> None:
    put(create(start().url), "a")
    [file] = (tmp_path / dynamodb_local.STATE).iterdir()
    assert file.stat().st_mode & 0o077 == 0


def test_directory_in_use_is_refused(start: Start, tmp_path: Path) -> None:
    running = start()
    with pytest.raises(EngineError, match=f"already: process {running.pid}, port {running.port}"):
        start()
    assert dynamodb_local.address(tmp_path) == running.url
    running.stop()
    assert dynamodb_local.address(tmp_path) is None
    assert not dynamodb_local.healthy(running.url)


def test_port_in_use_is_refused(start: Start) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(EngineError, match="is taken"):
            start(port=other.getsockname()[1])


@pytest.mark.parametrize("mode", ["keep", "forget"])
def test_it_ends_with_its_starter_and_leaves_the_directory_free(
    start: Start, tmp_path: Path, mode: str
) -> None:
    starter = subprocess.Popen(
        (sys.executable, "-c", STARTS_AND_WAITS, str(tmp_path), mode),
        cwd=processes.ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert starter.stdout
    pid, url = starter.stdout.readline().split()
    identity = processes.process_identity(int(pid))
    put(create(url), "a")
    starter.send_signal(signal.SIGKILL)
    starter.communicate()

    again = start()
    assert processes.process_identity(int(pid)) != identity
    names = service(again.url).list_tables()["TableNames"]
    assert names == (["members"] if mode == "keep" else [])


def test_orphan_that_has_not_noticed_yet_is_ended(
    start: Start, tmp_path: Path, said: list[str]
) -> None:
    running = start()
    record = processes.read_record(tmp_path / dynamodb_local.RECORD)
    gone = {"owner": 999_999_999, "owner_identity": "of another boot"}
    processes.write_record(tmp_path / dynamodb_local.RECORD, record | gone)
    threading.Thread(target=running.process.wait).start()  # or it would stay as a zombie
    start()
    assert said[1].endswith(f"is still there (process {running.pid}): ending it.")
    assert running.process.returncode is not None


def test_start_that_fails_says_what_java_said(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dynamodb_local, "_MAIN", "no.such.Program")
    with pytest.raises(EngineError, match=r"did not start\.(?s:.*)ClassNotFoundException"):
        start()
