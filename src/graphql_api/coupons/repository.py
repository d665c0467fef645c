"""Access paths of templates and their stock, of members' coupons, of limits, jobs and counts."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from pynamodb.expressions.update import Action

from graphql_api.coupons import models, rules
from graphql_api.coupons.models import (
    COUPON,
    SHARDS,
    SOLE,
    STOCK_PARTS,
    Claims,
    CodeClaim,
    Coupon,
    CouponPointer,
    CouponsItem,
    IssueJob,
    IssueList,
    Mark,
    Stock,
    StoreClaims,
    Template,
    TemplateCount,
)
from graphql_api.coupons.rules import CouponState, TemplateState
from graphql_api.errors import AppError
from graphql_api.kit import ids
from graphql_api.kit.dynamo import Page, Transaction, batch_get, get_together, key_page
from graphql_api.kit.dynamo.blocks import key_walk, one_after_another
from graphql_api.kit.dynamo.partitions import delete_all

LIST_SIZE = 500
_READ_ON = 5


# --- templates -------------------------------------------------------------------------------


def get_templates(template_ids: Sequence[str]) -> list[Template | None]:
    """Templates by id."""
    return batch_get(Template, [(id_, SOLE) for id_ in template_ids])


def get_template(template_id: str) -> Template | None:
    """One template as it is now (strongly consistent), to decide on."""
    return batch_get(Template, [(template_id, SOLE)], consistent=True)[0]


def id_by_word(word: str) -> str | None:
    """The template that is claimed by a word, read from its claim."""
    key = (models.claim_code_id(word), SOLE)
    claim = batch_get(CodeClaim, [key], consistent=True)[0]
    return claim.template_id if claim else None


def create_template(tx: Transaction, template: Template, *, word_taken: AppError) -> None:
    """Add a new template and the claim on its word; `word_taken` refuses one in use."""
    _list(template)
    tx.create(template)
    _claim_word(tx, template, word_taken)


def save_template(
    tx: Transaction, template: Template, *, old_word: str | None, word_taken: AppError
) -> None:
    """Write a template over the version that was read; a new word is claimed, the old given up."""
    _list(template)
    tx.save(template)
    if (old_word or "").casefold() != (template.claim_code or "").casefold():
        if old_word is not None:
            tx.delete(CodeClaim(models.claim_code_id(old_word)))
        _claim_word(tx, template, word_taken)


def page_of_states(
    states: tuple[TemplateState, ...], *, first: int, after: str | None, reverse: bool
) -> Page[Template]:
    """Templates in some states: state after state, those that anybody may claim last, by time."""
    keys = [models.listed_as(state, public=p) for state in states for p in (False, True)]
    return _templates_of(keys, first, after, reverse)


def public_page(*, first: int, after: str | None, reverse: bool) -> Page[Template]:
    """Templates that are given out to anybody who claims, by time: one Query, one BatchGetItem."""
    return _templates_of(
        [models.listed_as(TemplateState.ACTIVE, public=True)], first, after, reverse
    )


def claimable_page(
    member_id: str,
    tier: str | None,
    at: datetime,
    *,
    first: int,
    after: str | None,
    reverse: bool,
) -> Page[Template]:
    """Templates that a member of a tier can claim at an instant, limits and stock seen: by time.

    Reads on past those that they cannot; after five times a page may be short although more follow.
    """
    found: list[Template] = []
    places: list[str] = []
    for _ in range(_READ_ON):
        page = public_page(first=first - len(found), after=after, reverse=reverse)
        ids_ = [template.id for template in page.items]
        claims = many_claims([(member_id, id_) for id_ in ids_])
        known = zip(page.items, page.places, claims, left_of(ids_), strict=True)
        for template, place, taken, left in known:
            if left != 0 and _may_claim(template, taken, tier, at):
                found.append(template)
                places.append(place)
        if not page.more or len(found) == first:
            return Page(found, places, page.more, page.last)
        after = page.last
    return Page(found, places, more=True, end=after)


def _may_claim(template: Template, claims: Claims | None, tier: str | None, at: datetime) -> bool:
    taken = claims.taken if claims else rules.Taken()
    tiers = frozenset(template.terms.tiers)
    closed = rules.claim_problem(template.state, template.window, tiers, tier, at)
    return closed is None and rules.limit_problem(template.limits, taken, None) is None


# --- stock -----------------------------------------------------------------------------------


def stock_of(template_id: str) -> list[Stock]:
    """The parts of a template's stock as they are now (strongly consistent), none for a draft."""
    keys = [(template_id, models.stock_sort(n)) for n in range(STOCK_PARTS)]
    return [part for part in batch_get(Stock, keys, consistent=True) if part is not None]


