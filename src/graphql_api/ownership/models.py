"""What is stored of ownership: the terms that guides had members for, and hand-overs."""

from collections import Counter
from dataclasses import dataclass

from pynamodb.attributes import ListAttribute, NumberAttribute, UnicodeAttribute, VersionAttribute
from pynamodb.constants import STREAM_NEW_AND_OLD_IMAGE
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb_attributes import UnicodeEnumAttribute

from graphql_api.kit.dynamo import DayAttribute, InstantAttribute, Item, JsonAttribute, table_name
from graphql_api.members.models import Member
from graphql_api.members.rules import OwnershipSource
from graphql_api.ownership.rules import EndReason, HandOverFailure, HandOverState, Outcome

SOLE = "@"
TERM = "term#"
SKIP = "skip#"
_LISTED = "member#"


class FromGuideIndex(GlobalSecondaryIndex["OwnershipItem"]):
    """The hand-overs of a guide's members, by time."""

    class Meta:
        index_name = "from-guide"
        projection = KeysOnlyProjection()

    from_guide_id = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)


class OwnershipItem(Item):
    """The table of this slice; every item has the base key (id, sort)."""

    class Meta:
        table_name = table_name("ownership")
        billing_mode = "PAY_PER_REQUEST"
        stream_view_type = STREAM_NEW_AND_OLD_IMAGE

    id = UnicodeAttribute(hash_key=True)
    sort = UnicodeAttribute(range_key=True, default=SOLE)
    from_guide_id = UnicodeAttribute(null=True)

    by_from_guide = FromGuideIndex()


class Term(OwnershipItem):
    """One ownership of a member from beginning to end; the open one says what the member says.

    The term that an enrolment began is written when it ends: until then the member speaks for it.
    """

    id_prefix = "mbr"

    guide_id = UnicodeAttribute()
    since = InstantAttribute()
    source = UnicodeEnumAttribute(OwnershipSource)
    valid_until = DayAttribute(null=True)
    protected_until = DayAttribute(null=True)
    policy_version = NumberAttribute(null=True)
    ended_at = InstantAttribute(null=True)
    end_reason = UnicodeEnumAttribute(EndReason, null=True)


@dataclass(frozen=True, slots=True)
class Skips:
    """How many members a hand-over left where they are for one reason."""

    reason: Outcome
    members: int


class HandOver(OwnershipItem):
    """A guide's members go to others: first they are listed, then moved, in numbered steps.

    `listed_to` is the place in the guide's list that was reached, `total` stands when its end was;
    `done` of the numbers are moved or skipped.
    """

    id_prefix = "hov"

    from_guide_id = UnicodeAttribute()
    store_id = UnicodeAttribute()
    target_ids: ListAttribute[str] = ListAttribute(default=list)
    reason = UnicodeEnumAttribute(EndReason)
    source = UnicodeEnumAttribute(OwnershipSource)
    state = UnicodeEnumAttribute(HandOverState, default=HandOverState.WAITING)
    failure = UnicodeEnumAttribute(HandOverFailure, null=True)
    created_by = UnicodeAttribute()
    created_at = InstantAttribute()
    started_at = InstantAttribute(null=True)
    ended_at = InstantAttribute(null=True)
    listed = NumberAttribute(default=0)
    listed_to = UnicodeAttribute(null=True)
    total = NumberAttribute(null=True)
    done = NumberAttribute(default=0)
    outcome_document = JsonAttribute(attr_name="outcomes", default=dict)
    version = VersionAttribute()

    @property
    def outcomes(self) -> Counter[Outcome]:
        """What became of how many of the members so far."""
        return Counter({Outcome(name): n for name, n in self.outcome_document.items()})

    @outcomes.setter
    def outcomes(self, counts: Counter[Outcome]) -> None:
        self.outcome_document = {outcome.value: n for outcome, n in counts.items()}

    @property
    def moved(self) -> int:
        """How many members went to others, or to nobody where the job names nobody."""
        return self.outcomes[Outcome.MOVED]

    @property
    def skipped(self) -> list[Skips]:
        """How many members stayed where they are, for each reason there was."""
        counts = sorted(self.outcomes.items())
        return [Skips(reason, n) for reason, n in counts if reason is not Outcome.MOVED]


class HandedOver(OwnershipItem):
    """A member on the list of a hand-over; `outcome` is written with what becomes of them."""

    id_prefix = "hov"

    member_id = UnicodeAttribute()
    outcome = UnicodeEnumAttribute(Outcome, null=True)

    @property
    def number(self) -> int:
        """The place on the list, from 0."""
        return int(self.sort.removeprefix(_LISTED))


class Skipped(OwnershipItem):
    """A member whom a hand-over left where they are."""

    id_prefix = "hov"

    member_id = UnicodeAttribute()
    reason = UnicodeEnumAttribute(Outcome)


def term_sort(number: int) -> str:
    """The range key of a member's term; sorts as the numbers do."""
    return f"{TERM}{number:06d}"


def term_of(member: Member) -> Term | None:
    """The term that a member is in, as their item tells it."""
    owned = member.ownership
    if owned is None:
        return None
    return Term(
        member.id,
        term_sort(member.terms),
        guide_id=owned.guide_id,
        since=owned.since,
        source=owned.source,
        valid_until=owned.valid_until,
        protected_until=owned.protected_until,
        policy_version=owned.policy_version,
    )


def listed_sort(number: int) -> str:
    """The range key of a member on the list of a hand-over."""
    return f"{_LISTED}{number:07d}"


def skip_sort(number: int) -> str:
    """The range key of a member whom a hand-over skipped."""
    return f"{SKIP}{number:07d}"
