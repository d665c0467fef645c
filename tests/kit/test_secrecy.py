"""Keyed hashes, encryption and signatures over key rings that rotate."""

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from graphql_api.kit import secrecy

OLD = {"2025": SecretStr("11" * 32)}
NEW = {"2026": SecretStr("22" * 32), **OLD}


def test_hash_is_taken_under_every_key_newest_first() -> None:
    new, old = secrecy.keyed_hashes(NEW, "+8613800138000")
    assert [old] == secrecy.keyed_hashes(OLD, "+8613800138000")
    assert (new[:5], old[:5]) == ("2026.", "2025.")
    assert old == "2025.900d46101fc13fb1e05df2ddf8a49ea2abbfd9cd3c20398ee73bb1b1dec6611c"


def test_hashes_of_two_texts_differ() -> None:
    assert secrecy.keyed_hashes(OLD, "a") != secrecy.keyed_hashes(OLD, "b")


@given(st.text())
def test_sealed_text_opens_again(text: str) -> None:
    sealed = secrecy.encrypt(NEW, text)
    assert sealed.startswith("2026.")
    assert secrecy.decrypt(NEW, sealed) == text


def test_text_is_sealed_differently_each_time() -> None:
    assert secrecy.encrypt(NEW, "x") != secrecy.encrypt(NEW, "x")


def test_text_sealed_before_a_rotation_opens_after_it() -> None:
    assert secrecy.decrypt(NEW, secrecy.encrypt(OLD, "13800138000")) == "13800138000"


def test_text_whose_key_has_left_the_ring_stays_sealed() -> None:
    sealed = secrecy.encrypt(NEW, "x")
    with pytest.raises(KeyError):
        secrecy.decrypt(OLD, sealed)


def test_damaged_text_stays_sealed() -> None:
    sealed = secrecy.encrypt(OLD, "13800138000")
    damaged = sealed[:-5] + ("A" if sealed[-5] != "A" else "B") + sealed[-4:]
    with pytest.raises(InvalidTag):
        secrecy.decrypt(OLD, damaged)


def test_key_id_is_part_of_what_is_sealed() -> None:
    twin = {"2025": OLD["2025"], "2024": OLD["2025"]}
    renamed = secrecy.encrypt(OLD, "x").replace("2025.", "2024.")
    with pytest.raises(InvalidTag):
        secrecy.decrypt(twin, renamed)


def test_signature_is_sixteen_bytes_of_the_named_key() -> None:
    assert len(secrecy.signature(NEW, "2025", b"x")) == 16
    assert secrecy.signature(NEW, "2025", b"x") == secrecy.signature(OLD, "2025", b"x")
    assert secrecy.signature(NEW, "2025", b"x") != secrecy.signature(NEW, "2026", b"x")
