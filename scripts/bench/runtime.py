"""Lambda's own runtime client against a Runtime API of ours: what a cold start really takes.

The functions of a package run under awslambdaric, each in a process of its own, as in the cloud.
"""

import hashlib
import http.server
import json
import os
import queue
import resource
import shutil
import subprocess
import sys
import threading
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts import package, processes

REQUIREMENTS = package.ROOT / "tools" / "lambda" / "requirements.txt"
ENVIRONMENT = package.ROOT / ".tools" / "lambda"
_PATIENCE = 120.0
_DEADLINE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Start:
    """One cold start: seconds of CPU, and on the wall, until the function asks for an event."""

    cpu: float
    wall: float
    answer: bytes


class _RuntimeApi(http.server.ThreadingHTTPServer):
    """Hands out one event, and takes the answer."""

    daemon_threads = True

    def __init__(self, event: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Calls)
        self.event = event
        self.asked = threading.Event()
        self.answered: queue.Queue[bytes] = queue.Queue()

    def handle_error(self, *_: Any) -> None:
        """The function was ended while it waited for its next event."""


class _Calls(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _RuntimeApi

    def do_GET(self) -> None:
        """The next event: the first time there is one, then never again."""
        if self.server.asked.is_set():
            threading.Event().wait(_PATIENCE)
            return
        self.server.asked.set()
        deadline = int(time.time() * 1000) + _DEADLINE_MS
        self.send_response(200)
        self.send_header("Lambda-Runtime-Aws-Request-Id", str(uuid.uuid4()))
        self.send_header("Lambda-Runtime-Deadline-Ms", str(deadline))
        self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:local:function:bench")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(self.server.event)))
        self.end_headers()
        self.wfile.write(self.server.event)

    def do_POST(self) -> None:
        """An answer, or the error that kept the function from starting."""
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()
        self.server.answered.put(body)

    def log_message(self, *_: Any) -> None:
        """Nothing."""


def ensure_environment() -> Path:
    """Install the runtime client as locked unless that was done; gives its Python."""
    stamp, python = ENVIRONMENT / "stamp", ENVIRONMENT / "bin" / "python"
    lock = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text() == lock and python.exists():
        return python
    shutil.rmtree(ENVIRONMENT, ignore_errors=True)
    quiet = ("--quiet", "--disable-pip-version-check", "--no-input", "--require-hashes")
    for step in (
        (sys.executable, "-m", "venv", str(ENVIRONMENT)),
        (str(python), "-m", "pip", "install", *quiet, "-r", str(REQUIREMENTS)),
    ):
        processes.run("Lambda's runtime client", *step)
    stamp.write_text(lock)
    return python


def start(handler: str, folders: list[Path], event: dict[str, Any]) -> Start:
    """Start a function from nothing and give it one event. RuntimeError where it does not start."""
    python = ensure_environment()
    api = _RuntimeApi(json.dumps(event).encode())
    threading.Thread(target=api.serve_forever, args=(0.02,), daemon=True).start()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    process = subprocess.Popen(
        [str(python), "-m", "awslambdaric", handler],
        env=_environment(f"127.0.0.1:{api.server_port}", handler, folders),
        cwd=folders[0],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        answer = api.answered.get(timeout=_PATIENCE)
        wall = time.perf_counter() - began
    except queue.Empty:
        raise RuntimeError(f"{handler} did not start") from None
    finally:
        process.terminate()
        process.wait()
        api.shutdown()
        api.server_close()
    if not api.asked.is_set():
        raise RuntimeError(f"{handler}: {answer.decode()[:2000]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Start(cpu, wall, answer)


def _environment(api: str, handler: str, folders: list[Path]) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "AWS_LAMBDA_RUNTIME_API": api,
        "LAMBDA_TASK_ROOT": str(folders[0]),
        "_HANDLER": handler,
        "AWS_LAMBDA_FUNCTION_NAME": "bench",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
        "AWS_LAMBDA_LOG_GROUP_NAME": "bench",
        "AWS_LAMBDA_LOG_STREAM_NAME": "bench",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{package.here()[0]}",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "PYTHONPATH": os.pathsep.join(map(str, folders)),
        "APP_STAGE": "local",
        "POWERTOOLS_METRICS_NAMESPACE": "bench",
    }
