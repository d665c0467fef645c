"""What Youzan's messages and answers hold, each field in the type that it has here."""

import hashlib
from typing import Annotated, Any

from pydantic import Field

from graphql_api.connectors.told import FenOfYuan, Id, InText, Names, Told, read
from graphql_api.connectors.youzan.fields import Instant
from graphql_api.connectors.youzan.messages import Message


class SalesGuide(Told):
    """Who sold."""

    order_sales_name: str | None = None
    order_sales_shop_no: str | None = None
    order_sales_staff: Names = Field(default_factory=list)


class ServiceGuide(Told):
    """Who looks after the buyer."""

    service_guide_name: str | None = None
    service_guide_shop_no: str | None = None
    service_guide_staff: Names = Field(default_factory=list)


class ShoppingGuide(Told):
    """Both, by the ids of the vendor's plug-in for guides 导购."""

    id: Id | None = None
    name: str | None = None
    channel: str | None = Field(default=None, alias="ch")
    store_kdt_id: Id | None = Field(default=None, alias="storeKdtId")
    service_id: Id | None = Field(default=None, alias="serviceSalesmanId")
    service_kdt_id: Id | None = Field(default=None, alias="serviceSalesmanKdtId")
    service_name: str | None = Field(default=None, alias="serviceSalesmanName")


class OrderExtra(Told):
    is_member: bool | None = None
    is_offline: bool = False
    is_points_order: bool = False
    cashier_id: Id | None = None
    sales_guide: Annotated[SalesGuide | None, InText] = None
    service_guide: Annotated[ServiceGuide | None, InText] = None
    daogou: Annotated[ShoppingGuide | None, InText] = None


class OrderInfo(Told):
    tid: Id
    status: str
    created: Instant | None = None
    pay_time: Instant | None = None
    update_time: Instant | None = None
    success_time: Instant | None = None
    refund_state: int = 0
    close_type: int = 0
    is_retail_order: bool = False
    offline_id: Id | None = None
    node_kdt_id: Id | None = None
    root_kdt_id: Id | None = None
    shop_name: str | None = None
    shop_display_no: str | None = None
    order_extra: Annotated[OrderExtra, InText] = Field(default_factory=OrderExtra)


class BuyerInfo(Told):
    """`outer_user_id` is an openid of an app that is not named; the phone is masked or sealed."""

    yz_open_id: str | None = None
    outer_user_id: str | None = None
    buyer_phone: str | None = None


class PayInfo(Told):
    """Fen; what is deducted is told in fen, all else in yuan."""

    payment: FenOfYuan
    real_payment: FenOfYuan | None = None
    total_fee: FenOfYuan | None = None
    post_fee: FenOfYuan | None = None
    deduction_pay: int = 0
    deduction_real_pay: int = 0


class TradeLine(Told):
    """One line; `payment` is its share of what is paid after everything off, in fen."""

    oid: Id
    item_id: Id | None = None
    outer_item_id: str | None = None
    outer_sku_id: str | None = None
    title: str = ""
    num: int = 1
    price: FenOfYuan | None = None
    total_fee: FenOfYuan | None = None
    payment: FenOfYuan
    is_present: bool = False
    item_sales_staff: Names = Field(default_factory=list)


class SourceInfo(Told):
    is_offline_order: bool = False


class FullOrderInfo(Told):
    order_info: OrderInfo
    buyer_info: BuyerInfo = Field(default_factory=BuyerInfo)
    pay_info: PayInfo
    orders: list[TradeLine] = Field(default_factory=list)
    source_info: SourceInfo = Field(default_factory=SourceInfo)


class Promotion(Told):
    """Something off; `coupon_id` where a coupon brought it."""

    promotion_type: str | None = None
    coupon_id: Id | None = None
    discount_fee: FenOfYuan | None = None


class OrderPromotion(Told):
    order: list[Promotion] = Field(default_factory=list)


class RefundOfTrade(Told):
    """A refund as its trade tells it; fen."""

    refund_id: Id
    refund_state: int
    refund_fee: FenOfYuan


