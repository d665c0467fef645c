"""Phone numbers."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphql_api.kit.phone import masked, masked_name, to_e164

mobiles = st.from_regex(r"\A1[0-9]{10}\Z")
abroad = st.from_regex(r"\A\+(?:[2-79][0-9]|1)[0-9]{9,12}\Z")


@given(mobiles)
def test_chinese_mobile_is_the_same_with_and_without_its_country(number: str) -> None:
    spaced = f"{number[:3]} {number[3:7]}-{number[7:]}"
    assert {to_e164(t) for t in (number, spaced, f"+86{number}", f"+86 {spaced}")} == {
        f"+86{number}"
    }


@given(mobiles | abroad)
def test_number_once_read_reads_as_itself(number: str) -> None:
    once = to_e164(number)
    assert re.fullmatch(r"\+[1-9][0-9]{6,14}", once)
    assert to_e164(once) == once


@given(mobiles | abroad)
def test_mask_shows_only_the_country_and_the_last_four_digits(number: str) -> None:
    phone = to_e164(number)
    shown = masked(phone)
    assert (len(shown), shown[-4:]) == (len(phone), phone[-4:])
    assert re.fullmatch(r"\+(?:86|\d)\*+\d{4}", shown)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1380013800",
        "138001380000",
        "+8613800",
        "+86138001380001",
        "+08613800138000",
        "008613800138000",
        "+1234567890123456",
        "１３８００１３８０００",
        "١٣٨٠٠١٣٨٠٠٠",
        "13800138000x",
        "13800138000\n",
    ],
)
def test_anything_else_is_no_phone(text: str) -> None:
    with pytest.raises(ValueError, match=r"phone number|mobile number"):
        to_e164(text)


def test_landline_is_e164_with_its_country() -> None:
    assert to_e164("+86 (21) 1234-5678") == "+862112345678"


@pytest.mark.parametrize(
    ("name", "shown"),
    [("", ""), ("王", "王*"), ("王芳", "王*"), ("欧阳小芳", "欧**"), ("Elizabeth", "E**")],
)
def test_name_keeps_its_first_character(name: str, shown: str) -> None:
    assert masked_name(name) == shown
