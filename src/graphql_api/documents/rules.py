"""Documents and their manifests: names, hashes and limits; arithmetic on arguments."""

import hashlib
import re
from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from typing import TypeVar

from graphql_api.viewer import MANAGE_DOCUMENTS, Viewer

T = TypeVar("T")

HASH = re.compile(r"[0-9a-f]{64}")
MAX_TEXT = 50_000
"""Characters of a document in a manifest."""

MAX_REMEMBERED = 10_000
"""Characters of a document that is remembered because somebody sent it."""

REMEMBERED = timedelta(days=14)
REMEMBERED_A_DAY = 1_000
"""How many documents are remembered for one client on one day."""

AT_ONCE = 40


class ManifestState(StrEnum):
    """Where the manifest of a version stands."""

    PUBLISHING = "PUBLISHING"
    PUBLISHED = "PUBLISHED"
    RETIRING = "RETIRING"
    RETIRED = "RETIRED"


def hash_of(text: str) -> str:
    """What a document is called: SHA-256 of its UTF-8, in lower-case hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def manages(viewer: Viewer) -> bool:
    """Whether the viewer publishes and retires manifests, and sees them."""
    return viewer.holds(MANAGE_DOCUMENTS) and viewer.store_ids is None


def is_live(state: ManifestState) -> bool:
    """Whether some document of a manifest in this state may be answered to its version."""
    return state in {ManifestState.PUBLISHING, ManifestState.PUBLISHED}


def in_groups(things: Sequence[T]) -> list[Sequence[T]]:
    """As many at once as one transaction takes."""
    return [things[start : start + AT_ONCE] for start in range(0, len(things), AT_ONCE)]
