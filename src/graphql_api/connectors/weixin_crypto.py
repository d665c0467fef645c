"""How WeChat and WeCom sign and encrypt what they push, and what a mini-program hands over.

https://developer.work.weixin.qq.com/document/path/90968
https://developers.weixin.qq.com/miniprogram/dev/framework/open-ability/signature.html
"""

import base64
import binascii
import hashlib
import hmac
import struct
from dataclasses import dataclass

import orjson
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

BLOCK = 32
"""What both pad pushes to; AES itself has blocks of 16."""
_RANDOM = 16
_LENGTH = 4
_KEY_TEXT = 43


class Forged(Exception):
    """Whoever sent this does not have the key, or something on the way changed it."""


def signature(token: str, *parts: str) -> str:
    """The sha1 over the token and the parts, sorted as text, as both platforms sign."""
    text = "".join(sorted((token, *parts)))
    return hashlib.sha1(_bytes(text)).hexdigest()  # noqa: S324 - theirs


def is_signed(given: str, token: str, *parts: str) -> bool:
    """Whether a signature is that of the parts, in a time that says nothing."""
    return hmac.compare_digest(_bytes(given), signature(token, *parts).encode())


@dataclass(frozen=True, slots=True)
class Crypt:
    """The key of a callback (EncodingAESKey, 43 characters) and who receives: a corp or an app."""

    key: bytes
    receiver: str

    @classmethod
    def of(cls, key_text: str, receiver: str) -> "Crypt":
        """From the text that the console shows; ValueError for another text."""
        if len(key_text) != _KEY_TEXT:
            raise ValueError("an EncodingAESKey has 43 characters")
        # The last character holds two bits too many, which the platforms do not look at.
        try:
            return cls(base64.b64decode(key_text + "=", validate=True), receiver)
        except ValueError:
            raise ValueError("an EncodingAESKey has letters and digits only") from None

    def open(self, encrypted: str) -> bytes:
        """What was encrypted for this receiver; raises Forged for everything else."""
        plain = _unpadded(self._decrypted(encrypted), BLOCK)
        start = _RANDOM + _LENGTH
        if len(plain) < start:
            raise Forged("too short")
        (length,) = struct.unpack(">I", plain[_RANDOM:start])
        message, receiver = plain[start : start + length], plain[start + length :]
        if len(message) < length or not hmac.compare_digest(receiver, self.receiver.encode()):
            raise Forged("for another receiver")
        return message

    def seal(self, message: bytes, random: bytes) -> str:
        """The message as the platform encrypts it; `random` are 16 bytes that nobody foresees."""
        if len(random) != _RANDOM:
            raise ValueError("16 bytes")
        plain = random + struct.pack(">I", len(message)) + message + self.receiver.encode()
        missing = BLOCK - len(plain) % BLOCK
        padded = plain + bytes([missing]) * missing
        encryptor = Cipher(AES(self.key), CBC(self.key[:16])).encryptor()
        return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode()

    def _decrypted(self, encrypted: str) -> bytes:
        return _decrypted(self.key, self.key[:16], encrypted)


def opened_data(session_key: str, iv: str, encrypted: str, app_id: str) -> dict[str, object]:
    """What a mini-program hands over encrypted (encryptedData); Forged unless it is of this app.

    All three texts are base64. How old it may be, `watermark.timestamp` lets the caller decide.
    """
    try:
        key, start = (
            base64.b64decode(session_key, validate=True),
            base64.b64decode(iv, validate=True),
        )
        plain = _unpadded(_decrypted(key, start, encrypted), AES.block_size // 8)
        data = orjson.loads(plain)
    except (ValueError, binascii.Error):
        raise Forged("unreadable") from None
    if not isinstance(data, dict):
        raise Forged("unreadable")
    mark = data.get("watermark")
    if not isinstance(mark, dict) or mark.get("appid") != app_id:
        raise Forged("of another app")
    return data


def raw_data_signature(raw_data: str, session_key: str) -> str:
    """What WeChat signs `rawData` of a mini-program with."""
    return hashlib.sha1((raw_data + session_key).encode()).hexdigest()  # noqa: S324 - theirs


def _bytes(text: str) -> bytes:
    """A text of a request; half a character, which nobody signs, is replaced."""
    return text.encode(errors="replace")


def _decrypted(key: bytes, iv: bytes, encrypted: str) -> bytes:
    try:
        content = base64.b64decode(encrypted, validate=True)
        decryptor = Cipher(AES(key), CBC(iv)).decryptor()
        return decryptor.update(content) + decryptor.finalize()
    except (ValueError, binascii.Error):
        raise Forged("unreadable") from None


def _unpadded(plain: bytes, block: int) -> bytes:
    missing = plain[-1] if plain else 0
    if not 1 <= missing <= block or plain[-missing:] != bytes([missing]) * missing:
        raise Forged("padded wrongly")
    return plain[:-missing]
