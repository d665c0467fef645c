"""Opaque ids: URL-safe, type-tagged by a prefix, the same inside and outside."""

import hashlib
import re
import secrets
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_SHAPE = re.compile(r"[a-z]{3}_[0-9a-hjkmnp-tv-z]{26}")
_LENGTH = 26


def _text(number: int) -> str:
    digits = []
    for _ in range(_LENGTH):
        number, digit = divmod(number, 32)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))


def new_id(prefix: str) -> str:
    """A fresh id that sorts by time of creation (48 bits of milliseconds, 80 random bits)."""
    milliseconds = time.time_ns() // 1_000_000
    return f"{prefix}_{_text((milliseconds << 80) | secrets.randbits(80))}"


def derived_id(prefix: str, *parts: str) -> str:
    """The id that these parts always give: the same parts, the same id (128 bits of SHA-256)."""
    text = "\x1f".join(parts).encode()
    return f"{prefix}_{_text(int.from_bytes(hashlib.sha256(text).digest()[:16], 'big'))}"


def numbered_id(prefix: str, number: int) -> str:
    """The id of a number, for things that are few: short to store without its leading zeros."""
    return f"{prefix}_{_text(number)}"


def prefix_of(text: str) -> str | None:
    """The type tag of a well-formed id, None for anything else."""
    return text[:3] if _SHAPE.fullmatch(text) else None