def stocks_of(template_ids: Sequence[str]) -> list[list[Stock]]:
    """The same of several templates, to be shown: one batch."""
    keys = [(id_, models.stock_sort(n)) for id_ in template_ids for n in range(STOCK_PARTS)]
    found = batch_get(Stock, keys)
    stretches = range(0, len(found), STOCK_PARTS)
    return [[part for part in found[n : n + STOCK_PARTS] if part] for n in stretches]


def _any_part() -> str:
    """A part of a stock by chance, so that no part is hot."""
    return models.stock_sort(random.randrange(STOCK_PARTS))  # noqa: S311 - no secret


def open_stock(tx: Transaction, template_id: str, parts: Sequence[int | None]) -> None:
    """Begin a template's stock with so many in each part."""
    for n, left in enumerate(parts):
        tx.create(Stock(template_id, models.stock_sort(n), is_open=True, left=left))


def set_open(tx: Transaction, template_id: str, *, to: bool) -> None:
    """Open every part of a stock, or close it: nothing is issued from then on."""
    for n in range(STOCK_PARTS):
        part = Stock(template_id, models.stock_sort(n))
        tx.update(part, [Stock.is_open.set(to)], condition=Stock.id.exists())


def add_stock(tx: Transaction, template_id: str, differences: Sequence[int]) -> None:
    """Add to the parts of a stock, or take away; stale where a part has less."""
    for n, difference in enumerate(differences):
        if difference:
            enough = Stock.left >= max(0, -difference)
            part = Stock(template_id, models.stock_sort(n))
            tx.update(part, [Stock.left.add(difference)], condition=enough)


def take(tx: Transaction, part: Stock) -> None:
    """Take one out of a part that is open and has one; stale otherwise."""
    actions: list[Action] = [Stock.issued.add(1)]
    fits = Stock.is_open == True  # noqa: E712 - a condition of DynamoDB
    if part.left is not None:
        actions.append(Stock.left.add(-1))
        fits &= Stock.left >= 1
    tx.update(Stock(part.id, part.sort), actions, condition=fits)


def give_back(tx: Transaction, part: Stock) -> None:
    """Put one that was taken back from a member into a part."""
    actions: list[Action] = [Stock.recycled.add(1)]
    if part.left is not None:
        actions.append(Stock.left.add(1))
    tx.update(Stock(part.id, part.sort), actions, condition=Stock.id.exists())


def left_of(template_ids: Sequence[str]) -> list[int | None]:
    """How many of each template are left, to be shown; None without end, or for a draft."""
    return [
        sum(int(part.left) for part in parts) if parts and parts[0].left is not None else None
        for parts in stocks_of(template_ids)
    ]


# --- limits ----------------------------------------------------------------------------------


def get_claims(member_id: str, template_id: str) -> Claims:
    """What a member took of a template, as it is now (strongly consistent)."""
    key = (member_id, models.claims_sort(template_id))
    return batch_get(Claims, [key], consistent=True)[0] or Claims(*key)


def claims_of_member(member_id: str, *, at_most: int) -> list[Claims]:
    """Some of what a member took, as it is now (strongly consistent)."""
    mine = Claims.sort.startswith(models.CLAIMS)
    return list(Claims.query(member_id, mine, consistent_read=True, limit=at_most))


def many_claims(keys: Sequence[tuple[str, str]]) -> list[Claims | None]:
    """What members took of templates, by member and template, to be shown."""
    return batch_get(Claims, [(id_, models.claims_sort(template)) for id_, template in keys])


def save_claims(tx: Transaction, claims: Claims) -> None:
    """Write what a member took, over the version that was read."""
    tx.save(claims)


def drop_claims(tx: Transaction, claims: Claims) -> None:
    """Remove what a member took, over the version that was read."""
    tx.delete(claims)


