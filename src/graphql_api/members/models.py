"""What is stored of members: the item with its facts, claims on identities, and effects."""

from datetime import datetime
from typing import Any

from pynamodb.attributes import (
    ListAttribute,
    NumberAttribute,
    UnicodeAttribute,
    VersionAttribute,
)
from pynamodb.constants import STREAM_NEW_AND_OLD_IMAGE
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb_attributes import UnicodeEnumAttribute

from graphql_api.config import settings
from graphql_api.kit import secrecy
from graphql_api.kit.dynamo import DayAttribute, InstantAttribute, Item, JsonAttribute, table_name
from graphql_api.members import rules
from graphql_api.members.rules import (
    Bucket,
    ConsentChannel,
    ConsentPurpose,
    EffectKind,
    Facts,
    Gender,
    IdentityKind,
    Origin,
    SourceChannel,
)

SOLE = "@"
_INSTANT = InstantAttribute()
_CLAIM = "claim#"


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

    by_block = BlockIndex()
    by_store = StoreIndex()
    by_guide = GuideIndex()


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
    """A person with whom the chain keeps a relationship, and what they bought."""

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

    month_document = JsonAttribute(attr_name="months", default=dict)
    newest_month = UnicodeAttribute(null=True)
    order_count = NumberAttribute(default=0)
    paid = NumberAttribute(default=0)
    refunded = NumberAttribute(default=0)
    growth = NumberAttribute(default=0)
    first_purchase_on = DayAttribute(null=True)
    last_purchase_on = DayAttribute(null=True)

    lock_owner = UnicodeAttribute(null=True)
    locked_until = InstantAttribute(null=True)
    created_at = InstantAttribute()
    archived_at = InstantAttribute(null=True)
    version = VersionAttribute()

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
        self.month_document = {m: [b.orders, b.spend, b.growth] for m, b in facts.months.items()}
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


def effect_sort(kind: EffectKind, level: str) -> str:
    """The range key of an effect: a second one of the same kind and level has no place."""
    return f"effect#{kind}#{level}"


def joined_key_of(member: Member) -> str:
    """By joining time to the second, UTC, and unique."""
    return f"{_INSTANT.serialize(member.joined_at)[:19]}#{member.id}"
