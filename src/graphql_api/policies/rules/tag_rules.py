"""Automatic tags: which rule gives which tag (domain: §6)."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, StringConstraints, ValidationInfo, field_validator, model_validator

from graphql_api.policies.rules.documents import MAX_MONTHS, Name, PolicyDocument

MAX_RULES = 50
MAX_DEPTH = 5
MAX_LEAVES = 200
MAX_VALUES = 50

Text = Annotated[str, StringConstraints(min_length=1, max_length=60)]
TagId = Annotated[str, StringConstraints(pattern=r"^tag_[0-9a-z]{26}$")]


class Fact(StrEnum):
    """What a condition may ask of a member (规则可用的事实)."""

    TIER = "TIER"
    LIFECYCLE = "LIFECYCLE"
    PHASE = "PHASE"
    RFM_CLASS = "RFM_CLASS"
    QUADRANT = "QUADRANT"
    TAG = "TAG"
    GENDER = "GENDER"
    CITY = "CITY"
    OCCUPATION = "OCCUPATION"
    INCOME_BAND = "INCOME_BAND"
    STORE = "STORE"
    CHANNEL = "CHANNEL"
    RECENCY = "RECENCY"
    FREQUENCY = "FREQUENCY"
    MONETARY = "MONETARY"
    ORDERS = "ORDERS"
    SPEND = "SPEND"
    GROWTH = "GROWTH"
    AVERAGE_ORDER = "AVERAGE_ORDER"
    REACTIVATIONS = "REACTIVATIONS"
    AGE = "AGE"
    DAYS_SINCE_PURCHASE = "DAYS_SINCE_PURCHASE"
    DAYS_SINCE_JOINING = "DAYS_SINCE_JOINING"
    DAYS_TO_BIRTHDAY = "DAYS_TO_BIRTHDAY"


CHOICES = frozenset(
    {
        Fact.TIER,
        Fact.LIFECYCLE,
        Fact.PHASE,
        Fact.RFM_CLASS,
        Fact.QUADRANT,
        Fact.TAG,
        Fact.GENDER,
        Fact.CITY,
        Fact.OCCUPATION,
        Fact.INCOME_BAND,
        Fact.STORE,
        Fact.CHANNEL,
    }
)
"""Facts that are one of several texts; the others are numbers."""

WINDOWED = frozenset({Fact.ORDERS, Fact.SPEND, Fact.GROWTH, Fact.AVERAGE_ORDER})
"""Facts over the current and the months before it, or over the whole relationship."""


class Operator(StrEnum):
    """How a condition compares: texts by the first two, numbers by the next three, all by KNOWN."""

    IS = "IS"
    IS_NOT = "IS_NOT"
    AT_LEAST = "AT_LEAST"
    AT_MOST = "AT_MOST"
    EQUALS = "EQUALS"
    KNOWN = "KNOWN"


_OF_TEXTS = frozenset({Operator.IS, Operator.IS_NOT})


class Condition(PolicyDocument):
    """All, any or none of several conditions, or one comparison of a fact.

    IS and IS_NOT take `values`, of which one is enough; AT_LEAST, AT_MOST and EQUALS take `number`
    (spend in fen). `months` is for facts over a window; without it they are over all time. TAG
    knows tags by hand and imported ones, so that no rule hangs on another.
    """

    all_of: "tuple[Condition, ...] | None" = Field(default=None, alias="all", max_length=50)
    any_of: "tuple[Condition, ...] | None" = Field(default=None, alias="any", max_length=50)
    none_of: "tuple[Condition, ...] | None" = Field(default=None, alias="none", max_length=50)
    fact: Fact | None = None
    op: Operator | None = None
    values: tuple[Text, ...] | None = Field(default=None, max_length=MAX_VALUES)
    number: int | None = Field(default=None, ge=0, le=10**12)
    months: int | None = Field(default=None, ge=1, le=MAX_MONTHS)

    @property
    def branches(self) -> "tuple[Condition, ...]":
        """The conditions below this one."""
        return self.all_of or self.any_of or self.none_of or ()

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        groups = [g for g in (self.all_of, self.any_of, self.none_of) if g is not None]
        if len(groups) + (self.fact is not None) != 1:
            raise ValueError("a condition is one of all, any, none and fact")
        if groups:
            self._require_nothing_else()
            if not groups[0]:
                raise ValueError("name a condition")
        else:
            self._require_a_comparison()
        return self

    def _require_nothing_else(self) -> None:
        given = (self.op, self.values, self.number, self.months)
        if any(one is not None for one in given):
            raise ValueError("op, values, number and months go with a fact")

    def _require_a_comparison(self) -> None:
        if self.op is None:
            raise ValueError("a fact needs an op")
        if self.months is not None and self.fact not in WINDOWED:
            raise ValueError("this fact has no months")
        texts = self.op in _OF_TEXTS
        if self.op is not Operator.KNOWN and texts is not (self.fact in CHOICES):
            raise ValueError("this op does not go with this fact")
        if bool(self.values) is not texts:
            raise ValueError("values go with IS and IS_NOT, and these with values")
        if (self.number is None) is (not texts and self.op is not Operator.KNOWN):
            raise ValueError("a number goes with AT_LEAST, AT_MOST and EQUALS, and these with one")


class TagRule(PolicyDocument):
    """A tag, and the members who have it (自动标签): given and taken away as this turns true."""

    name: Name
    tag: TagId
    when: Condition

    @field_validator("when")
    @classmethod
    def _is_not_too_deep(cls, when: Condition) -> Condition:
        if _depth(when) > MAX_DEPTH:
            raise ValueError(f"conditions nest at most {MAX_DEPTH} deep")
        return when


class TagRulesPolicy(PolicyDocument):
    """Rules that give tags; of tags whose group allows one, the first rule that holds wins."""

    rules: tuple[TagRule, ...] = Field(default=(), max_length=MAX_RULES)

    @field_validator("rules")
    @classmethod
    def _stand_once_and_fit(
        cls, rules: tuple[TagRule, ...], _info: ValidationInfo
    ) -> tuple[TagRule, ...]:
        if len({rule.tag for rule in rules}) < len(rules):
            raise ValueError("a tag has one rule")
        if len({rule.name for rule in rules}) < len(rules):
            raise ValueError("the names of rules are different")
        if sum(_leaves(rule.when) for rule in rules) > MAX_LEAVES:
            raise ValueError(f"all rules together make at most {MAX_LEAVES} comparisons")
        return rules


def _depth(condition: Condition) -> int:
    return 1 + max((_depth(one) for one in condition.branches), default=0)


def _leaves(condition: Condition) -> int:
    return sum(_leaves(one) for one in condition.branches) or 1
