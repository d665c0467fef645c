"""What is stored of members: the item with its facts, claims on identities, and effects."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from pynamodb.attributes import (
    BooleanAttribute,
    ListAttribute,
    NumberAttribute,
    UnicodeAttribute,
    VersionAttribute,
)
from pynamodb.constants import STREAM_NEW_AND_OLD_IMAGE
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb_attributes import UnicodeEnumAttribute

from graphql_api.config import settings
from graphql_api.kit import ids, secrecy
from graphql_api.kit.dynamo import DayAttribute, InstantAttribute, Item, JsonAttribute, table_name
from graphql_api.members import rules
from graphql_api.members.rules import (
    Bucket,
    ConsentChannel,
    ConsentPurpose,
    EffectKind,
    Facts,
    Gender,
    HeldTag,
    IdentityKind,
    Origin,
    Ownership,
    OwnershipSource,
    SourceChannel,
    TagSource,
)
from graphql_api.viewer import Role

SOLE = "@"
EFFECT = "effect#"
DUE_AT_ONCE = date(1970, 1, 1)
"""A day that is over: whoever was due then is due now."""
DUE_SHARDS = tuple(f"{n:02d}" for n in range(16))
GUIDE_DUE_SHARDS = tuple(f"{n:02d}" for n in range(16))
BIRTHDAY_SHARDS = tuple(f"{n:02d}" for n in range(16))
_INSTANT = InstantAttribute()
_CLAIM = "claim#"
CONSENT = "consent#"
EFFECT = "effect#"
_TAG = "tag_"
_TAG_DIGITS = 26
_SOURCES = {"H": TagSource.BY_HAND, "R": TagSource.RULE, "I": TagSource.IMPORTED}
_LETTERS = {source: letter for letter, source in _SOURCES.items()}


class BlockIndex(GlobalSecondaryIndex["MembersItem"]):
    """Members by number, 256 to a key."""

    class Meta:
        index_name = "block"
        projection = KeysOnlyProjection()

    block = UnicodeAttribute(hash_key=True)
    place = UnicodeAttribute(range_key=True)


class StoreIndex(GlobalSecondaryIndex["MembersItem"]):
    """Members of a home store by joining time."""

    class Meta:
        index_name = "store"
        projection = KeysOnlyProjection()

    at_store = UnicodeAttribute(hash_key=True)
    joined_key = UnicodeAttribute(range_key=True)


class GuideIndex(GlobalSecondaryIndex["MembersItem"]):
    """Members of an owning guide by joining time."""

    class Meta:
        index_name = "guide"
        projection = KeysOnlyProjection()

    at_guide = UnicodeAttribute(hash_key=True)
    joined_key = UnicodeAttribute(range_key=True)


class GuidePhoneIndex(GlobalSecondaryIndex["MembersItem"]):
    """Members of an owning guide with the same last four digits of the phone, by joining time."""

    class Meta:
        index_name = "guide-phone"
        projection = KeysOnlyProjection()

    guide_last4 = UnicodeAttribute(hash_key=True)
    joined_key = UnicodeAttribute(range_key=True)


class StorePhoneIndex(GlobalSecondaryIndex["MembersItem"]):
    """Members of a home store with the same last four digits of the phone, by joining time."""

    class Meta:
        index_name = "store-phone"
        projection = KeysOnlyProjection()

    store_last4 = UnicodeAttribute(hash_key=True)
    joined_key = UnicodeAttribute(range_key=True)


class GuideNameIndex(GlobalSecondaryIndex["MembersItem"]):
    """Members of an owning guide who have a name, by name."""

    class Meta:
        index_name = "guide-name"
        projection = KeysOnlyProjection()

    at_guide = UnicodeAttribute(hash_key=True)
    name_key = UnicodeAttribute(range_key=True)


class StoreNameIndex(GlobalSecondaryIndex["MembersItem"]):
    """Members of a home store who have a name, by name."""

    class Meta:
        index_name = "store-name"
        projection = KeysOnlyProjection()

    at_store = UnicodeAttribute(hash_key=True)
    name_key = UnicodeAttribute(range_key=True)


class GuideDueIndex(GlobalSecondaryIndex["MembersItem"]):
    """Members whose owning guide has them until a day, by that day, in 16 shards."""

    class Meta:
        index_name = "guide-due"
        projection = KeysOnlyProjection()

    guide_due_shard = UnicodeAttribute(hash_key=True)
    guide_due_key = UnicodeAttribute(range_key=True)


class DueIndex(GlobalSecondaryIndex["MembersItem"]):
    """Members whom somebody has to look at, by the day, in 16 shards; others are not in it."""

    class Meta:
        index_name = "due"
        projection = KeysOnlyProjection()

    due_shard = UnicodeAttribute(hash_key=True)
    due_key = UnicodeAttribute(range_key=True)


class BirthdayIndex(GlobalSecondaryIndex["MembersItem"]):
    """Members by birthday, month and day, in 16 shards; who told none is not in it."""

    class Meta:
        index_name = "birthday"
        projection = KeysOnlyProjection()

    birthday_shard = UnicodeAttribute(hash_key=True)
    joined_key = UnicodeAttribute(range_key=True)


class MembersItem(Item):
    """The table of this slice; every item has the base key (id, sort)."""

    class Meta:
        table_name = table_name("members")
        billing_mode = "PAY_PER_REQUEST"
        stream_view_type = STREAM_NEW_AND_OLD_IMAGE

    id = UnicodeAttribute(hash_key=True)
    sort = UnicodeAttribute(range_key=True, default=SOLE)
    block = UnicodeAttribute(null=True)
    place = UnicodeAttribute(null=True)
    at_store = UnicodeAttribute(null=True)
    at_guide = UnicodeAttribute(null=True)
    joined_key = UnicodeAttribute(null=True)
    name_key = UnicodeAttribute(null=True)
    guide_last4 = UnicodeAttribute(null=True)
    store_last4 = UnicodeAttribute(null=True)
    guide_due_shard = UnicodeAttribute(null=True)
    guide_due_key = UnicodeAttribute(null=True)
    due_shard = UnicodeAttribute(null=True)
    due_key = UnicodeAttribute(null=True)
    birthday_shard = UnicodeAttribute(null=True)

    by_block = BlockIndex()
    by_store = StoreIndex()
    by_guide = GuideIndex()
    by_guide_phone = GuidePhoneIndex()
    by_store_phone = StorePhoneIndex()
    by_guide_name = GuideNameIndex()
    by_store_name = StoreNameIndex()
    by_guide_due = GuideDueIndex()
    by_due = DueIndex()
    by_birthday = BirthdayIndex()


class Consent:
    """One agreement: purpose and channel, with the text that was shown."""

    __slots__ = ("at", "channel", "granted", "purpose", "text_version", "withdrawn_at")

    def __init__(self, key: str, row: list[Any]) -> None:
        purpose, _, channel = key.partition("#")
        self.purpose = ConsentPurpose(purpose)
        self.channel = ConsentChannel(channel)
        self.text_version = str(row[0])
        self.at = datetime.fromisoformat(row[1])
        self.withdrawn_at = datetime.fromisoformat(row[2]) if row[2] else None
        self.granted = self.withdrawn_at is None


class Identity:
    """One identity, as a claim names it."""

    __slots__ = ("kind", "value")

    def __init__(self, claim: str) -> None:
        kind, _, value = claim.partition("#")
        self.kind = IdentityKind(kind)
        self.value = value


class Member(MembersItem):
    """A person with whom the chain keeps a relationship, and what they bought.

    Of two members who were one person the loser stays as an alias: `merged_into` names who has its
    place, whose `alias_ids` are all that lead there. `merge_id` is set while a merge is under way.
    """

    id_prefix = "mbr"

    number = NumberAttribute()
    identity_claims: ListAttribute[str] = ListAttribute(default=list)
    sealed_phone = UnicodeAttribute(null=True)
    phone_last4 = UnicodeAttribute(null=True)

    name = UnicodeAttribute(null=True)
    nickname = UnicodeAttribute(null=True)
    gender = UnicodeEnumAttribute(Gender, default=Gender.UNKNOWN)
    birthday = UnicodeAttribute(null=True)
    birth_year = NumberAttribute(null=True)
    city = UnicodeAttribute(null=True)
    occupation = UnicodeAttribute(null=True)
    income_band = UnicodeAttribute(null=True)
    consent_document = JsonAttribute(attr_name="consents", default=dict)

    source = UnicodeEnumAttribute(SourceChannel)
    joined_at = InstantAttribute()
    joining_store_id = UnicodeAttribute()
    joining_guide_id = UnicodeAttribute(null=True)
    store_id = UnicodeAttribute()
    guide_id = UnicodeAttribute(null=True)
    guide_since = InstantAttribute(null=True)
    guide_source = UnicodeEnumAttribute(OwnershipSource, null=True)
    guide_valid_until = DayAttribute(null=True)
    guide_protected_until = DayAttribute(null=True)
    guide_policy = NumberAttribute(null=True)
    guide_term = NumberAttribute(null=True)

    month_document = JsonAttribute(attr_name="months", default=dict)
    newest_month = UnicodeAttribute(null=True)
    order_count = NumberAttribute(default=0)
    paid = NumberAttribute(default=0)
    refunded = NumberAttribute(default=0)
    growth = NumberAttribute(default=0)
    first_purchase_on = DayAttribute(null=True)
    last_purchase_on = DayAttribute(null=True)

    tag_document = JsonAttribute(attr_name="tags", default=dict)

    points = NumberAttribute(default=0)
    points_pending = NumberAttribute(default=0)
    points_frozen = NumberAttribute(default=0)
    points_origin = UnicodeEnumAttribute(Origin, null=True)

    standing_document = JsonAttribute(attr_name="standing", null=True)
    standing_origin = UnicodeEnumAttribute(Origin, null=True)
    next_on = DayAttribute(null=True)
    due_on = DayAttribute(null=True)
    foreseen = JsonAttribute(null=True)

    merged_into = UnicodeAttribute(null=True)
    alias_ids: ListAttribute[str] = ListAttribute(default=list)
    merge_id = UnicodeAttribute(null=True)

    lock_owner = UnicodeAttribute(null=True)
    locked_until = InstantAttribute(null=True)
    created_at = InstantAttribute()
    archived_at = InstantAttribute(null=True)
    version = VersionAttribute()

    def fall_due(self) -> None:
        """Have somebody look at the member at once: what a standing hangs on has changed."""
        self.due_on = DUE_AT_ONCE

    @property
    def lives(self) -> tuple[str, ...]:
        """Every id under which something of the member may stand: aliases first, then their own."""
        return (*self.alias_ids, self.id)

    @property
    def member_no(self) -> str:
        """The number as people read it, with its check digit."""
        return rules.shown_number(int(self.number))

    @property
    def phone(self) -> str | None:
        """The phone in the clear, E.164."""
        if self.sealed_phone is None:
            return None
        return secrecy.decrypt(settings().phone_cipher_keys, self.sealed_phone)

    @property
    def identities(self) -> list[Identity]:
        """Every identity but the phone, which has a field of its own."""
        known = [Identity(claim) for claim in self.identity_claims]
        return [identity for identity in known if identity.kind is not IdentityKind.PHONE]

    @property
    def consents(self) -> list[Consent]:
        """Agreements by purpose and channel, withdrawn ones too."""
        return [Consent(key, row) for key, row in sorted(self.consent_document.items())]

    @property
    def ownership(self) -> Ownership | None:
        """Who looks after the member as stored, which may have run out; see `owned_on`.

        A guide without further particulars has the member since the joining.
        """
        if self.guide_id is None:
            return None
        return Ownership(
            guide_id=self.guide_id,
            since=self.guide_since or self.joined_at,
            source=self.guide_source or OwnershipSource.REGISTRATION,
            valid_until=self.guide_valid_until,
            protected_until=self.guide_protected_until,
            policy_version=None if self.guide_policy is None else int(self.guide_policy),
        )

    @property
    def terms(self) -> int:
        """How many ownerships the member has had, with the one of now."""
        if self.guide_term is None:
            return 0 if self.guide_id is None else 1
        return int(self.guide_term)

    def owned_on(self, day: date) -> Ownership | None:
        """Who looks after the member on a business day."""
        owned = self.ownership
        return owned if owned and owned.holds(day) else None

    def begin_ownership(self, new: Ownership) -> None:
        """Have a guide from now on, as the next of the member's terms."""
        self.guide_term = self.terms + 1
        self.guide_id = new.guide_id
        self.guide_since = new.since
        self.guide_source = new.source
        self.guide_valid_until = new.valid_until
        self.guide_protected_until = new.protected_until
        self.guide_policy = new.policy_version

    def end_ownership(self) -> None:
        """Have no guide from now on."""
        self.guide_term = self.terms
        self.guide_id = self.guide_since = self.guide_source = None
        self.guide_valid_until = self.guide_protected_until = self.guide_policy = None

    @property
    def tags(self) -> dict[str, HeldTag]:
        """The tags that the member was given, by id; one that ran out stays until cleared away.

        Stored short, as `{"7": "H20180110"}`: the id without its zeros, source, last day.
        """
        return {
            f"{_TAG}{key:0>{_TAG_DIGITS}}": _held(row) for key, row in self.tag_document.items()
        }

    @tags.setter
    def tags(self, tags: Mapping[str, HeldTag]) -> None:
        self.tag_document = {
            id_.removeprefix(_TAG).lstrip("0"): _tag_row(tag) for id_, tag in tags.items()
        }

    def tags_on(self, day: date) -> list[str]:
        """The ids of the tags that hold on a business day."""
        return sorted(id_ for id_, tag in self.tags.items() if tag.holds(day))

    @property
    def facts(self) -> Facts:
        """What the member bought."""
        return Facts(
            months={m: Bucket(*row) for m, row in self.month_document.items()},
            newest_month=self.newest_month,
            orders=int(self.order_count),
            paid=int(self.paid),
            refunded=int(self.refunded),
            growth=int(self.growth),
            first_on=self.first_purchase_on,
            last_on=self.last_purchase_on,
        )

    @facts.setter
    def facts(self, facts: Facts) -> None:
        self.month_document = {m: list(b.row) for m, b in facts.months.items()}
        self.newest_month = facts.newest_month
        self.order_count = facts.orders
        self.paid = facts.paid
        self.refunded = facts.refunded
        self.growth = facts.growth
        self.first_purchase_on = facts.first_on
        self.last_purchase_on = facts.last_on


