"""Messages of the app market: the vendor's own example, and nothing with another secret."""

import base64
from urllib.parse import unquote

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from graphql_api.connectors.told import Unreadable
from graphql_api.connectors.youzan.app_messages import decrypt

SECRET = "def00000b1228e0f6ba8ef96be9"
MESSAGE = (
    "zanO3UZzEA5Fm6qKsCq6rJ70VoKdiqXDfgdqGvzOfIZ%2FVNB%2FUHuG7%2F6TxdL6NQIVkO8CFm20whTivoPj4%2B"
    "6nXLAoe9J%2BZc42nRAbkTg5GruMl8RohxSDS0%2F99FwGtLW9TmMbxs554ZWVaRaiB5KaHF%2FNTzuLHyEtrLB2xu8"
    "Y%2BAnMN%2FVVVO9PPgO8o1BSAuvJdNXa1%2ButpG%2BRSSSMbxXrvCkRC34X7kCK1z5Xg51r%2Fym8nxrrSFn2c4R3"
    "rMRxKQAMmzRfGBkcQ9XayS31oT5DNy0h5pWzP8W5pe9naUguCiPIIAqGmBo8etlIn1Y1FHAU"
)


def sealed(plain: bytes) -> str:
    """Bytes, whole blocks, encrypted as the vendor does, with no padding added."""
    cipher = Cipher(algorithms.AES(SECRET.encode()[:16]), modes.CBC(b"0102030405060708"))
    encryptor = cipher.encryptor()
    return base64.b64encode(encryptor.update(plain) + encryptor.finalize()).decode()


@pytest.mark.parametrize("message", [MESSAGE, unquote(MESSAGE)])
def test_example_of_the_vendor_is_read(message: str) -> None:
    told = decrypt(message, SECRET)
    assert (told["type"], told["orderNo"]) == ("APP_SUBSCRIBE", "E201905060000001")
    assert (told["appId"], told["price"], told["payTime"]) == (110, 42, 1557138032000)


@pytest.mark.parametrize("secret", ["", "short", "dEf00000b1228e0f6ba8ef96be9", "有赞" * 8])
def test_another_secret_reads_nothing(secret: str) -> None:
    with pytest.raises(Unreadable):
        decrypt(MESSAGE, secret)


@pytest.mark.parametrize(
    "message",
    [
        "",
        "not base64!",
        "AAAA",
        unquote(MESSAGE)[:-22],
        sealed(b'{"a":1}' + b"\x08" * 9),
        sealed(b'{"a":1}\x00\x00\x00\x00\x00\x00\x00\x00\x00'),
        sealed(b"[1]" + b"\x0d" * 13),
        sealed(b"not json" + b"\x08" * 8),
    ],
)
def test_anything_else_is_unreadable(message: str) -> None:
    with pytest.raises(Unreadable):
        decrypt(message, SECRET)


def test_padding_is_that_of_the_standard() -> None:
    assert decrypt(sealed(b'{"a":1}' + b"\x09" * 9), SECRET) == {"a": 1}
