"""Gifts are given, once for each member and occasion, whole or not at all; staff try again."""

from dataclasses import dataclass
from datetime import date

from pydantic import BaseModel, ConfigDict

from graphql_api.benefits import models, repository, rules
from graphql_api.benefits.models import Gift
from graphql_api.benefits.rules import GiftKind, GiftProblem, GiftState, Occasion
from graphql_api.coupons import repository as coupon_templates
from graphql_api.coupons import service as coupons
from graphql_api.coupons.rules import CouponSource
from graphql_api.errors import AppError, Forbidden, ForbiddenTransition, LimitExceeded, NotFound
from graphql_api.kit import ids
from graphql_api.kit.dynamo import Stale, Transaction, transact
from graphql_api.kit.time import Clock, to_the_millisecond
from graphql_api.members import repository as members
from graphql_api.members.models import Member
from graphql_api.members.rules import EffectKind, Origin, held_by_another, reaches
from graphql_api.points import service as points
from graphql_api.policies.rules import BenefitsPolicy, GiftTerms
from graphql_api.standing import models as standings
from graphql_api.standing import repository as standing_repository
from graphql_api.standing import service as standing
from graphql_api.viewer import Viewer

_NO_JOB = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The gift of an occasion, and whether it was given, or failed, just now."""

    gift: Gift
    is_new: bool = False


class GiftRetry(BaseModel):
    """A gift that failed, by whom it is for and what for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    member_id: str
    kind: GiftKind
    level: str = "-"


class _CannotGive(Exception):
    """Why a gift is not given, with all that was to be given."""

    def __init__(self, gift: Gift, problem: GiftProblem) -> None:
        super().__init__(problem)
        self.gift = gift
        self.problem = problem


def give(member_id: str, occasion: Occasion, as_of: date, *, clock: Clock) -> Outcome | None:
    """The gift of an occasion, given or failed with its reason; None where there is none to give.

    Points, coupons and the mark stand in one transaction, so that it is given once, whatever is
    retried. Who was merged has what any of their ids had. Raises Conflict where the member stays
    busy: whoever asks asks again.
    """

    def attempt(tx: Transaction) -> Outcome | None:
        member = members.get(member_id)
        if member is None or member.archived_at is not None or not _is_due(member, occasion, as_of):
            return None
        if known := _known(member, occasion):
            return Outcome(known[0])
        _require_free(member, clock)
        gift, terms = _decided(member, occasion, as_of, clock, repository.in_force())
        if terms is None:
            return None
        _hand_over(tx, member, gift, terms, clock)
        repository.create(tx, gift)
        return Outcome(gift, is_new=True)

    try:
        return transact(attempt)
    except _CannotGive as cannot:
        return _note(cannot)


def retry(given: GiftRetry, *, viewer: Viewer, clock: Clock) -> Gift:
    """A gift that failed, given by what the policy in force says now; one that was given stays.

    Where another id of the member had it, or the policy gives nothing any more, it is void. Refuses
    as before what still cannot be given, and members out of reach.
    """
    occasion = Occasion(given.kind, given.level)

    def attempt(tx: Transaction) -> Gift:
        member = _reached(given.member_id, viewer)
        found = _known(member, occasion)
        gift = next((one for one in found if one.state is GiftState.FAILED), None)
        if gift is None:
            if found:
                return found[0]
            raise NotFound("There is no such gift", field=("input", "level"))
        _require_free(member, clock)
        now, terms = _decided(member, occasion, clock.today(), clock, repository.in_force_now())
        void = rules.retried([one.state for one in found], terms)
        gift.state, gift.problem = (GiftState.VOID, void) if void else (GiftState.GIVEN, None)
        gift.tier, gift.policy_version, gift.at = now.tier, now.policy_version, now.at
        if terms is not None and not void:
            gift.points, gift.template_ids = now.points, now.template_ids
            _hand_over(tx, member, gift, terms, clock)
        else:
            members.require_unmoved(tx, member)
        repository.save(tx, gift)
        return gift

    try:
        return transact(attempt)
    except _CannotGive as cannot:
        raise _refusal(cannot.problem) from None


def _require_free(member: Member, clock: Clock) -> None:
    """Have the attempt run again while a job settles the member's history."""
    if held_by_another(member.lock_owner, member.locked_until, _NO_JOB, clock.now()):
        raise Stale


def tier_of(member: Member, as_of: date, *, clock: Clock) -> str:
    """The name of a member's tier on a day, with what is due by then decided."""
    held = standings.standing(member, clock.day_of(member.joined_at))
    policies = standing_repository.in_force(held)
    decision = standing.current(member, as_of, clock=clock, policies=policies)
    return decision.standing.tier.name