def take_from_store(
    tx: Transaction, template_id: str, store_id: str, *, at_most: int, full: AppError
) -> None:
    """Count one that is taken through a store; `full` where it gave out all that it may."""
    counter = StoreClaims(template_id, models.store_claims_sort(store_id))
    fits = StoreClaims.taken.does_not_exist() | (StoreClaims.taken < at_most)
    tx.update(counter, [StoreClaims.taken.add(1)], condition=fits, lost=full)


# --- coupons ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Before:
    """What issuing decides on: where the coupon stands already, a part of the stock, limits."""

    pointer: CouponPointer | None
    part: Stock | None
    claims: Claims


def before_issue(member_id: str, template_id: str, coupon_id: str) -> Before:
    """All that one more coupon hangs on, as it is now (strongly consistent): one call."""
    claims_key = (member_id, models.claims_sort(template_id))
    pointer, part, claims = get_together(
        [
            (CouponPointer, (coupon_id, SOLE), None),
            (Stock, (template_id, _any_part()), None),
            (Claims, claims_key, None),
        ]
    )
    return Before(pointer, part, claims or Claims(*claims_key))


def get_many(coupon_ids: Sequence[str]) -> list[Coupon | None]:
    """Coupons by id or code, to be shown: pointers, then items."""
    keys = [(_pointer_id(id_), SOLE) for id_ in coupon_ids]
    return _behind(batch_get(CouponPointer, keys), consistent=False)


def find(named: Sequence[str]) -> list[Coupon | None]:
    """Coupons by id or code as they are now (strongly consistent), to decide on."""
    keys = [(_pointer_id(name), SOLE) for name in named]
    return _behind(batch_get(CouponPointer, keys, consistent=True), consistent=True)


def are_issued(coupon_ids: Sequence[str]) -> bool:
    """Whether a coupon with any of these ids was issued (strongly consistent)."""
    found = batch_get(CouponPointer, [(id_, SOLE) for id_ in coupon_ids], consistent=True)
    return any(pointer is not None for pointer in found)


def get_at(keys: Sequence[tuple[str, str]]) -> list[Coupon | None]:
    """Coupons by their base keys as they are now (strongly consistent), to decide on."""
    return batch_get(Coupon, keys, consistent=True)


def add(tx: Transaction, coupon: Coupon) -> None:
    """Add a new coupon with the pointers of its id and its code."""
    _index(coupon)
    tx.create(coupon)
    for id_ in (coupon.coupon_id, models.code_id(coupon.code)):
        tx.create(CouponPointer(id_, member_id=coupon.member_id, place=coupon.sort))


def save(tx: Transaction, coupon: Coupon) -> None:
    """Write a coupon over the version that was read."""
    _index(coupon)
    tx.save(coupon)


def move(tx: Transaction, coupon: Coupon, member_id: str) -> None:
    """Have a coupon stand under another member, over the version that was read."""
    was_at = coupon.key
    coupon.id = member_id
    _index(coupon)
    tx.move(coupon, was_at=was_at)
    for id_ in (coupon.coupon_id, models.code_id(coupon.code)):
        tx.put(CouponPointer(id_, member_id=member_id, place=coupon.sort))


def some_of_member(member_id: str, *, at_most: int) -> list[Coupon]:
    """Some coupons of a member as they are now (strongly consistent)."""
    mine = Coupon.sort.startswith(COUPON)
    return list(Coupon.query(member_id, mine, consistent_read=True, limit=at_most))


def forget(member_id: str, *, at_most: int) -> int:
    """Delete some coupons of a member with their pointers; how many there were.

    Unconditional, and again for what is left: of somebody to whom nothing is given any more.
    """
    found = some_of_member(member_id, at_most=at_most)
    pointers = [(id_, SOLE) for c in found for id_ in (c.coupon_id, models.code_id(c.code))]
    delete_all(CouponsItem, [*pointers, *(coupon.key for coupon in found)])
    return len(found)


def page_of_member(member_id: str, *, first: int, after: str | None, reverse: bool) -> Page[Coupon]:
    """Every coupon of a member, by time: one Query."""
    return key_page(
        Coupon,
        member_id,
        Coupon.sort,
        first=first,
        after=after,
        reverse=reverse,
        starts_with=COUPON,
    )


