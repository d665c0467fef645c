"""Policy documents: what ships, what they refuse and where, who sees them."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphql_api.policies import rules
from graphql_api.policies.rules import DOCUMENTS, PolicyDocument, PolicyKind, PolicyState
from graphql_api.viewer import ANONYMOUS, SYSTEM, Role, Viewer

SHIPPED: dict[str, dict[str, Any]] = {
    "TIER_LADDER": {
        "metric": "GROWTH",
        "windowMonths": 6,
        "tiers": [
            {"name": "V1", "threshold": 0},
            {"name": "V2", "threshold": 200},
            {"name": "V3", "threshold": 600},
            {"name": "V4", "threshold": 1500},
            {"name": "V5", "threshold": 3000},
            {"name": "V6", "threshold": 6000},
        ],
        "validityMonths": 6,
        "downgrade": "TO_SUPPORTED",
        "graceDays": 0,
        "graceToMonthEnd": False,
        "lowWaterPercent": None,
        "refundAcross": "REOPEN",
        "noticeDays": 0,
    },
    "LIFECYCLE": {
        "onboardingMonths": 3,
        "awakeningMonths": 6,
        "winBackMonths": 9,
        "dormantMonths": 12,
    },
    "RELATIONSHIP_PHASE": {"windowMonths": 12, "stableOrders": 12, "startingMonths": 12},
    "RFM": {
        "windowMonths": 12,
        "recencyMethod": "FIXED",
        "recency": [
            {"score": 5, "maxDays": 30},
            {"score": 4, "maxDays": 60},
            {"score": 3, "maxDays": 90},
            {"score": 2, "maxDays": 180},
            {"score": 1, "maxDays": None},
        ],
        "frequencyMethod": "FIXED",
        "frequency": [
            {"score": 5, "minOrders": 16},
            {"score": 4, "minOrders": 8},
            {"score": 3, "minOrders": 4},
            {"score": 2, "minOrders": 2},
            {"score": 1, "minOrders": 0},
        ],
        "monetaryMethod": "FIXED",
        "monetary": [
            {"score": 5, "minFen": 300_000},
            {"score": 4, "minFen": 150_000},
            {"score": 3, "minFen": 60_000},
            {"score": 2, "minFen": 20_000},
            {"score": 1, "minFen": 0},
        ],
        "highFrom": 3,
        "averages": None,
        "measuredOn": None,
    },
    "GROWTH": {"fenPerPoint": 100},
    "TAG_RULES": {"rules": []},
    "GUIDE_LEVELS": {"growthFrom": 4, "professionalFrom": 9, "highest": 12},
    "PARTNER_LEVELS": {"levels": [{"name": "1", "growth": 0, "benefits": []}]},
    "ATTRIBUTION": {
        "windowDays": 14,
        "credit": "LAST_TOUCH",
        "parts": ["INVITED", "JOINED", "CONVERTED"],
    },
    "COMMISSION": {
        "levels": [
            {"fromLevel": 1, "basisPoints": 100},
            {"fromLevel": 4, "basisPoints": 150},
            {"fromLevel": 9, "basisPoints": 200},
        ],
        "categories": [],
        "items": [],
        "hotItems": [],
        "sellingPercent": 70,
        "exclusivePercent": 30,
        "alonePercent": 100,
        "newMemberFen": 500,
        "settleDays": 15,
    },
    "POINTS": {
        "fenPerPoint": 100,
        "multipliers": [
            {"tier": "V1", "percent": 100},
            {"tier": "V2", "percent": 100},
            {"tier": "V3", "percent": 110},
            {"tier": "V4", "percent": 120},
            {"tier": "V5", "percent": 130},
            {"tier": "V6", "percent": 150},
        ],
        "excludedCategories": [],
        "excludedChannels": [],
        "holding": "DAYS",
        "holdDays": 7,
        "holdUntil": None,
        "expiry": "ROLLING",
        "expiryMonths": 12,
        "rounding": "MONTH_END",
        "expiryDay": "12-31",
        "expiryYears": 1,
        "clawBack": "UNLIMITED",
        "graceDays": 0,
        "mostPerOrder": None,
        "mostPerMonth": None,
        "programPerMonth": None,
        "noticeDays": 30,
        "pointsPerYuan": 100,
        "payablePercent": 50,
        "leastPayment": 100,
    },
    "PRICING": {
        "sequence": ["MEMBER_PRICE", "SPEND_AND_SAVE", "MEMBER_DAY", "COUPONS"],
        "exclusive": [],
        "memberDay": {
            "days": [18],
            "off": 500,
            "least": 0,
            "scope": {"units": [], "categories": [], "channels": [], "tiers": []},
        },
        "spendAndSave": [],
        "holdMinutes": 30,
    },
}
"""The numbers of domain §3 to §5 and §8."""


def problems(kind: str, document: dict[str, Any]) -> list[tuple[str, str]]:
    """Path and message of everything that is wrong."""
    read = rules.read(PolicyKind(kind), document)
    assert isinstance(read, list)
    return [(".".join(one.path), one.message) for one in read]


def paths(kind: str, document: dict[str, Any]) -> list[str]:
    return [path for path, _ in problems(kind, document)]


def tiers(*thresholds: Any) -> dict[str, Any]:
    """A ladder with these thresholds."""
    return {"tiers": [{"name": f"T{n}", "threshold": t} for n, t in enumerate(thresholds)]}


def bands(name: str, key: str, limits: list[Any], scores: Any = (5, 4, 3, 2, 1)) -> dict[str, Any]:
    """RFM bands with these scores and limits."""
    return {name: [{"score": s, key: limit} for s, limit in zip(scores, limits, strict=True)]}


def saves(steps: list[tuple[int, int]], **more: Any) -> dict[str, Any]:
    """A spend-and-save with these steps."""
    shown = [{"fromFen": at, "off": off} for at, off in steps]
    return {"spendAndSave": [{"name": "A", "steps": shown, **more}]}


ORDERS = {"fact": "ORDERS", "op": "AT_LEAST", "number": 3, "months": 6}
AGE = {"fact": "AGE", "op": "AT_LEAST", "number": 18}


def rules_of(*conditions: dict[str, Any], same_tag: bool = True) -> dict[str, Any]:
    """Rules with these conditions; all give the same tag unless told otherwise."""
    return {
        "rules": [
            {"name": f"R{n}", "tag": f"tag_{0 if same_tag else n:026d}", "when": when}
            for n, when in enumerate(conditions)
        ]
    }


def nested(depth: int) -> dict[str, Any]:
    """A comparison below so many groups."""
    return {"none": [nested(depth - 1)]} if depth else AGE


def test_every_kind_has_a_document() -> None:
    assert set(DOCUMENTS) == set(PolicyKind)


@pytest.mark.parametrize("kind", SHIPPED)
def test_product_ships_with_the_numbers_of_the_domain(kind: str) -> None:
    assert DOCUMENTS[PolicyKind(kind)]().document() == SHIPPED[kind]


@pytest.mark.parametrize("kind", PolicyKind)
def test_what_is_left_out_is_as_shipped_and_what_is_shown_can_be_read(kind: PolicyKind) -> None:
    shipped = DOCUMENTS[kind]()
    assert rules.read(kind, {}) == rules.read(kind, shipped.document()) == shipped


@pytest.mark.parametrize(
    ("kind", "document", "wrong"),
    [
        ("GUIDE_LEVELS", {"growthFrom": 9}, ["professionalFrom"]),
        ("GUIDE_LEVELS", {"highest": 8}, ["highest"]),
        ("PARTNER_LEVELS", {"levels": []}, ["levels"]),
        ("POINTS", {"holding": "DATE"}, ["holdUntil"]),
        ("POINTS", {"expiryDay": "13-01"}, ["expiryDay"]),
        ("POINTS", {"multipliers": [{"tier": "V1", "percent": 100}] * 2}, ["multipliers"]),
        ("PARTNER_LEVELS", {"levels": [{"name": "1", "growth": 1}]}, ["levels"]),
        ("PARTNER_LEVELS", {"levels": [{"name": "1", "growth": 0}] * 2}, ["levels"]),
        (
            "PARTNER_LEVELS",
            {"levels": [{"name": "1", "growth": 0, "benefits": [""]}]},
            ["levels.0.benefits.0"],
        ),
        ("PRICING", {"sequence": ["COUPONS", "MEMBER_DAY"]}, ["sequence"]),
        ("PRICING", {"sequence": ["COUPONS"] * 4}, ["sequence"]),
        ("PRICING", {"exclusive": [["COUPONS", "COUPONS"]]}, ["exclusive"]),
        ("PRICING", {"exclusive": [["COUPONS"]]}, ["exclusive.0.1"]),
        ("PRICING", {"memberDay": {"days": [32], "off": 0}}, ["memberDay.days.0", "memberDay.off"]),
        ("PRICING", {"memberDay": {"scope": {"units": ["mbr_1"]}}}, ["memberDay.scope.units.0"]),
        ("PRICING", {"memberDay": {"scope": {"channels": ["X"]}}}, ["memberDay.scope.channels.0"]),
        ("PRICING", saves([(100, 101)]), ["spendAndSave.0.steps"]),
        ("PRICING", saves([(200, 20), (100, 30)]), ["spendAndSave.0.steps"]),
        ("PRICING", saves([(100, 20), (200, 20)]), ["spendAndSave.0.steps"]),
        ("PRICING", saves([]), ["spendAndSave.0.steps"]),
        ("PRICING", saves([(100, 20), (200, 30)], repeats=True), ["spendAndSave.0"]),
        (
            "PRICING",
            saves([(100, 20)], firstDay="2018-01-02", lastDay="2018-01-01"),
            ["spendAndSave.0"],
        ),
        ("PRICING", {"spendAndSave": saves([(100, 20)])["spendAndSave"] * 2}, ["spendAndSave"]),
        ("PRICING", {"holdMinutes": 0}, ["holdMinutes"]),
        ("TIER_LADDER", tiers(), ["tiers"]),
        ("TIER_LADDER", tiers(1, 2), ["tiers"]),
        ("TIER_LADDER", tiers(0, 200, 200), ["tiers"]),
        ("TIER_LADDER", tiers(0, 600, 200), ["tiers"]),
        ("TIER_LADDER", tiers(0, "200"), ["tiers.1.threshold"]),
        ("TIER_LADDER", tiers(0, 2.0), ["tiers.1.threshold"]),
        ("TIER_LADDER", tiers(-1, None), ["tiers.0.threshold", "tiers.1.threshold"]),
        ("TIER_LADDER", tiers(*range(21)), ["tiers"]),
        ("TIER_LADDER", {"tiers": [{"name": "A", "threshold": 0}] * 2}, ["tiers"]),
        ("TIER_LADDER", {"tiers": [{"name": " ", "threshold": 0}]}, ["tiers.0.name"]),
        ("TIER_LADDER", {"windowMonths": 37}, ["windowMonths"]),
        (
            "TIER_LADDER",
            {"windowMonths": 0, "validityMonths": 0},
            ["windowMonths", "validityMonths"],
        ),
        ("TIER_LADDER", {"metric": "POINTS"}, ["metric"]),
        ("TIER_LADDER", {"lowWaterPercent": 100}, ["lowWaterPercent"]),
        ("TIER_LADDER", {"window_months": 6}, ["windowMonths"]),
        ("TIER_LADDER", {"graceDays": True}, ["graceDays"]),
        ("LIFECYCLE", {"onboardingMonths": 6}, ["awakeningMonths"]),
        ("LIFECYCLE", {"dormantMonths": 9}, ["dormantMonths"]),
        ("LIFECYCLE", {"dormantMonths": 37}, ["dormantMonths"]),
        ("RELATIONSHIP_PHASE", {"windowMonths": 37, "x": 1}, ["windowMonths", "x"]),
        ("RELATIONSHIP_PHASE", {"stableOrders": 0}, ["stableOrders"]),
        ("RFM", {"windowMonths": 48}, ["windowMonths"]),
        ("RFM", {"highFrom": 1}, ["highFrom"]),
        ("RFM", {"recency": []}, ["recency"]),
        ("RFM", bands("recency", "maxDays", [30, 60, 90, 180, 365]), ["recency"]),
        ("RFM", bands("recency", "maxDays", [30, None, 90, 180, None]), ["recency"]),
        ("RFM", bands("recency", "maxDays", [30, 30, 90, 180, None]), ["recency"]),
        ("RFM", bands("recency", "maxDays", [1, 2, 3, None], (5, 4, 3, 1)), ["recency"]),
        ("RFM", bands("frequency", "minOrders", [16, 8, 4, 2, 1]), ["frequency"]),
        ("RFM", bands("frequency", "minOrders", [2, 4, 8, 16, 0]), ["frequency"]),
        ("RFM", bands("frequency", "minOrders", [0, 2, 4, 8, 16], (1, 2, 3, 4, 5)), ["frequency"]),
        ("RFM", bands("monetary", "minFen", [9, 9, 3, 2, 0]), ["monetary"]),
        ("RFM", {"monetary": [{"score": 5}]}, ["monetary.0.minFen"]),
        ("GROWTH", {"fenPerPoint": 0}, ["fenPerPoint"]),
        ("GROWTH", {"fenPerPoint": None}, ["fenPerPoint"]),
        ("OWNERSHIP", {"protectionDays": -1}, ["protectionDays"]),
        ("ATTRIBUTION", {"windowDays": -1, "credit": "FIRST"}, ["windowDays", "credit"]),
        ("ATTRIBUTION", {"parts": []}, ["parts"]),
        ("ATTRIBUTION", {"parts": ["JOINED", "JOINED"]}, ["parts"]),
        ("ATTRIBUTION", {"parts": ["EXCLUDED", "JOINED"]}, ["parts.0"]),
        ("COMMISSION", {"levels": []}, ["levels"]),
        ("COMMISSION", {"levels": [{"fromLevel": 2, "basisPoints": 1}]}, ["levels"]),
        (
            "COMMISSION",
            {"levels": [{"fromLevel": n, "basisPoints": n * 9_000} for n in (1, 2)]},
            ["levels.1.basisPoints"],
        ),
        ("COMMISSION", {"categories": [{"category": "茶", "basisPoints": 1}] * 2}, ["categories"]),
        (
            "COMMISSION",
            {"items": [{"itemId": "a b", "fen": -1}]},
            ["items.0.itemId", "items.0.fen"],
        ),
        ("COMMISSION", {"hotItems": [{"itemId": "a", "fen": 1}] * 2}, ["hotItems"]),
        ("COMMISSION", {"sellingPercent": 71}, [""]),
        ("COMMISSION", {"settleDays": 366}, ["settleDays"]),
        (
            "TIER_LADDER",
            {"refundAcross": "FORGET", "noticeDays": 91},
            ["refundAcross", "noticeDays"],
        ),
        ("TIER_LADDER", {"graceToMonthEnd": 1}, ["graceToMonthEnd"]),
        ("RFM", {"frequencyMethod": "MEASURED"}, ["frequencyMethod"]),
        ("RFM", bands("recency", "maxDays", [-1, 60, 90, 180, None]), ["recency"]),
        (
            "RFM",
            {"recencyMethod": "QUANTILE"} | bands("recency", "maxDays", [9, 9, 3, 180, None]),
            ["recency"],
        ),
        ("RFM", {"averages": {"orderFen": -1}}, ["averages.ordersPercent", "averages.orderFen"]),
        ("TAG_RULES", rules_of(ORDERS, ORDERS), ["rules"]),
        ("TAG_RULES", {"rules": [{"name": "A", "tag": "tag_1", "when": ORDERS}]}, ["rules.0.tag"]),
        ("TAG_RULES", rules_of({}), ["rules.0.when"]),
        ("TAG_RULES", rules_of({"all": []}), ["rules.0.when"]),
        ("TAG_RULES", rules_of({"all": [ORDERS], "none": [ORDERS]}), ["rules.0.when"]),
        ("TAG_RULES", rules_of({"all": [ORDERS], "op": "IS"}), ["rules.0.when"]),
        ("TAG_RULES", rules_of({"any": [ORDERS, {"fact": "X"}]}), ["rules.0.when.any.1.fact"]),
        ("TAG_RULES", rules_of({"fact": "CITY"}), ["rules.0.when"]),
        ("TAG_RULES", rules_of({"fact": "CITY", "op": "IS"}), ["rules.0.when"]),
        ("TAG_RULES", rules_of({"fact": "CITY", "op": "AT_LEAST", "number": 1}), ["rules.0.when"]),
        ("TAG_RULES", rules_of({"fact": "AGE", "op": "IS", "values": ["9"]}), ["rules.0.when"]),
        ("TAG_RULES", rules_of({"fact": "AGE", "op": "AT_LEAST"}), ["rules.0.when"]),
        ("TAG_RULES", rules_of(AGE | {"months": 3}), ["rules.0.when"]),
        ("TAG_RULES", rules_of({"fact": "AGE", "op": "KNOWN", "number": 3}), ["rules.0.when"]),
        ("TAG_RULES", rules_of(nested(5)), ["rules.0.when"]),
        ("BENEFITS", {"tiers": [{"tier": "V1"}, {"tier": "V1"}]}, ["tiers"]),
        ("BENEFITS", {"tiers": [{"tier": "V1", "upgradeGift": {}}]}, ["tiers.0.upgradeGift"]),
        (
            "BENEFITS",
            {"tiers": [{"tier": "V1", "joiningGift": {"coupons": ["cpn_1"]}}]},
            ["tiers.0.joiningGift.coupons.0"],
        ),
        (
            "BENEFITS",
            {"tiers": [{"discountPercent": 91}]},
            ["tiers.0.tier", "tiers.0.discountPercent"],
        ),
        ("BENEFITS", {"birthdayDaysBefore": 32}, ["birthdayDaysBefore"]),
        (
            "TAG_RULES",
            rules_of(*({"all": [AGE] * 50} for _ in range(5)), same_tag=False),
            ["rules"],
        ),
    ],
)
def test_what_is_wrong_is_named_by_its_path(
    kind: str, document: dict[str, Any], wrong: list[str]
) -> None:
    assert sorted(paths(kind, document)) == sorted(wrong)


def test_problems_are_told_in_words_without_the_values() -> None:
    assert problems("TIER_LADDER", tiers(0, 5, 3)) == [("tiers", "the thresholds rise")]
    assert problems("GROWTH", {"fenPerPoint": "secret"}) == [
        ("fenPerPoint", "Input should be a valid integer")
    ]


def test_document_beyond_twenty_thousand_bytes_is_not_read() -> None:
    assert problems("GROWTH", {"x": "y" * 20_000}) == [("", "a policy takes at most 20,000 bytes")]


def test_document_nested_beyond_reason_is_refused() -> None:
    deep: dict[str, Any] = {}
    for _ in range(2_000):
        deep = {"x": deep}
    assert paths("GROWTH", deep) == [""]


def test_tag_rules_are_shown_as_they_were_written() -> None:
    given = rules_of({"all": [nested(3), {"fact": "CITY", "op": "IS", "values": ["上海"]}]})
    read = rules.read(PolicyKind.TAG_RULES, given)
    assert isinstance(read, rules.TagRulesPolicy)
    assert rules.read(PolicyKind.TAG_RULES, read.document()) == read
    assert read.document()["rules"][0]["when"]["all"][1]["values"] == ["上海"]


def test_measured_limits_may_be_alike_and_leave_a_score_to_nobody() -> None:
    measured = {
        "recencyMethod": "QUANTILE",
        "frequencyMethod": "QUANTILE",
        "measuredOn": "2018-01-01",
        **bands("recency", "maxDays", [-1, 9, 9, 40, None]),
        **bands("frequency", "minOrders", [8, 8, 2, 0, 0]),
    }
    assert isinstance(rules.read(PolicyKind.RFM, measured), rules.RfmPolicy)
    assert paths("RFM", measured | {"frequencyMethod": "FIXED"}) == ["frequency"]


@given(st.lists(st.integers(0, 50), min_size=1, max_size=6))
def test_ladder_is_read_exactly_when_its_thresholds_rise_from_nothing(found: list[int]) -> None:
    read = rules.read(PolicyKind.TIER_LADDER, tiers(*found))
    rises = found[0] == 0 and all(low < high for low, high in pairwise(found))
    assert isinstance(read, PolicyDocument) is rises


@given(st.lists(st.integers(1, 36), min_size=4, max_size=4))
def test_lifecycle_is_read_exactly_when_each_state_ends_after_the_one_before(
    months: list[int],
) -> None:
    names = ("onboardingMonths", "awakeningMonths", "winBackMonths", "dormantMonths")
    read = rules.read(PolicyKind.LIFECYCLE, dict(zip(names, months, strict=True)))
    assert isinstance(read, PolicyDocument) is (months == sorted(set(months)))


def test_growth_is_a_point_for_every_whole_yuan() -> None:
    assert [rules.SHIPPED_GROWTH.growth_of(fen) for fen in (0, 99, 100, 19_999)] == [0, 0, 1, 199]


@pytest.mark.parametrize(
    ("viewer", "seen"),
    [
        (Viewer(Role.OPERATOR, id="opr_1"), "SHIPPED DRAFT PUBLISHED SUPERSEDED"),
        (SYSTEM, "SHIPPED DRAFT PUBLISHED SUPERSEDED"),
        (
            Viewer(Role.INTEGRATION, id="k", scopes=frozenset({"policies:manage"})),
            "SHIPPED DRAFT PUBLISHED SUPERSEDED",
        ),
        (Viewer(Role.INTEGRATION, id="k", scopes=frozenset({"members:read"})), ""),
        (
            Viewer(Role.OPERATOR, id="opr_2", unit_id="org_1", store_ids=frozenset()),
            "SHIPPED PUBLISHED SUPERSEDED",
        ),
        (
            Viewer(Role.GUIDE, id="gde_1", unit_id="sto_1", store_ids=frozenset({"sto_1"})),
            "SHIPPED PUBLISHED SUPERSEDED",
        ),
        (Viewer(Role.MEMBER, id="mbr_1"), ""),
        (ANONYMOUS, ""),
    ],
)
def test_drafts_are_seen_by_those_who_make_them(viewer: Viewer, seen: str) -> None:
    assert [state for state in PolicyState if rules.is_visible(viewer, state)] == seen.split()
