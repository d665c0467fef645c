"""What others say of the API: audits, fuzzing and the clients that people use, on a fresh chain.

    python scripts/judge.py [--examples 200]

Every judge is asked, then those that found something are named. It fails, and does not skip, where
one cannot be had. `make judge` installs what they need.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from graphql_api.viewer import Role
from scripts import graphiql_check, local

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ROOT / "tools" / "judge"
PYTHON = ROOT / ".tools" / "judge" / "bin"
# A fuzzer asks more than a person; whoever it asks as must be able to pay.
RICH = {"capacity": 1_000_000, "restore_rate": 100_000, "per_operation": 10_000}
BUDGETS = json.dumps({"ANONYMOUS": RICH, "OPERATOR": RICH})
FUZZED = (
    "--checks=all",
    "--exclude-checks=positive_data_acceptance",
    "--max-response-time=2",
    "--continue-on-failure",
    "--generation-database=none",
    "--seed=1",
)
# These end the token that the fuzzer asks with; it asks them without one.
ENDS_THE_TOKEN = ("Mutation.logout", "Mutation.logoutEverywhere")

Judge = Callable[[], int]


def run(*command: str, cwd: Path = TOOLS, **more: str) -> int:
    """The code with which a command ends."""
    return subprocess.run(command, cwd=cwd, env={**os.environ, **more}, check=False).returncode


def fuzz(url: str, examples: int, *options: str) -> int:
    """Schemathesis: made-up operations of each field; no server error, no slow answer."""
    return run(
        str(PYTHON / "schemathesis"),
        *("run", url, f"--max-examples={examples}", *FUZZED, *options),
        SCHEMATHESIS_HOOKS="scalars",
        PYTHONPATH=str(TOOLS),
    )


def fuzz_as_operator(url: str, examples: int) -> int:
    """With a token that sees everything."""
    without = [f"--exclude-name={name}" for name in ENDS_THE_TOKEN]
    return fuzz(url, examples, f"--header=Authorization: Bearer {token()}", *without)


def token() -> str:
    """One of headquarters."""
    return local.token(Role.OPERATOR)


def at_rest() -> dict[str, Judge]:
    """Judges of the schema and of the documents that clients send."""
    (TOOLS / "generated" / "relay").mkdir(parents=True, exist_ok=True)
    return {
        "graphql-codegen": lambda: run("node", "codegen.mjs"),
        "relay-compiler": lambda: run("node_modules/.bin/relay-compiler", "relay.config.json"),
    }


def running(url: str, browser: str, examples: int) -> dict[str, Judge]:
    """Judges of a server; the fuzzers come last, because they change what there is."""
    graphiql = ("node", "check.mjs", "--url", url, "--token")
    return {
        "graphql-http audits": lambda: run("node", "audit.mjs", url),
        "Apollo, urql, graphql-request": lambda: run("node", "clients.mjs", url, token()),
        "gql": lambda: run(str(PYTHON / "python"), "client.py", url, token()),
        "GraphiQL": lambda: run(*graphiql, token(), cwd=graphiql_check.CLIENT, CHROMIUM=browser),
        "schemathesis, nobody": lambda: fuzz(url, examples),
        "schemathesis, headquarters": lambda: fuzz_as_operator(url, examples),
    }


def asked(judges: dict[str, Judge]) -> list[str]:
    """The names of those that found something."""
    found = []
    for name, judge in judges.items():
        print(f"\n==> {name}", flush=True)
        since = time.monotonic()
        code = judge()
        word = "content" if code == 0 else "NOT CONTENT"
        print(f"<== {name}: {word} after {time.monotonic() - since:.0f} s", flush=True)
        found += [name] if code else []
    return found


def main() -> int:
    """0 when nobody found anything."""
    parser = argparse.ArgumentParser(description="Ask outside judges about the API.")
    parser.add_argument("--examples", type=int, default=200, help="of schemathesis, for each field")
    examples = parser.parse_args().examples
    try:
        browser = graphiql_check.browser()
        found = asked(at_rest())
        with graphiql_check.server(APP_BUDGETS=BUDGETS) as url:
            found += asked(running(url, browser, examples))
    except graphiql_check.Unready as missing:
        print(missing, file=sys.stderr)
        return 1
    print(f"\nNot content: {', '.join(found)}." if found else "\nEvery judge is content.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
