"""What WeChat and WeCom sign and encrypt: the vectors of their documentation and samples."""

import base64
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphql_api.connectors.weixin_crypto import (
    Crypt,
    Forged,
    is_signed,
    opened_data,
    raw_data_signature,
    signature,
)

KEY_A = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
KEY_B = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
KEY_E = "A" * 43
CORP_B = "wx5823bf96d3bd56c7"
APP_E = "wx134c8103faa5a59e"
ECHO = "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ=="

# --- mini-programs ---------------------------------------------------------------------------

RAW_DATA = (
    '{"nickName":"Band","gender":1,"language":"zh_CN","city":"Guangzhou","province":"Guangdong",'
    '"country":"CN","avatarUrl":"http://wx.qlogo.cn/mmopen/vi_32/1vZvI39NWFQ9XM4LtQpFrQJ1xlgZxx3w7'
    'bQxKARol6503Iuswjjn6nIGBiaycAjAtpujxyzYsrztuuICqIM5ibXQ/0"}'
)
SESSION_KEY, IV, APP_ID = (
    "tiihtNczf5v6AKRyjwEUhQ==",
    "r7BXXKkLb8qrSNn05n0qiA==",
    "wx4f4bc4dec97d474b",
)
USER_DATA = (
    "CiyLU1Aw2KjvrjMdj8YKliAjtP4gsMZMQmRzooG2xrDcvSnxIMXFufNstNGTyaGS9uT5geRa0W4oTOb1WT7fJlAC+oNPdb"
    "B+3hVbJSRgv+4lGOETKUQz6OYStslQ142dNCuabNPGBzlooOmB231qMM85d2/fV6ChevvXvQP8Hkue1poOFtnEtpyxVLW1"
    "zAo6/1Xx1COxFvrc2d7UL/lmHInNlxuacJXwu0fjpXfz/YqYzBIBzD6WUfTIF9GRHpOn/Hz7saL8xz+W//FRAUid1OksQa"
    "Qx4CMs8LOddcQhULW4ucetDf96JcR3g0gfRK4PC7E/r7Z6xNrXd2UIeorGj5Ef7b1pJAYB6Y5anaHqZ9J6nKEBvB4DnNLI"
    "VWSgARns/8wR2SiRS7MNACwTyrGvt9ts8p12PKFdlqYTopNHR1Vf7XjfhQlVsAJdNiKdYmYVoKlaRv85IfVunYzO0IKXsy"
    "l7JCUjCpoG20f0a04COwfneQAGGwd5oa+T8yO5hzuyDb/XcxxmK01EpqOyuxINew=="
)


def test_raw_data_is_signed_with_the_session_key() -> None:
    signed = raw_data_signature(RAW_DATA, "HyVFkGl5F5OQWJZZaNzBBg==")
    assert signed == "75e81ceda165f4ffa64f4068af58c64b8f54b88c"


def test_encrypted_data_is_opened_for_its_own_app_only() -> None:
    data = opened_data(SESSION_KEY, IV, USER_DATA, APP_ID)
    assert data["openId"] == "oGZUI0egBJY1zhBYw2KhdUfwVJJE"
    assert data["unionId"] == "ocMvos6NjeKLIBqg5Mr9QjxrP1FA"
    assert data["watermark"] == {"timestamp": 1477314187, "appid": APP_ID}
    with pytest.raises(Forged):
        opened_data(SESSION_KEY, IV, USER_DATA, "wx0000000000000000")


@pytest.mark.parametrize(
    ("session_key", "iv", "encrypted"),
    [
        ("x", IV, USER_DATA),
        (SESSION_KEY, "x", USER_DATA),
        (SESSION_KEY, IV, "@@@"),
        (SESSION_KEY, IV, ""),
        (SESSION_KEY, IV, USER_DATA[:-24]),
        (base64.b64encode(b"0" * 16).decode(), IV, USER_DATA),
    ],
)
def test_encrypted_data_that_is_not_theirs_is_forged(
    session_key: str, iv: str, encrypted: str
) -> None:
    with pytest.raises(Forged):
        opened_data(session_key, iv, encrypted, APP_ID)


def test_address_check_of_wechat_is_signed() -> None:
    given = "f464b24fc39322e44b38aa78f5edd27bd1441696"
    assert is_signed(given, "AAAAA", "1714036504", "1514711492")
    assert not is_signed(given, "AAAAB", "1714036504", "1514711492")
    assert not is_signed("", "AAAAA", "1714036504", "1514711492")


