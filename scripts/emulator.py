"""The embedded AWS of a laptop: install it, run it, stop it, and never lose what it holds.

It is ministack, in an environment of its own (tools/emulator), as a process on 127.0.0.1. Its data
directory holds the state, the log, and the record of who runs. Linux and macOS.

    python scripts/emulator.py --data-dir .dev
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "tools" / "emulator" / "requirements.txt"
ENVIRONMENT = ROOT / ".tools" / "emulator"

RECORD = "emulator.json"
STATE = "state"
LOG = "emulator.log"
PRIVATE = "tmp"

HOST = "127.0.0.1"
# Below the range from which Linux takes the ports of outgoing connections.
PORTS = range(18500, 18900)

START_DEADLINE = 600.0
STOP_DEADLINE = 600.0
POLL = 0.01
PATIENCE = 0.5

Progress = Callable[[str], None]


class EmulatorError(RuntimeError):
    """The emulator cannot be installed, started or saved; the message says why."""


@dataclass(frozen=True, slots=True)
class Saved:
    """A snapshot that is on the disk: what it holds, and what it cost in seconds."""

    items: int
    tables: int
    pause: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Running:
    """An emulator that serves. As a context manager it stops at the end."""

    url: str
    port: int
    data_dir: Path
    process: subprocess.Popen[bytes] = field(repr=False)
    progress: Progress = field(repr=False)

    @property
    def pid(self) -> int:
        """The emulator's process."""
        return self.process.pid

    def stop(self, timeout: float = STOP_DEADLINE) -> None:
        """Let it save and end; kill it only if that takes longer than `timeout` seconds."""
        if self.process.poll() is None:
            self.process.terminate()
            ended = _follow(
                self.data_dir, lambda: self.process.poll() is not None, self.progress, timeout
            )
            if not ended:
                self.progress(f"The emulator did not end within {timeout:.0f} s: killing it.")
                self.process.kill()
        self.process.wait()
        shutil.rmtree(self.data_dir / PRIVATE, ignore_errors=True)
        if error := _record(self.data_dir).get("save_error"):
            raise EmulatorError(f"{error} {self.data_dir / LOG}")

    def __enter__(self) -> Running:
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


def ensure_environment(progress: Progress = say) -> Path:
    """Install the emulator as locked unless that was done; gives its Python.

    Two at once: the second waits, and finds it done.
    """
    lock = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    stamp = ENVIRONMENT / "stamp"
    python = ENVIRONMENT / "bin" / "python"
    if _installed(stamp, python, lock):
        return python
    ENVIRONMENT.parent.mkdir(parents=True, exist_ok=True)
    with _locked(ENVIRONMENT.with_suffix(".lock"), progress):
        if _installed(stamp, python, lock):
            return python
        progress("Installing the emulator (once, about 20 seconds).")
        shutil.rmtree(ENVIRONMENT, ignore_errors=True)
        _run(sys.executable, "-m", "venv", str(ENVIRONMENT))
        quiet = ("--quiet", "--disable-pip-version-check", "--no-input")
        _run(
            str(python), "-m", "pip", "install", *quiet, "--require-hashes", "-r", str(REQUIREMENTS)
        )
        stamp.write_text(lock, encoding="utf-8")
    return python


def start(
    data_dir: Path,
    *,
    port: int | None = None,
    persist: bool = True,
    autosave_seconds: float = 30.0,
    progress: Progress = say,
) -> Running:
    """Start an emulator on a data directory and wait until it answers.

    Without `persist` it forgets everything, and ends when its starter does. Without `port` it takes
    the one it had on this directory, or a free one. An emulator left by a killed run is ended
    first, its state saved. One that somebody runs is left alone: EmulatorError.
    """
    data_dir = data_dir.resolve()
    (data_dir / STATE).mkdir(parents=True, exist_ok=True)
    before = _record(data_dir)
    _end_orphan(data_dir, before, progress)
    before = _record(data_dir)
    listener = _bind(port, before.get("port"))
    with listener:
        running = _spawn(data_dir, listener, persist, autosave_seconds, progress)
    try:
        _await_answer(running)
    except BaseException:
        running.process.kill()
        running.process.wait()
        raise
    if persist:
        progress(_restored(before, _record(data_dir)))
    return running