class Claim(MembersItem):
    """An identity belongs to one member."""

    member_id = UnicodeAttribute()


class Tombstone(MembersItem):
    """An identity, or a member's id, of somebody who was erased; by whichever job it was.

    Under a keyed hash, never the identity itself.
    """

    erasure_id = UnicodeAttribute()
    erased_on = DayAttribute()


class ConsentEntry(MembersItem):
    """A member agreed, or no longer did; once for each time, never written again."""

    purpose = UnicodeEnumAttribute(ConsentPurpose)
    channel = UnicodeEnumAttribute(ConsentChannel)
    granted = BooleanAttribute()
    text_version = UnicodeAttribute()
    at = InstantAttribute()
    source = UnicodeEnumAttribute(SourceChannel, null=True)
    by_role = UnicodeEnumAttribute(Role)
    by_id = UnicodeAttribute()


class Effect(MembersItem):
    """What a decision made happen, written with it; the right of the house consumes it."""

    kind = UnicodeEnumAttribute(EffectKind)
    level = UnicodeAttribute()
    origin = UnicodeEnumAttribute(Origin)
    decided_on = DayAttribute()


class Counter(MembersItem):
    """The last member number that was given."""

    last = NumberAttribute(default=0)


def claim_id(claim: str) -> str:
    """The key of the claim on an identity."""
    return f"{_CLAIM}{claim}"


