"""What Youzan's app market tells: an order of the app itself, encrypted with the app's secret."""

import base64
from typing import Any
from urllib.parse import unquote

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from graphql_api.connectors.told import Unreadable, json_object

_KEY_CHARACTERS = 16
_IV = b"0102030405060708"


def decrypt(message: str, secret: str) -> dict[str, Any]:
    """The object in a message, which may be URL-encoded; Unreadable with a wrong secret."""
    try:
        return json_object(_plain(unquote(message), secret.encode()[:_KEY_CHARACTERS]))
    except ValueError:
        raise Unreadable("not encrypted with this secret") from None


def _plain(text: str, key: bytes) -> bytes:
    sealed = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    decryptor = Cipher(algorithms.AES(key), modes.CBC(_IV)).decryptor()
    padded = decryptor.update(sealed) + decryptor.finalize()
    unpadder = PKCS7(algorithms.AES.block_size).unpadder()
    return unpadder.update(padded) + unpadder.finalize()
