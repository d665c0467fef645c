"""Serve ministack on a socket that is already bound, and keep its state.

Started by scripts/emulator.py, with the emulator environment's Python. It owns
`<data directory>/emulator.json`: who runs, how far it is, what was restored and saved last.
A save is one instant of the whole state: fork() between two requests, and the child writes it down
while the parent serves on. SIGUSR1 asks for one; so does time, if anything was written.
"""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import gc
import importlib
import os
import shutil
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Awaitable, Callable, MutableMapping
from functools import partial
from pathlib import Path
from typing import Any

from scripts import emulator_patches
from scripts import emulator_snapshot as snapshot
from scripts.emulator import RECORD, STATE
from scripts.processes import process_identity, write_record

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

LOCK = "emulator.lock"
LOCK_WAIT = 60.0
OWNER_CHECK = 1.0
# A child that hangs on a lock some other thread held at the fork is ended by SIGALRM.
SAVE_DEADLINE = 600
# However large the state grows, saving takes no more than a tenth of the time.
REST_BETWEEN_SAVES = 10
READS = (b"Get", b"List", b"Describe", b"Query", b"Scan", b"BatchGet", b"TransactGet", b"Receive")

aws: Any = snapshot.aws


class Record:
    """emulator.json, written by this process alone."""

    def __init__(self, path: Path, **fields: Any) -> None:
        self._path = path
        self._fields = fields

    def put(self, **fields: Any) -> None:
        """Change fields; a reader sees the old record or the new one."""
        self._fields |= fields
        write_record(self._path, self._fields)


class Keeper:
    """Restores the state and saves it."""

    def __init__(self, directory: Path, record: Record, *, every: float) -> None:
        self._directory = directory
        self._record = record
        self._every = every
        self._writes = 0
        self._saved_writes = 0
        self._taken = 0
        self._child = 0
        self._code = 0
        self._waiting = threading.Lock()
        self._asked = asyncio.Event()

    def note(self, scope: Scope) -> None:
        """Count a served request that may have changed something."""
        target = next((value for name, value in scope["headers"] if name == b"x-amz-target"), b"")
        if target:
            self._writes += not target.rpartition(b".")[2].startswith(READS)
        else:
            self._writes += scope["method"] not in ("GET", "HEAD")

    def ask(self) -> None:
        """Save soon, changed or not."""
        self._asked.set()

    def restore(self) -> None:
        """Take the state back before the first request; a state that cannot be is left alone."""
        gc.disable()
        try:
            found = snapshot.restore(self._directory)
        except Exception as error:  # noqa: BLE001 - ministack would go on with nothing, and save it
            traceback.print_exc()
            self._record.put(phase="failed", error=f"The saved state cannot be restored: {error}")
            os._exit(1)
        # What was restored stays: without this the collector walks all of it again and again.
        gc.freeze()
        gc.enable()
        self._record.put(phase="serving", restored=found and found._asdict())

    async def keep(self) -> None:
        """Save when asked, and from time to time when something was written."""
        rest = self._every
        while True:
            try:
                await asyncio.wait_for(self._asked.wait(), rest)
            except TimeoutError:
                if self._writes == self._saved_writes:
                    continue
            self._asked.clear()
            seconds = await self._save()
            rest = max(self._every, seconds * REST_BETWEEN_SAVES)

    async def _save(self) -> float:
        began = time.perf_counter()
        writes, held = self._writes, snapshot.contents()
        self._taken += 1
        number = self._taken
        self._record.put(taken=number)
        try:
            # No request runs while the loop is here; the lock keeps the expiry thread away.
            with snapshot.dynamodb._lock:
                forked = time.perf_counter()
                self._child = _fork(partial(snapshot.write, self._directory))
                pause = time.perf_counter() - forked
        except OSError as error:
            self._record.put(failed=number, save_error=f"Saving failed: {error}.")
            return time.perf_counter() - began
        code = await asyncio.to_thread(self._wait)
        seconds = time.perf_counter() - began
        if code:
            self._record.put(failed=number, save_error=f"Saving failed (status {code}).")
        else:
            self._saved_writes = writes
            self._saved(number, held, pause, seconds)
        return seconds

    def _wait(self) -> int:
        """The exit status of the child that is saving, or of the last one."""
        with self._waiting:
            if self._child:
                self._code = os.waitpid(self._child, 0)[1]
                self._child = 0
            return self._code

    def _saved(self, number: int, held: snapshot.Contents, pause: float, seconds: float) -> None:
        figures = {"pause": round(pause, 5), "seconds": round(seconds, 3)}
        self._record.put(written=number, saved=held._asdict() | figures, save_error=None)

    def save_at_the_end(self, *_: Any) -> None:
        """What ministack calls when it has stopped serving."""
        self._wait()
        if self._writes == self._saved_writes:
            return
        held = snapshot.contents()
        self._taken += 1
        self._record.put(phase="saving", saving=held._asdict(), taken=self._taken)
        began = time.perf_counter()
        try:
            with snapshot.dynamodb._lock:
                snapshot.write(self._directory)
        except Exception as error:  # noqa: BLE001 - said in the record, which outlives the process
            traceback.print_exc()
            self._record.put(failed=self._taken, save_error=f"The last save failed: {error}.")
            return
        seconds = time.perf_counter() - began
        self._saved(self._taken, held, seconds, seconds)


