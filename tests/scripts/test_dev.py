"""`make dev` as its users run it: in a process group of its own, stopped, killed, started again."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from scripts import engines

FIRST_QUERY = (
    "{ members(first: 5) { nodes { memberNo joinedAt store { name }"
    " orders(first: 2) { nodes { paidAt total } } } } }"
)
ENGINE = engines.chosen()
SAYS_IT_GOES_ON = {
    "ministack": "Restored",
    "dynamodb-local": "Going on with what is on the disk",
}[engines.name()]
LOST_IN_A_KILL = engines.name() == "ministack"
PEOPLE = ("member", "guide", "store_manager", "operator", "integration")


class Dev:
    """A run of scripts/dev.py and what it said."""

    begun: ClassVar[list["Dev"]] = []

    def __init__(self, data_dir: Path, households: int = 5) -> None:
        self.port = _free_port()
        self._said = data_dir.parent / f"said-{self.port}.txt"
        environment = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
        environment |= {"PORT": str(self.port), "DATA_DIR": str(data_dir), "PYTHONPATH": "src:."}
        with self._said.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "scripts/dev.py", "--households", str(households)],
                env={**environment, "PYTHONUNBUFFERED": "1"},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.begun.append(self)

    def said(self) -> str:
        return self._said.read_text()

    def wait_until_it_says(self, *texts: str, seconds: float = 180) -> None:
        until = time.monotonic() + seconds
        while not any(text in self.said() for text in texts):
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < until, self.said()
            time.sleep(0.02)

    def token(self, who: str) -> str:
        line = next(line for line in self.said().splitlines() if line.startswith(f"{who} "))
        return line.rpartition(" ")[2]

    def ask(self, who: str) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/graphql",
            json.dumps({"query": FIRST_QUERY}).encode(),
            {"content-type": "application/json", "authorization": f"Bearer {self.token(who)}"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)

    def kill_the_group(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    """A data directory; whatever still serves it in the end is ended."""
    folder = tmp_path / "data"
    yield folder
    while Dev.begun:
        Dev.begun.pop().kill_the_group()
    record = folder / ENGINE.RECORD
    if record.exists():
        ENGINE.start(folder, progress=lambda _: None).stop()


def test_dev_goes_on_after_each_kill_serves_keeps_its_data_over_a_restart_and_resets(
    data_dir: Path,
) -> None:
    """One story, because each of its runs takes seconds."""
    killed_with_its_engine = begin_to_import(data_dir)
    killed_with_its_engine.kill_the_group()
    os.kill(json.loads((data_dir / ENGINE.RECORD).read_text())["pid"], signal.SIGKILL)

    killed = begin_to_import(data_dir)
    assert ("The last run was killed" if LOST_IN_A_KILL else SAYS_IT_GOES_ON) in killed.said()
    assert went_on(killed) or LOST_IN_A_KILL
    killed.kill_the_group()

    first = Dev(data_dir)
    first.wait_until_it_says("API and GraphiQL:")
    assert SAYS_IT_GOES_ON in first.said()
    assert went_on(first)
    answer = first.ask("operator")["data"]["members"]["nodes"]
    assert [member["memberNo"] for member in answer] == [
        m["memberNo"] for m in first.ask("integration")["data"]["members"]["nodes"]
    ]
    assert len(answer) == 5
    assert all(len(member["orders"]["nodes"]) == 2 for member in answer)
    assert len({first.token(who) for who in PEOPLE}) == 5
    assert first.stop() == 0
    assert "the state is on the disk" in first.said()

    second = Dev(data_dir)
    second.wait_until_it_says("API and GraphiQL:")
    assert SAYS_IT_GOES_ON in second.said()
    assert "imported already" in second.said()
    assert second.ask("operator")["data"]["members"]["nodes"] == answer
    refused = reset(data_dir)
    assert refused.returncode == 1
    assert "stop `make dev` first" in refused.stdout
    assert second.stop() == 0
    assert reset(data_dir).returncode == 0
    assert not data_dir.exists()


def begin_to_import(data_dir: Path) -> Dev:
    """A run that has its organisation, and not yet all of its members."""
    run = Dev(data_dir)
    run.wait_until_it_says("regions and agents", "goes on from its checkpoint")
    return run


def went_on(run: Dev) -> bool:
    """Whether it says that the import goes on, or else that it begins."""
    goes_on, begins = "goes on from its checkpoint" in run.said(), "Importing a part" in run.said()
    assert goes_on != begins
    return goes_on


def reset(data_dir: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "scripts/dev.py", "--reset"],
        env={**os.environ, "DATA_DIR": str(data_dir), "PYTHONPATH": "src:."},
        capture_output=True,
        text=True,
        check=False,
    )


def test_dev_refuses_a_port_in_use(data_dir: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        answer = subprocess.run(
            [sys.executable, "scripts/dev.py"],
            env={**os.environ, "DATA_DIR": str(data_dir), "PORT": port, "PYTHONPATH": "src:."},
            capture_output=True,
            text=True,
            check=False,
        )
    assert answer.returncode == 1
    assert answer.stdout == f"Port {port} is in use. Choose another: PORT=8001 make dev\n"
