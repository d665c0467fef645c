"""Who may select a field: metadata on the field, read once per document, never by a resolver."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import strawberry
from graphql import GraphQLField

from graphql_api.kit.graphql.costs import priced
from graphql_api.kit.graphql.enums import describe_enum
from graphql_api.viewer import SEE_PERSONAL_DATA, Role, Viewer

describe_enum(
    Role,
    description="The kinds of viewer. 角色",
    values={
        "ANONYMOUS": "Nobody in particular. 匿名",
        "MEMBER": "A member. 会员",
        "GUIDE": "A sales associate of a store. 导购",
        "STORE_MANAGER": "The manager of a store. 店长",
        "OPERATOR": "Headquarters, or a region of it. 总部运营",
        "INTEGRATION": "Another system, by a key with scopes. 系统集成",
        "SYSTEM": "The product itself. 系统",
    },
)


class Verdict(StrEnum):
    """What a rule says to a viewer."""

    ALLOW = "allow"
    MASK = "mask"
    DENY = "deny"


@dataclass(frozen=True, slots=True)
class Rule:
    """Roles that may select a field, roles that see it masked, and the scope that a key needs.

    A role in `masked` sees the value in full when its token holds the scope for personal data.
    `scoped` names the roles that need the scope: keys, unless it says otherwise.
    """

    allowed: frozenset[Role]
    masked: frozenset[Role] = frozenset()
    scope: str | None = None
    scoped: frozenset[Role] = frozenset({Role.INTEGRATION})

    def verdict(self, viewer: Viewer) -> Verdict:
        """Allow, mask or deny; a role in `scoped` also needs the scope of the rule."""
        if viewer.role in self.scoped and self.scope and not viewer.holds(self.scope):
            return Verdict.DENY
        if viewer.role in self.allowed:
            return Verdict.ALLOW
        if viewer.role not in self.masked:
            return Verdict.DENY
        return Verdict.ALLOW if viewer.holds(SEE_PERSONAL_DATA) else Verdict.MASK


INHERITED = Rule(frozenset(Role))
"""The rule of fields that whoever reaches their parent may see."""


def field(
    *,
    rule: Rule,
    description: str,
    resolver: Callable[..., Any] | None = None,
    cost: int | None = None,
    size: int | None = None,
    **options: Any,
) -> Any:
    """A Strawberry field that carries its rule; without a resolver it is a plain attribute read.

    `cost` is what an object of it costs where that is not 1, `size` the assumed length of a list.
    """
    made: Any = strawberry.field
    return made(
        resolver=resolver,
        description=description,
        metadata={"rule": rule},
        directives=priced(cost, size),
        **options,
    )


def rule_of(definition: GraphQLField) -> Rule | None:
    """The rule on a field of the executable schema; None for introspection fields."""
    stored = definition.extensions.get("strawberry-definition")
    rule = stored.metadata.get("rule") if stored is not None else None
    assert rule is None or isinstance(rule, Rule)
    return rule
