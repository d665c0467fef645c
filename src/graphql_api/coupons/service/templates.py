"""Templates: made, changed, opened and closed; what issued coupons say never changes."""

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints, model_validator

from graphql_api.coupons import repository, rules
from graphql_api.coupons.models import STOCK_PARTS, Template
from graphql_api.coupons.rules import TEMPLATE_TRANSITIONS, TemplateState, Terms
from graphql_api.coupons.service.commands import NO_TEMPLATE, Command
from graphql_api.errors import (
    AppError,
    Conflict,
    Forbidden,
    ForbiddenTransition,
    Invalid,
    NotFound,
    Taken,
)
from graphql_api.kit import ids
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.kit.shares import evenly
from graphql_api.kit.time import Clock, to_the_millisecond
from graphql_api.stores import repository as stores
from graphql_api.viewer import Viewer

MAX_STOCK = 1_000_000_000

Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1_000)]
ClaimCode = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[\w-]{4,32}$")]
Stock = Annotated[int, Field(ge=0, le=MAX_STOCK)]
Limit = Annotated[int, Field(ge=1, le=10_000)]


class _Giving(Command):
    description: Words | None = None
    stock: Stock | None = None
    per_member: Limit | None = None
    per_member_and_store: Limit | None = None
    per_store: Annotated[int, Field(ge=1, le=MAX_STOCK)] | None = None
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    claim_code: ClaimCode | None = None

    @model_validator(mode="after")
    def _opens_before_it_closes(self) -> Self:
        for name in ("opens_at", "closes_at"):
            at = getattr(self, name)
            if at is not None and at.tzinfo is None:
                raise ValueError(f"{name} needs an offset")
        if self.opens_at and self.closes_at and self.closes_at <= self.opens_at:
            raise ValueError("it closes after it opens")
        return self


class TemplateCreate(_Giving):
    """A new template: what its coupons give, how many there are, who may have them."""

    name: Title
    terms: Terms
    public: bool = False
    by_front_line: bool = True


class TemplateUpdate(_Giving):
    """What changes of a template; what is not set stays, what is null is cleared."""

    id: str
    name: Title | None = None
    terms: Terms | None = None
    public: bool | None = None
    by_front_line: bool | None = None
    expected_version: int | None = None


_NEVER_NULL = frozenset({"name", "terms", "public", "by_front_line"})


def create_template(new: TemplateCreate, *, viewer: Viewer, clock: Clock) -> Template:
    """A draft, of which nothing is issued until it is activated."""
    _require_plans(viewer)
    _require_places(new.terms)
    template = Template(
        ids.new_id("ctp"),
        terms_document=new.terms.document(),
        created_at=to_the_millisecond(clock.now()),
        **{name: value for name, value in _fields(new).items() if name != "terms"},
    )

    def attempt(tx: Transaction) -> Template:
        repository.create_template(tx, template, word_taken=_word_taken())
        return template

    return transact(attempt)


def record_template(new: TemplateCreate, *, template_id: str, at: datetime) -> Template:
    """A template that was given out before this system knew of it, active from an instant on.

    One that is there stays as it is.
    """

    def attempt(tx: Transaction) -> Template:
        if (known := repository.get_template(template_id)) is not None:
            return known
        template = Template(
            template_id,
            state=TemplateState.ACTIVE,
            terms_document=new.terms.document(),
            created_at=to_the_millisecond(at),
            activated_at=to_the_millisecond(at),
            **{name: value for name, value in _fields(new).items() if name != "terms"},
        )
        repository.create_template(tx, template, word_taken=_word_taken())
        repository.open_stock(tx, template.id, _parts(new.stock))
        return template

    return transact(attempt)


def update_template(change: TemplateUpdate, *, viewer: Viewer) -> Template:
    """A template with what changes; terms only of a draft. What is so already is not written.

    The stock of one that was activated may rise, and fall by what is left; whether it has an end
    stays. Limits count what was taken before too.
    """
    _require_plans(viewer)
    given = _fields(change)
    for name in sorted(_NEVER_NULL & given.keys()):
        if given[name] is None:
            raise Invalid("This cannot be null", field=("input", name))
    if change.terms is not None:
        _require_places(change.terms)

    def attempt(tx: Transaction) -> Template:
        template = _template(change.id, ("input", "id"))
        _require_version(template, change.expected_version)
        old_word, old_stock = template.claim_code, template.stock
        if not _take_over(template, given):
            return template
        if template.opens_at and template.closes_at and template.closes_at <= template.opens_at:
            raise Invalid("It closes after it opens", field=("input", "closes_at"))
        if template.state is not TemplateState.DRAFT and template.stock != old_stock:
            _move_stock(tx, template, old_stock)
        repository.save_template(tx, template, old_word=old_word, word_taken=_word_taken())
        return template

    return transact(attempt)


