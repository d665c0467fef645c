"""Signatures of Youzan: over bytes, by header, and by nothing else."""

import orjson
from hypothesis import given
from hypothesis import strategies as st

from graphql_api.connectors.youzan.signatures import event_sign, verify
from tests.connectors.youzan.samples import CLIENT_ID, PAID, PAID_SIGN, SECRET


def verified(sign: str | None, raw: bytes = PAID, secret: str = SECRET) -> bool:
    return verify(sign, client_id=CLIENT_ID, raw=raw, secret=secret)


def test_signature_is_over_client_id_bytes_and_secret() -> None:
    assert event_sign(CLIENT_ID, PAID, SECRET) == PAID_SIGN
    assert verified(PAID_SIGN)


def test_case_of_the_hex_digits_says_nothing() -> None:
    assert verified(PAID_SIGN.upper())


@given(st.integers(0, len(PAID) - 1), st.integers(1, 255))
def test_any_byte_that_was_changed_is_noticed(place: int, change: int) -> None:
    raw = bytearray(PAID)
    raw[place] ^= change
    assert not verified(PAID_SIGN, bytes(raw))


@given(st.text())
def test_any_other_signature_is_refused(sign: str) -> None:
    assert not verified(sign)


def test_message_without_a_signature_is_refused() -> None:
    assert not verified(None)
    assert not verified("")


def test_signature_within_the_body_is_not_looked_at() -> None:
    raw = orjson.dumps(orjson.loads(PAID) | {"sign": PAID_SIGN})
    assert not verified(None, raw)
    assert not verified(PAID_SIGN, raw)


def test_nothing_is_signed_with_an_empty_secret() -> None:
    assert not verified(event_sign(CLIENT_ID, PAID, ""), secret="")


def test_same_json_in_other_bytes_is_another_message() -> None:
    assert not verified(PAID_SIGN, orjson.dumps(orjson.loads(PAID), option=orjson.OPT_INDENT_2))
