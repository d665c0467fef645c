"""What WeChat and WeCom refuse with, in plain words, and what of it passes by itself.

https://developer.work.weixin.qq.com/document/path/90313
"""

from collections.abc import Iterator
from contextlib import contextmanager

from graphql_api.connectors.errors import Later, NotSetUp, VendorRefused
from graphql_api.connectors.weixin import STALE_TOKENS, Refusal
from graphql_api.errors import Unavailable

BUSY = -1
IP_NOT_TRUSTED = 60020
NO_API_RIGHT = 48002
SAME_PAIR_AT_ONCE = 45035
TOO_OFTEN = frozenset({45009, 45011, 45033})
WAITS = {BUSY: 3.0, SAME_PAIR_AT_ONCE: 2.0, **dict.fromkeys(TOO_OFTEN, 60.0)}
"""After how many seconds to ask again; whoever asks too often is shut out for a minute."""

SET_UP = {
    40001: "the secret of the app is wrong",
    40013: "there is no such app id",
    40056: "there is no such app in the corp",
    IP_NOT_TRUSTED: "this address is not among the trusted IPs 企业可信IP of the app: give the"
    " functions a fixed address and enter it there",
    NO_API_RIGHT: "the app may not call this API: add it under 客户联系 → 可调用接口的应用",
    301002: "this belongs to another app, which alone may change it",
}
"""What somebody has to put right in the platform's console."""

MEANINGS = {
    40003: "there is no such person at this app",
    40037: "there is no such template",
    40058: "a parameter is not as it should be",
    40068: "there is no such tag",
    40096: "this is not a customer of the corp's",
    40097: "the guide who hands over has not left, or left more than a year ago",
    40098: "the taker is not activated or not real-named",
    40099: "this guide may not take the customer over",
    40100: "this customer is being handed over already",
    40128: "this customer was handed over twice within 90 days",
    41030: "this page is not in the published mini-program",
    41051: "this friend was welcomed before, or began to talk",
    41054: "this guide is not activated, not real-named, or may not have customers",
    41063: "the task is being handed out: wait",
    41096: "another app is welcoming this friend",
    43101: "the member did not agree to another message",
    47003: "the data of the message is not as its template wants it",
    84061: "this is no friend of this guide's",
    87014: "the content breaks the rules",
    90500: "the owner of the group has not left",
    1400001: "the paid quota is used up",
}


class Refused(VendorRefused):
    """The platform said no, and will say so again."""

    def __init__(self, errcode: int) -> None:
        super().__init__(str(errcode))
        self.errcode = errcode

    @property
    def meaning(self) -> str:
        """What the number means, in plain words."""
        return meaning(self.errcode)


def meaning(errcode: int) -> str:
    """What an error number of WeChat or WeCom means, in plain words."""
    return MEANINGS.get(errcode) or SET_UP.get(errcode) or "refused without a known reason"


def raised(refusal: Refusal) -> Exception:
    """What to raise for an error code: Later for what passes, NotSetUp for what somebody mends.

    A code of stale tokens stays as it is: the token is replaced.
    """
    errcode = refusal.errcode
    if errcode in STALE_TOKENS:
        return refusal
    if errcode in WAITS:
        return Later(WAITS[errcode])
    if errcode in SET_UP:
        return NotSetUp(f"{errcode}: {SET_UP[errcode]}")
    return Refused(errcode)


@contextmanager
def said_plainly() -> Iterator[None]:
    """What a platform does not do, in words for somebody who waits for it: Unavailable."""
    try:
        yield
    except NotSetUp as missing:
        raise Unavailable(f"WeCom is not set up for this: {missing}") from None
    except Refused as refusal:
        raise Unavailable(f"WeCom refused ({refusal.code}): {refusal.meaning}") from None
    except Later:
        raise Unavailable("WeCom does not answer now; try again in a minute") from None
