"""Rules of a person's rights over their data: who may ask, and how far a job is."""

from collections.abc import Collection
from datetime import timedelta
from enum import StrEnum

from graphql_api.viewer import SEE_PERSONAL_DATA, Role, Viewer

FILE_KEPT = timedelta(days=3)
LINK_HOLDS = timedelta(minutes=15)


class JobState(StrEnum):
    """How far an export or an erasure is."""

    WAITING = "WAITING"
    IN_PROGRESS = "IN_PROGRESS"
    DONE = "DONE"


def may_ask(viewer: Viewer, member_ids: Collection[str]) -> bool:
    """Whether a viewer may export or erase a person: themselves, and headquarters that see names.

    The ids are those that the person has had.
    """
    match viewer.role:
        case Role.MEMBER:
            return viewer.id in member_ids
        case Role.OPERATOR:
            return viewer.store_ids is None and viewer.holds(SEE_PERSONAL_DATA)
        case Role.SYSTEM:
            return True
        case _:
            return False
