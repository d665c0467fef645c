"""Coupons come to members: issued by staff or by right, or claimed; stock and limits are exact."""

import random
import secrets
from datetime import datetime
from typing import Self

from pydantic import model_validator

from graphql_api.coupons import models, repository, rules, tokens
from graphql_api.coupons.models import Coupon, CouponPointer, IssueJob, Stock, Template
from graphql_api.coupons.rules import ClaimProblem, CouponSource, TemplateState
from graphql_api.coupons.service.commands import NO_TEMPLATE, Command, refused
from graphql_api.coupons.tokens import TokenKind
from graphql_api.errors import Forbidden, Invalid, NotFound
from graphql_api.kit import ids
from graphql_api.kit.dynamo import Stale, Transaction, transact
from graphql_api.kit.time import Clock, to_the_millisecond
from graphql_api.members import repository as members
from graphql_api.members.models import Member
from graphql_api.members.rules import Origin
from graphql_api.standing.models import tier_and_state
from graphql_api.stores import repository as stores
from graphql_api.viewer import SYSTEM, Role, Viewer

CLAIM_TOKEN_SECONDS = 600


class Issue(Command):
    """A coupon for a member, through a store where it is one that gives it."""

    member_id: str
    template_id: str
    store_id: str | None = None


class Claim(Command):
    """What a member claims: a template that is given to everybody, its word, or what they scan."""

    template_id: str | None = None
    word: str | None = None
    token: str | None = None
    member_id: str | None = None

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if [self.template_id, self.word, self.token].count(None) != 2:
            raise ValueError("name a template, its word or a token")
        return self


class CouponClaimToken(Command):
    """A template that members may claim by scanning a code in a store."""

    template_id: str
    store_id: str


def issue_in(
    tx: Transaction,
    member: Member,
    template: Template,
    *,
    source: CouponSource,
    origin: Origin = Origin.LIVE,
    clock: Clock,
    key: str | None = None,
    source_ref: str | None = None,
    store_id: str | None = None,
    viewer: Viewer = SYSTEM,
) -> Coupon:
    """Add a new coupon to the caller's transaction, which holds or saves the member.

    Of one template at most one in a transaction. With a `key`, unique among all that is issued of
    the template, there is one coupon however often it is asked for: the second time nothing is
    added. Refuses a template that is not active or whose days are over, and what is out of stock;
    for sources in `rules.LIMITED`, also more than the limits allow.
    """
    coupon_id = ids.derived_id("cpn", template.id, key) if key else ids.new_id("cpn")
    before = repository.before_issue(member.id, template.id, coupon_id)
    if before.pointer is not None:
        return _known(before.pointer)
    if template.state is not TemplateState.ACTIVE:
        raise refused(ClaimProblem.NOT_ACTIVE)
    now = to_the_millisecond(clock.now())
    days = rules.days_of(template.terms.validity, clock.today())
    if days is None:
        raise refused(ClaimProblem.OVER)
    if source in rules.LIMITED:
        _count(tx, template, before.claims, store_id)
    repository.take(tx, _part(template.id, before.part))
    coupon = Coupon(
        member.id,
        models.coupon_sort(coupon_id, now),
        coupon_id=coupon_id,
        code=new_code(),
        template_id=template.id,
        valid_from=days.first,
        valid_until=days.last,
        source=source,
        source_ref=source_ref,
        origin=origin,
        store_id=store_id,
        by_role=viewer.role,
        by_id=viewer.id,
        issued_at=now,
    )
    repository.add(tx, coupon)
    return coupon


def issue(given: Issue, *, viewer: Viewer, clock: Clock) -> Coupon:
    """A coupon that staff or a key give to a member within reach, under the limits."""
    if given.store_id is not None:
        require_store(given.store_id, viewer)

    def attempt(tx: Transaction) -> Coupon:
        template = _active(given.template_id, ("input", "template_id"))
        member = members.get(given.member_id) if _is_member(given.member_id) else None
        by_front_line = bool(template.by_front_line)
        if member is None or not rules.may_issue(viewer, member, by_front_line=True):
            raise NotFound("There is no such member", field=("input", "member_id"))
        if not rules.may_issue(viewer, member, by_front_line=by_front_line):
            raise Forbidden("Headquarters give this coupon", field=("input", "template_id"))
        return _give(
            tx, member, template, CouponSource.STAFF, clock, viewer, store_id=given.store_id
        )

    return transact(attempt)


def issue_for_job(job: IssueJob, member_id: str, *, viewer: Viewer, clock: Clock) -> None:
    """One coupon of a job for a member within the maker's reach; who has it gets no other.

    Also where the member was several, and one of them had it.
    """

    def attempt(tx: Transaction) -> None:
        template = _active(job.template_id, ("input", "template_id"))
        member = members.get(member_id) if _is_member(member_id) else None
        if member is None or not rules.may_issue(
            viewer, member, by_front_line=bool(template.by_front_line)
        ):
            raise NotFound("There is no such member")
        keys = [f"{job.id}#{life}" for life in member.lives]
        if repository.are_issued([ids.derived_id("cpn", template.id, key) for key in keys]):
            return
        if member.archived_at is not None:
            raise Forbidden("This member is archived")
        issue_in(
            tx,
            member,
            template,
            source=CouponSource.JOB,
            source_ref=job.id,
            key=keys[-1],
            clock=clock,
            viewer=viewer,
            store_id=job.store_id,
        )
        members.require_present(tx, member.id)

    transact(attempt)


