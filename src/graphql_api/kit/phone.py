"""Phone numbers: E.164 everywhere inside, masked wherever the viewer may not see them."""

import re

_E164 = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)
_CHINESE_MOBILE = re.compile(r"1\d{10}", re.ASCII)
_SEPARATORS = re.compile(r"[ \-()]")


def to_e164(text: str) -> str:
    """`138 0013 8000` or `+86 13800138000` as `+8613800138000`; raises ValueError otherwise."""
    bare = _SEPARATORS.sub("", text)
    if _CHINESE_MOBILE.fullmatch(bare):
        return f"+86{bare}"
    if not _E164.fullmatch(bare):
        raise ValueError("a phone number is E.164 (+86…) or a Chinese mobile number of 11 digits")
    if bare.startswith("+86") and bare[3] == "1" and len(bare) != 14:
        raise ValueError("a Chinese mobile number has 11 digits")
    return bare


def masked(phone: str) -> str:
    """`+86*******8000`: the country, then stars, then the last four digits."""
    head = 3 if phone.startswith("+86") else 2
    return phone[:head] + "*" * (len(phone) - head - 4) + phone[-4:]


def masked_name(name: str) -> str:
    """`王**`: the first character stays, at most two stars follow."""
    return name[:1] + "*" * min(2, max(1, len(name) - 1)) if name else name
