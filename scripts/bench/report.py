"""Tables of results: printed, and written between the marks of docs/benchmarks.md."""

import re
from collections.abc import Sequence
from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs" / "benchmarks.md"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; all but the first column stand to the right."""
    marks = ["---", *["--:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, marks, *rows])


def ratio(value: float) -> str:
    """Three figures at most, as much as a ratio of one run is good for."""
    if value >= 100:
        return f"{round(value, -1):,.0f}"
    return f"{value:.0f}" if value >= 20 else f"{value:.1f}" if value >= 2 else f"{value:.2f}"


def write(name: str, text: str, document: Path = DOCUMENT) -> None:
    """Replace what stands between the marks of a name; KeyError where there are none."""
    whole = document.read_text("utf-8")
    marks = (f"<!-- bench: {name} -->", f"<!-- end: {name} -->")
    pattern = re.compile(f"{re.escape(marks[0])}.*?{re.escape(marks[1])}", re.DOTALL)
    block = f"{marks[0]}\n{text}\n{marks[1]}"
    changed, found = pattern.subn(lambda _: block, whole)
    if not found:
        raise KeyError(name)
    document.write_text(changed, "utf-8")
