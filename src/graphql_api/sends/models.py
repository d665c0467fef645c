"""What is stored of sends, and of each friend to whom one goes."""

from datetime import datetime

from pynamodb.attributes import (
    ListAttribute,
    NumberAttribute,
    UnicodeAttribute,
    VersionAttribute,
)
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb_attributes import UnicodeEnumAttribute

from graphql_api.kit.dynamo import InstantAttribute, Item, JsonAttribute, table_name
from graphql_api.sends.rules import SendKind, SendOutcome, SendState

SOLE = "@"
TO = "to#"
_INSTANT = InstantAttribute()


class GuideIndex(GlobalSecondaryIndex["SendsItem"]):
    """The sends of a guide, by time."""

    class Meta:
        index_name = "guide"
        projection = KeysOnlyProjection()

    of_guide = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)


class SendsItem(Item):
    """The table of this slice; every item has the base key (id, sort)."""

    class Meta:
        table_name = table_name("sends")
        billing_mode = "PAY_PER_REQUEST"

    id = UnicodeAttribute(hash_key=True)
    sort = UnicodeAttribute(range_key=True, default=SOLE)
    of_guide = UnicodeAttribute(null=True)

    by_guide = GuideIndex()


class Send(SendsItem):
    """A task of WeCom for a guide: to whom, what, and how far it got.

    `asked_at` stands before WeCom is asked, `task_id` after: with the one and without the other
    nobody knows. `step` rises with each step: a queue's message of an older one is late.
    """

    id_prefix = "snd"

    kind = UnicodeEnumAttribute(SendKind)
    guide_id = UnicodeAttribute()
    user_id = UnicodeAttribute()
    store_id = UnicodeAttribute()
    tag_id = UnicodeAttribute(null=True)
    text = UnicodeAttribute()
    link_title = UnicodeAttribute(null=True)
    link_url = UnicodeAttribute(null=True)
    state = UnicodeEnumAttribute(SendState)
    step = NumberAttribute(default=0)
    listed_to = UnicodeAttribute(null=True)
    asked_at = InstantAttribute(null=True)
    task_id = UnicodeAttribute(null=True)
    moment_id = UnicodeAttribute(null=True)
    cursor = UnicodeAttribute(null=True)
    outcome_document = JsonAttribute(attr_name="outcomes", default=dict)
    reminded_at: ListAttribute[str] = ListAttribute(default=list)
    problem = UnicodeAttribute(null=True)
    created_at = InstantAttribute()
    created_by = UnicodeAttribute()
    confirmed_at = InstantAttribute(null=True)
    ended_at = InstantAttribute(null=True)
    version = VersionAttribute()

    @property
    def outcomes(self) -> dict[SendOutcome, int]:
        """How many friends came to what."""
        return {SendOutcome(name): n for name, n in self.outcome_document.items() if n}

    @property
    def reminders(self) -> list[datetime]:
        """When the guide was reminded."""
        return [_INSTANT.deserialize(text) for text in self.reminded_at]

    @property
    def link(self) -> tuple[str, str] | None:
        """Title and address of what is sent along."""
        if self.link_title is None or self.link_url is None:
            return None
        return self.link_title, self.link_url


class Target(SendsItem):
    """A friend to whom a send goes."""

    id_prefix = "snd"

    outcome = UnicodeEnumAttribute(SendOutcome)

    @property
    def external_user_id(self) -> str:
        """Who."""
        return str(self.sort).removeprefix(TO)


def target_sort(external_user_id: str) -> str:
    """The range key of a friend."""
    return f"{TO}{external_user_id}"


def instant_text(at: datetime) -> str:
    """An instant as it is stored."""
    text: str = _INSTANT.serialize(at)
    return text
