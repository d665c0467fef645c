"""What is stored of coupons: templates with their stock, members' coupons, limits, jobs, counts."""

import zlib
from datetime import date, datetime
from typing import Any

from pynamodb.attributes import (
    BooleanAttribute,
    NumberAttribute,
    TTLAttribute,
    UnicodeAttribute,
    VersionAttribute,
)
from pynamodb.constants import STREAM_NEW_AND_OLD_IMAGE
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb_attributes import UnicodeEnumAttribute

from graphql_api.coupons.rules import (
    TRANSITIONS,
    CouponSource,
    CouponState,
    Days,
    IssueState,
    IssueTo,
    Limits,
    LockKind,
    Taken,
    TemplateState,
    Terms,
    Window,
)
from graphql_api.errors import ErrorCode
from graphql_api.kit.dynamo import DayAttribute, InstantAttribute, Item, JsonAttribute, table_name
from graphql_api.members.rules import Origin
from graphql_api.viewer import Role

SOLE = "@"
SHARDS = tuple(f"{n:02d}" for n in range(16))
STOCK_PARTS = 8
COUPON = "coupon#"
CLAIMS = "claims#"
_INSTANT = InstantAttribute()


class ListIndex(GlobalSecondaryIndex["CouponsItem"]):
    """Templates by state, and jobs by who made them, each by time."""

    class Meta:
        index_name = "list"
        projection = KeysOnlyProjection()

    listed = UnicodeAttribute(hash_key=True)
    list_place = UnicodeAttribute(range_key=True)


class HeldIndex(GlobalSecondaryIndex["CouponsItem"]):
    """Coupons of a member in a state, by last day."""

    class Meta:
        index_name = "held"
        projection = KeysOnlyProjection()

    held = UnicodeAttribute(hash_key=True)
    held_place = UnicodeAttribute(range_key=True)


class TemplateIndex(GlobalSecondaryIndex["CouponsItem"]):
    """Coupons of a template by time, 16 keys to a template."""

    class Meta:
        index_name = "template"
        projection = KeysOnlyProjection()

    of_template = UnicodeAttribute(hash_key=True)
    template_place = UnicodeAttribute(range_key=True)


class DueIndex(GlobalSecondaryIndex["CouponsItem"]):
    """Coupons whose state time alone will change, by the last day before, in 16 shards."""

    class Meta:
        index_name = "due"
        projection = KeysOnlyProjection()

    due_shard = UnicodeAttribute(hash_key=True)
    due_place = UnicodeAttribute(range_key=True)


class CouponsItem(Item):
    """The table of this slice; every item has the base key (id, sort).

    DynamoDB removes items whose `forget_at` has passed.
    """

    class Meta:
        table_name = table_name("coupons")
        billing_mode = "PAY_PER_REQUEST"
        stream_view_type = STREAM_NEW_AND_OLD_IMAGE

    id = UnicodeAttribute(hash_key=True)
    sort = UnicodeAttribute(range_key=True, default=SOLE)
    listed = UnicodeAttribute(null=True)
    list_place = UnicodeAttribute(null=True)
    held = UnicodeAttribute(null=True)
    held_place = UnicodeAttribute(null=True)
    of_template = UnicodeAttribute(null=True)
    template_place = UnicodeAttribute(null=True)
    due_shard = UnicodeAttribute(null=True)
    due_place = UnicodeAttribute(null=True)
    forget_at = TTLAttribute(null=True)

    by_list = ListIndex()
    by_held = HeldIndex()
    by_template = TemplateIndex()
    by_due = DueIndex()


class Template(CouponsItem):
    """What is given out: terms that never change once it runs, and what may change about giving.

    `stock` is how many there are in all, None for without end; what is left stands in `Stock`.
    """

    id_prefix = "ctp"

    name = UnicodeAttribute()
    description = UnicodeAttribute(null=True)
    state = UnicodeEnumAttribute(TemplateState, default=TemplateState.DRAFT)
    terms_document = JsonAttribute(attr_name="terms")
    stock = NumberAttribute(null=True)
    per_member = NumberAttribute(null=True)
    per_member_and_store = NumberAttribute(null=True)
    per_store = NumberAttribute(null=True)
    opens_at = InstantAttribute(null=True)
    closes_at = InstantAttribute(null=True)
    public = BooleanAttribute(default=False)
    by_front_line = BooleanAttribute(default=True)
    claim_code = UnicodeAttribute(null=True)
    created_at = InstantAttribute()
    activated_at = InstantAttribute(null=True)
    version = VersionAttribute()

    @property
    def terms(self) -> Terms:
        """What a coupon gives, where and when."""
        return Terms.model_validate(self.terms_document)

    @property
    def limits(self) -> Limits:
        """How many a member may have, one through one store, a store give out."""
        return Limits(
            _whole(self.per_member), _whole(self.per_member_and_store), _whole(self.per_store)
        )

    @property
    def window(self) -> Window:
        """When it may be claimed."""
        return Window(self.opens_at, self.closes_at)


