"""Money is integer fen; yuan appear only as text with two decimals."""

import re

_YUAN = re.compile(r"(-?)(\d{1,13})(?:\.(\d{1,2}))?", re.ASCII)


def to_yuan(fen: int) -> str:
    """Fen as a decimal string of yuan: 1234 → `12.34`."""
    sign = "-" if fen < 0 else ""
    yuan, rest = divmod(abs(fen), 100)
    return f"{sign}{yuan}.{rest:02d}"


def from_yuan(text: str) -> int:
    """A decimal string of yuan as fen; ValueError for over two decimals or no number."""
    if not (match := _YUAN.fullmatch(text)):
        raise ValueError("money is a decimal string of yuan with at most two decimals")
    sign, yuan, decimals = match.groups()
    fen = int(yuan) * 100 + int((decimals or "0").ljust(2, "0"))
    return -fen if sign else fen
