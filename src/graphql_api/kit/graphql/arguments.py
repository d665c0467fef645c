"""Arguments that many fields share."""

from typing import Annotated

import strawberry

INPUT = strawberry.argument(description="What to do. 输入")

Id = Annotated[strawberry.ID, strawberry.argument(description="Its id. 全局 ID")]
First = Annotated[
    int, strawberry.argument(description="How many items, 1 to 100 (20 by default). 每页条数")
]
After = Annotated[
    str | None, strawberry.argument(description="The cursor to continue after. 起始游标")
]
Reverse = Annotated[bool, strawberry.argument(description="The list backwards. 是否倒序")]
