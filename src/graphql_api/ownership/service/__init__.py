"""What can be done about who looks after whom, one member at a time or many."""

from graphql_api.ownership.service.commands import (
    Assign,
    GuideMove,
    HandOverCreate,
    Release,
    TakeOver,
)
from graphql_api.ownership.service.hand_overs import (
    Moved,
    cancel_hand_over,
    hand_over,
    move_guide,
)
from graphql_api.ownership.service.owners import (
    Protected,
    absorb,
    assign,
    change_owner,
    expire,
    release,
    take_over,
    wait_for_others,
)

__all__ = [
    "Assign",
    "GuideMove",
    "HandOverCreate",
    "Moved",
    "Protected",
    "Release",
    "TakeOver",
    "absorb",
    "assign",
    "cancel_hand_over",
    "change_owner",
    "expire",
    "hand_over",
    "move_guide",
    "release",
    "take_over",
    "wait_for_others",
]
