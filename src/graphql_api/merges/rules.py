"""Rules of merges: what of two members who are one person stands, and who may merge them."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from graphql_api.members.rules import Gender, Seen, SourceChannel, birthday_exists, reaches
from graphql_api.viewer import READ_MEMBERS, WRITE_MEMBERS, Role, Viewer


class MergeState(StrEnum):
    """Where a merge stands (进行中, 完成, 失败); its first step makes it, so that none waits."""

    IN_PROGRESS = "IN_PROGRESS"
    DONE = "DONE"
    FAILED = "FAILED"


class MergeSource(StrEnum):
    """From where a merge came."""

    BY_HAND = "BY_HAND"
    API = "API"
    YOUZAN = "YOUZAN"
    WEIMOB = "WEIMOB"
    WECHAT = "WECHAT"
    WECOM = "WECOM"
    SYSTEM = "SYSTEM"


class MergePart(StrEnum):
    """What of a member is moved."""

    IDENTITIES = "IDENTITIES"
    EFFECTS = "EFFECTS"
    STANDING = "STANDING"
    FACTS = "FACTS"
    POINTS = "POINTS"
    PROFILE = "PROFILE"
    JOINING = "JOINING"
    CONSENTS = "CONSENTS"
    OWNERSHIP = "OWNERSHIP"
    SESSIONS = "SESSIONS"
    ORDERS = "ORDERS"
    TAGS = "TAGS"
    COUPONS = "COUPONS"
    PARTICIPATIONS = "PARTICIPATIONS"


PROFILE = ("name", "nickname", "city", "occupation", "income_band")

ConsentRow = list[Any]
"""Version of the text, when it was given, when it was withdrawn or None; instants in ISO 8601."""

Consents = Mapping[str, ConsentRow]


class Person(Protocol):
    """What of a member says who they are."""

    @property
    def gender(self) -> Gender: ...
    @property
    def birthday(self) -> str | None: ...
    @property
    def birth_year(self) -> float | None: ...


class Joined(Protocol):
    """What of a member says how they joined."""

    @property
    def joined_at(self) -> datetime: ...
    @property
    def source(self) -> SourceChannel: ...
    @property
    def joining_store_id(self) -> str: ...
    @property
    def joining_guide_id(self) -> str | None: ...


class Placed(Protocol):
    """What of a merge decides who sees it."""

    @property
    def store_id(self) -> str: ...


Job = TypeVar("Job", bound=Placed)


# --- what stands -----------------------------------------------------------------------------


def united_consents(mine: Consents, theirs: Consents) -> dict[str, ConsentRow]:
    """What one person agreed to under two ids: for each purpose and channel the protective reading.

    Withdrawn under one of them is withdrawn, whichever came later; of two withdrawals, and of two
    agreements, the later stands.
    """
    return {key: _protective(mine.get(key), theirs.get(key)) for key in {*mine, *theirs}}


def _protective(mine: ConsentRow | None, theirs: ConsentRow | None) -> ConsentRow:
    known = [row for row in (mine, theirs) if row is not None]
    return max(known, key=lambda row: (row[2] is not None, row[2] or "", row[1], row[0]))


def filled(mine: Person, theirs: Person) -> dict[str, Any]:
    """What of a profile is not known of one and known of the other; what is known stays.

    A year of birth in which the birthday does not exist is not taken over.
    """
    gaps = {name: getattr(theirs, name) for name in PROFILE if getattr(mine, name) is None}
    if mine.gender is Gender.UNKNOWN:
        gaps["gender"] = theirs.gender
    if mine.birthday is None and birthday_exists(theirs.birthday, _year(mine)):
        gaps["birthday"] = theirs.birthday
    if mine.birth_year is None:
        birthday = gaps.get("birthday") or mine.birthday
        if birthday_exists(birthday, _year(theirs)):
            gaps["birth_year"] = theirs.birth_year
    return {name: value for name, value in gaps.items() if value not in {None, Gender.UNKNOWN}}


def joining(mine: Joined, theirs: Joined) -> Joined:
    """Who of the two joined first, with store, guide and door of that day."""
    return theirs if theirs.joined_at < mine.joined_at else mine


def _year(person: Person) -> int | None:
    return None if person.birth_year is None else int(person.birth_year)


# --- who may do what -------------------------------------------------------------------------


def may_merge(viewer: Viewer, member: Seen) -> bool:
    """Headquarters, within their reach, and keys that write members."""
    if viewer.role not in {Role.OPERATOR, Role.INTEGRATION, Role.SYSTEM}:
        return False
    writes = viewer.role is not Role.INTEGRATION or viewer.holds(WRITE_MEMBERS)
    return writes and reaches(viewer, member)


def source_of(viewer: Viewer) -> MergeSource:
    """From where a merge comes that says no more about it."""
    known = {Role.OPERATOR: MergeSource.BY_HAND, Role.INTEGRATION: MergeSource.API}
    return known.get(viewer.role, MergeSource.SYSTEM)


def visible(viewer: Viewer, job: Job) -> Job | None:
    """The row rule: headquarters see merges of members of the stores they reach, keys all."""
    if viewer.role is Role.INTEGRATION:
        return job if viewer.holds(READ_MEMBERS) else None
    headquarters = viewer.role in {Role.OPERATOR, Role.SYSTEM}
    return job if headquarters and viewer.reaches_store(job.store_id) else None