def save_now(running: Running, timeout: float = 120.0) -> Saved:
    """Wait until all that was answered before this call is on the disk."""
    before = _record(running.data_dir)
    if not before.get("persist"):
        raise EmulatorError("This emulator was started to forget: there is nothing to save.")
    running.process.send_signal(signal.SIGUSR1)
    until = time.monotonic() + timeout
    while time.monotonic() < until:
        now = _record(running.data_dir)
        if now["written"] > before["taken"]:
            return Saved(**{name: now["saved"][name] for name in Saved.__slots__})
        if now["failed"] > before["taken"]:
            raise EmulatorError(f"{now['save_error']} {running.data_dir / LOG}")
        if running.process.poll() is not None:
            raise EmulatorError("The emulator ended before it had saved.")
        time.sleep(POLL)
    raise EmulatorError(f"The state was not saved within {timeout:.0f} s.")


def address(data_dir: Path) -> str | None:
    """Where the emulator of this directory answers; None if none runs on it."""
    record = _record(data_dir)
    url = f"http://{HOST}:{record.get('port')}"
    return url if _runs(record) and healthy(url) else None


def healthy(url: str, timeout: float = 1.0) -> bool:
    """Whether an emulator answers there."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=timeout)
    try:
        connection.request("GET", "/_ministack/health")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


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


def _installed(stamp: Path, python: Path, lock: str) -> bool:
    return python.exists() and stamp.is_file() and stamp.read_text(encoding="utf-8") == lock


@contextmanager
def _locked(path: Path, progress: Progress) -> Iterator[None]:
    with path.open("w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            progress("Somebody else is installing the emulator: waiting.")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _run(*command: str) -> None:
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode:
        raise EmulatorError(f"The emulator could not be installed.\n{done.stdout[-2000:]}")


def _record(data_dir: Path) -> dict[str, Any]:
    try:
        record = json.loads((data_dir / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def _runs(record: dict[str, Any], pid: str = "pid", identity: str = "identity") -> bool:
    """Whether the process of the record is alive, and not another one that got its number."""
    known = record.get(identity)
    return bool(known) and process_identity(int(record[pid])) == known


def _end_orphan(data_dir: Path, record: dict[str, Any], progress: Progress) -> None:
    if not _runs(record):
        return
    if _runs(record, "owner", "owner_identity"):
        raise _taken(data_dir, record)
    pid = int(record["pid"])
    progress(f"The emulator of a run that was killed is still there (process {pid}): ending it.")
    os.kill(pid, signal.SIGTERM)
    if not _follow(data_dir, lambda: not _runs(record), progress, STOP_DEADLINE):
        progress(f"It did not end within {STOP_DEADLINE:.0f} s: killing it.")
        os.kill(pid, signal.SIGKILL)


def _taken(data_dir: Path, record: dict[str, Any]) -> EmulatorError:
    return EmulatorError(
        f"An emulator runs on {data_dir} already: process {record['pid']}, port {record['port']}, "
        f"started by process {record['owner']}. Stop that one first."
    )


def _follow(data_dir: Path, ended: Callable[[], bool], progress: Progress, timeout: float) -> bool:
    """Wait for an end that was asked for, and say what it does for the state."""
    began = time.monotonic()
    before = _record(data_dir).get("written")
    said = False
    while not ended():
        waited = time.monotonic() - began
        if waited > timeout:
            return False
        record = _record(data_dir)
        if not said and waited > PATIENCE and record.get("phase") == "saving":
            progress(f"Saving {_count(record['saving']['items'], 'item')}.")
            said = True
        time.sleep(POLL)
    record = _record(data_dir)
    if record.get("written") != before:
        progress(f"Saved {_count(record['saved']['items'], 'item')}.")
    return True


def _bind(wanted: int | None, before: int | None) -> socket.socket:
    """A socket on a port that nobody else can take from now on."""
    if wanted is not None:
        if listener := _try_bind(wanted):
            return listener
        raise EmulatorError(f"Port {wanted} is taken.")
    # Neighbours start far from each other, so that parallel tests seldom try the same.
    first = os.getpid() * 7 % len(PORTS)
    others = (*PORTS[first:], *PORTS[:first])
    for candidate in (before, *others) if before else others:
        if listener := _try_bind(candidate):
            return listener
    raise EmulatorError(f"No port from {PORTS[0]} to {PORTS[-1]} is free.")


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


def _spawn(
    data_dir: Path, listener: socket.socket, persist: bool, autosave: float, progress: Progress
) -> Running:
    python = ENVIRONMENT / "bin" / "python"
    if not python.exists():
        raise EmulatorError("The emulator is not installed: call ensure_environment() first.")
    private = data_dir / PRIVATE
    private.mkdir(exist_ok=True)
    port = listener.getsockname()[1]
    descriptor = listener.fileno()
    arguments = {
        "--data-dir": data_dir,
        "--descriptor": descriptor,
        "--port": port,
        "--owner": os.getpid(),
        "--autosave": autosave,
    }
    command = [str(python), "-m", "scripts.emulator_main"]
    for name, value in arguments.items():
        command += [name, str(value)]
    with (data_dir / LOG).open("wb") as log:
        process = subprocess.Popen(
            [*command, "--persist"] if persist else command,
            cwd=ROOT,
            env=_environment(data_dir, private, port, persist),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            pass_fds=(descriptor,),
            # Ctrl-C in the terminal is for the starter, which then stops the emulator in order.
            start_new_session=True,
        )
    return Running(f"http://{HOST}:{port}", port, data_dir, process, progress)


def _environment(data_dir: Path, private: Path, port: int, persist: bool) -> dict[str, str]:
    """All that the emulator sees: no AWS settings, no proxy, no Docker of the user's."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    settings = {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": HOST,
        "MINISTACK_HOST": HOST,
        "TMPDIR": str(private),
        "DOCKER_HOST": f"unix://{private}/none",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LOG_LEVEL": "WARNING",
    }
    if persist:
        state = {"PERSIST_STATE": "1", "STATE_DIR": str(data_dir / STATE)}
        objects = {"S3_PERSIST": "1", "S3_DATA_DIR": str(data_dir / "s3")}
        settings |= state | objects
    return kept | settings


