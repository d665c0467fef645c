"""Who is erased is gone from every table, and comes back by their own will only."""

import re
from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import partial
from itertools import cycle
from typing import Any

import pytest

from graphql_api.access import tokens
from graphql_api.access.rules import ENROLMENT_LIFETIME, WeChatPerson
from graphql_api.access.service.joining import EnrolSelf, enrol_self
from graphql_api.errors import AppError, Conflict, ForbiddenTransition, NotFound
from graphql_api.kit.dynamo.connection import shared_client
from graphql_api.kit.time import Clock, real_now
from graphql_api.members import repository as members
from graphql_api.members import service as member_service
from graphql_api.members.rules import ConsentPurpose, Origin
from graphql_api.members.service import IdentityChange, NewConsent
from graphql_api.orders import service as orders
from graphql_api.orders.models import Order
from graphql_api.privacy import repository, service, tasks
from graphql_api.privacy.models import Erasure
from graphql_api.privacy.parts import PARTS
from graphql_api.privacy.rules import JobState
from graphql_api.viewer import SCOPES, SYSTEM, Role, Viewer
from tests.audit.storage import said
from tests.factories import CLOCK, NOW, make_identity, make_member, make_refund, make_snapshot
from tests.orders.storage import order_of
from tests.privacy.life import (
    IDENTITIES,
    OPENID,
    OPERATOR,
    PHONE,
    Life,
    Stored,
    everything,
    secrets_of,
    stored,
    text_of,
)

AGREED = NewConsent(purpose=ConsentPurpose.SERVICE, text_version="v2")


def erase(life: Life, viewer: Viewer = OPERATOR) -> Erasure:
    """The erasure of a person, not carried on."""
    return service.erase(life.member.id, viewer=viewer, clock=CLOCK)


def erased(life: Life) -> Erasure:
    """The same, to its end."""
    job = erase(life)
    assert tasks.run(job.id, clock=CLOCK)
    done = repository.get_erasure(job.id)
    assert done is not None
    return done


def found(secrets: list[str], items: Iterable[Stored] | None = None) -> list[str]:
    """Every item of every table that tells one of these secrets."""
    texts = [f"{table} {text_of(item)}" for table, item in items or stored()]
    return [text for text in texts if any(tells(text, secret) for secret in secrets)]


def tells(text: str, secret: str) -> bool:
    """Whether a secret stands there; a year does not in the middle of an id or of a time."""
    if len(secret) == 4 and secret.isdigit():
        return re.search(f"(?<![0-9a-z]){secret}(?![0-9a-z])", text) is not None
    return secret in text


def test_nothing_that_tells_who_it_was_is_left_in_any_table(life: Life) -> None:
    secrets = secrets_of(life)
    claims = list(life.member.identity_claims)
    texts = everything()
    assert all(any(s in text for text in texts) for s in [*secrets, *claims])  # it can be found
    assert erased(life).state is JobState.DONE
    items = list(stored())
    assert found([*secrets, PHONE.value, PHONE.value[3:]], items) == []
    # A tombstone of a phone is its keyed hash; nothing else is, and no claim holds one.
    left = [item for _, item in items if any(claim in text_of(item) for claim in claims)]
    assert {item["id"]["S"].partition("#")[0] for item in left} <= {"erased"}
    assert members.holders(claims) == [None] * len(claims)
    digits = {"phone_last4", "guide_last4", "store_last4"}
    assert [item for _, item in items if digits & item.keys()] == []
    # What keeps the id is the log, the tombstone, the jobs themselves and lists of jobs.
    named = [(table, item) for table, item in items if life.member.id in text_of(item)]
    tables = ("audit", "members", "ownership", "privacy")
    assert sorted({table for table, _ in named}) == [f"member-ops-{name}" for name in tables]
    [stone] = [item for table, item in named if table == "member-ops-members"]
    assert stone["id"]["S"] == f"erased#{life.member.id}"
    actions = [action for *_, action, _ in said(life.member.id)]
    assert (actions[0], actions[-1]) == ("ENROLLED", "ERASED")