def activate_template(template_id: str, *, viewer: Viewer, clock: Clock) -> Template:
    """A template of which coupons are given out, for the first time or again."""
    _require_plans(viewer)

    def attempt(tx: Transaction) -> Template:
        template = _template(template_id, ("id",))
        first = template.state is TemplateState.DRAFT
        if first and rules.days_of(template.terms.validity, clock.today()) is None:
            raise Invalid("Its days are over", field=("terms", "validity", "ends_on"))
        template.activated_at = template.activated_at or to_the_millisecond(clock.now())
        if not _turn(tx, template, TemplateState.ACTIVE):
            return template
        if first:
            repository.open_stock(tx, template.id, _parts(template.stock))
        else:
            repository.set_open(tx, template.id, to=True)
        return template

    return transact(attempt)


def stop_template(template_id: str, *, viewer: Viewer) -> Template:
    """A template of which nothing is given out any more; coupons that were go on."""
    _require_plans(viewer)

    def attempt(tx: Transaction) -> Template:
        template = _template(template_id, ("id",))
        if _turn(tx, template, TemplateState.STOPPED):
            repository.set_open(tx, template.id, to=False)
        return template

    return transact(attempt)


def _turn(tx: Transaction, template: Template, state: TemplateState) -> bool:
    """Bring a template to a state; False where it is there."""
    if template.state is state:
        return False
    if state not in TEMPLATE_TRANSITIONS[template.state]:
        raise ForbiddenTransition(f"This template is {template.state}", field=("id",))
    template.state = state
    word = template.claim_code
    repository.save_template(tx, template, old_word=word, word_taken=_word_taken())
    return True


def _fields(given: _Giving) -> dict[str, Any]:
    """What was given, as the template holds it."""
    names = given.model_fields_set - {"id", "expected_version"}
    found = {name: getattr(given, name) for name in names}
    for name in ("opens_at", "closes_at"):
        if found.get(name) is not None:
            found[name] = to_the_millisecond(found[name])
    return found


def _take_over(template: Template, given: dict[str, Any]) -> bool:
    """Take the fields that were given over; whether anything changed."""
    changes = {name: value for name, value in given.items() if name != "terms"}
    changes = {name: value for name, value in changes.items() if getattr(template, name) != value}
    if "terms" in given and given["terms"] != template.terms:
        if template.state is not TemplateState.DRAFT:
            text = "Coupons were issued on these terms; make another template"
            raise ForbiddenTransition(text, field=("input", "terms"))
        changes["terms_document"] = given["terms"].document()
    for name, value in changes.items():
        setattr(template, name, value)
    return bool(changes)


def _move_stock(tx: Transaction, template: Template, old: Any) -> None:
    field = ("input", "stock")
    if old is None or template.stock is None:
        raise ForbiddenTransition("Whether a stock has an end stays as it began", field=field)
    difference = int(template.stock) - int(old)
    left = [int(part.left or 0) for part in repository.stock_of(template.id)]
    if sum(left) + difference < 0:
        raise Invalid(f"Only {sum(left)} are left", field=field)
    wanted = evenly(sum(left) + difference, len(left))
    moves = [new - now for new, now in zip(wanted, left, strict=True)]
    repository.add_stock(tx, template.id, moves)


def _parts(stock: Any) -> list[int | None]:
    if stock is None:
        return [None] * STOCK_PARTS
    return [*evenly(int(stock), STOCK_PARTS)]


def _template(template_id: str, field: tuple[str, ...]) -> Template:
    template = repository.get_template(template_id)
    if template is None:
        raise NotFound(NO_TEMPLATE, field=field)
    return template


def _require_places(terms: Terms) -> None:
    found = zip(terms.store_ids, stores.get_many(terms.store_ids), strict=True)
    for n, (_, store) in enumerate(found):
        if store is None:
            field = ("input", "terms", "store_ids", str(n))
            raise NotFound("There is no such store", field=field)
    for n, unit in enumerate(stores.get_units(terms.unit_ids)):
        if unit is None:
            field = ("input", "terms", "unit_ids", str(n))
            raise NotFound("There is no such org unit", field=field)


def _require_plans(viewer: Viewer) -> None:
    if not rules.plans(viewer):
        raise Forbidden("Only headquarters make coupons")


def _require_version(template: Template, expected: int | None) -> None:
    if expected is not None and expected != template.version:
        text = f"It is at version {template.version}, not {expected}"
        raise Conflict(text, field=("input", "expected_version"))


def _word_taken() -> AppError:
    return Taken("This word is in use", field=("input", "claim_code"))
