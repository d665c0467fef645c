"""Rules of guides: what may become of one, and who may see one."""

from enum import StrEnum
from typing import Protocol, TypeVar

from graphql_api.policies.rules import GuideLevelsPolicy
from graphql_api.viewer import Viewer


class GuideStatus(StrEnum):
    """Whether a guide works (在职, 停用, 离职)."""

    ACTIVE = "ACTIVE"
    STOPPED = "STOPPED"
    LEFT = "LEFT"


class GuideBand(StrEnum):
    """What the levels of guides are grouped into (入门, 成长, 专业)."""

    ENTRY = "ENTRY"
    GROWTH = "GROWTH"
    PROFESSIONAL = "PROFESSIONAL"


def band_of(level: int, policy: GuideLevelsPolicy) -> GuideBand:
    """The band of a level."""
    if level < policy.growth_from:
        return GuideBand.ENTRY
    return GuideBand.GROWTH if level < policy.professional_from else GuideBand.PROFESSIONAL


class InStore(Protocol):
    """What belongs to one store."""

    store_id: str


Seen = TypeVar("Seen", bound=InStore)


def may_become(old: GuideStatus, new: GuideStatus) -> bool:
    """Whether the change is allowed; who left does not come back, and is hired anew instead."""
    return old is not GuideStatus.LEFT or new is GuideStatus.LEFT


class Employed(InStore, Protocol):
    """What belongs to one store, and may have left it."""

    status: GuideStatus


SeenAtWork = TypeVar("SeenAtWork", bound=Employed)


def visible_unless_left(viewer: Viewer, guide: SeenAtWork) -> SeenAtWork | None:
    """The same for where a guide stands for their work: nobody sees one who has left."""
    return None if guide.status is GuideStatus.LEFT else visible(viewer, guide)


def visible(viewer: Viewer, guide: Seen) -> Seen | None:
    """The row rule: staff see the guides of the stores they reach, members and keys see all."""
    return guide if viewer.reaches_store(guide.store_id) else None
