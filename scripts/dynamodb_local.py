"""The second engine: AWS's own DynamoDB Local, for what the embedded AWS cannot show.

A Java program (tools/dynamodb-local). It answers a write when that is on the disk, so that a kill
loses nothing and an end has nothing to save; it ends with its starter. DynamoDB and its streams
are all it has. Installing it takes Maven and a JDK, 17 or later, and agrees to AWS's licence for
it. Linux and macOS.

    python -m scripts.dynamodb_local --data-dir .dev-dynamodb-local
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import http.client
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scripts import processes
from scripts.processes import HOST, ROOT, EngineError, Progress, read_record, runs, say

SOURCES = ROOT / "tools" / "dynamodb-local"
ENVIRONMENT = ROOT / ".tools" / "dynamodb-local"

NAME = "DynamoDB Local"
RECORD = "dynamodb-local.json"
STATE = "dynamodb-local"
LOCK = "dynamodb-local.lock"
LOG = "dynamodb-local.log"
PRIVATE = "tmp"
DATA_DIR = ".dev-dynamodb-local"

OLDEST_JAVA = 17
BACKLOG = 128
START_DEADLINE = 60.0
STOP_DEADLINE = 10.0
# One whose starter is gone looks every second.
LOCK_DEADLINE = 5.0

_MAIN = "software.amazon.dynamodb.services.local.main.ServerRunner"
_OPENED = ("--add-exports", "java.base/sun.nio.ch=ALL-UNNAMED")
# It lives for minutes: compiling thoroughly costs more than it brings.
_SWIFT = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
_LICENCE = "AWS's licence for it is LICENSE.txt in DynamoDBLocal-*.jar"


class Running(processes.Running):
    """A DynamoDB Local that serves."""

    __slots__ = ()

    def save(self) -> str:
        """There is nothing to wait for."""
        return "Everything is on the disk already."

    def stop(self, timeout: float = STOP_DEADLINE) -> None:
        """Let it end; kill it if that takes longer than `timeout` seconds."""
        self.process.terminate()
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.data_dir / PRIVATE, ignore_errors=True)


def ensure_environment(progress: Progress = say) -> Path:
    """Install it as pinned unless that was done; gives the folder.

    Two at once: the second waits, and finds it done.
    """
    files = sorted([SOURCES / "pom.xml", *SOURCES.glob("*.java")])
    lock = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    _require_java()
    if _installed(lock):
        return ENVIRONMENT
    with processes.installing(ENVIRONMENT, NAME, progress):
        if not _installed(lock):
            compiler, maven = _tool("javac"), _tool("mvn")
            progress(f"Installing {NAME} (once, about 20 seconds; {_LICENCE}).")
            shutil.rmtree(ENVIRONMENT, ignore_errors=True)
            _install(compiler, maven)
            _stamp().write_text(lock, encoding="utf-8")
    return ENVIRONMENT


def start(
    data_dir: Path,
    *,
    port: int | None = None,
    persist: bool = True,
    progress: Progress = say,
) -> Running:
    """Start one on a data directory and wait until it answers.

    Without `persist` it keeps everything in memory. Without `port` it takes the one it had on this
    directory, or a free one. One left by a killed run is ended first; one that somebody runs is
    left alone: EngineError.
    """
    data_dir = data_dir.resolve()
    (data_dir / STATE).mkdir(parents=True, exist_ok=True)
    before = _record(data_dir)
    _end_orphan(data_dir, before, progress)
    held = any((data_dir / STATE).iterdir())
    with _hold(data_dir) as lock, processes.bind(port, before.get("port")) as listener:
        running = _spawn(data_dir, listener, lock, persist, progress)
        owner = os.getpid()
        record = {
            "pid": running.pid,
            "identity": processes.process_identity(running.pid),
            "port": running.port,
            "owner": owner,
            "owner_identity": processes.process_identity(owner),
            "persist": persist,
        }
        processes.write_record(data_dir / RECORD, record)
    try:
        _await_answer(running)
    except BaseException:
        running.process.kill()
        running.process.wait()
        raise
    if persist:
        progress("Going on with what is on the disk." if held else "Starting with nothing.")
    return running


def address(data_dir: Path) -> str | None:
    """Where the one of this directory answers; None if none runs on it."""
    record = _record(data_dir)
    url = f"http://{HOST}:{record.get('port')}"
    return url if runs(record) and healthy(url) else None


def healthy(url: str, timeout: float = 1.0) -> bool:
    """Whether a DynamoDB Local answers there: it refuses what is not signed."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=timeout)
    try:
        connection.request("GET", "/")
        answer = connection.getresponse()
        return answer.status == http.client.BAD_REQUEST and b"dynamodb" in answer.read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _record(data_dir: Path) -> dict[str, Any]:
    return read_record(data_dir / RECORD)


def _stamp() -> Path:
    return ENVIRONMENT / "stamp"


def _installed(lock: str) -> bool:
    return _stamp().is_file() and _stamp().read_text(encoding="utf-8") == lock


