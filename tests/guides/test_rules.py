"""Rules of guides."""

from dataclasses import dataclass

import pytest

from graphql_api.guides import rules
from graphql_api.guides.rules import GuideStatus
from graphql_api.policies.rules import GuideLevelsPolicy
from graphql_api.viewer import SYSTEM, Role, Viewer

ACTIVE, STOPPED, LEFT = GuideStatus


@dataclass
class InStore:
    store_id: str


@pytest.mark.parametrize(
    ("old", "allowed"),
    [(ACTIVE, {ACTIVE, STOPPED, LEFT}), (STOPPED, {ACTIVE, STOPPED, LEFT}), (LEFT, {LEFT})],
)
def test_leaving_is_final(old: GuideStatus, allowed: set[GuideStatus]) -> None:
    assert {new for new in GuideStatus if rules.may_become(old, new)} == allowed


@pytest.mark.parametrize(
    ("viewer", "seen"),
    [
        (Viewer(Role.STORE_MANAGER, store_ids=frozenset({"here"})), True),
        (Viewer(Role.STORE_MANAGER, store_ids=frozenset({"there"})), False),
        (Viewer(Role.GUIDE, store_ids=frozenset({"there"})), False),
        (Viewer(Role.OPERATOR, store_ids=frozenset({"here", "there"})), True),
        (Viewer(Role.OPERATOR, store_ids=frozenset()), False),
        (Viewer(Role.OPERATOR), True),
        (Viewer(Role.INTEGRATION), True),
        (Viewer(Role.MEMBER), True),
        (SYSTEM, True),
    ],
)
def test_guides_are_seen_in_the_stores_that_a_viewer_reaches(viewer: Viewer, seen: bool) -> None:
    guide = InStore("here")
    assert rules.visible(viewer, guide) is (guide if seen else None)


def test_levels_fall_into_three_bands() -> None:
    bands = [rules.band_of(level, GuideLevelsPolicy()) for level in (1, 3, 4, 8, 9, 12)]
    assert bands == ["ENTRY", "ENTRY", "GROWTH", "GROWTH", "PROFESSIONAL", "PROFESSIONAL"]