class Stock(CouponsItem):
    """A part of a template's stock: how many are left, None for without end, and were issued.

    The parts say too whether the template is open, so that issuing touches no item that all share.
    """

    is_open = BooleanAttribute()
    left = NumberAttribute(null=True)
    issued = NumberAttribute(default=0)
    recycled = NumberAttribute(default=0)


class StoreClaims(CouponsItem):
    """How many coupons of a template were taken through one store, where that is limited."""

    taken = NumberAttribute(default=0)


class CodeClaim(CouponsItem):
    """A word by which a template is claimed belongs to it."""

    template_id = UnicodeAttribute()


class Claims(CouponsItem):
    """What a member took of a template under its limits; under the member's id."""

    total = NumberAttribute(default=0)
    store_document = JsonAttribute(attr_name="stores", default=dict)
    version = VersionAttribute()

    @property
    def template_id(self) -> str:
        """The template, from the key."""
        return str(self.sort).removeprefix(CLAIMS)

    @property
    def taken(self) -> Taken:
        """What was taken in all, and through each store."""
        return Taken(int(self.total), dict(self.store_document))

    @taken.setter
    def taken(self, taken: Taken) -> None:
        self.total = taken.total
        self.store_document = dict(taken.stores)


class CouponPointer(CouponsItem):
    """Where a coupon stands, by its id and by its code.

    The id of a coupon that was issued under a key is derived from it: while its pointer is there,
    it is not issued again.
    """

    member_id = UnicodeAttribute()
    place = UnicodeAttribute()


class Coupon(CouponsItem):
    """One coupon of a member; under the member's id. It holds on its first and its last day too.

    `state` is what was stored last; what it is by now, `rules.state_at` says.
    """

    coupon_id = UnicodeAttribute()
    code = UnicodeAttribute()
    template_id = UnicodeAttribute()
    state = UnicodeEnumAttribute(CouponState, default=CouponState.ISSUED)
    valid_from = DayAttribute()
    valid_until = DayAttribute()

    source = UnicodeEnumAttribute(CouponSource)
    source_ref = UnicodeAttribute(null=True)
    origin = UnicodeEnumAttribute(Origin)
    store_id = UnicodeAttribute(null=True)
    by_role = UnicodeEnumAttribute(Role)
    by_id = UnicodeAttribute()
    issued_at = InstantAttribute()

    lock_kind = UnicodeEnumAttribute(LockKind, null=True)
    lock_key = UnicodeAttribute(null=True)
    locked_until = InstantAttribute(null=True)

    redeemed_at = InstantAttribute(null=True)
    redeemed_store_id = UnicodeAttribute(null=True)
    redeemed_by_role = UnicodeEnumAttribute(Role, null=True)
    redeemed_by_id = UnicodeAttribute(null=True)
    order_id = UnicodeAttribute(null=True)
    reference = UnicodeAttribute(null=True)
    returned_at = InstantAttribute(null=True)
    ended_at = InstantAttribute(null=True)
    reason = UnicodeAttribute(null=True)
    gift_id = UnicodeAttribute(null=True)
    version = VersionAttribute()

    @property
    def member_id(self) -> str:
        """The member, from the key."""
        return str(self.id)

    @property
    def days(self) -> Days:
        """The days on which it holds."""
        return Days(self.valid_from, self.valid_until)

    def become(self, state: CouponState) -> None:
        """Stand otherwise; ValueError where nothing may do that to a coupon that stands so."""
        if state is not self.state and state not in TRANSITIONS[self.state]:
            raise ValueError(f"{self.state} does not become {state}")
        self.state = state

    def unlock(self) -> None:
        """Be held for nothing any more."""
        self.lock_kind = self.lock_key = self.locked_until = None

    def unredeem(self) -> None:
        """Be used by nothing any more."""
        self.redeemed_at = self.redeemed_store_id = self.order_id = self.reference = None
        self.redeemed_by_role = self.redeemed_by_id = None


class IssueFailure:
    """A member to whom a job could not issue a coupon, and why."""

    __slots__ = ("code", "member_id", "message")

    def __init__(self, member_id: str, code: str, message: str) -> None:
        self.member_id = member_id
        self.code = ErrorCode(code)
        self.message = message


