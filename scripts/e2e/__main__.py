"""`make e2e`: the packaged stack in the embedded AWS, driven through HTTP as its users drive it.

    python -m scripts.e2e                # every right is granted
    python -m scripts.e2e --rights       # each function may do what its role says, no more

Each step says what it saw. With `--rights` the emulator enforces the roles, every document of
schema/operations is sent too, and the run fails for what a function was denied, and for what it may
do and never did, unless scripts/e2e/unused.py says why.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import boto3
import httpx

from graphql_api.config import settings
from scripts import deploy, emulator, package, stack
from scripts.e2e import documents, failures, rights, steps
from scripts.e2e.journey import PATIENCE, Failed, Journey, require
from scripts.processes import EngineError
from scripts.stack import STAGE, LocalStack

TABLES = f"member-ops-{STAGE}-"
STEPS = (
    steps.answers,
    steps.logs_in,
    steps.writes_and_reads_back,
    steps.stream_reaches_its_function,
    steps.job_drives_itself,
    steps.list_is_taken_in_bulk,
    steps.vendor_pushes,
    steps.platforms_push,
    failures.poisoned_record_is_set_aside_and_done_when_mended,
    steps.policy_reaches_everyone,
    failures.message_that_fails_is_set_aside_and_done_when_mended,
    steps.day_begins,
)
WITH_RIGHTS = (*STEPS, documents.every_document_is_sent)


def run(data_dir: Path, *, enforced: bool) -> None:
    """Deploy, take every step, delete; raises Failed at the first that saw something else."""
    began = time.monotonic()
    with stack.deployed(data_dir, persist=False, enforce_rights=enforced) as served:
        print(f"deployed after {time.monotonic() - began:.1f} s: {served.url}", flush=True)
        _settle_in(served)
        with httpx.Client(timeout=PATIENCE) as client:
            journey = Journey(served, client)
            for step in WITH_RIGHTS if enforced else STEPS:
                print(f"  {step.__name__}: {_told(step, journey)}", flush=True)
        if enforced:
            print(f"  at rest after {rights.at_rest(data_dir):.0f} s", flush=True)
        granted = rights.granted() if enforced else []
        deploy.down(served.stack)
        require(served.stack.describe(), None, "the stack after it was deleted")
        left = boto3.client("lambda").list_functions()["Functions"]
        require(left, [], "functions after the stack was deleted")
        print("deleted", flush=True)
        if enforced:
            print(f"  rights: {rights.judge(granted, rights.decisions(data_dir))}", flush=True)


def _told(step: Callable[[Journey], str], journey: Journey) -> str:
    """What a step saw; said at once where it failed, for tidying up takes a while."""
    try:
        return step(journey)
    except Exception as problem:
        print(f"  {step.__name__}: {problem!r}", flush=True)
        raise


def _settle_in(served: LocalStack) -> None:
    """Have this process sign tokens, and find queues and files, as the stack does."""
    function = served.physical("GraphqlFunction")
    told = boto3.client("lambda").get_function_configuration(FunctionName=function)
    variables = told["Environment"]["Variables"].items()
    os.environ.update({name: value for name, value in variables if name.startswith("APP_")})
    settings.cache_clear()


def main() -> int:
    """0 when every step saw what it should."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rights", action="store_true", help="have the emulator enforce roles")
    given = parser.parse_args()
    if os.environ.get("APP_TABLE_PREFIX") != TABLES:
        # Models take the names of their tables when they are loaded, which they are by now.
        os.environ |= {"APP_TABLE_PREFIX": TABLES, "POWERTOOLS_LOG_LEVEL": "WARNING"}
        os.execv(sys.executable, [sys.executable, "-m", "scripts.e2e", *sys.argv[1:]])  # noqa: S606
    with tempfile.TemporaryDirectory() as folder:
        try:
            run(Path(folder), enforced=given.rights)
        except (Failed, EngineError, deploy.DeployError, package.PackageError) as error:
            print(f"FAILED: {error}", file=sys.stderr)
            log = Path(folder) / emulator.LOG
            print(log.read_text(encoding="utf-8", errors="replace")[-3000:], file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
