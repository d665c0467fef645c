"""What is read of bodies, and what is never read."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphql_api.connectors.weixin_bodies import Unreadable, rows, tree

LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE xml [<!ENTITY a "ha">'
    + b"".join(b'<!ENTITY %c "%s">' % (97 + n, b"&%c;" % (96 + n) * 10) for n in range(1, 12))
    + b"]><xml><Encrypt>&l;</Encrypt></xml>"
)
"""Ten to the eleventh times ha."""
OUTSIDE = (
    b'<!DOCTYPE xml [<!ENTITY x SYSTEM "file:///etc/passwd">]><xml><Encrypt>&x;</Encrypt></xml>'
)
A_LIST = b"<xml><L><R><T>1</T></R><R><T>2</T></R><R/></L><Empty/></xml>"


@pytest.mark.parametrize("raw", [LAUGHS, OUTSIDE, b"<!DOCTYPE xml><xml><A>1</A></xml>"])
def test_document_types_and_entities_are_refused(raw: bytes) -> None:
    with pytest.raises(Unreadable):
        tree(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b" ",
        b"<xml>",
        b"<xml><A></B></xml>",
        b"[]",
        b"{",
        b"null",
        b'"text"',
        b"\xff\xfe\x00",
        b"<xml>&nothing;</xml>",
        b'<?xml version="1.0" encoding="nothing"?><xml/>',
        b"<xml>" * 50_000,
        b'{"a":' * 50_000,
    ],
)
def test_what_is_no_body_is_unreadable(raw: bytes) -> None:
    with pytest.raises(Unreadable):
        tree(raw)


def test_fields_are_told_without_the_empty_ones_and_repeated_ones_as_a_list() -> None:
    assert tree(A_LIST) == {"L": {"R": [{"T": "1"}, {"T": "2"}, ""]}}
    assert rows(tree(A_LIST)["L"]["R"]) == [{"T": "1"}, {"T": "2"}]
    assert rows({"T": "1"}) == [{"T": "1"}]
    assert rows("x") == rows(None) == []


def test_json_is_read_alike_with_names_that_begin_with_a_space() -> None:
    assert tree(b' {" OpenID": "o", "Empty": "", "Nothing": null, "N": 0}') == {
        "OpenID": "o",
        "N": 0,
    }


def test_what_lies_too_deep_is_left_out() -> None:
    deep = tree(b"<xml>" + b"<a>" * 5000 + b"1" + b"</a>" * 5000 + b"</xml>")
    assert deep == {"a": {"a": {"a": {"a": ""}}}}


@given(st.binary(max_size=200))
def test_bytes_are_a_body_or_unreadable(raw: bytes) -> None:
    with contextlib.suppress(Unreadable):
        assert isinstance(tree(raw), dict)


@given(st.dictionaries(st.text("abcXYZ", min_size=1), st.text("中a<&]>' ").map(str.strip)))
def test_fields_come_back_as_they_were_written(fields: dict[str, str]) -> None:
    inside = "".join(
        f"<{k}>{v.replace('&', '&amp;').replace('<', '&lt;').replace('>', '&gt;')}</{k}>"
        for k, v in fields.items()
    )
    assert tree(f"<xml>{inside}</xml>".encode()) == {k: v for k, v in fields.items() if v}