def test_books_keep_every_order_and_no_replay_brings_its_buyer_back(life: Life) -> None:
    before = {snapshot.order_id: order_of(snapshot) for snapshot in life.snapshots}
    secrets = [*secrets_of(life), "never-seen"]
    erased(life)
    for snapshot in life.snapshots:
        old, new = before[snapshot.order_id], order_of(snapshot)
        assert (new.member_id, new.named_member_id, new.buyer_document) == (None, None, [])
        kept = ("status", "total", "refunded", "store_id", "day", "line_document", "store_month")
        assert [getattr(new, name) for name in kept] == [getattr(old, name) for name in kept]
        assert new.erased_at is not None
    after = everything()
    for snapshot in life.snapshots:
        assert not orders.apply(snapshot, clock=CLOCK).changed
    assert everything() == after
    ways: list[dict[str, Any]] = [
        {"member_id": life.member.id},
        {"member_id": life.merged},
        {"buyer": [PHONE]},
        {"buyer": [OPENID, make_identity("never-seen")]},
    ]
    for n, body in enumerate(ways):
        new_one = make_snapshot(life.store, **body)
        newer = make_snapshot(
            life.store, external_id="W-0", revision=2 + n, total=7_700 + n, **body
        )
        for snapshot in (new_one, newer, new_one):
            order = orders.apply(snapshot, clock=CLOCK).order
            assert (order.member_id, order.buyer_document) == (None, [])
        assert order_of(newer).total == 7_700 + n
    assert found(secrets) == []


def test_orders_in_flight_are_booked_and_become_nobodys(life: Life) -> None:
    """One waits for an identity whose claim the stream has not told of; one gets a refund."""
    later = make_identity("later-openid")
    early = make_snapshot(life.store, buyer=[later])
    orders.apply(early, clock=CLOCK)
    given = IdentityChange(member_id=life.member.id, identity=later)
    member_service.add_identity(given, viewer=SYSTEM)
    job = erase(life)
    refund = orders.Snapshot(source="pos", external_id="W-0", refunds=[make_refund("r9")])
    assert orders.apply(refund, clock=CLOCK).order.refunded == 1_000
    tasks.run(job.id, clock=CLOCK)
    assert order_of(life.snapshots[0]).refunded == 1_000
    assert order_of(early).erased_at is not None
    assert found([*secrets_of(life), "later-openid"]) == []


# --- coming back -----------------------------------------------------------------------------


def refused(attempt: Callable[[], object]) -> AppError:
    with pytest.raises(ForbiddenTransition) as refusal:
        attempt()
    return refusal.value


def test_no_system_brings_the_person_back(life: Life) -> None:
    erased(life)
    before = everything()
    key = Viewer(Role.INTEGRATION, id="key_1", scopes=SCOPES)
    for identity, viewer in zip(IDENTITIES, cycle([SYSTEM, key]), strict=False):
        known: dict[str, Any] = {"viewer": viewer, "consents": [AGREED]}
        refusal = refused(partial(make_member, life.store, make_identity(), identity, **known))
        assert refusal.field == ("input", "identities", "1", "value")
    new = member_service.Enrol(identities=[make_identity()], store_id=life.store.id)
    known = {"viewer": SYSTEM, "clock": CLOCK, "origin": Origin.BACKFILL}
    for id_ in (life.member.id, life.merged):
        refused(partial(member_service.enrol, new, member_id=id_, number=1, **known))
    assert [item for item in everything() if item not in before and '"counter"' not in item] == []


def test_person_who_agrees_comes_back_as_somebody_new(life: Life) -> None:
    erased(life)
    staff = Viewer(Role.STORE_MANAGER, "stm_1", life.store.id, frozenset({life.store.id}))
    refusal = refused(lambda: make_member(life.store, PHONE, viewer=staff))
    assert refusal.field == ("input", "consents")
    back = make_member(life.store, PHONE, viewer=staff, consents=[AGREED])
    assert back.number > life.member.number
    for snapshot in life.snapshots:
        orders.apply(snapshot, clock=CLOCK)
    assert member_service.find([PHONE]) == back.id
    assert list(Order.query(back.id)) == []
    bought = orders.apply(make_snapshot(life.store, buyer=[PHONE]), clock=CLOCK)
    assert bought.order.member_id == back.id
    # An identity that is still erased goes to a member at a person's word only.
    given = IdentityChange(member_id=back.id, identity=OPENID)
    refused(lambda: member_service.add_identity(given, viewer=SYSTEM))
    member_service.add_identity(given, viewer=OPERATOR)
    assert member_service.find([OPENID]) == back.id