def _tool(name: str) -> str:
    """A program of the JDK that JAVA_HOME names, or of the path."""
    home = os.environ.get("JAVA_HOME")
    kept = Path(home, "bin", name) if home else None
    found = str(kept) if kept and kept.is_file() else shutil.which(name)
    if not found:
        raise EngineError(
            f"{NAME} needs a JDK, {OLDEST_JAVA} or later, and Maven: there is no `{name}`. "
            "The default engine needs neither: leave ENGINE out."
        )
    return found


def _require_java() -> None:
    """Refuse an old Java; macOS has a `java` that only says where to get one."""
    command = (_tool("java"), "-version")
    shown = subprocess.run(command, capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', shown)
    if not version or int(version[1]) < OLDEST_JAVA:
        said = shown.strip().partition("\n")[0]
        raise EngineError(f"{NAME} needs Java {OLDEST_JAVA} or later; `java -version` says: {said}")


def _install(compiler: str, maven: str) -> None:
    libraries = f"-DoutputDirectory={ENVIRONMENT / 'lib'}"
    processes.run(
        NAME,
        *(maven, "--batch-mode", "--quiet", "--file", str(SOURCES / "pom.xml")),
        *("dependency:copy-dependencies", "-DincludeScope=runtime", libraries),
    )
    sources = [str(file) for file in sorted(SOURCES.glob("*.java"))]
    processes.run(NAME, compiler, *_OPENED, "-d", str(ENVIRONMENT / "classes"), *sources)


def _end_orphan(data_dir: Path, record: dict[str, Any], progress: Progress) -> None:
    if not runs(record):
        return
    if runs(record, "owner", "owner_identity"):
        raise processes.taken(NAME, data_dir, record)
    processes.end_orphan(record, NAME, processes.wait_until, STOP_DEADLINE, progress)


@contextmanager
def _hold(data_dir: Path) -> Iterator[int]:
    """Take the directory; whoever is handed the descriptor keeps it to their end."""
    lock = os.open(data_dir / LOCK, os.O_RDWR | os.O_CREAT, 0o600)

    def taken() -> bool:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    try:
        if not processes.wait_until(taken, LOCK_DEADLINE):
            raise processes.taken(NAME, data_dir, _record(data_dir))
        yield lock
    finally:
        os.close(lock)


def _spawn(
    data_dir: Path, listener: socket.socket, lock: int, persist: bool, progress: Progress
) -> Running:
    if not _stamp().is_file():
        raise EngineError(f"{NAME} is not installed: call ensure_environment() first.")
    private = data_dir / PRIVATE
    # A killed one leaves its native library behind.
    shutil.rmtree(private, ignore_errors=True)
    private.mkdir()
    port = listener.getsockname()[1]
    # Its standard input is the socket, which must listen: GivenSocket.java.
    listener.listen(BACKLOG)
    paths = os.pathsep.join((str(ENVIRONMENT / "classes"), str(ENVIRONMENT / "lib" / "*")))
    kept = ("-dbPath", str(data_dir / STATE)) if persist else ("-inMemory",)
    command = (
        *(_tool("java"), *_OPENED, f"-Downer={os.getpid()}", f"-Djava.io.tmpdir={private}"),
        *(
            "-Djava.nio.channels.spi.SelectorProvider=GivenSocket",
            "-Djava.net.preferIPv4Stack=true",
        ),
        *_SWIFT,
        *("-cp", paths, "Owned", _MAIN),
        *("-port", str(port), "-disableTelemetry", *kept),
    )
    with (data_dir / LOG).open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=private,
            env={name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ},
            stdin=listener.fileno(),
            stdout=log,
            stderr=subprocess.STDOUT,
            pass_fds=(lock,),
            # The files hold members.
            umask=0o077,
            # Ctrl-C in the terminal is for the starter, which then stops it in order.
            start_new_session=True,
        )
    return Running(f"http://{HOST}:{port}", port, data_dir, process, progress)


def _await_answer(running: Running) -> None:
    def settled() -> bool:
        return running.process.poll() is not None or healthy(running.url)

    answered = processes.wait_until(settled, START_DEADLINE)
    if running.process.poll() is not None:
        log = (running.data_dir / LOG).read_text(encoding="utf-8", errors="replace")
        raise EngineError(f"{NAME} did not start.\n{log[-2000:]}")
    if not answered:
        raise EngineError(f"{NAME} did not answer within {START_DEADLINE:.0f} s.")


def main() -> int:
    """Run one in the foreground until Ctrl-C."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data-dir", type=Path, default=ROOT / DATA_DIR)
    parser.add_argument("--port", type=int, help="default: the one it had, or a free one")
    parser.add_argument("--forget", action="store_true", help="keep nothing")
    options = parser.parse_args()

    def begin() -> Running:
        ensure_environment()
        return start(options.data_dir, port=options.port, persist=not options.forget)

    return processes.in_foreground(begin, options.data_dir / LOG)


if __name__ == "__main__":
    sys.exit(main())