# --- pushes ----------------------------------------------------------------------------------

ENCRYPTED_F = (
    "RypEvHKD8QQKFhvQ6QleEB4J58tiPdvo+rtK1I9qca6aM/wvqnLSV5zEPeusUiX5L5X/0lWfrf0QADHHhGd3QczcdCUpj9"
    "11L3vg3W/sYYvuJTs3TUUkSUXxaccAS0qhxchrRYt66wiSpGLYL42aM6A8dTT+6k4aSknmPj48kzJs8qLjvd4Xgpue06DO"
    "dnLxAUHzM6+kDZ+HMZfJYuR+LtwGc2hgf5gsijff0ekUNXZiqATP7PF5mZxZ3Izoun1s4zG4LUMnvw2r+KqCKIw+3IQH03"
    "v+BCA9nMELNqbSf6tiWSrXJB3LAVGUcallcrw8V2t9EL4EhzJWrQUax5wLVMNS0+rUPA3k22Ncx4XXZS9o0MBH27Bo6BpN"
    "elZpS+/uh9KsNlY6bHCmJU9p8g7m3fVKn28H3KDYA5Pl/T8Z1ptDAVe0lXdQ2YoyyH2uyPIGHBZZIs2pDBS8R07+qN+E7Q"
    "=="
)
ENCRYPTED_E = (
    "D7yzvUNAL930rd28wf21s4hvXhz0L6Uit/p2Di6C5DHyYGpEgdBRnKjBec34JwoQXicwaZC7fOVihW80F4VtsdvE//1vr7"
    "oAbqjDv8KenVp+ajKYpJnyQ4zMRhIC+a31fCVOMC03FfzV/QuC94kBP55a+Za3sJgvAn+ZbsNqZI5DkyuzkhQN8OBqCzFh"
    "izGmy0xpM0MEA4agpvE+RuNO1rhHTtuJB5yltw1FiYzecSXJ+y/D2r81VkRn2eYjh2ltsoyfbDR7Is6ookXIFxTfyeNyeH"
    "xMeT4KN5WpCDmSbTcUYrbBUlkGLJ9n/rU8YOywma6G7aTb7KZKOqCxgfoUlYEZPk4FUL/TK7ShriFDMVCLyjQJ15Ob++ag"
    "DWtcxhfUfe6HIoIpRW8mKNBQiY/Jd1svvuskA1wLef1RTtzKfMpagSCX/laZINmdnX4zrF6kIaR9P4xQrWXbsTFHTYe0Mg"
    "=="
)
REPLY_E = (
    "hE8R6mGXHkJJjU72KxzKUd1GEkKJaEZq7vRL8XgK3o+00k8JGq6+pZJUIlTSyhsX+bxIBQ72g3GyvDdIZcr6+3HAZbSvPT"
    "9t/o11MI7d6WELwqrGd7jMnV0zv3Zc9Nq7"
)
EVENT_G = (
    "<xml><ToUserName><![CDATA[ww1234567890abcdef]]></ToUserName>"
    "<FromUserName><![CDATA[sys]]></FromUserName><CreateTime>1795140303</CreateTime>"
    "<MsgType><![CDATA[event]]></MsgType><Event><![CDATA[change_external_contact]]></Event>"
    "<ChangeType><![CDATA[add_external_contact]]></ChangeType>"
    "<UserID><![CDATA[guide_0017]]></UserID>"
    "<ExternalUserID><![CDATA[wmAJ2GCAAAXtWyujaWJHDDGi0mACAAAA]]></ExternalUserID>"
    "<State><![CDATA[store:SH001|g:0017]]></State>"
    "<WelcomeCode><![CDATA[WELCOMECODE]]></WelcomeCode></xml>"
)
CORP_G = "ww1234567890abcdef"


def test_a_text_is_sealed_as_the_sample_seals_it() -> None:
    crypt = Crypt.of(KEY_A, "wxb11529c136998cb6")
    sealed = crypt.seal("我是中文abcd123".encode(), b"aaaabbbbccccdddd")
    assert sealed == (
        "jn1L23DB+6ELqJ+6bruv21Y6MD7KeIfP82D6gU39rmkgczbWwt5+3bnyg5K55bgVtVzd832WzZGMhkP72vVOfg=="
    )
    assert crypt.open(sealed).decode() == "我是中文abcd123"