def test_person_comes_back_in_the_mini_program_by_agreeing(life: Life) -> None:
    erased(life)
    at = real_now()
    token = tokens.enrolment_text(WeChatPerson(OPENID.value, None, None), at + ENROLMENT_LIFETIME)
    new = EnrolSelf(enrolment_token=token, store_id=life.store.id)
    refused(lambda: enrol_self(new, clock=CLOCK, at=at))
    agreed = new.model_copy(update={"consents": [AGREED]})
    assert enrol_self(agreed, clock=CLOCK, at=at).tokens is not None
    back = member_service.find([OPENID])
    assert back not in {None, life.member.id}
    assert said(back)[0][:3] == ("MEMBER", back, "ENROLLED")


def test_history_of_another_member_leaves_out_who_was_erased(life: Life) -> None:
    erased(life)
    other = make_member(life.store)
    told = make_snapshot(life.store, member_id=other.id, buyer=[PHONE, make_identity("kept-one")])
    orders.backfill(other.id, [told], clock=CLOCK, job="j")
    assert order_of(told).buyer_document == ["OPENID#kept-one"]


# --- the job ---------------------------------------------------------------------------------


def test_second_call_is_the_same_erasure_by_whatever_id(life: Life) -> None:
    job = erase(life)
    assert erase(life).id == job.id
    tasks.run(job.id, clock=CLOCK)
    before = everything()
    assert erase(life).id == job.id
    assert service.erase(life.merged, viewer=OPERATOR, clock=CLOCK).id == job.id
    assert tasks.run(job.id, clock=CLOCK)
    assert everything() == before


class Killed(BaseException):
    """The process ended here."""


def test_killed_at_any_write_it_ends_the_same(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each call of DynamoDB that writes is once the last thing that the process does."""
    job = erase(life)
    left = [0]

    def note(model: Any, **_: Any) -> None:
        if model.name in {"TransactWriteItems", "BatchWriteItem"}:
            left[0] -= 1
            if left[0] == 0:
                raise Killed

    events = shared_client().meta.events
    events.register("after-call.dynamodb", note)
    kills = 0
    try:
        over = False
        while not over:
            left[0] = 1 + kills % 2
            try:
                over = tasks.run(job.id, clock=CLOCK)
            except Killed:
                kills += 1
    finally:
        events.unregister("after-call.dynamodb", note)
    assert kills > len(PARTS)
    assert found(secrets_of(life)) == []
    done = repository.get_erasure(job.id)
    assert done is not None
    assert done.state is JobState.DONE


def test_who_may_not_erases_nobody_and_nobody_while_others_are_at_work(
    life: Life, impatient: None
) -> None:
    viewers = [
        Viewer(Role.OPERATOR, id="opr_2"),
        Viewer(Role.OPERATOR, "opr_3", store_ids=frozenset(), scopes=OPERATOR.scopes),
        Viewer(Role.MEMBER, id="mbr_somebody"),
        Viewer(Role.STORE_MANAGER, id="stm_1", scopes=OPERATOR.scopes),
    ]
    member_service.lock(life.member.id, "job-1", clock=CLOCK)
    before = everything()
    for viewer in viewers:
        with pytest.raises(NotFound):
            erase(life, viewer)
    with pytest.raises(Conflict):
        erase(life)
    assert everything() == before
    later = Clock(wall=lambda: NOW + timedelta(minutes=6))
    oneself = Viewer(Role.MEMBER, id=life.member.id)
    assert service.erase(life.member.id, viewer=oneself, clock=later).by_role is Role.MEMBER
