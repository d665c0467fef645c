"""Access paths of friendships, customers and welcomes."""

from collections.abc import Sequence
from datetime import date, datetime

from pynamodb.exceptions import PutError

from graphql_api.errors import AppError
from graphql_api.friends import models
from graphql_api.friends.models import (
    HANDED,
    SOLE,
    WAYS,
    ContactWay,
    CorpTagClaim,
    CorpTagLink,
    Customer,
    Friend,
    FriendsItem,
    Handed,
    KeptDay,
    Transfer,
    UnionLink,
    Welcome,
)
from graphql_api.kit.dynamo import Page, Transaction, batch_get, batch_write, key_page
from graphql_api.members import repository as members
from graphql_api.members.models import Member
from graphql_api.members.rules import IdentityKind


def get_many(friend_ids: Sequence[str]) -> list[Friend | None]:
    """Friendships by id."""
    return batch_get(Friend, [(id_, SOLE) for id_ in friend_ids])


def get(friend_id: str) -> Friend | None:
    """One friendship as it is now (strongly consistent), to decide on."""
    return batch_get(Friend, [(friend_id, SOLE)], consistent=True)[0]


def get_now(friend_ids: Sequence[str]) -> list[Friend | None]:
    """Friendships as they are now (strongly consistent), to decide on."""
    return batch_get(Friend, [(id_, SOLE) for id_ in friend_ids], consistent=True)


def save(tx: Transaction, friend: Friend) -> None:
    """Write a friendship, new or over the version that was read."""
    friend.of_user = models.user_key(friend.user_id)
    friend.of_customer = friend.external_user_id
    friend.place = models.place_of(friend)
    tx.save(friend)


def page_of_user(user_id: str, *, first: int, after: str | None, reverse: bool) -> Page[Friend]:
    """The friendships of a user of WeCom, ended ones too, by time: one Query, one BatchGetItem."""
    keys = key_page(
        FriendsItem.by_guide,
        models.user_key(user_id),
        FriendsItem.place,
        first=first,
        after=after,
        reverse=reverse,
    )
    return keys.showing(batch_get(Friend, [item.key for item in keys.items]))


def page_of_customer(
    external_user_id: str, *, first: int, after: str | None, reverse: bool
) -> Page[Friend]:
    """The friendships of a customer, ended ones too, by time: one Query, one BatchGetItem."""
    keys = key_page(
        FriendsItem.by_customer,
        external_user_id,
        FriendsItem.place,
        first=first,
        after=after,
        reverse=reverse,
    )
    return keys.showing(batch_get(Friend, [item.key for item in keys.items]))


def get_customer(external_user_id: str) -> Customer | None:
    """What is known of a customer."""
    return batch_get(Customer, [(models.customer_id(external_user_id), SOLE)])[0]


def put_customer(external_user_id: str, union_id: str | None) -> None:
    """Keep what WeCom says of a customer; again changes nothing."""
    known = Customer(
        models.customer_id(external_user_id), external_user_id=external_user_id, union_id=union_id
    )
    rows: list[FriendsItem] = [known]
    if union_id is not None:
        rows.append(UnionLink(models.union_key(union_id), external_user_id=external_user_id))
    batch_write(FriendsItem, rows)


def customers_by_union(union_ids: Sequence[str]) -> list[str | None]:
    """The customers who have these unionids, by external user id."""
    found = batch_get(UnionLink, [(models.union_key(id_), SOLE) for id_ in union_ids])
    return [link.external_user_id if link else None for link in found]


def members_of(external_user_ids: Sequence[str]) -> list[Member | None]:
    """The members whom customers are, by their claims: two BatchGetItem."""
    claims = [f"{IdentityKind.WECOM_EXTERNAL.value}#{id_}" for id_ in external_user_ids]
    holders = members.holders(claims)
    known = [id_ for id_ in holders if id_ is not None]
    found = dict(zip(known, members.get_many(known), strict=True))
    return [found.get(id_) if id_ is not None else None for id_ in holders]


def welcomes(keys: Sequence[str]) -> list[Welcome | None]:
    """Welcomes by key."""
    return batch_get(Welcome, [(key, SOLE) for key in keys])


def save_welcome(tx: Transaction, welcome: Welcome) -> None:
    """Write a welcome, new or over the version that was read."""
    tx.save(welcome)


def delete_welcome(tx: Transaction, welcome: Welcome) -> None:
    """Remove a welcome."""
    tx.delete(welcome)


# --- contact ways ----------------------------------------------------------------------------


def get_way(code_id: str) -> ContactWay | None:
    """The contact way of a code as it is now (strongly consistent)."""
    return batch_get(ContactWay, [(models.way_id(code_id), SOLE)], consistent=True)[0]


def ways_of(code_ids: Sequence[str]) -> list[ContactWay | None]:
    """The contact ways of codes."""
    return batch_get(ContactWay, [(models.way_id(id_), SOLE) for id_ in code_ids])


def save_way(tx: Transaction, way: ContactWay) -> None:
    """Write a way, new or over the version that was read."""
    way.of_user = WAYS
    way.place = way.id
    tx.save(way)


def note_made(
    way: ContactWay, config_id: str, picture_url: str, user_ids: Sequence[str], *, at: datetime
) -> ContactWay:
    """Keep what WeCom made or led anew, over whatever is noted: a lost answer would be worse."""
    way.config_id, way.picture_url = config_id, picture_url
    way.user_ids = list(user_ids)
    way.led_at, way.problem = at, None
    way.of_user, way.place = WAYS, way.id
    way.save(add_version_condition=False)
    return way