def test_address_check_of_wecom_is_signed_and_opened() -> None:
    given = "5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3"
    assert is_signed(given, "QDG6eK", "1409659589", "263014780", ECHO)
    assert Crypt.of(KEY_B, CORP_B).open(ECHO) == b"1616140317555161061"


def test_event_of_wecom_is_signed_and_opened() -> None:
    assert is_signed(
        "477715d11cdb4164915debcba66cb864d751f3e6",
        "QDG6eK",
        "1409659813",
        "1372623149",
        ENCRYPTED_F,
    )
    text = Crypt.of(KEY_B, CORP_B).open(ENCRYPTED_F).decode()
    for part in (
        "<Content><![CDATA[hello]]></Content>",
        "<MsgId>4561255354251345929</MsgId>",
        "<AgentID>218</AgentID>",
    ):
        assert part in text


def test_push_of_wechat_in_safe_mode_is_opened_and_answered() -> None:
    assert is_signed(
        "6c12a4205838198b8fa631b3220723bb07f1015c", "AAAAA", "1715943329", "1590219412", ENCRYPTED_E
    )
    crypt = Crypt.of(KEY_E, APP_E)
    assert b"debug_demo" in crypt.open(ENCRYPTED_E)
    reply = b"<xml><demo_resp>[CDATA[good luck]]</demo_resp></xml>"
    assert crypt.seal(reply, b"999951349e8ee746") == REPLY_E
    signed = signature("AAAAA", "1713424427", "415670741", REPLY_E)
    assert signed == "03e0812039325c2712ef5f0f980fd14c70d6e307"


def test_friend_event_with_a_state_is_sealed_and_signed() -> None:
    crypt = Crypt.of(KEY_A, CORP_G)
    sealed = crypt.seal(EVENT_G.encode(), b"0123456789abcdef")
    signed = signature("tok3nTok3n", "1795140303", "415670741", sealed)
    assert signed == "18c6afa3c2f23bfd35b6ec155681e55cf07962d5"
    assert crypt.open(sealed).decode() == EVENT_G


@given(st.binary(max_size=300), st.text(max_size=30), st.binary(min_size=16, max_size=16))
def test_what_is_sealed_is_opened_by_its_receiver_alone(
    message: bytes, receiver: str, random: bytes
) -> None:
    sealed = Crypt.of(KEY_A, receiver).seal(message, random)
    assert Crypt.of(KEY_A, receiver).open(sealed) == message
    with pytest.raises(Forged):
        Crypt.of(KEY_A, receiver + "x").open(sealed)
    with pytest.raises(Forged):
        Crypt.of(KEY_B, receiver).open(sealed)


@given(st.text(max_size=200))
def test_any_other_text_is_forged(text: str) -> None:
    with pytest.raises(Forged):
        Crypt.of(KEY_A, CORP_G).open(text)


@given(st.integers(0, 200), st.integers(1, 255))
def test_a_changed_byte_is_never_believed_for_what_it_was(place: int, flip: int) -> None:
    crypt = Crypt.of(KEY_A, CORP_G)
    sealed = bytearray(base64.b64decode(crypt.seal(b"<xml>1</xml>" * 9, b"0123456789abcdef")))
    sealed[place % len(sealed)] ^= flip
    try:
        opened = crypt.open(base64.b64encode(bytes(sealed)).decode())
    except Forged:
        return
    # A change of the 16 random bytes, or of text, which the signature covers and this does not.
    assert signature("t", base64.b64encode(bytes(sealed)).decode()) != signature("t", "other")
    assert isinstance(opened, bytes)


@pytest.mark.parametrize("text", ["", "short", KEY_A + "=", KEY_A[:-1]])
def test_key_of_another_length_is_no_key(text: str) -> None:
    with pytest.raises(ValueError, match="43 characters"):
        Crypt.of(text, CORP_G)


def test_random_of_the_library_does() -> None:
    crypt = Crypt.of(KEY_A, CORP_G)
    assert crypt.open(crypt.seal(b"x", os.urandom(16))) == b"x"
    with pytest.raises(ValueError, match="16 bytes"):
        crypt.seal(b"x", b"short")
