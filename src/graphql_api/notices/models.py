"""What is stored of subscribe messages: templates, quotas, answers and what was sent."""

from pynamodb.attributes import (
    BooleanAttribute,
    ListAttribute,
    NumberAttribute,
    TTLAttribute,
    UnicodeAttribute,
    VersionAttribute,
)
from pynamodb_attributes import UnicodeEnumAttribute

from graphql_api.kit import ids
from graphql_api.kit.dynamo import InstantAttribute, Item, table_name
from graphql_api.notices import rules
from graphql_api.notices.rules import NoticeState

SOLE = "@"
ALL = "templates"
QUOTA, NOTICE, ANSWERED = "quota#", "notice#", "answered#"


class NoticesItem(Item):
    """The table of this slice; every item has the base key (id, sort)."""

    class Meta:
        table_name = table_name("notices")
        billing_mode = "PAY_PER_REQUEST"

    id = UnicodeAttribute(hash_key=True)
    sort = UnicodeAttribute(range_key=True, default=SOLE)
    forget_at = TTLAttribute(null=True)


class Template(NoticesItem):
    """A template of WeChat's console: its id there, a name, the page it opens, and its fields."""

    name = UnicodeAttribute()
    page = UnicodeAttribute(null=True)
    keys: ListAttribute[str] = ListAttribute(attr_name="fields", default=list)
    changed_at = InstantAttribute()
    retired_at = InstantAttribute(null=True)
    version = VersionAttribute()

    @property
    def template_id(self) -> str:
        """WeChat's id of it."""
        return str(self.sort)

    @property
    def fields(self) -> list[str]:
        """The keys of its fields, such as `thing1`."""
        return list(self.keys)


class Quota(NoticesItem):
    """How many messages of a template a member still agreed to."""

    id_prefix = "mbr"

    left = NumberAttribute(default=0)
    accepted = NumberAttribute(default=0)
    taken = NumberAttribute(default=0)
    is_banned = BooleanAttribute(default=False)
    version = VersionAttribute()

    @property
    def template_id(self) -> str:
        """Of which template."""
        return str(self.sort).removeprefix(QUOTA)

    @property
    def known(self) -> rules.Quota:
        """The numbers."""
        return rules.Quota(
            int(self.left), int(self.accepted), int(self.taken), bool(self.is_banned)
        )

    @known.setter
    def known(self, quota: rules.Quota) -> None:
        self.left, self.accepted = quota.left, quota.accepted
        self.taken, self.is_banned = quota.taken, quota.is_banned


class Answered(NoticesItem):
    """A client told these answers: once, however often it is sent."""

    id_prefix = "mbr"

    at = InstantAttribute()


class Notice(NoticesItem):
    """A message for a member, for one reason: sent once at most.

    `detail` is WeChat's number. What it said is not kept.
    """

    id_prefix = "mbr"

    template_id = UnicodeAttribute()
    reason = UnicodeAttribute()
    state = UnicodeEnumAttribute(NoticeState, default=NoticeState.SENDING)
    detail = UnicodeAttribute(null=True)
    at = InstantAttribute()

    @property
    def member_id(self) -> str:
        """For whom."""
        return str(self.id)


def quota_sort(template_id: str) -> str:
    """The range key of a member's quota."""
    return f"{QUOTA}{template_id}"


def answered_sort(request_id: str) -> str:
    """The range key of a client's answers."""
    return f"{ANSWERED}{request_id}"


def notice_sort(template_id: str, reason: str) -> str:
    """The range key of a member's message for a reason."""
    return f"{NOTICE}{ids.derived_id('ntc', template_id, reason)}"
