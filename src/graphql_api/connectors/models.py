"""What is stored of vendors: shops and what is linked, messages, what vendors have, and runs."""

import base64
import zlib
from datetime import datetime

from pynamodb.attributes import (
    BooleanAttribute,
    ListAttribute,
    NumberAttribute,
    TTLAttribute,
    UnicodeAttribute,
    VersionAttribute,
)
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb_attributes import UnicodeEnumAttribute

from graphql_api.connectors import rules
from graphql_api.connectors.rules import (
    CopyKind,
    CopyState,
    LinkKind,
    MessageState,
    Outcome,
    PointsMaster,
    Problem,
    RunState,
    Vendor,
)
from graphql_api.kit import ids
from graphql_api.kit.dynamo import InstantAttribute, Item, JsonAttribute, table_name

SOLE = "@"
ALL_SHOPS = "shops"
SETUP = "setup"
TOKEN = "token"  # noqa: S105 - a key
ASKED = {"asked": True}
"""What a copy tells while a question is out that must not be asked twice."""
_INSTANT = InstantAttribute()


class ListIndex(GlobalSecondaryIndex["ConnectorsItem"]):
    """Shops, messages of a shop's day, and runs of a shop, by time."""

    class Meta:
        index_name = "list"
        projection = KeysOnlyProjection()

    listed = UnicodeAttribute(hash_key=True)
    place = UnicodeAttribute(range_key=True)


class OpenIndex(GlobalSecondaryIndex["ConnectorsItem"]):
    """What of a shop is not done, a state to a key, by time."""

    class Meta:
        index_name = "open"
        projection = KeysOnlyProjection()

    open_in = UnicodeAttribute(hash_key=True)
    place = UnicodeAttribute(range_key=True)


class ConnectorsItem(Item):
    """The table of this slice; DynamoDB removes what has a `forget_at` some time after it."""

    class Meta:
        table_name = table_name("connectors")
        billing_mode = "PAY_PER_REQUEST"

    id = UnicodeAttribute(hash_key=True)
    sort = UnicodeAttribute(range_key=True, default=SOLE)
    listed = UnicodeAttribute(null=True)
    open_in = UnicodeAttribute(null=True)
    place = UnicodeAttribute(null=True)
    forget_at = TTLAttribute(null=True)

    by_list = ListIndex()
    by_open = OpenIndex()


class Shop(ConnectorsItem):
    """A shop of a vendor that is ours: Youzan's root shop, Weimob's bosId.

    `tells` names the copies that we keep right there; a paused shop is received and not followed.
    """

    id_prefix = "vsh"

    vendor = UnicodeEnumAttribute(Vendor)
    vendor_key = UnicodeAttribute()
    client_id = UnicodeAttribute()
    name = UnicodeAttribute()
    default_store_id = UnicodeAttribute(null=True)
    told_kinds: ListAttribute[str] = ListAttribute(attr_name="tells", default=list)
    paused = BooleanAttribute(default=False)
    created_at = InstantAttribute()
    created_by = UnicodeAttribute()
    version = VersionAttribute()

    @property
    def tells(self) -> frozenset[CopyKind]:
        """Which copies we keep right there."""
        return frozenset(CopyKind(name) for name in self.told_kinds)


class Link(ConnectorsItem):
    """A thing of a vendor's shop and its counterpart here, found by the vendor's key."""

    id_prefix = "vsh"

    kind = UnicodeEnumAttribute(LinkKind)
    vendor_key = UnicodeAttribute()
    our_id = UnicodeAttribute()
    created_at = InstantAttribute()


class BackLink(ConnectorsItem):
    """The same, found by our id; where several keys lead to one of ours, the last that was set."""

    id_prefix = "vsh"

    kind = UnicodeEnumAttribute(LinkKind)
    vendor_key = UnicodeAttribute()


class Message(ConnectorsItem):
    """What a vendor sent, as it arrived, and what became of it.

    `turn` rises with every attempt and replay: a queue's message of an older turn is late. `note`
    and `detail` are codes and keys, nothing of a person.
    """

    id_prefix = "vmg"

    shop_id = UnicodeAttribute()
    vendor = UnicodeEnumAttribute(Vendor)
    type = UnicodeAttribute()
    subject = UnicodeAttribute(null=True)
    vendor_version = NumberAttribute(null=True)
    event_type = UnicodeAttribute(null=True)
    packed = UnicodeAttribute()
    received_at = InstantAttribute()
    begun_at = InstantAttribute()
    state = UnicodeEnumAttribute(MessageState, default=MessageState.WAITING)
    outcome = UnicodeEnumAttribute(Outcome, null=True)
    note = UnicodeAttribute(null=True)
    problem = UnicodeEnumAttribute(Problem, null=True)
    detail = UnicodeAttribute(null=True)
    attempts = NumberAttribute(default=0)
    turn = NumberAttribute(default=0)
    next_at = InstantAttribute(null=True)
    handled_at = InstantAttribute(null=True)

    @property
    def raw(self) -> bytes:
        """The body as it arrived."""
        return zlib.decompress(base64.b64decode(self.packed))

    @raw.setter
    def raw(self, body: bytes) -> None:
        self.packed = base64.b64encode(zlib.compress(body)).decode()

    def move(self, state: MessageState) -> None:
        """Take a state on, and leave or enter the lists of what is open."""
        self.state = state
        self.listed = day_key(self.shop_id, self.received_at)
        self.open_in = (
            None if state is MessageState.HANDLED else open_key(self.shop_id, "message", state)
        )
        self.place = place_of(self.received_at, self.id)
        self.forget_at = self.received_at + rules.KEPT


class Position(ConnectorsItem):
    """How far the messages of one type about one thing were applied, and who is at it."""

    id_prefix = "vps"

    applied = NumberAttribute(null=True)
    held_by = UnicodeAttribute(null=True)
    held_until = InstantAttribute(null=True)


class Token(ConnectorsItem):
    """A shop's access token, sealed; `asked_until` says that somebody is getting a new one."""

    id_prefix = "vsh"

    sealed = UnicodeAttribute(null=True)
    got_at = InstantAttribute(null=True)
    expires_at = InstantAttribute(null=True)
    asked_by = UnicodeAttribute(null=True)
    asked_until = InstantAttribute(null=True)


class Rate(ConnectorsItem):
    """How many calls of an API a shop was asked in one second."""

    id_prefix = "vrt"

    calls = NumberAttribute(default=0)


class Copy(ConnectorsItem):
    """What a vendor has of something of ours, as far as is known; `told` is of its kind.

    `turn` rises with every change of state: a queue's message of an older turn is late.
    """

    id_prefix = "vcp"

    shop_id = UnicodeAttribute()
    kind = UnicodeEnumAttribute(CopyKind)
    subject_id = UnicodeAttribute()
    told = JsonAttribute(null=True)
    state = UnicodeEnumAttribute(CopyState, default=CopyState.DUE)
    turn = NumberAttribute(default=0)
    attempts = NumberAttribute(default=0)
    begun_at = InstantAttribute()
    next_at = InstantAttribute(null=True)
    told_at = InstantAttribute(null=True)
    problem = UnicodeEnumAttribute(Problem, null=True)
    detail = UnicodeAttribute(null=True)

    def move(self, state: CopyState) -> None:
        """Take a state on, and leave or enter the lists of what is open."""
        self.state = state
        self.open_in = None if state is CopyState.TOLD else open_key(self.shop_id, "copy", state)
        self.place = place_of(self.begun_at, self.id)


class Run(ConnectorsItem):
    """A reconciliation of a shop's orders over a window, and what it found.

    `differences` are rows of external id and Difference, the first hundred.
    """

    id_prefix = "vrc"

    shop_id = UnicodeAttribute()
    since = InstantAttribute()
    until = InstantAttribute()
    state = UnicodeEnumAttribute(RunState, default=RunState.RUNNING)
    cursor = UnicodeAttribute(null=True)
    step = NumberAttribute(default=0)
    counts = JsonAttribute(default=dict)
    differences = JsonAttribute(default=list)
    problem = UnicodeEnumAttribute(Problem, null=True)
    started_at = InstantAttribute()
    moved_at = InstantAttribute()
    ended_at = InstantAttribute(null=True)
    version = VersionAttribute()


class Setup(ConnectorsItem):
    """What holds for all vendors of the chain."""

    points_master = UnicodeEnumAttribute(PointsMaster, default=PointsMaster.OURS)
    changed_at = InstantAttribute()
    version = VersionAttribute()


def shop_id(vendor: Vendor, vendor_key: str) -> str:
    """The id of a vendor's shop."""
    return ids.derived_id("vsh", vendor.value, vendor_key)


def message_id(of_shop: str, identity: str) -> str:
    """The id of a message: the same for every time that it is sent."""
    return ids.derived_id("vmg", of_shop, identity)


def position_id(of_shop: str, type_: str, subject: str) -> str:
    """The id of a position."""
    return ids.derived_id("vps", of_shop, type_, subject)


def rate_id(of_shop: str, api: str, at: datetime) -> str:
    """The id of the calls of an API in the second that `at` is in."""
    return ids.derived_id("vrt", of_shop, api, _INSTANT.serialize(at)[:19])


def copy_id(of_shop: str, kind: CopyKind, subject_id: str) -> str:
    """The id of a copy."""
    return ids.derived_id("vcp", of_shop, kind.value, subject_id)


def link_sort(kind: LinkKind, vendor_key: str) -> str:
    """Where the link of a vendor's thing is, under its shop."""
    return f"link#{kind.value}#{vendor_key}"


def back_sort(kind: LinkKind, our_id: str) -> str:
    """Where the link of something of ours is, under the shop."""
    return f"back#{kind.value}#{our_id}"


def runs_key(of_shop: str) -> str:
    """The key of a shop's runs."""
    return f"{of_shop}#runs"


def day_key(of_shop: str, instant: datetime) -> str:
    """The key of a shop's messages of a day, UTC."""
    return f"{of_shop}#{_INSTANT.serialize(instant)[:10]}"


def open_key(of_shop: str, what: str, state: MessageState | CopyState) -> str:
    """The key of a shop's messages or copies that are in an open state."""
    return f"{of_shop}#{what}#{state.value}"


def place_of(instant: datetime, id_: str) -> str:
    """By time, and unique."""
    return f"{_INSTANT.serialize(instant)}#{id_}"