def page_of_lives(
    member_ids: tuple[str, ...], *, first: int, after: str | None, reverse: bool
) -> Page[Coupon]:
    """The same of a member who was several: id after id."""
    return one_after_another(page_of_member, member_ids, first=first, after=after, reverse=reverse)


def page_in_states(
    member_ids: Sequence[str],
    states: tuple[CouponState, ...],
    at: datetime,
    as_of: date,
    *,
    first: int,
    after: str | None,
    reverse: bool,
) -> Page[Coupon]:
    """Coupons of a member that stand in one of these states by now: state by state, by last day.

    Under each of the member's ids. Reads on where some stand otherwise than they are stored; after
    five times a page may be short although more follow.
    """
    stored = {was for state in states for was in rules.stored_as(state)}
    found: list[Coupon] = []
    places: list[str] = []
    for _ in range(_READ_ON):
        keys: Page[CouponsItem] = key_walk(
            lambda key, **page: key_page(CouponsItem.by_held, key, CouponsItem.held_place, **page),
            [models.held_as(id_, state) for id_ in member_ids for state in stored],
            first=first - len(found),
            after=after,
            reverse=reverse,
        )
        coupons = batch_get(Coupon, [key.key for key in keys.items])
        for coupon, place in zip(coupons, keys.places, strict=True):
            if coupon is not None and rules.state_at(coupon, at, as_of) in states:
                found.append(coupon)
                places.append(place)
        if not keys.more or len(found) == first:
            return Page(found, places, keys.more, keys.last)
        after = keys.last
    return Page(found, places, more=True, end=after)


def page_of_template(
    template_id: str, *, first: int, after: str | None, reverse: bool
) -> Page[Coupon]:
    """Coupons of a template: shard after shard, each by time."""
    keys: Page[CouponsItem] = key_walk(
        lambda key, **page: key_page(
            CouponsItem.by_template, key, CouponsItem.template_place, **page
        ),
        [models.of_template(template_id, shard) for shard in SHARDS],
        first=first,
        after=after,
        reverse=reverse,
    )
    return keys.showing(batch_get(Coupon, [key.key for key in keys.items]))


def due_in(shard: str, as_of: date, *, first: int, after: str | None) -> Page[CouponsItem]:
    """Keys of the coupons of a shard that time may have changed before a day, longest ago first."""
    due_place, day = CouponsItem.due_place, as_of.isoformat()
    return key_page(CouponsItem.by_due, shard, due_place, first=first, after=after, up_to=day)


# --- jobs ------------------------------------------------------------------------------------


def get_jobs(job_ids: Sequence[str]) -> list[IssueJob | None]:
    """Jobs by id."""
    return batch_get(IssueJob, [(id_, SOLE) for id_ in job_ids])


def get_job(job_id: str) -> IssueJob | None:
    """One job as it is now (strongly consistent), to decide on."""
    return batch_get(IssueJob, [(job_id, SOLE)], consistent=True)[0]


def create_job(tx: Transaction, job: IssueJob, member_ids: Sequence[str]) -> None:
    """Add a new job with its list of members, 500 to an item."""
    job.listed, job.list_place = models.jobs_of(job.by_id), job.id
    tx.create(job)
    for number, start in enumerate(range(0, len(member_ids), LIST_SIZE)):
        stretch = list(member_ids[start : start + LIST_SIZE])
        tx.create(IssueList(job.id, models.list_sort(number), member_ids=stretch))


def save_job(tx: Transaction, job: IssueJob) -> None:
    """Write a job over the version that was read."""
    tx.save(job)


def page_of_jobs(
    principal_id: str, *, first: int, after: str | None, reverse: bool
) -> Page[IssueJob]:
    """Jobs that somebody made, by time: one Query, one BatchGetItem."""
    key, place = models.jobs_of(principal_id), CouponsItem.list_place
    keys = key_page(CouponsItem.by_list, key, place, first=first, after=after, reverse=reverse)
    return keys.showing(get_jobs([key.id for key in keys.items]))