def claim_of(key: str) -> str | None:
    """The claim behind a key, None for keys of anything else."""
    return key.removeprefix(_CLAIM) if key.startswith(_CLAIM) else None


def tombstone_id(hidden: str) -> str:
    """The key of the tombstone of a member's id, or of an identity as `hidden` shows it."""
    return f"erased#{hidden}"


def consent_entry(member_id: str, key: str, *, at: datetime, **said: Any) -> ConsentEntry:
    """An entry about the agreement under a key of the member's own map, by time and unique."""
    consent = Consent(key, [said["text_version"], at.isoformat(), None])
    sort = f"{CONSENT}{_INSTANT.serialize(at)}#{ids.new_id('con')}"
    return ConsentEntry(
        member_id, sort, purpose=consent.purpose, channel=consent.channel, at=at, **said
    )


def effect_sort(kind: EffectKind, level: str) -> str:
    """The range key of an effect: a second one of the same kind and level has no place."""
    return f"{EFFECT}{kind}#{level}"


def name_key_of(member: Member) -> str | None:
    """By name as it is searched for; the id makes the key unique."""
    name = rules.searched_name(member.name) if member.name else ""
    return f"{name}#{member.id}" if name else None


def last4_key(owner_id: str, last4: str) -> str:
    """The partition of a guide's or a store's members whose phones end alike."""
    return f"{owner_id}#{last4}"


