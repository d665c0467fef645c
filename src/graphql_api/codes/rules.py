"""Rules of codes: what a scene is, where it leads, and who sees it."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol, TypeVar

from graphql_api.viewer import Role, Viewer

SCENE_LENGTH = 10
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""What a scene is made of: no letter that is taken for a digit; allowed by WeChat and WeCom."""
PICTURE_LASTS = timedelta(days=6)
"""The bucket forgets files after a week."""
_SCENE = re.compile(rf"[{ALPHABET}]{{{SCENE_LENGTH}}}")


class Came(StrEnum):
    """How somebody came through a code."""

    ENROLLED = "ENROLLED"
    RETURNED = "RETURNED"
    FRIENDED = "FRIENDED"


class Placed(Protocol):
    """What belongs to a store, and perhaps to a guide."""

    @property
    def store_id(self) -> str | None:
        """The store."""

    @property
    def guide_id(self) -> str | None:
        """The guide."""


Seen = TypeVar("Seen", bound=Placed)


@dataclass(frozen=True, slots=True)
class Way:
    """Where a scene leads at a moment: whose code it is, and the store and guide that take care."""

    code_id: str
    store_id: str | None
    guide_id: str | None
    campaign_id: str | None


@dataclass(frozen=True, slots=True)
class Placing:
    """Where a guide works, while they do."""

    guide_id: str
    store_id: str
    is_at_work: bool


def scene_in(text: str) -> str | None:
    """The scene in what a client hands over; None where there is none.

    Clients pass on what they got: percent-encoded at times, or as `scene=…`.
    """
    cleaned = text.strip().removeprefix("scene=").removeprefix("scene%3D").lower()
    return cleaned if _SCENE.fullmatch(cleaned) else None


def way(
    code_id: str,
    store_id: str | None,
    campaign_id: str | None,
    guide: Placing | None,
    *,
    store_is_open: bool,
) -> Way:
    """Where a code leads: to its guide in the store where they work now, else to its own store.

    `store_is_open` is of the store where the code leads to. A guide who left, or does not take
    members for now, leaves the store; a store that was archived leaves nothing.
    """
    is_cared_for = guide is not None and guide.is_at_work
    led_to = guide.store_id if guide is not None and is_cared_for else store_id
    return Way(
        code_id,
        led_to if store_is_open else None,
        guide.guide_id if guide is not None and is_cared_for and store_is_open else None,
        campaign_id,
    )


def led_to(store_id: str | None, guide: Placing | None) -> str | None:
    """The store where a code leads to, if it is open."""
    return guide.store_id if guide is not None and guide.is_at_work else store_id


def picture_holds(drawn_at: datetime | None, at: datetime) -> bool:
    """Whether the picture of a code is still there."""
    return drawn_at is not None and at < drawn_at + PICTURE_LASTS


def may_make(viewer: Viewer, store_id: str | None, guide_id: str | None) -> bool:
    """Whether the viewer makes codes for such a target: a guide their own, a manager their store's.

    Codes of no store are made for the whole chain.
    """
    if viewer.role is Role.GUIDE:
        return guide_id == viewer.id and viewer.reaches_store(store_id)
    if store_id is None:
        return viewer.store_ids is None
    return viewer.reaches_store(store_id)


def visible(viewer: Viewer, code: Seen) -> Seen | None:
    """The row rule: who reaches the store; a guide sees their own and those that name no guide."""
    if viewer.role is Role.GUIDE and code.guide_id not in {None, viewer.id}:
        return None
    if viewer.role is Role.MEMBER:
        return None
    is_near = code.store_id is None or viewer.reaches_store(code.store_id)
    return code if is_near else None
