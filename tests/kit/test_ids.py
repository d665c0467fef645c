"""Opaque ids."""

import time

from hypothesis import given
from hypothesis import strategies as st

from graphql_api.kit import ids

LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"
prefixes = st.text("abcdefghijklmnopqrstuvwxyz", min_size=3, max_size=3)


@given(prefixes)
def test_new_id_is_its_prefix_and_26_letters(prefix: str) -> None:
    text = ids.new_id(prefix)
    assert (len(text), text[:4]) == (30, f"{prefix}_")
    assert set(text[4:]) <= set(LETTERS)
    assert ids.prefix_of(text) == prefix


def test_new_ids_differ_and_sort_by_time() -> None:
    earlier = {ids.new_id("mbr") for _ in range(100)}
    time.sleep(0.002)
    later = {ids.new_id("mbr") for _ in range(100)}
    assert len(earlier | later) == 200
    assert max(earlier) < min(later)


@given(prefixes, st.lists(st.text()))
def test_derived_id_is_the_same_for_the_same_parts(prefix: str, parts: list[str]) -> None:
    text = ids.derived_id(prefix, *parts)
    assert text == ids.derived_id(prefix, *parts)
    assert ids.prefix_of(text) == prefix


def test_derived_id_stays_what_it_was() -> None:
    assert ids.derived_id("org", "headquarters") == "org_2r598p9rgabfgfjeyd2z6xr52x"


def test_parts_of_a_derived_id_do_not_run_together() -> None:
    assert ids.derived_id("ord", "pos", "12") != ids.derived_id("ord", "pos1", "2")


@given(st.text())
def test_other_text_is_no_id(text: str) -> None:
    assert ids.prefix_of(text) is None


def test_id_with_anything_around_or_inside_is_no_id() -> None:
    good = ids.new_id("sto")
    spoilt = [f" {good}", f"{good}\n", good.upper(), good[:-1], f"{good}0", f"{good[:-1]}u"]
    assert [ids.prefix_of(text) for text in spoilt] == [None] * 6


@given(prefixes, st.integers(1, 2**40 - 2))
def test_numbered_id_is_its_number_behind_zeros(prefix: str, number: int) -> None:
    text = ids.numbered_id(prefix, number)
    assert ids.prefix_of(text) == prefix
    assert text < ids.numbered_id(prefix, number + 1)
    assert len(text[4:].lstrip("0")) <= 8