def due_shard_of(member: Member) -> str:
    """One of 16, always the same for a member."""
    return DUE_SHARDS[int(member.number) % len(DUE_SHARDS)]


def due_key_of(member_id: str, due_on: date) -> str:
    """By the day on which somebody has to look; the id makes the key unique."""
    return f"{due_on.isoformat()}#{member_id}"


def birthday_id(month_day: str, shard: str) -> str:
    """The partition of a shard of the members who were born on a day, MM-DD."""
    return f"{month_day}#{shard}"


def birthday_shard_of(member: Member) -> str | None:
    """By the birthday; one of 16 for each day, always the same for a member."""
    shard = BIRTHDAY_SHARDS[int(member.number) % len(BIRTHDAY_SHARDS)]
    return birthday_id(member.birthday, shard) if member.birthday else None


def guide_due_key_of(member: Member) -> str | None:
    """By the last day of the ownership; the id makes the key unique."""
    last_day = member.guide_valid_until
    return f"{last_day.isoformat()}#{member.id}" if last_day else None


def alias_block(block: str) -> str:
    """The key of the aliases with numbers of a block: found by number, in no list."""
    return f"merged#{block}"


def joined_key_of(member: Member) -> str:
    """By joining time to the second, UTC, and unique."""
    return f"{_INSTANT.serialize(member.joined_at)[:19]}#{member.id}"


def _tag_row(tag: HeldTag) -> str:
    last_day = f"{tag.expires_on:%Y%m%d}" if tag.expires_on else ""
    return _LETTERS[tag.source] + last_day


def _held(row: str) -> HeldTag:
    return HeldTag(_SOURCES[row[0]], date.fromisoformat(row[1:]) if row[1:] else None)