def _is_due(member: Member, occasion: Occasion, as_of: date) -> bool:
    """Whether a birthday is still near by what is known of the member now."""
    if occasion.kind is not GiftKind.BIRTHDAY:
        return True
    _, policy = repository.in_force()
    near = rules.near_birthday(member.birthday, as_of, policy.birthday_days_before)
    return near is not None and rules.birthday(near) == occasion


def _known(member: Member, occasion: Occasion) -> list[Gift]:
    """What stands for an occasion under any id of the member, what was given first."""
    found = [gift for gift in repository.gifts_for(member.lives, occasion) if gift is not None]
    return sorted(found, key=lambda gift: gift.state is not GiftState.GIVEN)


def _decided(
    member: Member,
    occasion: Occasion,
    as_of: date,
    clock: Clock,
    in_force: tuple[int, BenefitsPolicy],
) -> tuple[Gift, GiftTerms | None]:
    """A gift by a policy and the tier of the day, and its terms."""
    tier = tier_of(member, as_of, clock=clock)
    version, policy = in_force
    terms = rules.terms_of(policy, occasion, tier)
    gift = Gift(
        member.id,
        models.gift_sort(occasion),
        kind=occasion.kind,
        level=occasion.level,
        tier=tier,
        state=GiftState.GIVEN,
        points=terms.points if terms else 0,
        template_ids=list(terms.coupons) if terms else [],
        policy_version=version,
        decided_on=as_of,
        at=to_the_millisecond(clock.now()),
    )
    return gift, terms


def _hand_over(tx: Transaction, member: Member, gift: Gift, terms: GiftTerms, clock: Clock) -> None:
    """Add points, coupons and the effect of a gift to a transaction that holds the member."""
    key = f"{gift.id}#{gift.sort}"
    gift.coupon_ids = [_coupon(tx, member, gift, id_, key, clock) for id_ in terms.coupons]
    cause = points.Cause(clock, reason=gift.kind)
    if terms.points and points.grant_in(tx, member, terms.points, key=key, cause=cause):
        # A lock that ran out is gone: its job would settle what it read before.
        member.lock_owner = member.locked_until = None
        members.save(tx, member)
    else:
        members.require_unmoved(tx, member)
    level = f"{gift.kind}#{gift.level}"
    members.put_effect(
        tx, member.id, EffectKind.GIFT_GIVEN, level, origin=Origin.LIVE, day=clock.today()
    )


def _coupon(
    tx: Transaction, member: Member, gift: Gift, template_id: str, key: str, clock: Clock
) -> str:
    template = coupon_templates.get_template(template_id)
    if template is None:
        raise _CannotGive(gift, GiftProblem.NO_TEMPLATE)
    try:
        coupon = coupons.issue_in(
            tx, member, template, source=CouponSource.BENEFIT, clock=clock, key=key, source_ref=key
        )
    except LimitExceeded:
        raise _CannotGive(gift, GiftProblem.OUT_OF_STOCK) from None
    except AppError:
        raise _CannotGive(gift, GiftProblem.NOT_ISSUED) from None
    return str(coupon.coupon_id)


def _note(cannot: _CannotGive) -> Outcome:
    """Keep a gift that failed, for staff to see; what was noted first stays."""

    def attempt(tx: Transaction) -> Outcome:
        member = members.get(cannot.gift.id)
        known = _known(member, cannot.gift.occasion) if member else []
        if member is None or known:
            return Outcome(known[0] if known else cannot.gift)
        gift = cannot.gift
        gift.state, gift.problem, gift.coupon_ids = GiftState.FAILED, cannot.problem, []
        members.require_unmoved(tx, member)
        repository.create(tx, gift)
        return Outcome(gift, is_new=True)

    return transact(attempt)


_REFUSALS = {
    GiftProblem.OUT_OF_STOCK: "None of its coupons is left",
    GiftProblem.NOT_ISSUED: "One of its coupons is not given out",
    GiftProblem.NO_TEMPLATE: "One of its coupons does not exist",
}


def _refusal(problem: GiftProblem) -> AppError:
    kind = LimitExceeded if problem is GiftProblem.OUT_OF_STOCK else ForbiddenTransition
    return kind(_REFUSALS[problem], field=("input", "level"))


def _reached(member_id: str, viewer: Viewer) -> Member:
    member = members.get(member_id) if ids.prefix_of(member_id) == "mbr" else None
    if member is None or not reaches(viewer, member):
        raise NotFound("There is no such member", field=("input", "member_id"))
    if member.archived_at is not None:
        raise Forbidden("This member is archived", field=("input", "member_id"))
    return member
