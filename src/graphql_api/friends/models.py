"""What is stored of friendships: who is whose friend, customers of the corp, and welcomes."""

from datetime import date

from pynamodb.attributes import (
    BooleanAttribute,
    ListAttribute,
    NumberAttribute,
    UnicodeAttribute,
    VersionAttribute,
)
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb_attributes import UnicodeEnumAttribute

from graphql_api.friends import rules
from graphql_api.friends.rules import Event, FriendState, TransferOutcome, TransferState
from graphql_api.kit import ids
from graphql_api.kit.dynamo import InstantAttribute, Item, JsonAttribute, table_name

SOLE = "@"
CHAIN = "chain"
_INSTANT = InstantAttribute()


class GuideIndex(GlobalSecondaryIndex["FriendsItem"]):
    """The friends of a user of WeCom, by time."""

    class Meta:
        index_name = "guide"
        projection = KeysOnlyProjection()

    of_user = UnicodeAttribute(hash_key=True)
    place = UnicodeAttribute(range_key=True)


class CustomerIndex(GlobalSecondaryIndex["FriendsItem"]):
    """The friendships of a customer, by time."""

    class Meta:
        index_name = "customer"
        projection = KeysOnlyProjection()

    of_customer = UnicodeAttribute(hash_key=True)
    place = UnicodeAttribute(range_key=True)


class FriendsItem(Item):
    """The table of this slice; every item has the base key (id, sort)."""

    class Meta:
        table_name = table_name("friends")
        billing_mode = "PAY_PER_REQUEST"

    id = UnicodeAttribute(hash_key=True)
    sort = UnicodeAttribute(range_key=True, default=SOLE)
    of_user = UnicodeAttribute(null=True)
    of_customer = UnicodeAttribute(null=True)
    place = UnicodeAttribute(null=True)

    by_guide = GuideIndex()
    by_customer = CustomerIndex()


class Friend(FriendsItem):
    """A customer and a user of WeCom: where their friendship stands.

    `guide_id` and `store_id` say whose user it was at the last event. Which member the customer is,
    their claims say. `told_links` are the links of tags that the guide has in WeCom as far as we
    know, `asked_links` those that WeCom was asked to change without a known end, and `told_in` and
    `told_began` the `changed_at` of the friendship, and WeCom's time of its beginning, when that
    was.
    """

    id_prefix = "frd"

    user_id = UnicodeAttribute()
    external_user_id = UnicodeAttribute()
    guide_id = UnicodeAttribute(null=True)
    store_id = UnicodeAttribute(null=True)
    last = UnicodeEnumAttribute(Event)
    changed_at = InstantAttribute()
    since = InstantAttribute(null=True)
    scene = UnicodeAttribute(null=True)
    scene_at = InstantAttribute(null=True)
    code_id = UnicodeAttribute(null=True)
    told_links: ListAttribute[str] = ListAttribute(null=True)
    asked_links: ListAttribute[str] = ListAttribute(null=True)
    told_in = InstantAttribute(null=True)
    told_began = NumberAttribute(null=True)
    version = VersionAttribute()

    @property
    def friendship(self) -> rules.Friendship:
        """What is known of it."""
        return rules.Friendship(self.last, self.changed_at, self.since, self.scene, self.scene_at)

    @friendship.setter
    def friendship(self, known: rules.Friendship) -> None:
        self.last = known.last
        self.changed_at = known.changed_at
        self.since = known.since
        self.scene = known.scene
        self.scene_at = known.scene_at

    @property
    def state(self) -> FriendState:
        """Where it stands."""
        return self.friendship.state


class Customer(FriendsItem):
    """Somebody whom the corp knows by an external user id, and WeChat by a unionid."""

    id_prefix = "ctm"

    external_user_id = UnicodeAttribute()
    union_id = UnicodeAttribute(null=True)


class UnionLink(FriendsItem):
    """The customer who has a unionid: found when a member brings it."""

    external_user_id = UnicodeAttribute()


class Welcome(FriendsItem):
    """What new friends are told, of a store or of the chain."""

    text = UnicodeAttribute()
    link_title = UnicodeAttribute(null=True)
    link_url = UnicodeAttribute(null=True)
    changed_at = InstantAttribute()
    changed_by = UnicodeAttribute()
    version = VersionAttribute()

    @property
    def link(self) -> tuple[str, str] | None:
        """Title and address of what is sent along."""
        if self.link_title is None or self.link_url is None:
            return None
        return self.link_title, self.link_url

    @property
    def store_id(self) -> str | None:
        """The store whose friends are told so; None for those of the chain."""
        told = str(self.id).removeprefix("welcome#")
        return None if told == CHAIN else told