def _fork(work: Callable[[], None]) -> int:
    """Do the work in a child that shares this instant's memory and nothing else."""
    with warnings.catch_warnings():
        # Python 3.12 warns of locks held by other threads: the child only writes a file.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child:
        return child
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
            signal.signal(number, signal.SIG_IGN)
        signal.alarm(SAVE_DEADLINE)
        gc.disable()
        # The port and the clients' connections must not outlive the parent; the lock should.
        os.closerange(3, _lock_descriptor)
        os.closerange(_lock_descriptor + 1, 4096)
        os.nice(5)
        work()
        code = 0
    except BaseException:  # noqa: BLE001 - a child of fork may never return into the parent's code
        traceback.print_exc()
    finally:
        os._exit(code)


_lock_descriptor = -1


def hold(directory: Path) -> bool:
    """Take the data directory for this process; False if another one keeps it.

    A child that is still writing for a killed parent has it too, so its state is waited for.
    """
    global _lock_descriptor
    _lock_descriptor = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    until = time.monotonic() + LOCK_WAIT
    while True:
        try:
            fcntl.flock(_lock_descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() > until:
                return False
            time.sleep(0.05)
        else:
            return True


async def serve(descriptor: int, keeper: Keeper | None, stopping: asyncio.Event) -> None:
    """Serve until `stopping` is set; ministack then calls `save_at_the_end`."""
    config = importlib.import_module("hypercorn.config").Config()
    config.bind = [f"fd://{descriptor}"]
    config.keep_alive_timeout = 75
    config.startup_timeout = config.shutdown_timeout = SAVE_DEADLINE
    config.loglevel = "WARNING"

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        async def answer(message: MutableMapping[str, Any]) -> None:
            # Served, and not yet known to the client: what it asks to save next is counted.
            if keeper and message["type"] == "http.response.start":
                keeper.note(scope)
            await send(message)

        await aws.app(scope, receive, answer)

    serving: Any = importlib.import_module("hypercorn.asyncio").serve
    await serving(application, config, shutdown_trigger=stopping.wait)


async def watch(owner: int, stopping: asyncio.Event) -> None:
    """Stop when the owner is gone: a state that nobody keeps is of no use to anybody."""
    while os.getppid() == owner:  # noqa: ASYNC110 - a parent's death sets no event
        await asyncio.sleep(OWNER_CHECK)
    stopping.set()


async def run(options: argparse.Namespace, record: Record) -> None:
    """Restore, serve, save."""
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    keeper = None
    if options.persist:
        keeper = Keeper(options.data_dir / STATE, record, every=options.autosave)
        aws._load_persisted_state = keeper.restore
        aws.save_all = keeper.save_at_the_end
        loop.add_signal_handler(signal.SIGUSR1, keeper.ask)
        task = asyncio.create_task(keeper.keep())
    else:
        task = asyncio.create_task(watch(options.owner, stopping))
    await serve(options.descriptor, keeper, stopping)
    task.cancel()
    record.put(phase="stopped")


def main() -> int:
    """Run one emulator to its end."""
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    # The state holds members and secrets.
    os.umask(0o077)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--descriptor", type=int, required=True, help="the bound socket")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--owner", type=int, required=True, help="the process that started it")
    parser.add_argument("--autosave", type=float, required=True, help="seconds")
    parser.add_argument("--persist", action="store_true")
    options = parser.parse_args()
    if not hold(options.data_dir):
        sys.stderr.write(f"Another emulator keeps {options.data_dir}.\n")
        return 1
    record = Record(
        options.data_dir / RECORD,
        pid=os.getpid(),
        identity=process_identity(os.getpid()),
        port=options.port,
        owner=options.owner,
        owner_identity=process_identity(options.owner),
        persist=options.persist,
    )
    record.put(phase="starting", taken=0, written=0, failed=0)
    # ministack leaves its own behind, and would leave them in the user's if there were none.
    for left in Path(os.environ["TMPDIR"]).iterdir():
        shutil.rmtree(left, ignore_errors=True)
    emulator_patches.install()
    asyncio.run(run(options, record))
    return 0


if __name__ == "__main__":
    sys.exit(main())
