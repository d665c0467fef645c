"""What nobody with the key made: each way to be wrong is told apart from nothing else."""

import base64
import struct
import time

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from graphql_api.connectors.weixin_crypto import Crypt, Forged, is_signed, opened_data, signature

KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
CORP = "ww1234567890abcdef"
RANDOM = b"0123456789abcdef"


def encrypted(plain: bytes) -> str:
    """Blocks as they are, without any padding of ours."""
    key = base64.b64decode(KEY + "=")
    encryptor = Cipher(AES(key), CBC(key[:16])).encryptor()
    return base64.b64encode(encryptor.update(plain) + encryptor.finalize()).decode()


def framed(message: bytes, receiver: bytes = CORP.encode(), length: int | None = None) -> bytes:
    """What stands inside, before it is padded."""
    size = len(message) if length is None else length
    return RANDOM + struct.pack(">I", size) + message + receiver


def padded(plain: bytes, block: int = 32) -> bytes:
    """With as many bytes of their own number as fill a block."""
    missing = block - len(plain) % block
    return plain + bytes([missing]) * missing


def test_frame_made_by_hand_is_opened() -> None:
    assert Crypt.of(KEY, CORP).open(encrypted(padded(framed(b"<xml/>")))) == b"<xml/>"


@pytest.mark.parametrize(
    "plain",
    [
        padded(b""),  # nothing at all
        padded(RANDOM),  # no length
        padded(RANDOM + b"\0\0"),  # half a length
        padded(framed(b"x", length=0xFFFFFFFF)),  # longer than there is
        padded(framed(b"x", length=len(CORP) + 2)),  # into the receiver and past it
        padded(framed(b"x", b"")),  # for nobody
        padded(framed(b"x", CORP.upper().encode())),  # for another
        padded(framed(b"x", CORP.encode() + b"\0")),  # for one that begins alike
        framed(b"x" * 10)[:32],  # no padding, a letter in its place
        framed(b"x" * 3, b"")[:-1].ljust(31, b"a") + b"\0",  # a padding of nothing
        framed(b"x" * 3, b"").ljust(31, b"a") + b"\x21",  # of more than a block
        framed(b"x" * 3, b"").ljust(31, b"a") + b"\x05",  # of five, four of which are not
    ],
)
def test_what_is_encrypted_with_the_key_and_framed_wrongly_is_forged(plain: bytes) -> None:
    with pytest.raises(Forged):
        Crypt.of(KEY, CORP).open(encrypted(plain))


def test_padding_of_aes_own_block_is_taken_too() -> None:
    sealed = encrypted(padded(framed(b"x"), 16))
    assert Crypt.of(KEY, CORP).open(sealed) == b"x"


@pytest.mark.parametrize("key", ["!" * 43, "中" * 43, " " + KEY[1:]])
def test_key_of_other_signs_is_no_key(key: str) -> None:
    with pytest.raises(ValueError, match="letters and digits"):
        Crypt.of(key, CORP)


@pytest.mark.parametrize("text", ["=", "====", "QUJD", "a b", "QUJD\n", "\ud800", "中文", "\0"])
def test_what_is_not_base64_of_whole_blocks_is_forged(text: str) -> None:
    with pytest.raises(Forged):
        Crypt.of(KEY, CORP).open(text)


def test_huge_rubbish_is_refused_at_once() -> None:
    rubbish = base64.b64encode(b"\xa5" * 8 * 1024 * 1024).decode()
    began = time.monotonic()
    with pytest.raises(Forged):
        Crypt.of(KEY, CORP).open(rubbish)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("given", ["", "0" * 40, "\ud800", "签" * 40, "A" * 100_000])
def test_signature_of_any_text_but_the_right_one_is_wrong(given: str) -> None:
    assert not is_signed(given, "token", "1", "2")


def test_signature_is_told_in_lower_case_and_over_every_part() -> None:
    good = signature("token", "1", "2", "abc")
    assert is_signed(good, "token", "abc", "2", "1")
    assert not is_signed(good.upper(), "token", "1", "2", "abc")
    assert not is_signed(good, "token", "1", "2")
    assert not is_signed(good, "token", "1", "2", "\udfff")


@pytest.mark.parametrize("data", [b"[]", b"null", b"{}", b'{"watermark":{}}', b"{", b"\xff"])
def test_data_of_a_mini_program_without_its_mark_is_forged(data: bytes) -> None:
    key = b"k" * 16
    encryptor = Cipher(AES(key), CBC(key)).encryptor()
    sealed = base64.b64encode(encryptor.update(padded(data, 16)) + encryptor.finalize()).decode()
    text = base64.b64encode(key).decode()
    with pytest.raises(Forged):
        opened_data(text, text, sealed, "wx4f4bc4dec97d474b")
