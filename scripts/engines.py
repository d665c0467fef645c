"""Which DynamoDB a laptop runs on: ENGINE is ministack, the embedded AWS, or dynamodb-local."""

import argparse
import os
import sys
from pathlib import Path
from typing import Protocol

from scripts import dynamodb_local, emulator
from scripts.processes import EngineError, Progress, Running, say

DEFAULT = "ministack"


class Engine(Protocol):
    """What emulator.py and dynamodb_local.py have in common."""

    RECORD: str
    DATA_DIR: str

    def ensure_environment(self, progress: Progress = ...) -> Path:
        """Install it unless that was done."""

    def start(self, data_dir: Path, *, persist: bool = ..., progress: Progress = ...) -> Running:
        """Start it on a data directory and wait until it answers."""

    def address(self, data_dir: Path) -> str | None:
        """Where the one of this directory answers; None if none runs on it."""

    def healthy(self, url: str) -> bool:
        """Whether one answers there."""


ENGINES: dict[str, Engine] = {"ministack": emulator, "dynamodb-local": dynamodb_local}


def name() -> str:
    """What ENGINE says."""
    return os.environ.get("ENGINE") or DEFAULT


def chosen() -> Engine:
    """The engine that ENGINE names; EngineError for an unknown one."""
    if engine := ENGINES.get(name()):
        return engine
    raise EngineError(f"There is no engine {name()}: ENGINE is one of {', '.join(ENGINES)}.")


def main() -> int:
    """Install the engine that ENGINE names."""
    argparse.ArgumentParser(description=main.__doc__).parse_args()
    try:
        chosen().ensure_environment()
    except EngineError as error:
        say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
