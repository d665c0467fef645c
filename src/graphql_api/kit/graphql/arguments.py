"""Arguments that many fields share."""

import re
from typing import Annotated

import strawberry

from graphql_api.errors import Invalid

_MONTH = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])", re.ASCII)

INPUT = strawberry.argument(description="What to do. 输入")

Id = Annotated[strawberry.ID, strawberry.argument(description="Its id. 全局 ID")]
First = Annotated[
    int, strawberry.argument(description="How many items, 1 to 100 (20 by default). 每页条数")
]
After = Annotated[
    str | None, strawberry.argument(description="The cursor to continue after. 起始游标")
]
Reverse = Annotated[bool, strawberry.argument(description="The list backwards. 是否倒序")]
Month = Annotated[str, strawberry.argument(description="YYYY-MM in the chain's zone. 月份")]


def require_month(text: str) -> str:
    """The month as it was given; Invalid for anything that is none."""
    if not _MONTH.fullmatch(text):
        raise Invalid("A month is YYYY-MM", field=("month",))
    return text
