"""What can be done at a checkout: quote a basket, keep what pays for it, let it go."""

from graphql_api.checkout.service.commands import (
    MAX_LINES,
    Checkout,
    CheckoutLine,
    CheckoutRelease,
    CheckoutReserve,
)
from graphql_api.checkout.service.quoting import MAX_HELD, quote
from graphql_api.checkout.service.reserving import QuoteChanged, Reserved, kept, release, reserve

__all__ = [
    "MAX_HELD",
    "MAX_LINES",
    "Checkout",
    "CheckoutLine",
    "CheckoutRelease",
    "CheckoutReserve",
    "QuoteChanged",
    "Reserved",
    "kept",
    "quote",
    "release",
    "reserve",
]