class Trade(Told):
    """The answer of `youzan.trade.get`, which messages of paid trades hold too."""

    full_order_info: FullOrderInfo
    order_promotion: OrderPromotion = Field(default_factory=OrderPromotion)
    refund_order: list[RefundOfTrade] = Field(default_factory=list)


class RefundItem(Told):
    """What was refunded of a line; told in fen."""

    oid: Id
    refund_fee: int


class Refund(Told):
    """The answer of `youzan.trade.refund.get`; fen, told in yuan here and in fen by line."""

    refund_id: Id
    tid: Id
    refund_fee: FenOfYuan
    created: Instant | None = None
    modified: Instant | None = None
    refund_order_item: list[RefundItem] = Field(default_factory=list)


class TradeChange(Told):
    """A trade or a refund of it changed: which one, for what it is now is asked for."""

    tid: Id


class CustomerEvent(Told):
    """A customer came, changed, or closed the account (`is_log_off`)."""

    account_id: Id | None = None
    account_type: str | None = None
    yz_open_id: str | None = None
    mobile: str | None = None
    name: str | None = None
    gender: int | None = None
    birthday: str | None = None
    is_member: bool | None = None
    src: int | None = None
    is_log_off: bool = False
    external_request_id: str | None = None


class CustomerCard(Told):
    card_no: Id
    card_alias: str | None = None
    yz_open_id: str | None = None
    mobile: str | None = None
    event_time: Instant | None = None


class PointsChange(Told):
    """Points of a customer changed; `total` is what there is after it."""

    amount: int
    total: int
    unique_id: Id
    yz_open_id: str | None = None
    mobile: str | None = None
    event_type: str | None = None
    description: str | None = None
    biz_value: Id | None = None
    create_time: Instant | None = None
    client_hash: str | None = None

    def is_own(self, client_id: str) -> bool:
        """Whether the app with this id made the change, so that it is an echo."""
        echo = hashlib.md5(client_id.encode()).hexdigest()  # noqa: S324 - the vendor's algorithm
        return self.client_hash is not None and self.client_hash.lower() == echo


class CouponChange(Told):
    """A coupon of a customer was taken, used, or came back; `id` is the coupon, not its kind."""

    id: Id
    status: str
    mobile: str | None = None
    verify_code: str | None = None
    order_no: Id | None = None
    event_time: Instant | None = None


class MergeInfo(Told):
    kdt_id: Id | None = None
    from_yz_open_id: str
    to_yz_open_id: str


class CustomerMerge(Told):
    """Two customers are one from now on."""

    merge_info: MergeInfo
    merge_time: Instant | None = None


class MobileChange(Told):
    """A customer gave a phone, or another one."""

    yz_open_id: str
    mobile: str | None = None
    node_kdt_id: Id | None = None
    root_kdt_id: Id | None = None
    is_auth_root: bool = False


_BY_TYPE: dict[str, type[Told]] = {
    "COUPON_CUSTOMER_PROMOTION": CouponChange,
    "OPEN_PUSH_SCRM_CUSTOMER_AUTH_MOBILE": MobileChange,
    "OPEN_PUSH_SCRM_MEMBER_MERGE": CustomerMerge,
    "OPEN_PUSH_SCRM_MEMBER_MOBILE_CHANGE": MobileChange,
    "POINTS": PointsChange,
    "SCRM_CUSTOMER_CARD": CustomerCard,
    "SCRM_CUSTOMER_EVENT": CustomerEvent,
    "TRADE_ORDER_STATE": TradeChange,
}
_OF_TRADES = ("trade_", "youzan_trade_Refund")


def content_of(message: Message) -> Told | None:
    """What a message holds, in its type; None for a type that is not understood.

    Raises Unreadable.
    """
    model = _BY_TYPE.get(message.type)
    if model is None and message.type.startswith(_OF_TRADES):
        model = TradeChange
    if model is TradeChange:
        return read(TradeChange, _which_trade(message.content))
    return None if model is None else read(model, message.content)


def _which_trade(content: dict[str, Any]) -> object:
    """What names the trade: the content, or a part of it where it holds the whole trade."""
    whole = content.get("full_order_info")
    return whole.get("order_info") if isinstance(whole, dict) else content
