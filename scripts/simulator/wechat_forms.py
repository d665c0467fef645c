"""Forms of WeChat's: what a field of a subscribe message may hold, and a picture of a code."""

import re
import struct
import zlib
from collections.abc import Mapping, Set

_LIMITS = {
    "thing": r".{1,20}",
    "number": r"[-+.\d]{1,32}",
    "letter": r"[A-Za-z]{1,32}",
    "symbol": r"\W{1,5}",
    "character_string": r"[ -~]{1,32}",
    "time": r"(\d{4}\D\d{1,2}\D\d{1,2}日? ?)?\d{1,2}:\d{2}(:\d{2})?",
    "date": r"\d{4}\D\d{1,2}\D\d{1,2}日?( \d{1,2}:\d{2})?",
    "amount": r"\D?\d{1,10}(\.\d+)?元?",
    "phone_number": r"[\d+\-() ]{1,17}",
    "car_number": r".{1,8}",
    "name": r"([A-Za-z ]{1,20}|[^A-Za-z]{1,10})",
    "phrase": r"[一-鿿]{1,5}",
    "enum": r".+",
}


def problem_with(wanted: Set[str], data: Mapping[str, str]) -> str | None:
    """What WeChat does not take of the fields of a message; None where it takes them."""
    for key in sorted(wanted):
        kind = key.rstrip("0123456789")
        if key not in data:
            return f"data.{key}.value is empty"
        if not re.fullmatch(_LIMITS.get(kind, ".+"), data[key]):
            return f"data.{key}.value invalid"
    return None


def picture(scene: str) -> bytes:
    """A small PNG that says of which scene it is, in place of the dots of a code."""
    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    chunks = (
        (b"IHDR", header),
        (b"tEXt", b"scene\0" + scene.encode()),
        (b"IDAT", zlib.compress(b"\0\0")),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in chunks)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )
