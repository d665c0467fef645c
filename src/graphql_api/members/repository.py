"""Access paths of members, claims and effects."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime

from pynamodb.exceptions import UpdateError
from pynamodb.expressions.update import Action

from graphql_api.errors import AppError
from graphql_api.kit.dynamo import (
    Page,
    Raw,
    Transaction,
    batch_get,
    batch_get_raw,
    batch_write,
    key_page,
)
from graphql_api.kit.dynamo.blocks import (
    block_of,
    block_page,
    key_walk,
    one_after_another,
    place_of,
)
from graphql_api.kit.dynamo.partitions import delete_all
from graphql_api.members import models
from graphql_api.members.models import (
    SOLE,
    Claim,
    ConsentEntry,
    Counter,
    Effect,
    Member,
    MembersItem,
    Tombstone,
)
from graphql_api.members.rules import EffectKind, Origin

_COUNTER_ID = "counter"


def get_many(member_ids: Sequence[str]) -> list[Member | None]:
    """Members by id; an id that was merged gives the member who has its place."""
    return followed(get_items(member_ids, consistent=False), consistent=False)


def get(member_id: str) -> Member | None:
    """One member as it is now (strongly consistent), to decide on; of an alias the survivor."""
    return get_now([member_id])[0]


def get_now(member_ids: Sequence[str]) -> list[Member | None]:
    """Several members as they are now (strongly consistent), to decide on.

    Two ids that were merged give the same item, once: what is changed of one is changed of both.
    """
    return followed(get_items(member_ids), consistent=True)


def are_one(member_id: str, other_id: str) -> bool:
    """Whether two ids lead to the same member (strongly consistent); the same id does."""
    if member_id == other_id:
        return True
    one, other = get_now([member_id, other_id])
    return one is not None and other is not None and one.id == other.id


def get_items(member_ids: Sequence[str], *, consistent: bool = True) -> list[Member | None]:
    """The items under these ids themselves, aliases too: for who ends or forgets a member."""
    return batch_get(Member, [(id_, SOLE) for id_ in member_ids], consistent=consistent)


def get_raw(member_ids: Sequence[str], *, only: Sequence[str]) -> Iterator[Raw]:
    """These attributes of the items under these ids, as DynamoDB answers them (consistent)."""
    return batch_get_raw(Member, [(id_, SOLE) for id_ in member_ids], only=only, consistent=True)


def followed(found: Sequence[Member | None], *, consistent: bool) -> list[Member | None]:
    """Survivors in the place of aliases; one more batch only where there are any.

    Who survived one merge may have lost another, so this goes on to the end.
    """
    known = {member.id: member for member in found if member is not None}
    wanted = _led_to(known.values()) - known.keys()
    while wanted:
        survivors = get_items(sorted(wanted), consistent=consistent)
        known |= {member.id: member for member in survivors if member is not None}
        wanted = _led_to(member for member in survivors if member is not None) - known.keys()
    return [_at_the_end(member, known) for member in found]


def id_by_claims(claims: Sequence[str]) -> str | None:
    """Who holds any of these identities, the first that is held; read from the claims."""
    return next((id_ for id_ in holders(claims) if id_), None)


def holders(claims: Sequence[str]) -> list[str | None]:
    """Who holds each of these identities, None for one that nobody holds."""
    keys = [(models.claim_id(claim), SOLE) for claim in claims]
    return [claim.member_id if claim else None for claim in batch_get(Claim, keys, consistent=True)]


def holders_and_gone(
    claims: Sequence[str], tombstone_ids: Sequence[str]
) -> tuple[list[str | None], set[str]]:
    """Who holds each of these identities, and which of these tombstones stand: one read.

    Who was erased lost the claim and got the tombstone at once, so one of both is seen.
    """
    keys = [*map(models.claim_id, claims), *tombstone_ids]
    found = batch_get(Claim, [(id_, SOLE) for id_ in keys], consistent=True)
    held = [claim.member_id if claim else None for claim in found[: len(claims)]]
    return held, {row.id for row in found[len(claims) :] if row is not None}


def erasure_of(member_id: str) -> str | None:
    """Which job erased the member with an id, also one that was merged; None where none did."""
    key = (models.tombstone_id(member_id), SOLE)
    found = batch_get(Tombstone, [key], consistent=True)[0]
    return found.erasure_id if found else None


def require_not_erased(tx: Transaction, member_id: str, *, gone: AppError) -> None:
    """Hold the transaction to an id that nobody who was erased had."""
    key = (models.tombstone_id(member_id), SOLE)
    tx.check(Tombstone, key, Tombstone.id.does_not_exist(), lost=gone)


def bury(tx: Transaction, tombstone_ids: Iterable[str], *, erasure_id: str, day: date) -> None:
    """Put the tombstones of identities and ids; those that stand are put again."""
    for id_ in tombstone_ids:
        tx.put(Tombstone(id_, erasure_id=erasure_id, erased_on=day))


def lift(tx: Transaction, tombstone_ids: Iterable[str]) -> None:
    """Take tombstones away: the person came back of their own will."""
    for id_ in tombstone_ids:
        tx.delete(Tombstone(id_))


def remove(tx: Transaction, member: Member) -> None:
    """Delete a member over the version that was read."""
    tx.delete(member)


def forget_aliases(member_ids: Sequence[str], *, erasure_id: str, at: datetime, first: int) -> int:
    """Delete up to `first` ids that were merged, with a tombstone for each; how many there were."""
    found = [item for item in get_items(member_ids) if item is not None][:first]
    stones = [
        Tombstone(models.tombstone_id(item.id), erasure_id=erasure_id, erased_on=at.date())
        for item in found
    ]
    batch_write(MembersItem, stones)
    delete_all(MembersItem, [item.key for item in found])
    return len(found)


def id_by_number(number: int) -> str | None:
    """The id with a number: one Query of one block, two where it is an alias or nobody's."""
    place, block = MembersItem.place == place_of(number), block_of(number)
    for key in (block, models.alias_block(block)):
        if found := list(MembersItem.by_block.query(key, place, limit=1)):
            return found[0].id
    return None


def page_of_all(*, first: int, after: str | None, reverse: bool) -> Page[Member]:
    """All members that are not archived, by number."""
    keys = block_page(
        lambda block, **page: key_page(MembersItem.by_block, block, MembersItem.place, **page),
        newest_number,
        first=first,
        after=after,
        reverse=reverse,
    )
    return _with_items(keys)


def ids_of_block(number: int) -> list[str]:
    """The members of a block of 256 numbers, archived ones left out: one Query."""
    return [key.id for key in MembersItem.by_block.query(f"{number:07d}")]


def ids_of_archived() -> Iterator[str]:
    """Members who left and are in no list: a scan of the table, for who looks at everybody."""
    left = Member.archived_at.exists() & Member.merged_into.does_not_exist()
    for member in Member.scan(left, consistent_read=True, attributes_to_get=["id"]):
        yield member.id


def page_of_store(store_id: str, *, first: int, after: str | None, reverse: bool) -> Page[Member]:
    """Members of a home store, by joining time."""
    return page_of_stores((store_id,), first=first, after=after, reverse=reverse)


def page_of_stores(
    store_ids: tuple[str, ...], *, first: int, after: str | None, reverse: bool
) -> Page[Member]:
    """Members of several home stores: store after store, each by joining time."""
    keys: Page[MembersItem] = key_walk(
        lambda store, **page: key_page(MembersItem.by_store, store, MembersItem.joined_key, **page),
        store_ids,
        first=first,
        after=after,
        reverse=reverse,
    )
    return _with_items(keys)


def page_of_guide(guide_id: str, *, first: int, after: str | None, reverse: bool) -> Page[Member]:
    """Members of an owning guide, by joining time."""
    keys = key_page(
        MembersItem.by_guide,
        guide_id,
        MembersItem.joined_key,
        first=first,
        after=after,
        reverse=reverse,
    )
    return _with_items(keys)


def ids_of_guide(guide_id: str, *, first: int, after: str | None) -> Page[MembersItem]:
    """The keys alone of members of an owning guide, by joining time: one Query."""
    return key_page(
        MembersItem.by_guide, guide_id, MembersItem.joined_key, first=first, after=after
    )


def of_guide_by_last4(
    guide_id: str, last4: str, *, first: int, after: str | None, reverse: bool
) -> Page[Member]:
    """Members of an owning guide whose phone ends in four digits, by joining time."""
    index, key = MembersItem.by_guide_phone, models.last4_key(guide_id, last4)
    place = MembersItem.joined_key
    return _with_items(key_page(index, key, place, first=first, after=after, reverse=reverse))


def of_store_by_last4(
    store_id: str, last4: str, *, first: int, after: str | None, reverse: bool
) -> Page[Member]:
    """Members of a home store whose phone ends in four digits, by joining time."""
    index, key = MembersItem.by_store_phone, models.last4_key(store_id, last4)
    place = MembersItem.joined_key
    return _with_items(key_page(index, key, place, first=first, after=after, reverse=reverse))


def of_guide_by_name(
    guide_id: str, start: str, *, first: int, after: str | None, reverse: bool
) -> Page[Member]:
    """Members of an owning guide whose searched name begins so, by name."""
    keys = key_page(
        MembersItem.by_guide_name,
        guide_id,
        MembersItem.name_key,
        first=first,
        after=after,
        reverse=reverse,
        starts_with=start,
    )
    return _with_items(keys)


def of_store_by_name(
    store_id: str, start: str, *, first: int, after: str | None, reverse: bool
) -> Page[Member]:
    """Members of a home store whose searched name begins so, by name."""
    keys = key_page(
        MembersItem.by_store_name,
        store_id,
        MembersItem.name_key,
        first=first,
        after=after,
        reverse=reverse,
        starts_with=start,
    )
    return _with_items(keys)


def ids_that_ran_out(shard: str, as_of: date) -> Iterator[str]:
    """Members of a shard whose ownership has run out before a business day, longest ago first."""
    before = MembersItem.guide_due_key < as_of.isoformat()
    yield from (key.id for key in MembersItem.by_guide_due.query(shard, before))


def born_on(month_day: str, shard: str, *, first: int, after: str | None) -> Page[MembersItem]:
    """Keys of members of a shard with a birthday, MM-DD, by joining time: one Query."""
    key = models.birthday_id(month_day, shard)
    return key_page(MembersItem.by_birthday, key, MembersItem.joined_key, first=first, after=after)


def due_in(shard: str, as_of: date, *, first: int, after: str | None) -> Page[MembersItem]:
    """Keys of members of a shard who are due by a business day, longest due first: one Query."""
    last = models.due_key_of("~", as_of)
    due_key = MembersItem.due_key
    return key_page(MembersItem.by_due, shard, due_key, first=first, after=after, up_to=last)


def put_off(member: Member, *, next_on: date | None, foreseen: list[str] | None) -> bool:
    """Have nobody look at a member before a day; False when the member moved since it was read.

    The version rises: who writes the member at the same time decides again.
    """
    actions: list[Action] = [Member.due_on.remove(), Member.next_on.remove()]
    actions += [Member.due_key.remove(), Member.due_shard.remove()]
    if next_on is not None:
        key, shard = models.due_key_of(member.id, next_on), models.due_shard_of(member)
        actions = [Member.due_on.set(next_on), Member.next_on.set(next_on)]
        actions += [Member.due_key.set(key), Member.due_shard.set(shard)]
    told = Member.foreseen
    actions.append(told.remove() if foreseen is None else told.set(foreseen))
    unmoved = Member.version == member.version
    try:
        member.update(actions=actions, condition=unmoved, add_version_condition=False)
    except UpdateError as error:
        if error.cause_response_code == "ConditionalCheckFailedException":
            return False
        raise
    return True


def count_of_store(store_id: str) -> int:
    """How many members a home store has now: Queries that count."""
    return int(MembersItem.by_store.count(store_id))


def count_of_guide(guide_id: str) -> int:
    """How many members an owning guide has now: Queries that count."""
    return int(MembersItem.by_guide.count(guide_id))


def take_numbers(count: int = 1) -> int:
    """The first of `count` member numbers in a row that nobody else gets."""
    counter = Counter(_COUNTER_ID)
    counter.update(actions=[Counter.last.add(count)])
    return int(counter.last) - count + 1


def newest_number() -> int:
    """The last number that was given, 0 before the first."""
    counter = batch_get(Counter, [(_COUNTER_ID, SOLE)], consistent=True)[0]
    return int(counter.last) if counter else 0


def move_newest_number(tx: Transaction, old: int, new: int) -> None:
    """Take the numbers between, in the caller's transaction; stale when others took some."""
    counter = Counter(_COUNTER_ID)
    unmoved = Counter.last == old if old else Counter.last.does_not_exist()
    tx.update(counter, [Counter.last.set(new)], condition=unmoved)


def create(tx: Transaction, member: Member, *, claims: dict[str, AppError]) -> None:
    """Add a new member with a claim on each identity; a claim's refusal says whose it is."""
    _index(member)
    tx.create(member)
    for claim, taken in claims.items():
        tx.create(Claim(models.claim_id(claim), member_id=member.id), lost=taken)


def save(tx: Transaction, member: Member) -> None:
    """Write a member over the version that was read; archived ones leave the lists."""
    _index(member)
    tx.save(member)


def require_unmoved(tx: Transaction, member: Member) -> None:
    """Hold the transaction to a member that nobody wrote since it was read; stale otherwise."""
    tx.check(Member, (member.id, SOLE), Member.version == member.version)


def require_present(tx: Transaction, member_id: str) -> None:
    """Hold the transaction to a member who is there, no alias and not archived; stale otherwise.

    For what hangs on nothing else of the member: others may write it meanwhile.
    """
    there = Member.id.exists() & Member.merged_into.does_not_exist()
    tx.check(Member, (member_id, SOLE), there & Member.archived_at.does_not_exist())


def take_claim(tx: Transaction, claim: str, member_id: str, *, taken: AppError) -> None:
    """Give an identity to a member; `taken` when somebody holds it."""
    tx.create(Claim(models.claim_id(claim), member_id=member_id), lost=taken)


def drop_claim(tx: Transaction, claim: str, member_id: str) -> None:
    """Take an identity away from the member that holds it."""
    tx.delete(Claim(models.claim_id(claim)), condition=Claim.member_id == member_id)


def repoint_claim(tx: Transaction, claim: str, *, was: str, now: str) -> None:
    """Have an identity lead to another member; stale when it led elsewhere."""
    leads_there = Claim.member_id == was
    tx.update(Claim(models.claim_id(claim)), [Claim.member_id.set(now)], condition=leads_there)


def require_unclaimed(tx: Transaction, claim: str) -> None:
    """Hold the transaction to an identity that nobody has; stale when somebody took it."""
    tx.check(Claim, (models.claim_id(claim), SOLE), Claim.id.does_not_exist())


def put_consents(tx: Transaction, entries: Iterable[ConsentEntry]) -> None:
    """Add to the history of a member's agreements."""
    for entry in entries:
        tx.create(entry)


def consents_of_member(
    member_id: str, *, first: int, after: str | None, reverse: bool
) -> Page[ConsentEntry]:
    """Every time that a member agreed or no longer did, by time: one Query."""
    return key_page(
        ConsentEntry,
        member_id,
        ConsentEntry.sort,
        first=first,
        after=after,
        reverse=reverse,
        starts_with=models.CONSENT,
    )