def note_refused(way: ContactWay, problem: str) -> None:
    """Keep why a way does not follow."""
    way.problem = problem
    way.save(add_version_condition=False)


def delete_way(way: ContactWay) -> None:
    """Forget a way that was ended."""
    way.delete(add_version_condition=False)


def page_of_ways(*, first: int, after: str | None, reverse: bool) -> Page[ContactWay]:
    """All contact ways: one Query, one BatchGetItem."""
    keys = key_page(
        FriendsItem.by_guide, WAYS, FriendsItem.place, first=first, after=after, reverse=reverse
    )
    return keys.showing(batch_get(ContactWay, [item.key for item in keys.items]))


def was_kept(day: date) -> bool:
    """Whether the ways were led anew on a day (strongly consistent)."""
    return batch_get(KeptDay, [(models.kept_key(day), SOLE)], consistent=True) != [None]


def note_kept(day: date) -> None:
    """Note that they were; again changes nothing."""
    KeptDay(models.kept_key(day)).save()


# --- hand-overs ------------------------------------------------------------------------------


def get_transfers(transfer_ids: Sequence[str]) -> list[Transfer | None]:
    """Hand-overs by id."""
    return batch_get(Transfer, [(id_, SOLE) for id_ in transfer_ids])


def get_transfer(transfer_id: str) -> Transfer | None:
    """One hand-over as it is now (strongly consistent)."""
    return batch_get(Transfer, [(transfer_id, SOLE)], consistent=True)[0]


def save_transfer(tx: Transaction, transfer: Transfer) -> None:
    """Write a hand-over, new or over the version that was read."""
    transfer.of_user = models.transfers_key(transfer.from_user_id)
    transfer.place = transfer.id
    tx.save(transfer)


def page_of_transfers(
    user_id: str, *, first: int, after: str | None, reverse: bool
) -> Page[Transfer]:
    """The hand-overs of a user's customers by time: one Query, one BatchGetItem."""
    keys = key_page(
        FriendsItem.by_guide,
        models.transfers_key(user_id),
        FriendsItem.place,
        first=first,
        after=after,
        reverse=reverse,
    )
    return keys.showing(batch_get(Transfer, [item.key for item in keys.items]))


def get_handed(transfer_id: str, customers: Sequence[str]) -> list[Handed | None]:
    """Customers of a hand-over as they are now (strongly consistent)."""
    keys = [(transfer_id, models.handed_sort(one)) for one in customers]
    return batch_get(Handed, keys, consistent=True)


def put_handed(tx: Transaction, handed: Handed) -> None:
    """Write what became of a customer; its hand-over, in the transaction, has the condition."""
    tx.put(handed)


def page_of_handed(
    transfer_id: str, *, first: int, after: str | None, reverse: bool
) -> Page[Handed]:
    """The customers of a hand-over: one Query."""
    return key_page(
        Handed,
        transfer_id,
        FriendsItem.sort,
        first=first,
        after=after,
        reverse=reverse,
        starts_with=HANDED,
    )


# --- tags ------------------------------------------------------------------------------------


def get_corp_link(corp_tag_id: str) -> CorpTagLink | None:
    """The link of a tag of WeCom's (strongly consistent)."""
    return batch_get(CorpTagLink, [(models.corp_tag_key(corp_tag_id), SOLE)], consistent=True)[0]


def get_corp_claim(tag_id: str) -> CorpTagClaim | None:
    """What one of our tags is linked to (strongly consistent)."""
    return batch_get(CorpTagClaim, [(models.corp_claim_key(tag_id), SOLE)], consistent=True)[0]


def corp_links() -> list[CorpTagLink]:
    """Every link: one Query, one BatchGetItem for a hundred; those that ended are never among."""
    keys = list(FriendsItem.by_guide.query(models.CORP_TAGS))
    found = batch_get(CorpTagLink, [item.key for item in keys], consistent=True)
    return [link for link in found if link is not None]


def create_corp_link(tx: Transaction, link: CorpTagLink, *, taken: AppError) -> None:
    """Add a link; `taken` when either side has one."""
    link.of_user, link.place = models.CORP_TAGS, link.corp_tag_id
    claim = CorpTagClaim(models.corp_claim_key(link.tag_id), corp_tag_id=link.corp_tag_id)
    tx.create(link, lost=taken)
    tx.create(claim, lost=taken)


def delete_corp_link(tx: Transaction, link: CorpTagLink) -> None:
    """Remove a link with its claim; stale where somebody ended it, whatever came after it."""
    tx.delete(link, condition=CorpTagLink.linked_at == link.linked_at)
    tx.delete(CorpTagClaim(models.corp_claim_key(link.tag_id)))


def replace_corp_link(tx: Transaction, old: CorpTagLink, new: CorpTagLink) -> None:
    """Have one of our tags linked to another tag of WeCom's; stale where that was done before."""
    new.of_user, new.place = models.CORP_TAGS, new.corp_tag_id
    tx.delete(old, condition=CorpTagLink.linked_at == old.linked_at)
    tx.create(new)
    tx.put(CorpTagClaim(models.corp_claim_key(new.tag_id), corp_tag_id=new.corp_tag_id))


def note_corp_link(link: CorpTagLink, problem: str | None) -> None:
    """Keep why a link is not followed, or that it is again; one that ended stays so."""
    link.problem = problem
    try:
        link.save(condition=CorpTagLink.linked_at == link.linked_at)
    except PutError as error:
        if error.cause_response_code != "ConditionalCheckFailedException":
            raise
