"""What Weimob answers about orders, returns and customers; yuan there, fen here.

The names are those of the vendor's own client (go-ability-sdk); none was seen in a shop yet.
"""

from pydantic import Field

from graphql_api.connectors.told import FenOfYuan, Id, Told
from graphql_api.connectors.weimob.fields import Instant


class Buyer(Told):
    wid: Id | None = None


class PayInfo(Told):
    paid: FenOfYuan = Field(default=0, alias="payAmount")


class Item(Told):
    """A line; `pay_info` is its share of what was paid."""

    item_id: Id = Field(alias="itemId")
    title: str = Field(default="", alias="goodsTitle")
    quantity: int = Field(default=1, alias="skuNum")
    pay_info: PayInfo = Field(default_factory=PayInfo, alias="payInfo")


class Merchant(Told):
    vid: Id | None = None


class OrderBase(Told):
    order_no: Id = Field(alias="orderNo")
    order_status: int | None = Field(default=None, alias="orderStatus")
    pay_status: int | None = Field(default=None, alias="payStatus")
    created_at: Instant = Field(default=None, alias="createTime")
    paid_at: Instant = Field(default=None, alias="payTime")
    updated_at: Instant = Field(default=None, alias="updateTime")
    finished_at: Instant = Field(default=None, alias="finishTime")


class BizExt(Told):
    sale_channel: int | None = Field(default=None, alias="saleChannelType")


class GuideInfo(Told):
    wid: Id | None = Field(default=None, alias="guiderWid")
    private_wid: Id | None = Field(default=None, alias="privateGuiderWid")


class OrderInfo(Told):
    base: OrderBase = Field(alias="orderBaseInfo")
    buyer: Buyer = Field(default_factory=Buyer, alias="buyerInfo")
    items: list[Item] = Field(default_factory=list)
    merchant: Merchant = Field(default_factory=Merchant, alias="merchantInfo")
    ext: BizExt = Field(default_factory=BizExt, alias="orderBizExt")
    pay_info: PayInfo = Field(default_factory=PayInfo, alias="payInfo")
    guide: GuideInfo = Field(default_factory=GuideInfo, alias="guideInfo")


class RightsRef(Told):
    """A return or refund of an order."""

    rights_id: Id = Field(alias="rightsId")
    status: int | None = Field(default=None, alias="rightsStatus")


class OrderDetail(Told):
    """The answer of `order/detail/get`, and one of `order/list/search`."""

    info: OrderInfo = Field(alias="orderInfo")
    rights: list[RightsRef] = Field(default_factory=list, alias="rightsInfos")


class RefundDetail(Told):
    refunded: FenOfYuan = Field(default=0, alias="refundAmount")


class RightsItem(Told):
    order_item_id: Id | None = Field(default=None, alias="orderItemId")
    refund: RefundDetail = Field(default_factory=RefundDetail, alias="refundDetail")


class RightsOrder(Told):
    rights_id: Id = Field(alias="rightsId")
    status: int | None = Field(default=None, alias="rightsStatus")
    created_at: Instant = Field(default=None, alias="createTime")
    updated_at: Instant = Field(default=None, alias="updateTime")


class OriginOrder(Told):
    order_no: Id | None = Field(default=None, alias="orderNo")


class Rights(Told):
    """What `rights/detail/get` knows of a return or refund."""

    order: RightsOrder = Field(alias="rightsOrder")
    origin: OriginOrder = Field(default_factory=OriginOrder, alias="originOrder")
    items: list[RightsItem] = Field(default_factory=list, alias="rightsItems")
    refund: RefundDetail = Field(default_factory=RefundDetail, alias="refundDetail")


class Customer(Told):
    """What `customer/getList` knows of a customer."""

    wid: Id
    name: str | None = None
    nickname: str | None = None
    phone: str | None = None
    birthday: Instant = None
    gender: int | None = None
    belong_vid: Id | None = Field(default=None, alias="belongVid")
    became_member_at: Instant = Field(default=None, alias="becomeMemberTime")
    has_card: bool = Field(default=False, alias="hasValidMemberCard")