def listed_page(job_id: str, *, first: int, after: str | None) -> Page[str]:
    """Ids of a job's list after a place; a page ends where an item of the list does."""
    start = 0 if after is None else int(after) + 1
    number, within = divmod(start, LIST_SIZE)
    keys = [(job_id, models.list_sort(n)) for n in (number, number + 1)]
    here, next_one = batch_get(IssueList, keys, consistent=True)
    stretch = here.member_ids if here else []
    listed = stretch[within : within + first]
    more = within + first < len(stretch) or next_one is not None
    return Page(listed, [f"{start + n:06d}" for n in range(len(listed))], more)


# --- counts ----------------------------------------------------------------------------------


def counts(template_ids: Sequence[str]) -> list[dict[CouponState, int]]:
    """How many coupons of each template stand in each state, as far as the stream was counted."""
    keys = [(id_, models.count_sort(n)) for id_ in template_ids for n in range(STOCK_PARTS)]
    found = batch_get(TemplateCount, keys)
    stretches = [found[n : n + STOCK_PARTS] for n in range(0, len(found), STOCK_PARTS)]
    return [
        {
            state: sum(int(getattr(part, state.lower())) for part in parts if part)
            for state in CouponState
        }
        for parts in stretches
    ]


def unmarked(event_ids: Sequence[str]) -> list[str]:
    """Those stream records that were not counted (strongly consistent)."""
    keys = [(models.mark_id(id_), SOLE) for id_ in event_ids]
    marks = batch_get(Mark, keys, consistent=True)
    return [id_ for id_, mark in zip(event_ids, marks, strict=True) if mark is None]


def count(
    tx: Transaction, differences: Mapping[str, int], event_ids: Sequence[str], *, until: datetime
) -> None:
    """Add to the counts of templates, `‹template›#‹state›`, and mark the records that say so.

    Which part of a count it goes to is a matter of chance, so that two streams seldom meet in one.
    """
    part = models.count_sort(random.randrange(STOCK_PARTS))  # noqa: S311 - no secret
    moved: dict[str, list[Action]] = {}
    for place, difference in differences.items():
        template_id, _, state = place.partition("#")
        attribute = getattr(TemplateCount, state.lower())
        moved.setdefault(template_id, []).append(attribute.add(difference))
    for template_id, actions in moved.items():
        tx.update(TemplateCount(template_id, part), actions)
    for id_ in event_ids:
        tx.create(Mark(models.mark_id(id_), forget_at=until))


def _pointer_id(name: str) -> str:
    """The key of the pointer of a coupon that is named by its id or its code."""
    if ids.prefix_of(name) == "cpn":
        return name
    return models.code_id(rules.read_code(name) or "-")


def _behind(pointers: Sequence[CouponPointer | None], *, consistent: bool) -> list[Coupon | None]:
    keys = [(p.member_id, p.place) for p in pointers if p is not None]
    found = dict(zip(keys, batch_get(Coupon, keys, consistent=consistent), strict=True))
    return [None if p is None else found[p.member_id, p.place] for p in pointers]


def _list(template: Template) -> None:
    template.listed = models.listed_as(template.state, public=template.public)
    template.list_place = template.id


def _index(coupon: Coupon) -> None:
    """Set the keys of the lists; what time does not change any more is due no more."""
    last = coupon.valid_until.isoformat()
    coupon.held = models.held_as(coupon.member_id, coupon.state)
    coupon.held_place = f"{last}#{coupon.coupon_id}"
    coupon.of_template = models.of_template(coupon.template_id, models.shard_of(coupon.coupon_id))
    coupon.template_place = coupon.sort.removeprefix(COUPON)
    day = models.due_on(coupon)
    coupon.due_shard = models.shard_of(coupon.coupon_id) if day else None
    coupon.due_place = f"{day.isoformat()}#{coupon.coupon_id}" if day else None


def _claim_word(tx: Transaction, template: Template, taken: AppError) -> None:
    if template.claim_code is not None:
        claim = CodeClaim(models.claim_code_id(template.claim_code), template_id=template.id)
        tx.create(claim, lost=taken)


def _templates_of(keys: list[str], first: int, after: str | None, reverse: bool) -> Page[Template]:
    found: Page[CouponsItem] = key_walk(
        lambda key, **page: key_page(CouponsItem.by_list, key, CouponsItem.list_place, **page),
        keys,
        first=first,
        after=after,
        reverse=reverse,
    )
    return found.showing(get_templates([key.id for key in found.items]))