def _await_answer(running: Running) -> None:
    until = time.monotonic() + START_DEADLINE
    while not healthy(running.url):
        record = _record(running.data_dir)
        ours = record.get("pid") == running.pid
        if not ours and _runs(record):
            raise _taken(running.data_dir, record)
        if running.process.poll() is not None:
            failed = record.get("error") if ours else None
            log = (running.data_dir / LOG).read_text(encoding="utf-8", errors="replace")
            raise EmulatorError(failed or f"The emulator did not start.\n{log[-2000:]}")
        if time.monotonic() > until:
            raise EmulatorError(f"The emulator did not answer within {START_DEADLINE:.0f} s.")
        time.sleep(POLL)


def _restored(before: dict[str, Any], now: dict[str, Any]) -> str:
    killed = before.get("persist") and before.get("phase") in ("serving", "saving")
    restored = now.get("restored")
    if not restored:
        if killed:
            return "The last run was killed before anything was saved: starting with nothing."
        return "Starting with nothing."
    age = datetime.now(UTC) - datetime.fromisoformat(restored["taken_at"])
    state = f"{_count(restored['items'], 'item')} in {_count(restored['tables'], 'table')}"
    saved = f"saved {_lasting(age.total_seconds())} ago"
    if killed:
        return f"The last run was killed: going back to {state}, {saved}."
    return f"Restored {state}, {saved}."


def _lasting(seconds: float) -> str:
    for size, name in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= 2 * size:
            return _count(int(seconds / size), name)
    return _count(int(seconds), "second")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def main() -> int:
    """Run an emulator in the foreground until Ctrl-C."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data-dir", type=Path, default=ROOT / ".dev" / "emulator")
    parser.add_argument("--port", type=int, help="default: the one it had, or a free one")
    parser.add_argument("--forget", action="store_true", help="keep nothing")
    options = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        ensure_environment()
        with start(options.data_dir, port=options.port, persist=not options.forget) as running:
            say(f"{running.url} (process {running.pid}); Ctrl-C stops it.")
            try:
                running.process.wait()
            except KeyboardInterrupt:
                return 0
            say(f"The emulator ended by itself: {running.data_dir / LOG}")
            return 1
    except EmulatorError as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        return 130


def _interrupt(*_: object) -> None:
    # Once: the state must not be lost to an impatient second Ctrl-C.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
