"""Measure what docs/benchmarks.md states, side by side, and write its tables.

python -m scripts.bench                    everything, several minutes
python -m scripts.bench decisions          one part
python -m scripts.bench daily --largest 100000
"""

import argparse
import sys
from collections.abc import Callable
from functools import partial

from scripts.bench import (
    acknowledgement,
    cold_start,
    daily,
    decisions,
    quotes,
    recompute,
    report,
    stored,
    welcome,
)
from scripts.processes import EngineError

Say = Callable[[str], None]


def main() -> int:
    """Run the parts that were asked for, one after the other."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="part", help="all of them without one")
    parser.add_argument("--largest", type=int, default=max(daily.SIZES), help="members made up")
    parser.add_argument("--print", action="store_true", help="print the tables, write none")
    chosen = parser.parse_args()
    sizes = tuple(size for size in daily.SIZES if size <= chosen.largest)
    parts: dict[str, Callable[[Say], str]] = {
        "decisions": decisions.run,
        "recompute": recompute.run,
        "daily": partial(daily.run, sizes),
        "stored": stored.run,
        "quotes": quotes.run,
        "acknowledgement": acknowledgement.run,
        "welcome": welcome.run,
        "cold-start": cold_start.run,
    }
    if unknown := set(chosen.parts) - set(parts):
        parser.error(f"no part {', '.join(sorted(unknown))}; there are {', '.join(parts)}")
    missing = 0
    for name in chosen.parts or parts:
        print(f"{name}:", flush=True)
        try:
            text = parts[name](lambda line: print(f"  {line}", flush=True))
        except EngineError as error:
            print(f"  NOT measured: {error}")
            missing += 1
            continue
        print(text)
        if not chosen.print:
            report.write(name, text)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
