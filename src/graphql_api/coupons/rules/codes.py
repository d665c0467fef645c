"""The codes of coupons: short, unguessable, and a slip of the finger is noticed."""

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""31 characters, a prime number of them; without what is read as something else: 0, O, 1, I, L."""

LENGTH = 12
_LEFT_OUT = str.maketrans("", "", " -")


def with_check(body: str) -> str:
    """A code with its check character: no code fits that differs in one place or two swapped."""
    weighed = sum(n * ALPHABET.index(c) for n, c in enumerate(body, 1))
    return body + ALPHABET[weighed % len(ALPHABET)]


def read_code(text: str) -> str | None:
    """A code as it is stored, however it was typed; None for what cannot be one."""
    code = text.upper().translate(_LEFT_OUT)
    if len(code) != LENGTH + 1 or not all(c in ALPHABET for c in code):
        return None
    return code if with_check(code[:-1]) == code else None
