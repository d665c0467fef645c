"""The two members of a merge, as its steps take them."""

from dataclasses import dataclass
from typing import Any

from graphql_api.kit.time import Clock
from graphql_api.members.models import Member
from graphql_api.merges.models import Merge
from graphql_api.viewer import Viewer


@dataclass(frozen=True, slots=True)
class Two:
    """Who stays and who becomes an alias, as they are now; a step changes both in place."""

    survivor: Member
    loser: Member
    job: Merge
    clock: Clock

    @property
    def by(self) -> Viewer:
        """Who asked for it."""
        return Viewer(self.job.by_role, self.job.by_id)


@dataclass(frozen=True, slots=True)
class Done:
    """What a step did in one transaction: how much it moved, and all that it takes to undo it.

    `saves` says whether both members are to be written.
    """

    count: int
    record: Any
    saves: bool = False
