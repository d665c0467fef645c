"""Benefits to test with: what tiers give, coupons to give, and what stands of gifts."""

import json
from collections.abc import Mapping
from typing import Any

from graphql_api.benefits import repository
from graphql_api.benefits.models import BenefitsItem, Gift
from graphql_api.coupons.models import CouponsItem, Template
from graphql_api.members.models import Effect, Member, MembersItem
from graphql_api.members.rules import EffectKind
from graphql_api.points.models import PointsItem
from graphql_api.policies.rules import PolicyKind
from graphql_api.standing import repository as standing
from tests.policies.factories import make_draft, publish

TIERS = ("V1", "V2", "V3", "V4", "V5", "V6")


def put_in_force(gifts: Mapping[str, Mapping[str, Any]], *, days_before: int = 1) -> None:
    """Gifts by name of a tier, as `{"V2": {"upgradeGift": {"points": 5}}}`; the rest is nothing.

    Birthdays are near for two days, for each is asked for in sixteen shards.
    """
    tiers = [{"tier": tier, **gifts.get(tier, {})} for tier in TIERS]
    document = {"tiers": tiers, "birthdayDaysBefore": days_before}
    publish(make_draft(PolicyKind.BENEFITS, document))
    standing.forget()


def of_every_tier(name: str, **terms: Any) -> dict[str, dict[str, Any]]:
    """The same gift for all tiers."""
    return {tier: {name: terms} for tier in TIERS}


def gifts_of(member: Member) -> list[tuple[str, str, str]]:
    """Occasion, level and state of every gift that a member had, under all ids."""
    page = repository.gifts_of_lives(member.lives, first=100, after=None, reverse=False)
    return [(str(gift.kind), gift.level, str(gift.state)) for gift in page.items]


def gift_of(member: Member) -> Gift:
    """The only gift of a member."""
    page = repository.gifts_of_lives(member.lives, first=100, after=None, reverse=False)
    [gift] = page.items
    return gift


def effects_of(member: Member, kind: EffectKind) -> list[Effect]:
    """The effects of a kind, in the order of their levels."""
    return list(Effect.query(member.id, Effect.sort.startswith(f"effect#{kind}#")))


def given_of(template: Template) -> int:
    """How many coupons of a template stand in storage."""
    held = CouponsItem.scan(CouponsItem.sort.startswith("coupon#"))
    return len([one for one in held if one.of_template.startswith(template.id)])


def everything() -> list[str]:
    """Every item of members, gifts, points and coupons, as text."""
    tables = (MembersItem, BenefitsItem, PointsItem, CouponsItem)
    return sorted(json.dumps(i.serialize(), sort_keys=True) for t in tables for i in t.scan())
