"""Jobs that issue coupons to many members."""

from enum import StrEnum


class IssueState(StrEnum):
    """Where a job stands (等待, 进行中, 完成, 失败, 取消)."""

    WAITING = "WAITING"
    IN_PROGRESS = "IN_PROGRESS"
    DONE = "DONE"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class IssueTo(StrEnum):
    """To whom a job issues coupons."""

    LISTED = "LISTED"
    OF_STORE = "OF_STORE"
    OF_GUIDE = "OF_GUIDE"
    OF_TAG = "OF_TAG"


OVER = frozenset({IssueState.DONE, IssueState.FAILED, IssueState.CANCELLED})
