"""Whom `make audit` looks at, and what it finds."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

from graphql_api.kit.time import Clock
from graphql_api.members.models import Member
from graphql_api.orders.models import Order
from graphql_api.standing.rules import Policies


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that is stored otherwise than what it follows from; never personal data."""

    what: str
    where: str
    stored: Any
    derived: Any

    @property
    def shown(self) -> dict[str, Any]:
        """As it is told."""
        return {name.name: getattr(self, name.name) for name in fields(self)}


@dataclass(frozen=True, slots=True)
class Subject:
    """A member as they are now, with their orders; no policies where standings are in motion."""

    member: Member
    orders: Sequence[Order]
    clock: Clock
    policies: Policies | None


Check = Callable[[Subject], Iterator[Difference]]