class IssueJob(CouponsItem):
    """Coupons of a template for many members, issued in steps; `place` is how far it got."""

    id_prefix = "cpj"

    template_id = UnicodeAttribute()
    state = UnicodeEnumAttribute(IssueState, default=IssueState.WAITING)
    members = UnicodeEnumAttribute(IssueTo)
    store_id = UnicodeAttribute(null=True)
    guide_id = UnicodeAttribute(null=True)
    tag_id = UnicodeAttribute(null=True)

    by_role = UnicodeEnumAttribute(Role)
    by_id = UnicodeAttribute()
    unit_id = UnicodeAttribute(null=True)
    scopes = JsonAttribute(default=list)
    day = DayAttribute()

    place = UnicodeAttribute(null=True)
    total = NumberAttribute(null=True)
    done = NumberAttribute(default=0)
    failed = NumberAttribute(default=0)
    failure_document = JsonAttribute(attr_name="failures", default=list)
    problem = UnicodeAttribute(null=True)
    created_at = InstantAttribute()
    started_at = InstantAttribute(null=True)
    finished_at = InstantAttribute(null=True)
    version = VersionAttribute()

    @property
    def failures(self) -> list[IssueFailure]:
        """The first hundred members that failed."""
        return [IssueFailure(*row) for row in self.failure_document]


class IssueList(CouponsItem):
    """A stretch of the members that a job was given by id."""

    member_ids = JsonAttribute()


class TemplateCount(CouponsItem):
    """A part of the number of coupons of a template in each state; the parts add up."""

    issued = NumberAttribute(default=0)
    locked = NumberAttribute(default=0)
    redeemed = NumberAttribute(default=0)
    expired = NumberAttribute(default=0)
    recycled = NumberAttribute(default=0)
    gifted = NumberAttribute(default=0)


class Mark(CouponsItem):
    """A stream record was counted."""


def _whole(number: Any) -> int | None:
    return None if number is None else int(number)


def shard_of(id_: str) -> str:
    """Which of the 16 shards an id is in; the same for ever."""
    return SHARDS[zlib.crc32(id_.encode()) % len(SHARDS)]


def listed_as(state: TemplateState, *, public: bool) -> str:
    """The list of the templates in a state that anybody may claim, or that others give out."""
    return f"templates#{state}#{'public' if public else 'private'}"


def stock_sort(part: int) -> str:
    """The range key of a part of a template's stock."""
    return f"stock#{part}"


def store_claims_sort(store_id: str) -> str:
    """The range key of what one store gave out of a template."""
    return f"store#{store_id}"


def count_sort(part: int) -> str:
    """The range key of a part of a template's counts."""
    return f"count#{part}"


def claims_sort(template_id: str) -> str:
    """The range key of what a member took of a template."""
    return f"{CLAIMS}{template_id}"


def code_id(code: str) -> str:
    """The key of the pointer of a coupon's code."""
    return f"code#{code}"


def claim_code_id(word: str) -> str:
    """The key of the word by which a template is claimed; words that differ in case are one."""
    return f"word#{word.casefold()}"


def jobs_of(principal_id: str) -> str:
    """The key under which the jobs of their maker stand."""
    return f"jobs#{principal_id}"


def list_sort(number: int) -> str:
    """The range key of a stretch of a job's members."""
    return f"list#{number:05d}"


def mark_id(event_id: str) -> str:
    """The key of the mark of a stream record."""
    return f"mark#{event_id}"


def coupon_sort(coupon_id: str, issued_at: datetime) -> str:
    """The range key of a member's coupon: by time, and unique."""
    return f"{COUPON}{_INSTANT.serialize(issued_at)}#{coupon_id}"


def coupon_of(sort: str) -> str | None:
    """The coupon behind a range key, None for keys of anything else."""
    return sort.rpartition("#")[2] if sort.startswith(COUPON) else None


def of_template(template_id: str, shard: str) -> str:
    """One of the 16 keys under which the coupons of a template stand."""
    return f"{template_id}#{shard}"


def held_as(member_id: str, state: CouponState) -> str:
    """The key of a member's coupons in a state."""
    return f"{member_id}#{state}"


def due_on(coupon: Coupon) -> date | None:
    """The last day before time may change a coupon; None where it never does."""
    if coupon.state is CouponState.LOCKED and coupon.locked_until is not None:
        return coupon.locked_until.date()
    return coupon.valid_until if coupon.state is CouponState.ISSUED else None
