"""What every slice holds on a person: shown in an export, and forgotten when they are erased.

This is the one place where a slice says so: a line in `PARTS` for what stands under the member's
own id, a `Part` of its own for the rest. A test fails for a stored model that is in none and is
not known to be about nobody.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from graphql_api.access.models import SESSIONS, Principal
from graphql_api.audit import repository as audit
from graphql_api.audit.models import AuditEntry
from graphql_api.benefits.models import GIFT, Gift
from graphql_api.campaigns import repository as campaigns
from graphql_api.campaigns.models import CampaignsItem, Participation
from graphql_api.checkout.models import RESERVATION, Reservation
from graphql_api.codes import repository as codes
from graphql_api.codes.models import Arrival, Visit
from graphql_api.commissions.models import FIRST, FirstOrder
from graphql_api.coupons import repository as coupons
from graphql_api.coupons.models import CLAIMS, Claims, Coupon, CouponPointer
from graphql_api.kit.dynamo import Item, Page
from graphql_api.kit.dynamo.partitions import delete_all, forget_under, page_under
from graphql_api.mall import repository as mall
from graphql_api.mall.models import TAKEN, Redemption, RedemptionPointer, Taken
from graphql_api.members import repository as members
from graphql_api.members.models import (
    CONSENT,
    EFFECT,
    Claim,
    ConsentEntry,
    Effect,
    Member,
    Tombstone,
)
from graphql_api.merges.models import RECORD, SOLE, Merge, Record, merge_id
from graphql_api.notices.models import ANSWERED, NOTICE, QUOTA, Answered, Notice, Quota
from graphql_api.orders import buyers
from graphql_api.orders import repository as orders
from graphql_api.orders.models import Order, Pointer, Waiting
from graphql_api.ownership.models import TERM, Term
from graphql_api.points import models as points
from graphql_api.privacy import repository
from graphql_api.privacy.documents import shown
from graphql_api.privacy.models import Erasure, Export
from graphql_api.standing import models as standing
from graphql_api.standing.models import HISTORY as STANDING_HISTORY
from graphql_api.standing.models import HistoryRow
from graphql_api.tags import repository as tags
from graphql_api.tags.models import HISTORY, Assignment, HistoryEntry, assignment_sort

Rows = Page[dict[str, Any]]
Load = Callable[[Sequence[str]], Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Person:
    """Who is erased: every id that they had, the last one first, and by which job."""

    member_ids: Sequence[str]
    erasure_id: str
    at: datetime
    waiting_ids: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """What one slice holds: a page of it under one id of a person, and forgetting up to `first`.

    `forget` gives how many there were, 0 when nothing is left. It may run again at any time.
    """

    name: str
    holds: tuple[type[Item], ...]
    show: Callable[[str, int, str | None], Rows]
    forget: Callable[[Person, int], int]


def under(
    name: str,
    model: type[Item],
    prefix: str,
    *,
    key: Callable[[str], str] = str,
    named: tuple[str, Load] | None = None,
    without: Collection[str] = (),
) -> Part:
    """The rows of a model that stand under the member's id and whose range key begins so.

    `key` makes another hash key of the id; `named` says which attribute holds an id whose name is
    shown too, and what loads it; `without` is not shown.
    """

    def show(member_id: str, first: int, after: str | None) -> Rows:
        page = page_under(model, key(member_id), prefix, first=first, after=after)
        return _rows(page, named, without)

    def forget(person: Person, first: int) -> int:
        return _first_found(
            forget_under(model, key(id_), prefix, first=first) for id_ in person.member_ids
        )

    return Part(name, (model,), show, forget)


def _rows(
    page: Page[Any], named: tuple[str, Load] | None = None, without: Collection[str] = ()
) -> Rows:
    rows = [shown(item, without=without) for item in page.items]
    if named is not None:
        attribute, load = named
        found = load([getattr(item, attribute) for item in page.items])
        for row, item in zip(rows, found, strict=True):
            row["name"] = item.name if item else None
    return page.showing(rows)


def _first_found(counts: Any) -> int:
    """The first count that is not 0; what comes behind it is not asked for yet."""
    return next((count for count in counts if count), 0)


# --- what does not stand under the member's id -----------------------------------------------


def _show_member(member_id: str, _first: int, _after: str | None) -> Rows:
    [member] = members.get_items([member_id])
    if member is None:
        return Page()
    hidden = {"sealed_phone", "phone_last4", "consent_document", "lock_owner", "locked_until"}
    hidden |= {"standing_document", "due_on"}
    row = shown(member, without=hidden) | {
        "memberNo": member.member_no,
        "phone": member.phone,
        "standing": standing.told(member, member.joined_at.date()),
        "identities": [{"kind": i.kind, "value": i.value} for i in member.identities],
        "consents": [
            {"purpose": c.purpose, "channel": c.channel, "granted": c.granted}
            | {"textVersion": c.text_version, "at": c.at, "withdrawnAt": c.withdrawn_at}
            for c in member.consents
        ],
    }
    del row["identityClaims"]
    return Page([row], ["@"])


def _forget_aliases(person: Person, first: int) -> int:
    """Delete what is left of ids that were merged; the last id went with its claims before."""
    return members.forget_aliases(
        person.member_ids[1:], erasure_id=person.erasure_id, at=person.at, first=first
    )


def _show_orders(member_id: str, first: int, after: str | None) -> Rows:
    page = orders.page_of_member(member_id, first=first, after=after, reverse=False)
    rows = [
        shown(order, without={"line_document", "refund_document", "buyer_document"})
        | {"lines": [asdict(line) for line in order.lines]}
        | {"refunds": [asdict(refund) for refund in order.refunds]}
        | {"identities": list(order.buyer_document)}
        for order in page.items
    ]
    return page.showing(rows)


def _forget_orders(person: Person, _first: int) -> int:
    """Anonymise: the books keep amounts, store and lines."""
    for id_ in person.member_ids:
        found = orders.some_of_member(id_, at_most=buyers.ANONYMISED_AT_ONCE)
        if found:
            return buyers.anonymise([order.id for order in found], at=person.at)
    return _first_found(buyers.anonymise([id_], at=person.at) for id_ in person.waiting_ids)


def _show_coupons(member_id: str, first: int, after: str | None) -> Rows:
    page = coupons.page_of_member(member_id, first=first, after=after, reverse=False)
    return _rows(page, ("template_id", coupons.get_templates))


def _forget_coupons(person: Person, first: int) -> int:
    """With the pointers of their ids and codes, three items each."""
    at_most = max(1, first // 3)
    return _first_found(coupons.forget(id_, at_most=at_most) for id_ in person.member_ids)


def _show_redemptions(member_id: str, first: int, after: str | None) -> Rows:
    return _rows(mall.page_of_member(member_id, first=first, after=after, reverse=False))


def _forget_redemptions(person: Person, first: int) -> int:
    return _first_found(mall.forget(id_, first=first // 2) for id_ in person.member_ids)


def _show_participations(member_id: str, first: int, after: str | None) -> Rows:
    page = campaigns.page_of_member(member_id, first=first, after=after, reverse=False)
    return _rows(page, ("campaign_id", campaigns.get_many))


def _forget_participations(person: Person, first: int) -> int:
    for id_ in person.member_ids:
        if found := campaigns.some_of_member(id_, at_most=first):
            delete_all(CampaignsItem, [item.key for item in found])
            return len(found)
    return 0


def _show_visits(member_id: str, first: int, after: str | None) -> Rows:
    return _rows(codes.page_of_visits(member_id, first=first, after=after, reverse=False))


def _forget_visits(person: Person, first: int) -> int:
    """With their places in the lists of the codes; the counts stay."""
    at_most = max(1, first // 2)
    return _first_found(codes.forget(id_, at_most=at_most) for id_ in person.member_ids)


def _show_sessions(member_id: str, _first: int, _after: str | None) -> Rows:
    page = page_under(Principal, member_id, SESSIONS, first=1, after=None)
    rows = [
        {"id": id_, "lastUsedAt": session.rotated_at, "endsAt": session.ends_at}
        for principal in page.items
        for id_, session in principal.sessions.items()
    ]
    return Page(rows, ["@"] * len(rows))


def _show_audit(member_id: str, first: int, after: str | None) -> Rows:
    page = audit.page_of_member(member_id, first=first, after=after, reverse=False)
    return _rows(page)


def _show_exports(member_id: str, first: int, after: str | None) -> Rows:
    page = repository.exports_of_member(member_id, first=first, after=after)
    rows = [
        {"id": job.id, "createdAt": job.created_at, "byRole": job.by_role, "byId": job.by_id}
        for job in page.items
    ]
    return page.showing(rows)


def _forget_exports(person: Person, first: int) -> int:
    return _first_found(repository.forget_exports(id_, first=first) for id_ in person.member_ids)


def _kept(_person: Person, _first: int) -> int:
    """Nothing to forget: it is no personal data, and the law asks for it."""
    return 0


_SESSIONS = under("sessions", Principal, SESSIONS)

PARTS = (
    Part("member", (Member, Claim, Tombstone), _show_member, _forget_aliases),
    under("consentHistory", ConsentEntry, CONSENT),
    under("effects", Effect, EFFECT),
    under("checkouts", Reservation, RESERVATION, without={"fingerprint"}),
    Part("orders", (Order, Pointer, Waiting), _show_orders, _forget_orders),
    under("commissions", FirstOrder, FIRST),
    under("ownership", Term, TERM),
    under("tags", Assignment, assignment_sort(""), named=("tag_id", tags.get_many)),
    under("tagHistory", HistoryEntry, HISTORY, named=("tag_id", tags.get_many)),
    under("gifts", Gift, GIFT),
    Part("mall", (Redemption, RedemptionPointer), _show_redemptions, _forget_redemptions),
    under("mallTaken", Taken, TAKEN),
    under("standingHistory", HistoryRow, STANDING_HISTORY),
    under("points", points.Account, points.SOLE),
    under("pointsLedger", points.Entry, points.ENTRY),
    under("pointsMarks", points.Mark, points.KEY),
    Part("coupons", (Coupon, CouponPointer), _show_coupons, _forget_coupons),
    under("couponLimits", Claims, CLAIMS),
    Part("campaigns", (Participation,), _show_participations, _forget_participations),
    Part("scanCodes", (Visit, Arrival), _show_visits, _forget_visits),
    under("noticeQuotas", Quota, QUOTA),
    under("notices", Notice, NOTICE),
    under("noticeAnswers", Answered, ANSWERED),
    Part("sessions", _SESSIONS.holds, _show_sessions, _SESSIONS.forget),
    under("merges", Merge, SOLE, key=merge_id),
    # What a record holds is shown where it stands now.
    under("mergeRecords", Record, RECORD, key=merge_id, without={"document"}),
    Part("audit", (AuditEntry,), _show_audit, _kept),
    Part("exports", (Export, Erasure), _show_exports, _forget_exports),
)
