"""Scenes, and where codes lead."""

import re

from hypothesis import given
from hypothesis import strategies as st

from graphql_api.codes import rules
from graphql_api.codes.rules import Placing
from graphql_api.codes.service import new_scene

# What WeChat takes in a scene (32 characters), and WeCom in a State (30).
ALLOWED = re.compile(r"[0-9A-Za-z!#$&'()*+,/:;=?@\-._~]{1,30}")


def test_scene_is_taken_by_both_platforms_and_hard_to_guess() -> None:
    scenes = {new_scene() for _ in range(500)}
    assert len(scenes) == 500
    assert all(ALLOWED.fullmatch(scene) and rules.scene_in(scene) == scene for scene in scenes)
    assert len(rules.ALPHABET) ** rules.SCENE_LENGTH == 2**50


@given(st.text(alphabet=rules.ALPHABET, min_size=10, max_size=10))
def test_scene_is_read_however_the_client_hands_it_over(scene: str) -> None:
    for text in (scene, f" {scene}\n", f"scene={scene}", f"scene%3D{scene}", scene.upper()):
        assert rules.scene_in(text) == scene


@given(st.text(max_size=40))
def test_anything_else_is_no_scene(text: str) -> None:
    found = rules.scene_in(text)
    assert found is None or found in text.lower()


def test_code_of_a_guide_follows_them_and_then_its_store() -> None:
    moved = Placing("gde_1", "sto_2", is_at_work=True)
    away = Placing("gde_1", "sto_2", is_at_work=False)
    led = rules.way("cde_1", "sto_1", "cmp_1", moved, store_is_open=True)
    assert (led.store_id, led.guide_id, led.campaign_id) == ("sto_2", "gde_1", "cmp_1")
    assert rules.led_to("sto_1", moved) == "sto_2"
    led = rules.way("cde_1", "sto_1", None, away, store_is_open=True)
    assert (led.store_id, led.guide_id) == ("sto_1", None)
    assert rules.led_to("sto_1", away) == "sto_1"
    led = rules.way("cde_1", "sto_1", None, moved, store_is_open=False)
    assert (led.store_id, led.guide_id) == (None, None)
