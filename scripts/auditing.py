"""The walk of `make audit`: every member is looked at, twice where something differs."""

import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from graphql_api.kit.dynamo.blocks import SIZE
from graphql_api.members import repository as members
from graphql_api.members.rules import held_by_another
from graphql_api.orders import repository as orders
from graphql_api.rebuilds import repository as rebuilds
from graphql_api.rebuilds.rules import OVER
from graphql_api.standing import repository as standing
from graphql_api.stores import service as stores
from scripts import audit_credits, audit_rewards
from scripts.audit_checks import CHECKS
from scripts.audit_subject import Difference, Subject

WORKERS = 4
_NEWEST_RUNS = 20

Tell = Callable[[str, Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen of a member; one who is locked by a job is left to it."""

    differences: Sequence[Difference] = ()
    orders: int = 0
    busy: bool = False


class Audit:
    """A walk over members that counts what it saw and tells what differs."""

    def __init__(self, *, tell: Tell, say: Callable[[str], None]) -> None:
        self._tell = tell
        self._say = say
        self._clock = stores.clock()
        # While a policy is brought to everyone, standings by the one before are as they should be.
        self._policies = None if _is_rebuilding() else standing.in_force()
        self._found: Counter[str] = Counter()

    @property
    def counts(self) -> dict[str, int]:
        """What was looked at, and what was found."""
        names = ("members", "orders", "busy", "differences", "unread")
        return {name: self._found[name] for name in names}

    @property
    def is_wrong(self) -> bool:
        """Whether anything differs, or could not be read."""
        return bool(self._found["differences"] or self._found["unread"])

    def walk(self, from_block: int = 0, blocks: int | None = None) -> None:
        """Look at the members of so many blocks; to the end, and at archived ones, for None."""
        last = members.newest_number() // SIZE
        to = last if blocks is None else min(last, from_block + blocks - 1)
        for block in range(from_block, to + 1):
            self.look_at(members.ids_of_block(block))
            self._say(f"block {block} of {last}: {self._found['differences']} differences so far")
        if blocks is None:
            self.look_at(members.ids_of_archived())
            self._look_at_whole(audit_rewards.templates)
            self._look_at_whole(audit_credits.books_of_guides)

    def look_at(self, member_ids: Iterable[str]) -> None:
        """Look at members, a few at a time."""
        with ThreadPoolExecutor(WORKERS) as pool:
            for member_id, look in pool.map(self._guarded, member_ids):
                self._note(member_id, look)

    def _look_at_whole(self, differences: Callable[[], Iterator[Difference]]) -> None:
        """Look at what belongs to no member, twice where something differs."""
        seen = list(differences())
        again = list(differences()) if seen else []
        for difference in (one for one in again if one in seen):
            self._found["differences"] += 1
            self._tell("differs", difference.shown)

    def _guarded(self, member_id: str) -> tuple[str, Look | Exception]:
        try:
            return member_id, self._look(member_id)
        except Exception as problem:  # noqa: BLE001 - one bad item hides no other
            return member_id, problem

    def _look(self, member_id: str) -> Look:
        look = self._once(member_id)
        if not look.differences:
            return look
        again = self._once(member_id)
        both = [one for one in again.differences if one in look.differences]
        return replace(again, differences=both)

    def _once(self, member_id: str) -> Look:
        member = members.get(member_id)
        if member is None:
            return Look()
        if held_by_another(member.lock_owner, member.locked_until, "", self._clock.now()):
            return Look(busy=True)
        found = orders.all_of_member(member)
        subject = Subject(member, found, self._clock, self._policies)
        return Look([one for check in CHECKS for one in check(subject)], len(found))

    def _note(self, member_id: str, look: Look | Exception) -> None:
        self._found["members"] += 1
        if isinstance(look, Exception):
            self._found["unread"] += 1
            self._tell("not read", {"member": member_id, **_problem(look)})
            return
        self._found["orders"] += look.orders
        self._found["busy"] += look.busy
        self._found["differences"] += len(look.differences)
        for difference in look.differences:
            self._tell("differs", {"member": member_id, **difference.shown})


def _problem(problem: Exception) -> dict[str, str]:
    """What kind of problem it was, and where in the code; its text may hold what is in the item."""
    last = traceback.extract_tb(problem.__traceback__)[-1]
    return {"problem": type(problem).__name__, "at": f"{Path(last.filename).name}:{last.lineno}"}


def _is_rebuilding() -> bool:
    newest = rebuilds.page_of_all(first=_NEWEST_RUNS, after=None, reverse=True)
    return any(run.state not in OVER for run in newest.items)
