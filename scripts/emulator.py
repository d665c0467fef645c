"""The embedded AWS of a laptop: install it, run it, stop it, and never lose what it holds.

It is ministack, in an environment of its own (tools/emulator), as a process on 127.0.0.1. Its data
directory holds the state, the log, and the record of who runs. Linux and macOS.

    python -m scripts.emulator --data-dir .dev
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from scripts import processes
from scripts.processes import HOST, POLL, ROOT, EngineError, Progress, read_record, runs, say

REQUIREMENTS = ROOT / "tools" / "emulator" / "requirements.txt"
ENVIRONMENT = ROOT / ".tools" / "emulator"

RECORD = "emulator.json"
STATE = "state"
LOG = "emulator.log"
PRIVATE = "tmp"
DECISIONS = "decisions.jsonl"
DATA_DIR = ".dev"

START_DEADLINE = 600.0
STOP_DEADLINE = 600.0
PATIENCE = 0.5


@dataclass(frozen=True, slots=True)
class Saved:
    """A snapshot that is on the disk: what it holds, and what it cost in seconds."""

    items: int
    tables: int
    pause: float
    seconds: float


class Running(processes.Running):
    """An emulator that serves."""

    __slots__ = ()

    def save(self) -> str:
        """Save now."""
        return f"Saved {_count(save_now(self).items, 'item')}."

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
            raise EngineError(f"{error} {self.data_dir / LOG}")


def ensure_environment(progress: Progress = say) -> Path:
    """Install the emulator as locked unless that was done; gives its Python.

    Two at once: the second waits, and finds it done.
    """
    lock = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    stamp = ENVIRONMENT / "stamp"
    python = ENVIRONMENT / "bin" / "python"
    if _installed(stamp, python, lock):
        return python
    with processes.installing(ENVIRONMENT, "the emulator", progress):
        if _installed(stamp, python, lock):
            return python
        progress("Installing the emulator (once, about 20 seconds).")
        shutil.rmtree(ENVIRONMENT, ignore_errors=True)
        quiet = ("--quiet", "--disable-pip-version-check", "--no-input", "--require-hashes")
        for step in (
            (sys.executable, "-m", "venv", str(ENVIRONMENT)),
            (str(python), "-m", "pip", "install", *quiet, "-r", str(REQUIREMENTS)),
        ):
            processes.run("The emulator", *step)
        stamp.write_text(lock, encoding="utf-8")
    return python


def start(
    data_dir: Path,
    *,
    port: int | None = None,
    persist: bool = True,
    enforce_rights: bool = False,
    autosave_seconds: float = 30.0,
    progress: Progress = say,
) -> Running:
    """Start an emulator on a data directory and wait until it answers.

    Without `persist` it forgets everything, and ends when its starter does. With `enforce_rights`
    a function may do what its role says and nothing else, and each decision is a line of
    `decisions.jsonl`. Without `port` it takes the one it had on this directory, or a free one. An
    emulator left by a killed run is ended first, its state saved. One that somebody runs is left
    alone: EngineError.
    """
    data_dir = data_dir.resolve()
    (data_dir / STATE).mkdir(parents=True, exist_ok=True)
    _end_orphan(data_dir, _record(data_dir), progress)
    before = _record(data_dir)
    listener = processes.bind(port, before.get("port"))
    with listener:
        environment = _environment(data_dir, listener.getsockname()[1], persist, enforce_rights)
        running = _spawn(data_dir, listener, persist, autosave_seconds, environment, progress)
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
        raise EngineError("This emulator was started to forget: there is nothing to save.")
    running.process.send_signal(signal.SIGUSR1)
    until = time.monotonic() + timeout
    while time.monotonic() < until:
        now = _record(running.data_dir)
        if now["written"] > before["taken"]:
            return Saved(**{name: now["saved"][name] for name in Saved.__slots__})
        if now["failed"] > before["taken"]:
            raise EngineError(f"{now['save_error']} {running.data_dir / LOG}")
        if running.process.poll() is not None:
            raise EngineError("The emulator ended before it had saved.")
        time.sleep(POLL)
    raise EngineError(f"The state was not saved within {timeout:.0f} s.")


def address(data_dir: Path) -> str | None:
    """Where the emulator of this directory answers; None if none runs on it."""
    record = _record(data_dir)
    url = f"http://{HOST}:{record.get('port')}"
    return url if runs(record) and healthy(url) else None


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


def _installed(stamp: Path, python: Path, lock: str) -> bool:
    return python.exists() and stamp.is_file() and stamp.read_text(encoding="utf-8") == lock


def _record(data_dir: Path) -> dict[str, Any]:
    return read_record(data_dir / RECORD)


def _end_orphan(data_dir: Path, record: dict[str, Any], progress: Progress) -> None:
    if not runs(record):
        return
    if runs(record, "owner", "owner_identity"):
        raise _taken(data_dir, record)

    def follow(ended: Callable[[], bool], seconds: float) -> bool:
        return _follow(data_dir, ended, progress, seconds)

    processes.end_orphan(record, "The emulator", follow, STOP_DEADLINE, progress)


def _taken(data_dir: Path, record: dict[str, Any]) -> EngineError:
    return processes.taken("An emulator", data_dir, record)


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


def _spawn(
    data_dir: Path,
    listener: socket.socket,
    persist: bool,
    autosave: float,
    environment: dict[str, str],
    progress: Progress,
) -> Running:
    python = ENVIRONMENT / "bin" / "python"
    if not python.exists():
        raise EngineError("The emulator is not installed: call ensure_environment() first.")
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
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            pass_fds=(descriptor,),
            # Ctrl-C in the terminal is for the starter, which then stops the emulator in order.
            start_new_session=True,
        )
    return Running(f"http://{HOST}:{port}", port, data_dir, process, progress)


def _environment(data_dir: Path, port: int, persist: bool, enforce: bool) -> dict[str, str]:
    """All that the emulator sees: no AWS settings, no proxy, no Docker of the user's."""
    private = data_dir / PRIVATE
    private.mkdir(exist_ok=True)
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
        "AWS_SECRET_ACCESS_KEY": processes.SECRET,  # links to files are checked with it
    }
    if persist:
        state = {"PERSIST_STATE": "1", "STATE_DIR": str(data_dir / STATE)}
        objects = {"S3_PERSIST": "1", "S3_DATA_DIR": str(data_dir / "s3")}
        settings |= state | objects
    if enforce:
        settings |= {"AUTH": "true", "DECISIONS": str(data_dir / DECISIONS)}
    return kept | settings


def _await_answer(running: Running) -> None:
    until = time.monotonic() + START_DEADLINE
    while not healthy(running.url):
        record = _record(running.data_dir)
        ours = record.get("pid") == running.pid
        if not ours and runs(record):
            raise _taken(running.data_dir, record)
        if running.process.poll() is not None:
            failed = record.get("error") if ours else None
            log = (running.data_dir / LOG).read_text(encoding="utf-8", errors="replace")
            raise EngineError(failed or f"The emulator did not start.\n{log[-2000:]}")
        if time.monotonic() > until:
            raise EngineError(f"The emulator did not answer within {START_DEADLINE:.0f} s.")
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

    def begin() -> Running:
        ensure_environment()
        return start(options.data_dir, port=options.port, persist=not options.forget)

    return processes.in_foreground(begin, options.data_dir / LOG)


if __name__ == "__main__":
    sys.exit(main())