def consents_of_lives(
    member_ids: tuple[str, ...], *, first: int, after: str | None, reverse: bool
) -> Page[ConsentEntry]:
    """The same of a member who was several: id after id."""
    return one_after_another(
        consents_of_member, member_ids, first=first, after=after, reverse=reverse
    )


def has_effect(member_id: str, kind: EffectKind, level: str) -> bool:
    """Whether this was decided before (strongly consistent)."""
    key = (member_id, models.effect_sort(kind, level))
    return batch_get(Effect, [key], consistent=True)[0] is not None


def have_effects(member_id: str, wanted: Sequence[tuple[EffectKind, str]]) -> list[bool]:
    """Whether each of these was decided before (strongly consistent): one batch."""
    keys = [(member_id, models.effect_sort(kind, level)) for kind, level in wanted]
    return [effect is not None for effect in batch_get(Effect, keys, consistent=True)]


def put_effect(
    tx: Transaction, member_id: str, kind: EffectKind, level: str, *, origin: Origin, day: date
) -> None:
    """Write an effect that was not written before; stale when it was."""
    tx.create(
        Effect(
            member_id,
            models.effect_sort(kind, level),
            kind=kind,
            level=level,
            origin=origin,
            decided_on=day,
        )
    )


def effects_of(member_id: str) -> list[Effect]:
    """Every effect of a member as it is now (strongly consistent)."""
    of_effects = Effect.sort.startswith(models.EFFECT)
    return list(Effect.query(member_id, of_effects, consistent_read=True))


def mark_effect(tx: Transaction, member_id: str, effect: Effect) -> None:
    """Note that an effect of another, who is the same person, was this member's: it gives nothing.

    Stale when the member has it already.
    """
    known = {**effect.attribute_values, "id": member_id, "origin": Origin.BACKFILL}
    tx.create(Effect(**known))


def indexed_again(member: Member) -> Member:
    """A copy of a member with the keys of lists as they follow from everything else."""
    again = Member.from_raw_data(member.serialize())
    _index(again)
    return again


def _index(member: Member) -> None:
    """Set the keys of the lists; an archived member has none, an alias that of its number."""
    merged = member.merged_into is not None
    listed = member.archived_at is None and not merged
    number = int(member.number)
    block = block_of(number)
    member.block = models.alias_block(block) if merged else block if listed else None
    member.place = place_of(number) if member.block else None
    member.at_store = member.store_id if listed else None
    member.at_guide = member.guide_id if listed else None
    member.joined_key = models.joined_key_of(member)
    member.name_key = models.name_key_of(member) if listed else None
    member.guide_last4 = _last4_key(member, member.guide_id) if listed else None
    member.store_last4 = _last4_key(member, member.store_id) if listed else None
    member.guide_due_key = models.guide_due_key_of(member)
    member.guide_due_shard = models.due_shard_of(member) if member.guide_due_key else None
    member.birthday_shard = models.birthday_shard_of(member) if listed else None
    due_on = member.due_on if listed else None
    member.due_key = models.due_key_of(member.id, due_on) if due_on else None
    member.due_shard = models.due_shard_of(member) if member.due_key else None


def _last4_key(member: Member, owner_id: str | None) -> str | None:
    known = owner_id is not None and member.phone_last4 is not None
    return models.last4_key(str(owner_id), str(member.phone_last4)) if known else None


def _led_to(members: Iterable[Member]) -> set[str]:
    return {str(member.merged_into) for member in members if member.merged_into is not None}


def _at_the_end(member: Member | None, known: Mapping[str, Member]) -> Member | None:
    while member is not None and member.merged_into is not None:
        member = known.get(member.merged_into)
    return known[member.id] if member is not None else None


def _with_items(keys: Page[MembersItem]) -> Page[Member]:
    """The members behind a page of index keys, in the same order: one BatchGetItem."""
    return keys.showing(get_many([key.id for key in keys.items]))
