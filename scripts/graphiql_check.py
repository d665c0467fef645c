"""Ask a question in GraphiQL: a fresh local chain, a headless Chromium, no other host in reach."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from graphql_api.viewer import Role
from scripts import local

ROOT = Path(__file__).resolve().parents[1]
CLIENT = ROOT / "clients" / "graphiql"
START_SECONDS = 300
STOP_SECONDS = 60


class Unready(Exception):
    """The check cannot run; the message says what is missing."""


def browser() -> str:
    """The path of a Chromium; installs Debian's where root may. Raises Unready."""
    if found := _installed():
        return found
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise Unready("There is no Chromium: install it, or name one in CHROMIUM.")
    print("Installing Chromium from Debian's packages.", flush=True)
    _apt("update")
    _apt("install", "-y", "--no-install-recommends", "chromium")
    if found := _installed():
        return found
    raise Unready("Debian's chromium was installed, but is not in PATH.")


def _apt(*arguments: str) -> None:
    unattended = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(
        ["apt-get", "-qq", *arguments], env=unattended, stdout=subprocess.DEVNULL, check=True
    )


def _installed() -> str | None:
    named = os.environ.get("CHROMIUM")
    return named or shutil.which("chromium") or shutil.which("chromium-browser")


@contextmanager
def server(**settings: str) -> Iterator[str]:
    """The address of the API of a fresh local chain, which is forgotten at the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "PORT": str(port), "DATA_DIR": f"{folder}/data"} | settings
        command = [sys.executable, str(ROOT / "scripts" / "dev.py")]
        with subprocess.Popen(command, cwd=ROOT, env=environment) as process:
            try:
                _await(f"http://127.0.0.1:{port}/health", process)
                yield f"http://127.0.0.1:{port}/graphql"
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(STOP_SECONDS)


def _await(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise Unready(f"The server ended with code {process.returncode}.")
        try:
            with urlopen(url, timeout=1):  # noqa: S310 - our own address
                return
        except (URLError, OSError):
            time.sleep(0.2)
    raise Unready(f"The server did not answer within {START_SECONDS} s.")


def main() -> int:
    """0 when the page answered."""
    try:
        environment = {**os.environ, "CHROMIUM": browser()}
        with server() as url:
            command = ["node", "check.mjs", "--url", url, "--token", local.token(Role.OPERATOR)]
            return subprocess.run(command, cwd=CLIENT, env=environment, check=False).returncode
    except Unready as missing:
        print(missing, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