def claim(given: Claim, *, viewer: Viewer, clock: Clock) -> Coupon:
    """A coupon that a member claims, in the time and for the tiers of its template.

    Members claim for themselves, keys for the member they name.
    """
    member_id = viewer.id if viewer.role is Role.MEMBER else given.member_id or ""
    template_id, store_id, field = _claimed(given, clock)

    def attempt(tx: Transaction) -> Coupon:
        template = _active(template_id, field)
        if given.template_id is not None and not template.public:
            raise NotFound(NO_TEMPLATE, field=field)
        member = members.get(member_id) if _is_member(member_id) else None
        if member is None:
            raise NotFound("There is no such member", field=("input", "member_id"))
        _require_claimable(template, member, clock.now(), field)
        return _give(tx, member, template, CouponSource.CLAIM, clock, viewer, store_id=store_id)

    return transact(attempt)


def claim_token(given: CouponClaimToken, *, viewer: Viewer, clock: Clock) -> str:
    """What a store shows for members to scan, good for ten minutes."""
    require_store(given.store_id, viewer)
    template = _active(given.template_id, ("input", "template_id"))
    front_line = viewer.role in {Role.GUIDE, Role.STORE_MANAGER}
    if front_line and not template.by_front_line:
        raise Forbidden("Headquarters give this coupon", field=("input", "template_id"))
    return tokens.sign(
        TokenKind.CLAIM, template.id, given.store_id, at=clock.wall(), seconds=CLAIM_TOKEN_SECONDS
    )


def new_code() -> str:
    """A code that nobody can guess."""
    return rules.with_check("".join(secrets.choice(rules.ALPHABET) for _ in range(rules.LENGTH)))


def tier_of(member: Member) -> str | None:
    """The name of a member's tier, None before the first decision."""
    held = tier_and_state(member)
    return held[0] if held else None


def require_store(store_id: str, viewer: Viewer) -> None:
    """A store that is open and within reach."""
    store = stores.get(store_id) if ids.prefix_of(store_id) == "sto" else None
    if store is None or store.archived_at is not None or not viewer.reaches_store(store_id):
        raise NotFound("There is no such store", field=("input", "store_id"))


def count_gift(tx: Transaction, template: Template, member_id: str) -> None:
    """Count a coupon that a member takes over under the limits of its template."""
    _count(tx, template, repository.get_claims(member_id, template.id), None)


def _give(
    tx: Transaction,
    member: Member,
    template: Template,
    source: CouponSource,
    clock: Clock,
    viewer: Viewer,
    *,
    store_id: str | None,
) -> Coupon:
    if member.archived_at is not None:
        raise Forbidden("This member is archived", field=("input", "member_id"))
    coupon = issue_in(
        tx, member, template, source=source, clock=clock, viewer=viewer, store_id=store_id
    )
    members.require_present(tx, member.id)
    return coupon


def _known(pointer: CouponPointer) -> Coupon:
    [coupon] = repository.get_at([(pointer.member_id, pointer.place)])
    if coupon is None:
        raise Stale  # it went to another member since the pointer was read
    return coupon


def _count(
    tx: Transaction, template: Template, claims: models.Claims, store_id: str | None
) -> None:
    limits = template.limits
    if problem := rules.limit_problem(limits, claims.taken, store_id):
        raise refused(problem)
    claims.taken = claims.taken.and_one(store_id)
    repository.save_claims(tx, claims)
    if limits.per_store is not None and store_id is not None:
        full = refused(ClaimProblem.STORE_LIMIT)
        repository.take_from_store(tx, template.id, store_id, at_most=limits.per_store, full=full)


def _part(template_id: str, part: Stock | None) -> Stock:
    """A part of the stock that has one: the one that was read, else any other."""
    if part is not None and part.is_open and (part.left is None or part.left > 0):
        return part
    parts = [one for one in repository.stock_of(template_id) if one.is_open]
    if not parts:
        raise refused(ClaimProblem.NOT_ACTIVE)
    found = [one for one in parts if one.left is None or one.left > 0]
    if not found:
        raise refused(ClaimProblem.OUT_OF_STOCK)
    return random.choice(found)  # noqa: S311 - no secret


def _claimed(given: Claim, clock: Clock) -> tuple[str, str | None, tuple[str, ...]]:
    """The template that is claimed, the store where it is, and the field that names it."""
    if given.token is not None:
        template_id, store_id = tokens.read(
            TokenKind.CLAIM, given.token, at=clock.wall(), field=("input", "token")
        )
        return template_id, store_id, ("input", "token")
    if given.word is not None:
        found = repository.id_by_word(given.word.strip())
        if found is None:
            raise NotFound("This word gives nothing", field=("input", "word"))
        return found, None, ("input", "word")
    return str(given.template_id), None, ("input", "template_id")


def _require_claimable(
    template: Template, member: Member, at: datetime, field: tuple[str, ...]
) -> None:
    tiers = frozenset(template.terms.tiers)
    problem = rules.claim_problem(template.state, template.window, tiers, tier_of(member), at)
    if problem is not None:
        raise refused(problem, field)


def _active(template_id: str, field: tuple[str, ...]) -> Template:
    template = repository.get_template(template_id)
    if template is None or template.state is TemplateState.DRAFT:
        raise NotFound(NO_TEMPLATE, field=field)
    if template.state is not TemplateState.ACTIVE:
        raise refused(ClaimProblem.NOT_ACTIVE, field)
    return template


def _is_member(member_id: str) -> bool:
    if member_id and ids.prefix_of(member_id) is None:
        raise Invalid("This is not the id of a member", field=("input", "member_id"))
    return ids.prefix_of(member_id) == "mbr"