class ContactWay(FriendsItem):
    """A contact way of WeCom for a code; without a `config_id` while nobody knows whether it is.

    `led_to` are the users whom it leads to; `problem` is WeCom's number for why it does not follow.
    """

    id_prefix = "cwy"

    code_id = UnicodeAttribute()
    config_id = UnicodeAttribute(null=True)
    picture_url = UnicodeAttribute(null=True)
    user_ids: ListAttribute[str] = ListAttribute(default=list)
    first_asked_at = InstantAttribute(null=True)
    asked_at = InstantAttribute(null=True)
    led_at = InstantAttribute(null=True)
    problem = UnicodeAttribute(null=True)
    version = VersionAttribute()

    @property
    def led_to(self) -> list[str]:
        """The users whom it leads to, in alphabetical order."""
        return list(self.user_ids)


class CorpTagLink(FriendsItem):
    """A tag of WeCom's and one of ours are the same.

    `problem` is WeCom's number for why it is not followed.
    """

    corp_tag_id = UnicodeAttribute()
    tag_id = UnicodeAttribute()
    linked_at = InstantAttribute()
    problem = UnicodeAttribute(null=True)

    @property
    def name(self) -> str:
        """What tells this link from earlier and later ones of the same tag of WeCom's."""
        return f"{self.corp_tag_id}@{_INSTANT.serialize(self.linked_at)}"


class CorpTagClaim(FriendsItem):
    """The one tag of WeCom's that a tag of ours is linked to."""

    corp_tag_id = UnicodeAttribute()


CORP_TAGS = "corptags"


def corp_tag_key(corp_tag_id: str) -> str:
    """The key of a link."""
    return f"corptag#{corp_tag_id}"


def corp_claim_key(tag_id: str) -> str:
    """The key of what one of our tags is linked to."""
    return f"corptagof#{tag_id}"


class KeptDay(FriendsItem):
    """The ways were led anew on this day."""


class Transfer(FriendsItem):
    """The customers of a user of WeCom go to another: first all are asked for, then waited for.

    `asked_to` is the place in the user's friends that was reached, `step` rises with each step:
    a queue's message of an older one is late.
    """

    id_prefix = "trf"

    from_user_id = UnicodeAttribute()
    to_user_id = UnicodeAttribute()
    from_guide_id = UnicodeAttribute()
    to_guide_id = UnicodeAttribute()
    store_id = UnicodeAttribute()
    has_left = BooleanAttribute()
    message = UnicodeAttribute(null=True)
    state = UnicodeEnumAttribute(TransferState, default=TransferState.ASKING)
    step = NumberAttribute(default=0)
    asked_to = UnicodeAttribute(null=True)
    cursor = UnicodeAttribute(null=True)
    outcome_document = JsonAttribute(attr_name="outcomes", default=dict)
    problem = UnicodeAttribute(null=True)
    created_at = InstantAttribute()
    created_by = UnicodeAttribute()
    ended_at = InstantAttribute(null=True)
    version = VersionAttribute()

    @property
    def guide_id(self) -> str:
        """Whose customers they were."""
        return str(self.from_guide_id)

    @property
    def outcomes(self) -> dict[TransferOutcome, int]:
        """How many customers came to what."""
        return {TransferOutcome(name): n for name, n in self.outcome_document.items() if n}


class Handed(FriendsItem):
    """A customer of a hand-over; `detail` is WeCom's number, where it refused."""

    id_prefix = "trf"

    outcome = UnicodeEnumAttribute(TransferOutcome)
    detail = UnicodeAttribute(null=True)

    @property
    def external_user_id(self) -> str:
        """Who."""
        return str(self.sort).removeprefix(HANDED)


HANDED = "handed#"
WAYS = "ways"


def transfers_key(user_id: str) -> str:
    """The key of the hand-overs of a user's customers."""
    return f"transfers#{user_id.lower()}"


def handed_sort(external_user_id: str) -> str:
    """The range key of a customer of a hand-over."""
    return f"{HANDED}{external_user_id}"


def way_id(code_id: str) -> str:
    """The id of a code's contact way."""
    return ids.derived_id("cwy", code_id)


def kept_key(day: date) -> str:
    """The key of a day on which ways were led anew."""
    return f"kept#{day.isoformat()}"


def friend_id(user_id: str, external_user_id: str) -> str:
    """The id of a friendship; WeCom takes user ids that differ in case for one."""
    return ids.derived_id("frd", user_id.lower(), external_user_id)


def customer_id(external_user_id: str) -> str:
    """The id of a customer."""
    return ids.derived_id("ctm", external_user_id)


def union_key(union_id: str) -> str:
    """The key of who has a unionid."""
    return f"union#{union_id}"


def welcome_key(store_id: str | None) -> str:
    """The key of a store's welcome, or of the chain's."""
    return f"welcome#{store_id or CHAIN}"


def user_key(user_id: str) -> str:
    """The key of a user's friends."""
    return user_id.lower()


def place_of(friend: Friend) -> str:
    """By when it began, or was first heard of; the id makes the key unique."""
    return f"{_INSTANT.serialize(friend.since or friend.changed_at)}#{friend.id}"
