"""`make audit`: does what is stored of every member follow from their orders, ledgers and coupons?

    python scripts/audit.py                      the local chain, running or not
    python scripts/audit.py --from-block 12      goes on where another run stopped
    python scripts/audit.py --member mbr_…       one member
    python scripts/audit.py --stage prod         a deployed stage, by the AWS settings in force

Reads only. Members are walked in blocks of 256 numbers, archived ones at the end. Whatever differs
is a line of JSON on standard output, and so are the counts in the end; progress goes to standard
error. A difference is told when two looks in a row found it, so that what is written meanwhile is
none. The exit status is 1 where anything differs or could not be read.
"""

import argparse
import json
import os
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from botocore.exceptions import ClientError

STAGE_TABLES = "member-ops-{stage}-"


def main(arguments: list[str] | None = None) -> int:
    """0 when nothing differs, else 1."""
    chosen = _parser().parse_args(arguments)
    if chosen.stage:
        os.environ["APP_TABLE_PREFIX"] = STAGE_TABLES.format(stage=chosen.stage)
    # Tables take their names when their models are imported.
    from scripts import auditing

    with _database(chosen.stage):
        try:
            report = auditing.Audit(tell=tell, say=say)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            say("There is no such chain in this account and region.")
            return 1
        if chosen.member:
            report.look_at([chosen.member])
        else:
            report.walk(chosen.from_block, chosen.blocks)
    tell("audited", report.counts)
    return int(report.is_wrong)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--from-block", type=int, default=0, metavar="N", help="begin at this one")
    parser.add_argument("--blocks", type=int, metavar="N", help="how many; else to the end")
    parser.add_argument("--member", metavar="ID", help="this member alone")
    parser.add_argument("--stage", help="a deployed stage; else the local chain")
    return parser


def _database(stage: str | None) -> AbstractContextManager[object]:
    if stage:
        return nullcontext()
    from scripts import local

    return local.database()


def tell(event: str, known: Mapping[str, Any]) -> None:
    """An event as a line of JSON on standard output."""
    print(json.dumps({"event": event, **known}, ensure_ascii=False, default=str), flush=True)


def say(text: str) -> None:
    """A line of progress on standard error."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
