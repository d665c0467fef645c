"""Handing customers over in the simulated WeCom, with its limits: it takes a day, some refuse."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

TAKES = timedelta(hours=24)
WINDOW = timedelta(days=90)
MOST_IN_WINDOW = 2
_AT_ONCE = 100
_PAGE = 3
"""Few to a page, so that somebody has to turn it."""

Answer = dict[str, Any]
DONE, WAITING, REFUSED, LIMIT = 1, 2, 3, 4


@dataclass
class Handing:
    """Who is being handed over; `left` are users who left, `full` have too many customers."""

    left: set[str] = field(default_factory=set)
    full: set[str] = field(default_factory=set)
    refusing: set[str] = field(default_factory=set)
    begun: dict[tuple[str, str, str], datetime] = field(default_factory=dict)
    moves: dict[str, list[datetime]] = field(default_factory=dict)

    @property
    def calls(self) -> dict[str, Callable[[Answer, datetime], Answer]]:
        """What is answered, by path."""
        return {
            "transfer_customer": self._ask,
            "resigned/transfer_customer": self._ask_of_left,
            "transfer_result": self._results,
            "resigned/transfer_result": self._results,
        }

    def status(self, key: tuple[str, str, str], at: datetime) -> int:
        """Where a customer stands."""
        if key[2] in self.refusing:
            return REFUSED
        if key[1] in self.full:
            return LIMIT
        return DONE if at >= self.begun[key] + TAKES else WAITING

    def _ask_of_left(self, given: Answer, at: datetime) -> Answer:
        if given["handover_userid"] not in self.left:
            return {"errcode": 40097, "errmsg": "handover user has not left"}
        return self._begin(given, at, is_limited=False)

    def _ask(self, given: Answer, at: datetime) -> Answer:
        return self._begin(given, at, is_limited=True)

    def _begin(self, given: Answer, at: datetime, *, is_limited: bool) -> Answer:
        customers = given["external_userid"]
        if len(customers) > _AT_ONCE:
            return {"errcode": 40058, "errmsg": "too many"}
        pair = given["handover_userid"], given["takeover_userid"]
        told = [(one, self._one(*pair, one, at, is_limited=is_limited)) for one in customers]
        return {"customer": [{"external_userid": one, "errcode": code} for one, code in told]}

    def _one(self, giver: str, taker: str, one: str, at: datetime, *, is_limited: bool) -> int:
        if (giver, taker, one) in self.begun:
            return 40100
        recent = [moved for moved in self.moves.get(one, []) if at - moved < WINDOW]
        if is_limited and len(recent) >= MOST_IN_WINDOW:
            return 40128
        self.begun[giver, taker, one] = at
        self.moves.setdefault(one, []).append(at)
        return 0

    def _results(self, given: Answer, at: datetime) -> Answer:
        pair = given["handover_userid"], given["takeover_userid"]
        keys = sorted(key for key in self.begun if key[:2] == pair)
        start = int(given.get("cursor") or 0)
        rows = [self._row(key, at) for key in keys[start : start + _PAGE]]
        more = start + _PAGE < len(keys)
        return {"customer": rows, "next_cursor": str(start + _PAGE) if more else ""}

    def _row(self, key: tuple[str, str, str], at: datetime) -> Answer:
        status = self.status(key, at)
        done_at = int((self.begun[key] + TAKES).timestamp()) if status == DONE else 0
        return {"external_userid": key[2], "status": status, "takeover_time": done_at}
