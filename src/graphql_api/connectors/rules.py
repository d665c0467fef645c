"""What is decided about messages of vendors and about what they are told: states and times."""

from datetime import datetime, timedelta
from enum import StrEnum

from graphql_api.viewer import MANAGE_VENDORS, Role, Viewer

KEPT = timedelta(days=30)
"""For how long a message can be read and replayed; vendors send again for seven days at most."""

GIVEN_UP_AFTER = timedelta(hours=24)
_PAUSES = tuple(timedelta(seconds=s) for s in (30, 60, 120, 300, 600, 900))


class Vendor(StrEnum):
    """A SaaS whose shops are followed."""

    YOUZAN = "YOUZAN"
    WEIMOB = "WEIMOB"


class MessageState(StrEnum):
    """Where a message is: to be handled, or again; done with; or given up until it is replayed."""

    WAITING = "WAITING"
    HANDLED = "HANDLED"
    DEAD = "DEAD"


class Outcome(StrEnum):
    """What a handled message came to.

    STALE is older than one that was applied, ECHO tells what we did ourselves, and IGNORED is of
    no concern here.
    """

    APPLIED = "APPLIED"
    UNCHANGED = "UNCHANGED"
    STALE = "STALE"
    ECHO = "ECHO"
    IGNORED = "IGNORED"


class Problem(StrEnum):
    """Why something could not be done.

    NOT_LINKED names a thing of the vendor that has no counterpart here; REFUSED is a refusal of
    ours and VENDOR_REFUSED one of theirs; BUSY passes by itself; NOT_SET_UP lacks a secret or an
    authorisation; FAILED is a fault.
    """

    UNREADABLE = "UNREADABLE"
    NOT_LINKED = "NOT_LINKED"
    REFUSED = "REFUSED"
    BUSY = "BUSY"
    VENDOR_REFUSED = "VENDOR_REFUSED"
    NOT_SET_UP = "NOT_SET_UP"
    FAILED = "FAILED"


class LinkKind(StrEnum):
    """What of a vendor is linked to what of ours.

    CUSTOMER is a customer that became another one there, whose key stands in place of our id.
    """

    STORE = "STORE"
    GUIDE = "GUIDE"
    TAG = "TAG"
    COUPON_TEMPLATE = "COUPON_TEMPLATE"
    COUPON = "COUPON"
    CUSTOMER = "CUSTOMER"


class CopyKind(StrEnum):
    """What a vendor has a copy of."""

    POINTS = "POINTS"
    TAGS = "TAGS"
    GUIDE = "GUIDE"
    COUPON = "COUPON"


class CopyState(StrEnum):
    """Whether a vendor has what we have: to be compared, told, or given up."""

    DUE = "DUE"
    TOLD = "TOLD"
    DEAD = "DEAD"


class PointsMaster(StrEnum):
    """Whose points are right where two differ: one for a chain."""

    OURS = "OURS"
    YOUZAN = "YOUZAN"
    WEIMOB = "WEIMOB"


class RunState(StrEnum):
    """Where a reconciliation is."""

    RUNNING = "RUNNING"
    DONE = "DONE"
    FAILED = "FAILED"


class Difference(StrEnum):
    """What a reconciliation found of an order: how it differed, or why it still does."""

    MISSING = "MISSING"
    DIFFERENT = "DIFFERENT"
    NOT_LINKED = "NOT_LINKED"
    UNREADABLE = "UNREADABLE"
    REFUSED = "REFUSED"
    FAILED = "FAILED"


def next_try(attempts: int, begun_at: datetime, at: datetime, jitter: float) -> datetime | None:
    """When what failed for the n-th time is tried again; None after a day of trying.

    `jitter`, from 0 to 1, makes a pause up to a fifth longer.
    """
    pause = _PAUSES[min(max(attempts, 1), len(_PAUSES)) - 1] * (1 + jitter / 5)
    return at + pause if at + pause - begun_at <= GIVEN_UP_AFTER else None


def manages(viewer: Viewer) -> bool:
    """Whether the viewer sees and changes what is between us and vendors: headquarters only."""
    if viewer.role is Role.SYSTEM:
        return True
    allowed = viewer.role is Role.OPERATOR and viewer.store_ids is None
    return allowed and viewer.holds(MANAGE_VENDORS)
