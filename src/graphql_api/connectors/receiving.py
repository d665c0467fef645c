"""Receiving: a body is believed, kept as it arrived, queued and acknowledged, and nothing more."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from graphql_api.connectors import models, queueing, repository
from graphql_api.connectors.adapters import Arrival, Refusal, receiver_of
from graphql_api.connectors.known import known_shops
from graphql_api.connectors.models import Message, Shop
from graphql_api.connectors.rules import MessageState, Vendor
from graphql_api.observability import count, logger

MAX_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What the vendor is answered."""

    status: int
    body: dict[str, Any]


def receive(vendor: Vendor, headers: Mapping[str, str], raw: bytes, *, at: datetime) -> Answer:
    """Take a body in; what is acknowledged is kept, or is of no shop of ours.

    The same message again is acknowledged and kept once; it is queued again only if nobody was at
    it yet, for the first time may have died between keeping and queueing. Header names are in lower
    case.
    """
    receiver = receiver_of(vendor)
    try:
        if len(raw) > MAX_BYTES:
            raise receiver.refusal(413, f"more than {MAX_BYTES} bytes")
        arrival = receiver.arrive(headers, raw)
    except Refusal as refusal:
        count("VENDOR_MESSAGE_REFUSED")
        logger.warning("message refused", vendor=vendor.value, status=refusal.status)
        return Answer(refusal.status, refusal.body)
    _take_in(vendor, arrival, raw, at)
    return Answer(200, dict(receiver.ACKNOWLEDGEMENT))


def _take_in(vendor: Vendor, arrival: Arrival, raw: bytes, at: datetime) -> None:
    shop = known_shops.find(vendor, arrival.shop_keys, arrival.client_id)
    if shop is None:
        count("VENDOR_SHOP_UNKNOWN")
        logger.warning("message of an unknown shop", vendor=vendor.value, type=arrival.type)
        return
    if arrival.is_test:
        return
    message = _message(shop, arrival, raw, at)
    known = repository.receive(message)
    count("VENDOR_MESSAGE_AGAIN" if known else "VENDOR_MESSAGE")
    is_untouched = known is None or (known.state is MessageState.WAITING and not known.turn)
    if is_untouched:  # of a paused shop too: whether it still is, who follows it knows
        queueing.follow_soon([known or message], arrival.delay)


def _message(shop: Shop, arrival: Arrival, raw: bytes, at: datetime) -> Message:
    message = Message(
        models.message_id(shop.id, arrival.identity),
        shop_id=shop.id,
        vendor=shop.vendor,
        type=arrival.type,
        subject=arrival.subject,
        vendor_version=arrival.version,
        event_type=arrival.event_type,
        received_at=at,
        begun_at=at,
    )
    message.raw = raw
    message.move(MessageState.WAITING)
    return message
