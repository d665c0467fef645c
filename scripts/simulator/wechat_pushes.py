"""What WeChat pushes of a mini-program, in safe mode 安全模式: encrypted, and signed in the query.

Written from its pages a second time, with no code of the receiver's.
https://developers.weixin.qq.com/miniprogram/dev/framework/server-ability/message-push.html
"""

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from scripts.simulator.pushes import Push

OURSELVES = "gh_123456789abc"
"""The original id 原始ID of the mini-program."""
_LISTS = {
    "subscribe_msg_popup_event": "SubscribeMsgPopupEvent",
    "subscribe_msg_change_event": "SubscribeMsgChangeEvent",
    "subscribe_msg_sent_event": "SubscribeMsgSentEvent",
}


@dataclass(frozen=True)
class Pusher:
    """The console's settings of a message push; `as_xml` is its data format, else JSON."""

    app_id: str
    token: str
    key: str
    as_xml: bool = False

    def answered(self, open_id: str, answers: Mapping[str, str], at: datetime) -> Push:
        """Somebody was asked, and said accept, reject or ban of each template."""
        rows = [
            {"TemplateId": id_, "SubscribeStatusString": said, "PopupScene": "0"}
            for id_, said in answers.items()
        ]
        return self._event("subscribe_msg_popup_event", open_id, rows, at)

    def changed(self, open_id: str, template_ids: Sequence[str], at: datetime) -> Push:
        """Somebody turned templates off in the settings."""
        rows = [{"TemplateId": id_, "SubscribeStatusString": "reject"} for id_ in template_ids]
        return self._event("subscribe_msg_change_event", open_id, rows, at)

    def sent(self, open_id: str, template_id: str, message_id: int, at: datetime) -> Push:
        """A message arrived."""
        row = {
            "TemplateId": template_id,
            "MsgID": str(message_id),
            "ErrorCode": "0",
            "ErrorStatus": "success",
        }
        return self._event("subscribe_msg_sent_event", open_id, [row], at)

    def check(self, at: datetime, echo: str) -> str:
        """The query by which the console checks the address; the answer has to be `echo`."""
        stamp, nonce = str(int(at.timestamp())), secrets.token_hex(5)
        signed = {"timestamp": stamp, "nonce": nonce, "echostr": echo}
        return "?" + urlencode({"signature": _sha1(self.token, stamp, nonce), **signed})

    def _event(
        self, name: str, open_id: str, rows: Sequence[Mapping[str, str]], at: datetime
    ) -> Push:
        fields: dict[str, Any] = {
            "ToUserName": OURSELVES,
            "FromUserName": open_id,
            "CreateTime": int(at.timestamp()),
            "MsgType": "event",
            "Event": name,
        }
        if self.as_xml:
            lists = "".join(f"<List>{_xml(row)}</List>" for row in rows)
            text = f"<xml>{_xml(fields)}<{_LISTS[name]}>{lists}</{_LISTS[name]}></xml>"
        else:
            text = json.dumps({**fields, "List": list(rows)}, ensure_ascii=False)
        return self._sealed(name, text, at)

    def _sealed(self, kind: str, text: str, at: datetime) -> Push:
        sealed = self._encrypted(text.encode())
        stamp, nonce = str(int(at.timestamp())), secrets.token_hex(5)
        query = {
            "signature": _sha1(self.token, stamp, nonce),
            "timestamp": stamp,
            "nonce": nonce,
            "encrypt_type": "aes",
            "msg_signature": _sha1(self.token, stamp, nonce, sealed),
        }
        envelope = {"ToUserName": OURSELVES, "Encrypt": sealed}
        raw = (f"<xml>{_xml(envelope)}</xml>" if self.as_xml else json.dumps(envelope)).encode()
        begin = raw.index(sealed.encode())
        headers = {"Content-Type": "text/xml" if self.as_xml else "application/json"}
        signed = (begin, begin + len(sealed))
        return Push("wechat", kind, at, headers, raw, signed, "?" + urlencode(query))

    def _encrypted(self, text: bytes) -> str:
        key = base64.b64decode(self.key + "=")
        plain = secrets.token_bytes(16) + len(text).to_bytes(4, "big") + text + self.app_id.encode()
        missing = 32 - len(plain) % 32
        cipher = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
        sealed = cipher.update(plain + bytes([missing]) * missing) + cipher.finalize()
        return base64.b64encode(sealed).decode()


def _xml(fields: Mapping[str, Any]) -> str:
    return "".join(
        f"<{name}>{value}</{name}>"
        if isinstance(value, int)
        else f"<{name}><![CDATA[{value}]]></{name}>"
        for name, value in fields.items()
    )


def _sha1(*parts: str) -> str:
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()  # noqa: S324 - theirs
