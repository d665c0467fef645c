"""What the local engines have in common: a process on 127.0.0.1 that somebody owns.

A data directory holds a record of who runs on it: process, port, owner. A process is known by its
number and its start, so that another one which got the number is not taken for it.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).resolve().parent.parent

HOST = "127.0.0.1"
SECRET = "local"  # noqa: S105 - what every client of an engine signs with
# Below the range from which Linux takes the ports of outgoing connections.
PORTS = range(18500, 18900)

POLL = 0.01

Progress = Callable[[str], None]


class EngineError(RuntimeError):
    """An engine cannot be installed, started or saved; the message says why."""


@dataclass(frozen=True, slots=True)
class Running(ABC):
    """An engine that serves. As a context manager it stops at the end."""

    url: str
    port: int
    data_dir: Path
    process: subprocess.Popen[bytes] = field(repr=False)
    progress: Progress = field(repr=False)

    @property
    def pid(self) -> int:
        """The engine's process."""
        return self.process.pid

    @abstractmethod
    def save(self) -> str:
        """Wait until all that was answered before this call is on the disk; says what is."""

    @abstractmethod
    def stop(self) -> None:
        """Let it end in order."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def say(sentence: str) -> None:
    """The default progress: a line on the error stream."""
    print(sentence, file=sys.stderr, flush=True)


def read_record(path: Path) -> dict[str, Any]:
    """Who runs, as it was written last; empty when nobody ever did."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def write_record(path: Path, record: dict[str, Any]) -> None:
    """Replace a record; a reader sees the old one or the new one."""
    unfinished = path.with_suffix(".new")
    unfinished.write_text(json.dumps(record), encoding="utf-8")
    unfinished.replace(path)


def runs(record: dict[str, Any], pid: str = "pid", identity: str = "identity") -> bool:
    """Whether the process of the record is alive, and not another one that got its number."""
    known = record.get(identity)
    return bool(known) and process_identity(int(record[pid])) == known


def process_identity(pid: int) -> str | None:
    """What tells this process from a later one with its number; None if there is none.

    On Linux the clock tick of its start, in a boot that has a name; elsewhere the second.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
    except OSError:
        return None if sys.platform == "linux" else _identity_by_ps(pid)
    state, started = stat[0], stat[19]
    return None if state == "Z" else f"{boot} {started}"


def _identity_by_ps(pid: int) -> str | None:
    shown = subprocess.run(
        ("ps", "-p", str(pid), "-o", "stat=,lstart="),
        env={"LC_ALL": "C", "TZ": "UTC", "PATH": os.environ.get("PATH", os.defpath)},
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    state, _, started = shown.strip().partition(" ")
    return None if not started or state.startswith("Z") else started.strip()


def taken(what: str, data_dir: Path, record: dict[str, Any]) -> EngineError:
    """The refusal of a directory that somebody uses."""
    return EngineError(
        f"{what} runs on {data_dir} already: process {record['pid']}, port {record['port']}, "
        f"started by process {record['owner']}. Stop that one first."
    )


def end_orphan(
    record: dict[str, Any],
    name: str,
    follow: Callable[[Callable[[], bool], float], bool],
    deadline: float,
    progress: Progress,
) -> None:
    """End what a killed run left behind, in order; `follow` waits until it has ended, or too long.

    The caller has made sure that its owner is gone.
    """
    pid = int(record["pid"])
    progress(f"{name} of a run that was killed is still there (process {pid}): ending it.")
    os.kill(pid, signal.SIGTERM)
    if not follow(lambda: not runs(record), deadline):
        progress(f"It did not end within {deadline:.0f} s: killing it.")
        os.kill(pid, signal.SIGKILL)


def wait_until(ended: Callable[[], bool], seconds: float) -> bool:
    """Wait; False when it took too long."""
    until = time.monotonic() + seconds
    while not ended():
        if time.monotonic() > until:
            return False
        time.sleep(POLL)
    return True


def bind(wanted: int | None, before: int | None) -> socket.socket:
    """A socket on a port that nobody else can take from now on.

    Without a wanted port it is the one from before, or a free one.
    """
    if wanted is not None:
        if listener := _try_bind(wanted):
            return listener
        raise EngineError(f"Port {wanted} is taken.")
    # Neighbours start far from each other, so that parallel tests seldom try the same.
    first = os.getpid() * 7 % len(PORTS)
    others = (*PORTS[first:], *PORTS[:first])
    for candidate in (before, *others) if before else others:
        if listener := _try_bind(candidate):
            return listener
    raise EngineError(f"No port from {PORTS[0]} to {PORTS[-1]} is free.")


def _try_bind(port: int) -> socket.socket | None:
    with socket.socket() as probe:
        # BSD lets two bind one port if one is for all addresses.
        if probe.connect_ex((HOST, port)) == 0:
            return None
    listener = socket.socket()
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
    except OSError:
        listener.close()
        return None
    return listener


@contextmanager
def installing(environment: Path, name: str, progress: Progress) -> Iterator[None]:
    """Be the only one who installs there; a second one waits."""
    environment.parent.mkdir(parents=True, exist_ok=True)
    with environment.with_suffix(".lock").open("w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            progress(f"Somebody else is installing {name}: waiting.")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def run(name: str, *command: str) -> None:
    """One step of an installation; its output is the reason when it fails."""
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode:
        raise EngineError(f"{name} could not be installed.\n{done.stdout[-2000:]}")


def in_foreground(start: Callable[[], Running], log: Path) -> int:
    """Run an engine until Ctrl-C; an exit code."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        with start() as running:
            try:
                # Who reads this line may stop it at once.
                say(f"{running.url} (process {running.pid}); Ctrl-C stops it.")
                running.process.wait()
            except KeyboardInterrupt:
                return 0
            say(f"It ended by itself: {log}")
            return 1
    except EngineError as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        return 130


def _interrupt(*_: object) -> None:
    # Once: the state must not be lost to an impatient second Ctrl-C.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt
