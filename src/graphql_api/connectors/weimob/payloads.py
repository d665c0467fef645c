"""What Weimob's messages hold, each field in the type that it has here."""

from contextlib import suppress
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from graphql_api.connectors.told import Id, Told, Unreadable, read
from graphql_api.connectors.weimob.fields import Instant, milliseconds
from graphql_api.connectors.weimob.messages import Message

_GRANTED, _CONSUMED, _GIVEN_BACK, _RECALLED = 0, 1, 3, 4
_OPEN_PLATFORM = "107"
_OWN_CHANNELS = ("ONECRM_SPI-", "weimob-open-api")


def _ids(told: object) -> object:
    return [str(each) for each in told] if isinstance(told, list) else told


Ids = Annotated[list[str], BeforeValidator(_ids)]


class OrderChange(Told):
    """An order is new or changed: amounts have to be asked for."""

    order_no: Id = Field(alias="orderNo")
    payment_status: int | None = Field(default=None, alias="paymentStatus")
    order_status: int | None = Field(default=None, alias="orderStatus")


class RightsChange(Told):
    """Something about a return or refund 售后: its order has to be asked for."""

    rights_id: Id = Field(alias="rightsId")
    order_no: Id = Field(alias="orderNo")
    status: int | None = None


class CustomersCreated(Told):
    """Members (1), customers (2) or fans (3) came."""

    wids: Ids = Field(alias="widList")
    membership_type: int | None = Field(default=None, alias="membershipType")


class CustomerChange(Told):
    """A customer changed, in what has to be asked for."""

    wid: Id


class MemberCard(Told):
    """Somebody became a member by a card."""

    wid: Id
    vid: Id | None = None
    channel: str | None = Field(default=None, alias="saasChannel")


class PointsChange(Told):
    """Points moved; `total` is what there is after it."""

    wid: Id
    moved: int = Field(alias="changPoint")
    total: int = Field(alias="totalPoint")
    kind: int | None = Field(default=None, alias="transType")
    business: Id | None = Field(default=None, alias="bizType")
    unique_id: Id = Field(alias="bizUniqueId")
    changed_at: Instant = Field(default=None, alias="changeTime")

    @property
    def change(self) -> int:
        """With its sign, which the kind of the movement gives."""
        return -abs(self.moved) if self.kind in (_CONSUMED, _RECALLED) else abs(self.moved)

    @property
    def is_own(self) -> bool:
        """Whether it came through the open platform: an echo of what was written from here."""
        return self.business == _OPEN_PLATFORM

    @property
    def sequence(self) -> tuple[str, int | None]:
        """Of which customer, and how late."""
        return self.wid, milliseconds(self.changed_at) if self.changed_at else None


class CouponReceived(Told):
    """A customer got a coupon."""

    wid: Id
    code: str
    template: Id = Field(alias="couponTemplateId")
    channel: str | None = Field(default=None, alias="saasChannel")


class CouponConsumed(Told):
    """A customer used one."""

    wid: Id
    code: str
    template: Id | None = Field(default=None, alias="couponTemplateId")
    order_no: Id | None = Field(default=None, alias="orderNo")
    used_at: Instant = Field(default=None, alias="useTime")


class RelationChange(Told):
    """A customer came to another guide, or to none."""

    wid: Id = Field(alias="customWid")
    before: Id | None = Field(default=None, alias="beforeGuiderWid")
    after: Id | None = Field(default=None, alias="afterGuiderWid")
    kind: Id | None = Field(default=None, alias="eventType")
    at: Instant = Field(default=None, alias="time")


class TagChange(Told):
    """A customer got a tag, another value of it, or lost it."""

    wid: Id
    tag_id: Id = Field(alias="tagId")
    value_id: Id | None = Field(default=None, alias="attId")
    version: int | None = Field(default=None, alias="tagVersion")
    event: str = ""

    @property
    def key(self) -> str:
        """How the tag is linked: by its id and that of its value, where it has one."""
        return f"{self.tag_id}:{self.value_id}" if self.value_id else self.tag_id


class MergeBegun(Told):
    """These customers are about to be one."""

    wids: Ids = Field(alias="widList")


class Merged(Told):
    """They are, and this is who."""

    wid: Id


class PhoneRebound(Told):
    """A customer has another phone."""

    wid: Id
    phone: str | None = None


class AccountCancelled(Told):
    """A customer closed the account."""

    wid: Id


_BY_TYPE: dict[str, type[Told]] = {
    "weimob_crm.customer/create": CustomersCreated,
    "weimob_crm.customer/update": CustomerChange,
    "weimob_crm.customer/organizationUpdate": CustomerChange,
    "weimob_crm.membercard/create": MemberCard,
    "weimob_crm.point.change/pointChange": PointsChange,
    "weimob_crm.coupon/receiveCoupon": CouponReceived,
    "weimob_crm.coupon/consumeCoupon": CouponConsumed,
    "weimob_guide.guider.relationship/relationshipChange": RelationChange,
    "weimob_cdp.customer.tag/update": TagChange,
    "bos.user/beginMerge": MergeBegun,
    "bos.user/widMerge": Merged,
    "bos.user/phoneRebindEvent": PhoneRebound,
    "bos.user/accountCancellationEvent": AccountCancelled,
    "weimob_shop.order/create": OrderChange,
    "weimob_shop.order/statusUpdate": OrderChange,
    "weimob_shop.order/update": OrderChange,
    "weimob_shop.rights/create": RightsChange,
    "weimob_shop.rights/statusUpdate": RightsChange,
}
_BY_PREFIX: dict[str, type[Told]] = {
    "weimob_shop.order": OrderChange,
    "weimob_shop.rights": RightsChange,
    "MallOrder": OrderChange,
    "orderCreate": OrderChange,
    "orderStatusUpdate": OrderChange,
    "rightsCreate": RightsChange,
}


def content_of(message: Message) -> Told | None:
    """What a message holds, in its type; None for a type that is not understood.

    Older names of topics are known by how they begin: what begins so and names no order is another
    type. Raises Unreadable.
    """
    model = _BY_TYPE.get(message.type)
    if model is not None:
        return read(model, message.content)
    for prefix, of_prefix in _BY_PREFIX.items():
        if message.type.startswith(prefix):
            with suppress(Unreadable):
                return read(of_prefix, message.content)
    return None


def is_own_channel(channel: str | None) -> bool:
    """Whether something came through the open platform, by us or another system like us."""
    return channel is not None and channel.startswith(_OWN_CHANNELS)


def place_of(told: Any) -> tuple[str | None, int | None]:
    """Subject and version of a content: higher is newer, within a type and subject."""
    match told:
        case OrderChange() | RightsChange():
            return told.order_no, None
        case CustomersCreated() | MergeBegun():
            return (told.wids[0] if told.wids else None), None
        case PointsChange():
            return told.sequence
        case CouponReceived() | CouponConsumed():
            return told.code, None
        case RelationChange():
            return told.wid, milliseconds(told.at) if told.at else None
        case TagChange():
            return f"{told.wid}:{told.key}", told.version
        case _:
            return getattr(told, "wid", None), None
