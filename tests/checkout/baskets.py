"""Baskets and policies of these tests; what they are not about is left out."""

from datetime import UTC, date, datetime, time
from typing import Any

from hypothesis import strategies as st

from graphql_api.checkout.rules.basket import Basket, Line
from graphql_api.checkout.rules.coupons import Choice
from graphql_api.coupons.rules import (
    Candidate,
    CouponKind,
    Days,
    Terms,
    Validity,
    ValidityKind,
)
from graphql_api.policies import rules as policies
from graphql_api.policies.rules import PolicyKind, PricingPolicy

MEMBER_DAY = date(2018, 1, 18)
CATEGORIES = ("snacks", "drinks", "gifts")


def line(amount: int, category: str = "snacks", *, quantity: int = 1, item: str = "A") -> Line:
    """A line of so many fen for each piece."""
    return Line(item, category, amount, quantity)


def basket(*lines: Line | int, day: date = date(2018, 1, 10), **more: Any) -> Basket:
    """Lines that a member of V2 buys in a store of a region, at noon of an ordinary day."""
    given = {
        "day": day,
        "at": datetime.combine(day, time(4), UTC),
        "zone": "Asia/Shanghai",
        "channel": "STORE",
        "places": frozenset({"sto_1", "org_1"}),
        "tier": "V2",
        **more,
    }
    return Basket(tuple(one if isinstance(one, Line) else line(one) for one in lines), **given)


def policy(**document: Any) -> PricingPolicy:
    """The policy that ships, with some of its numbers changed."""
    read = policies.read(PolicyKind.PRICING, document)
    assert isinstance(read, PricingPolicy), read
    return read


def save(*steps: tuple[int, int], name: str = "满减", **more: Any) -> dict[str, Any]:
    """A spend-and-save with these steps."""
    return {"name": name, "steps": [{"fromFen": f, "off": off} for f, off in steps], **more}


ALWAYS = Days(date(2018, 1, 1), date(2018, 12, 31))
_VALIDITY = Validity(kind=ValidityKind.DELAYED, for_days=365)


def choice(id_: str, kind: CouponKind, **more: Any) -> Choice:
    """A coupon of the member that holds all year and goes with any other."""
    terms = Terms(kind=kind, validity=_VALIDITY, **{"stackable": True, **more})
    return Choice(id_, Candidate(id_, terms), ALWAYS)


def amount(id_: str, off: int, **more: Any) -> Choice:
    """So much off."""
    return choice(id_, CouponKind.AMOUNT, amount=off, **more)


def percent(id_: str, off: int, **more: Any) -> Choice:
    """So many percent off."""
    return choice(id_, CouponKind.PERCENT, percent=off, **more)


LINES = st.lists(
    st.builds(
        Line,
        st.sampled_from("ABCD"),
        st.sampled_from(CATEGORIES),
        st.integers(0, 30_000),
        st.integers(0, 5),
    ),
    min_size=1,
    max_size=12,
)


MAYBE = st.none() | st.integers(1, 3_000)


@st.composite
def saves(draw: st.DrawFn) -> dict[str, Any]:
    """A spend-and-save that may reach a part of a basket."""
    first = draw(st.integers(1, 20_000))
    steps = [(first, draw(st.integers(1, first)))]
    if draw(st.booleans()):
        second = draw(st.integers(first + 1, 50_000))
        steps.append((second, draw(st.integers(steps[0][1] + 1, second))))
    more: dict[str, Any] = {"group": draw(st.sampled_from(["", "b"]))}
    if draw(st.booleans()):
        more["scope"] = {"categories": [draw(st.sampled_from(CATEGORIES))]}
    if len(steps) == 1:
        more["repeats"] = draw(st.booleans())
    return save(*steps, **more)


@st.composite
def pricings(draw: st.DrawFn) -> PricingPolicy:
    """Any policy with a few of everything."""
    found = draw(st.lists(saves(), max_size=3))
    kinds = list(policies.PriceStep)
    pairs = st.lists(st.sampled_from(kinds), min_size=2, max_size=2, unique=True)
    return policy(
        sequence=draw(st.permutations(list(policies.REDUCTIONS))),
        exclusive=draw(st.lists(pairs, max_size=3)),
        memberDay={"off": draw(st.integers(1, 3_000)), "least": draw(st.integers(0, 9_000))},
        spendAndSave=[one | {"name": f"{n}"} for n, one in enumerate(found)],
    )


@st.composite
def choices(draw: st.DrawFn, at_most: int = 6) -> tuple[Choice, ...]:
    """Coupons of all kinds, of which some exclude others."""
    found = []
    for n in range(draw(st.integers(0, at_most))):
        kind = draw(st.sampled_from(CouponKind))
        more: dict[str, Any] = {
            "stackable": draw(st.booleans()),
            "group": draw(st.sampled_from([None, None, "g"])),
            "threshold": draw(st.sampled_from([0, 5_000, 20_000])),
            "categories": draw(st.lists(st.sampled_from(CATEGORIES), max_size=1)),
        }
        off = draw(st.integers(1, 5_000))
        match kind:
            case CouponKind.AMOUNT | CouponKind.THRESHOLD:
                more |= {"amount": off, "threshold": max(off, more["threshold"])}
            case CouponKind.PERCENT:
                more |= {"percent": draw(st.integers(1, 99)), "at_most": draw(MAYBE)}
            case CouponKind.GIFT | CouponKind.EXCHANGE:
                more |= {"item_id": draw(st.sampled_from("ABX"))}
            case CouponKind.FREE_SHIPPING:
                more |= {"at_most": draw(MAYBE)}
        found.append(choice(f"cpn_{n}", kind, **more))
    return tuple(found)
