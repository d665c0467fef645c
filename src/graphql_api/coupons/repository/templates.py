"""Access paths of templates, of their stock, and of what was taken under their limits."""

from collections.abc import Sequence
from datetime import datetime

from pynamodb.expressions.update import Action

from graphql_api.coupons import models, rules
from graphql_api.coupons.models import (
    SOLE,
    STOCK_PARTS,
    Claims,
    CodeClaim,
    CouponsItem,
    Stock,
    StoreClaims,
    Template,
)
from graphql_api.coupons.rules import TemplateState
from graphql_api.errors import AppError
from graphql_api.kit.dynamo import Page, Transaction, batch_get, key_page
from graphql_api.kit.dynamo.blocks import key_walk

_READ_ON = 5


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


def _list(template: Template) -> None:
    template.listed = models.listed_as(template.state, public=template.public)
    template.list_place = template.id


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


# --- stock -------------------------------------------------------------------------------------


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


# --- limits ------------------------------------------------------------------------------------


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
