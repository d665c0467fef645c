"""Rules of checkouts: what a basket costs, and where a reservation stands."""

from graphql_api.checkout.rules.basket import Basket, Line
from graphql_api.checkout.rules.coupons import Choice
from graphql_api.checkout.rules.payment import PointsTerms
from graphql_api.checkout.rules.pricing import Terms, quote
from graphql_api.checkout.rules.reductions import MemberTerms
from graphql_api.checkout.rules.reservations import ReservationState, state_of
from graphql_api.checkout.rules.results import PricedLine, Quote, Reason, Step, StepKind

__all__ = [
    "Basket",
    "Choice",
    "Line",
    "MemberTerms",
    "PointsTerms",
    "PricedLine",
    "Quote",
    "Reason",
    "ReservationState",
    "Step",
    "StepKind",
    "Terms",
    "quote",
    "state_of",
]
