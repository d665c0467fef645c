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

    def wait_until_it_says(self, text: str, seconds: float = 60) -> None:
        until = time.monotonic() + seconds
        while text not in self.said():
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


def test_dev_serves_imported_data_keeps_it_over_a_restart_and_resets(data_dir: Path) -> None:
    first = Dev(data_dir)
    first.wait_until_it_says("API and GraphiQL:")
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
    refused = subprocess.run(
        [sys.executable, "scripts/dev.py", "--reset"],
        env={**os.environ, "DATA_DIR": str(data_dir), "PYTHONPATH": "src:."},
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 1
    assert "stop `make dev` first" in refused.stdout
    assert second.stop() == 0
    subprocess.run(
        [sys.executable, "scripts/dev.py", "--reset"],
        env={**os.environ, "DATA_DIR": str(data_dir), "PYTHONPATH": "src:."},
        check=True,
    )
    assert not data_dir.exists()


@pytest.mark.parametrize("engine_too", [False, True])
def test_dev_killed_with_its_whole_group_in_the_import_says_how_it_goes_on(
    data_dir: Path, engine_too: bool
) -> None:
    first = Dev(data_dir, households=12)
    first.wait_until_it_says("regions and agents")
    time.sleep(0.5)
    first.kill_the_group()
    if engine_too:
        os.kill(json.loads((data_dir / ENGINE.RECORD).read_text())["pid"], signal.SIGKILL)

    second = Dev(data_dir, households=12)
    second.wait_until_it_says("API and GraphiQL:")
    said = second.said()
    went_on, began_again = "goes on from its checkpoint" in said, "Importing a part" in said
    assert went_on != began_again
    lost = engine_too and LOST_IN_A_KILL
    assert went_on or lost
    assert ("The last run was killed" if lost else SAYS_IT_GOES_ON) in said
    assert len(second.ask("operator")["data"]["members"]["nodes"]) == 5
    assert second.stop() == 0


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
