"""What can be done to members, and what is refused with nothing written."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta, timezone
from threading import Barrier
from typing import Any

import pytest
from pydantic import ValidationError

from graphql_api.config import settings
from graphql_api.errors import (
    AppError,
    Conflict,
    Forbidden,
    ForbiddenTransition,
    Invalid,
    NotFound,
    Required,
    Taken,
)
from graphql_api.guides import service as guides
from graphql_api.guides.models import Guide
from graphql_api.guides.rules import GuideStatus
from graphql_api.guides.service import GuideStatusSet
from graphql_api.kit import ids
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.kit.time import Clock
from graphql_api.members import models, repository, service
from graphql_api.members.models import Effect, Member
from graphql_api.members.rules import (
    ConsentChannel,
    ConsentPurpose,
    EffectKind,
    Gender,
    IdentityKind,
    Origin,
    SourceChannel,
)
from graphql_api.members.service import (
    ConsentSet,
    IdentityChange,
    NewConsent,
    NewIdentity,
    Update,
)
from graphql_api.stores import service as stores
from graphql_api.stores.models import HEADQUARTERS_ID, Store
from graphql_api.viewer import READ_MEMBERS, SYSTEM, WRITE_MEMBERS, Role, Viewer
from tests.factories import CLOCK, NOW, make_guide, make_identity, make_member, make_store
from tests.orders.storage import everything, member_now

HEADQUARTERS = Viewer(Role.OPERATOR, id="opr_1")
KEY = Viewer(Role.INTEGRATION, id="key_1", scopes=frozenset({READ_MEMBERS, WRITE_MEMBERS}))
PHONE = "+8613800138000"
NEW_KEYS = f"new:{'5a' * 32},local:6c6f63616c2d6f6e6c792d6b65792d6e6f742d666f722d70726f64756374696f"

REFUSED = tuple[type[AppError], tuple[str, ...]]


def phone(text: str = "138 0013 8000") -> NewIdentity:
    return NewIdentity(kind=IdentityKind.PHONE, value=text)


def of_guide(guide: Guide) -> Viewer:
    store_ids = frozenset({guide.store_id})
    return Viewer(Role.GUIDE, id=guide.id, unit_id=guide.store_id, store_ids=store_ids)


def of_manager(store: Store) -> Viewer:
    return Viewer(Role.STORE_MANAGER, "stm_1", unit_id=store.id, store_ids=frozenset({store.id}))


def of_member(member: Member) -> Viewer:
    return Viewer(Role.MEMBER, id=member.id)


def enrol(*identities: NewIdentity, viewer: Viewer = HEADQUARTERS, **given: Any) -> Member:
    """Enrol as a viewer at noon of 10 January 2018; a store only where one is given."""
    new = service.Enrol(identities=list(identities) or [make_identity()], **given)
    return service.enrol(new, viewer=viewer, clock=CLOCK)


def refusal(refused: pytest.ExceptionInfo[AppError]) -> REFUSED:
    return type(refused.value), refused.value.field


def number_after(store: Store) -> int:
    return int(make_member(store).number)


# --- enrolment -------------------------------------------------------------------------------


def test_enrolled_member_is_stored_as_given(store: Store, guide: Guide) -> None:
    enrolled = enrol(
        make_identity("openid-1"),
        store_id=store.id,
        guide_id=guide.id,
        source=SourceChannel.WECOM,
        joined_at=datetime(2017, 12, 31, 20, 0, tzinfo=UTC),
        name=" 王小明 ",
        nickname="明",
        gender=Gender.MALE,
        birthday="02-29",
        birth_year=1988,
        city="上海",
        occupation="教师",
        income_band="10k-15k",
    )
    member = member_now(enrolled.id)
    assert member.serialize() == enrolled.serialize()
    assert ids.prefix_of(member.id) == "mbr"
    assert (member.number, member.member_no, member.version) == (1, "000000013", 1)
    assert (member.name, member.nickname, member.gender) == ("王小明", "明", Gender.MALE)
    assert (member.birthday, member.birth_year) == ("02-29", 1988)
    assert (member.city, member.occupation, member.income_band) == ("上海", "教师", "10k-15k")
    assert (member.source, member.joined_at) == (
        SourceChannel.WECOM,
        datetime(2017, 12, 31, 20, 0, tzinfo=UTC),
    )
    assert (member.store_id, member.joining_store_id) == (store.id, store.id)
    assert (member.guide_id, member.joining_guide_id) == (guide.id, guide.id)
    assert member.identity_claims == ["OPENID#openid-1"]
    assert repository.id_by_claims(["OPENID#openid-1"]) == member.id
    assert (member.created_at, member.archived_at, member.phone) == (NOW, None, None)


def test_enrolment_is_an_effect(store: Store) -> None:
    member = make_member(store)
    [effect] = Effect.query(member.id, Effect.sort.startswith("effect#"))
    assert (effect.kind, effect.origin) == (EffectKind.ENROLLED, Origin.LIVE)
    assert effect.decided_on == date(2018, 1, 10)


def test_numbers_are_dense_and_a_refused_enrolment_takes_none(store: Store) -> None:
    first = make_member(store, make_identity("openid-1"))
    with pytest.raises(Taken):
        make_member(store, make_identity("openid-1"))
    with pytest.raises(NotFound):
        enrol(store_id=ids.derived_id("sto", "nowhere"))
    assert (first.number, number_after(store)) == (1, 2)


@pytest.mark.parametrize("kind", IdentityKind)
def test_identity_of_another_is_taken_and_nothing_is_written(
    store: Store, kind: IdentityKind
) -> None:
    value = PHONE if kind is IdentityKind.PHONE else "abc"
    make_member(store, NewIdentity(kind=kind, value=value))
    before = everything()
    with pytest.raises(Taken) as refused:
        make_member(store, make_identity(), NewIdentity(kind=kind, value=value))
    assert refused.value.field == ("input", "identities", "1", "value")
    assert everything() == before


def test_same_value_at_another_platform_is_another_identity(store: Store) -> None:
    one = make_member(store, NewIdentity(kind=IdentityKind.OPENID, value="abc"))
    other = make_member(store, NewIdentity(kind=IdentityKind.UNIONID, value="abc"))
    assert one.id != other.id


def test_phone_is_one_identity_in_whatever_form(store: Store) -> None:
    member = make_member(store, phone("138-0013-8000"))
    assert member.phone == PHONE
    assert service.find([phone("+86 138 0013 8000")]) == member.id
    with pytest.raises(Taken):
        make_member(store, phone("13800138000"))


def test_member_has_one_phone(store: Store) -> None:
    with pytest.raises(Invalid) as refused:
        make_member(store, phone("13800138000"), phone("13900139000"))
    assert refused.value.field == ("input", "identities")


def test_of_many_who_enrol_one_phone_at_once_one_wins(store: Store) -> None:
    together = Barrier(4)

    def attempt(_n: int) -> str | AppError:
        together.wait()
        try:
            return make_member(store, phone()).id
        except AppError as refused:
            return refused

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(attempt, range(4)))
    won = [outcome for outcome in outcomes if isinstance(outcome, str)]
    assert won == [service.find([phone()])]
    assert [type(outcome) for outcome in outcomes if not isinstance(outcome, str)] == [Taken] * 3
    assert [member.id for member in Member.scan(Member.number.exists())] == won


def test_store_staff_bring_their_own_store_and_a_guide_themselves(
    store: Store, guide: Guide
) -> None:
    by_guide = enrol(viewer=of_guide(guide))
    by_manager = enrol(viewer=of_manager(store))
    of_theirs = enrol(viewer=of_manager(store), guide_id=guide.id)
    placed = [(m.store_id, m.guide_id) for m in (by_guide, by_manager, of_theirs)]
    assert placed == [(store.id, guide.id), (store.id, None), (store.id, guide.id)]


def test_member_who_moved_has_a_home_store_and_a_guide_there(
    store: Store, other_store: Store, guide: Guide
) -> None:
    member = enrol(store_id=other_store.id, home_store_id=store.id, guide_id=guide.id)
    assert (member.joining_store_id, member.joining_guide_id) == (other_store.id, None)
    assert (member.store_id, member.guide_id) == (store.id, guide.id)


def test_misplaced_member_is_refused_and_nothing_is_written(
    store: Store, other_store: Store, guide: Guide
) -> None:
    other_guide = make_guide(other_store, "赵敏")
    stopped = make_guide(store, "周杰")
    stop = GuideStatusSet(id=stopped.id, status=GuideStatus.STOPPED)
    guides.set_status(stop, viewer=SYSTEM, clock=CLOCK)
    closed = stores.archive_store(make_store("S3").id, viewer=SYSTEM, clock=CLOCK).id
    unknown_store, unknown_guide = ids.derived_id("sto", "x"), ids.derived_id("gde", "x")
    here, as_guide, as_manager = {"store_id": store.id}, of_guide(guide), of_manager(store)
    attempts: list[tuple[Viewer, dict[str, Any], REFUSED]] = [
        (HEADQUARTERS, {}, (Required, ("store_id",))),
        (KEY, {}, (Required, ("store_id",))),
        (HEADQUARTERS, {"store_id": "somewhere"}, (NotFound, ("store_id",))),
        (HEADQUARTERS, {"store_id": unknown_store}, (NotFound, ("store_id",))),
        (HEADQUARTERS, {"store_id": HEADQUARTERS_ID}, (NotFound, ("store_id",))),
        (HEADQUARTERS, {"store_id": closed}, (ForbiddenTransition, ("store_id",))),
        (HEADQUARTERS, {**here, "home_store_id": "x"}, (NotFound, ("home_store_id",))),
        (
            HEADQUARTERS,
            {**here, "home_store_id": closed},
            (ForbiddenTransition, ("home_store_id",)),
        ),
        (HEADQUARTERS, {**here, "guide_id": "someone"}, (NotFound, ("guide_id",))),
        (HEADQUARTERS, {**here, "guide_id": unknown_guide}, (NotFound, ("guide_id",))),
        (HEADQUARTERS, {**here, "guide_id": other_guide.id}, (NotFound, ("guide_id",))),
        (HEADQUARTERS, {**here, "guide_id": stopped.id}, (ForbiddenTransition, ("guide_id",))),
        (as_manager, {"store_id": other_store.id}, (NotFound, ("store_id",))),
        (as_manager, {"home_store_id": other_store.id}, (NotFound, ("home_store_id",))),
        (as_guide, {"store_id": other_store.id}, (NotFound, ("store_id",))),
        (as_guide, {"guide_id": stopped.id}, (Forbidden, ("guide_id",))),
        (of_guide(stopped), {}, (ForbiddenTransition, ("guide_id",))),
    ]
    before = everything()
    outcomes = []
    for viewer, given, _ in attempts:
        with pytest.raises(AppError) as refused:
            enrol(viewer=viewer, **given)
        outcomes.append(refusal(refused))
    assert outcomes == [(kind, ("input", *field)) for _, _, (kind, field) in attempts]
    assert everything() == before


def test_member_joins_now_unless_headquarters_say_earlier(store: Store, guide: Guide) -> None:
    earlier = datetime(2016, 1, 1, 8, 0, tzinfo=timezone(timedelta(hours=8)))
    assert enrol(store_id=store.id).joined_at == NOW
    assert enrol(viewer=KEY, store_id=store.id, joined_at=earlier).joined_at == earlier
    before = everything()
    for viewer, at, kind in [
        (HEADQUARTERS, NOW + timedelta(seconds=1), Invalid),
        (of_manager(store), earlier, Forbidden),
        (of_guide(guide), earlier, Forbidden),
    ]:
        with pytest.raises(AppError) as refused:
            enrol(viewer=viewer, store_id=store.id, joined_at=at)
        assert refusal(refused) == (kind, ("input", "joined_at"))
    assert everything() == before


def test_agreement_holds_from_joining_unless_it_says_when(store: Store) -> None:
    earlier = datetime(2017, 6, 1, tzinfo=UTC)
    given = [
        NewConsent(purpose=ConsentPurpose.SERVICE, text_version="v1"),
        NewConsent(
            purpose=ConsentPurpose.MARKETING,
            channel=ConsentChannel.SMS,
            text_version="v2",
            at=datetime(2017, 7, 1, tzinfo=UTC),
        ),
    ]
    member = enrol(store_id=store.id, joined_at=earlier, consents=given)
    shown = [(c.purpose, c.channel, c.text_version, c.at, c.granted) for c in member.consents]
    assert shown == [
        ("MARKETING", "SMS", "v2", datetime(2017, 7, 1, tzinfo=UTC), True),
        ("SERVICE", "ANY", "v1", earlier, True),
    ]


def test_agreement_in_the_future_is_refused_and_nothing_is_written(store: Store) -> None:
    before = everything()
    late = NewConsent(
        purpose=ConsentPurpose.SERVICE, text_version="v1", at=NOW + timedelta(seconds=1)
    )
    with pytest.raises(Invalid) as refused:
        enrol(store_id=store.id, consents=[late])
    assert refused.value.field == ("input", "consents", "0", "at")
    assert everything() == before


def test_import_brings_id_number_and_origin(store: Store) -> None:
    member_id = ids.derived_id("mbr", "household-1")
    new = service.Enrol(identities=[make_identity("openid-1")], store_id=store.id)

    def bring_in() -> Member:
        return service.enrol(
            new,
            viewer=SYSTEM,
            clock=CLOCK,
            origin=Origin.BACKFILL,
            member_id=member_id,
            number=77,
        )

    assert (bring_in().id, member_now(member_id).number) == (member_id, 77)
    [effect] = Effect.query(member_id, Effect.sort.startswith("effect#"))
    assert effect.origin is Origin.BACKFILL
    before = everything()
    with pytest.raises(Taken):
        bring_in()
    assert everything() == before


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ({"identities": []}, ("identities",)),
        ({"identities": [{"kind": "PHONE", "value": "138"}]}, ("identities", 0, "value")),
        (
            {"identities": [{"kind": "PHONE", "value": "１３８００１３８０００"}]},
            ("identities", 0, "value"),
        ),
        ({"identities": [{"kind": "OPENID", "value": ""}]}, ("identities", 0, "value")),
        ({"identities": [{"kind": "OPENID", "value": "a b"}]}, ("identities", 0, "value")),
        ({"identities": [{"kind": "OPENID", "value": "王"}]}, ("identities", 0, "value")),
        ({"identities": [{"kind": "OPENID", "value": "x" * 129}]}, ("identities", 0, "value")),
        ({"identities": [{"kind": "FAX", "value": "1"}]}, ("identities", 0, "kind")),
        ({"name": " "}, ("name",)),
        ({"name": "王" * 61}, ("name",)),
        ({"birthday": "02-30"}, ("birthday",)),
        ({"birthday": "０２-０１"}, ("birthday",)),
        ({"birth_year": 1899}, ("birth_year",)),
        ({"birthday": "02-29", "birth_year": 2001}, ("birth_year",)),
        ({"joined_at": datetime(2017, 1, 1)}, ("joined_at",)),  # noqa: DTZ001 - a naive time
        ({"telephone": PHONE}, ("telephone",)),
    ],
)
def test_command_that_cannot_be_right_names_its_field_and_hides_its_value(
    given: dict[str, Any], place: tuple[str | int, ...]
) -> None:
    command = {"identities": [{"kind": "OPENID", "value": "o"}], "store_id": "sto_1", **given}
    with pytest.raises(ValidationError) as refused:
        service.Enrol.model_validate(command)
    assert [error["loc"] for error in refused.value.errors()] == [place]
    assert "input_value" not in str(refused.value)


# --- phones ----------------------------------------------------------------------------------


def test_phone_stands_nowhere_in_the_clear(store: Store) -> None:
    member = make_member(store, phone())
    stored = everything()
    assert [text for text in stored if "13800138000" in text or "0013800" in text] == []
    [item] = [json.loads(text) for text in stored if '"sealed_phone"' in text]
    assert item["phone_last4"] == {"S": "8000"}
    assert item["sealed_phone"]["S"].startswith("local.")
    assert member_now(member.id).phone == PHONE


@pytest.fixture
def new_keys(store: Store) -> Iterator[Callable[[], None]]:
    """Put a second key first in the rings of phones, as a rotation does; undone afterwards."""
    with pytest.MonkeyPatch.context() as patch:

        def rotate() -> None:
            patch.setenv("APP_PHONE_HASH_KEYS", NEW_KEYS)
            patch.setenv("APP_PHONE_CIPHER_KEYS", NEW_KEYS)
            settings.cache_clear()

        yield rotate
    settings.cache_clear()


def test_member_is_found_by_phone_after_the_keys_were_rotated(
    store: Store, new_keys: Callable[[], None]
) -> None:
    member = make_member(store, phone())
    new_keys()
    assert service.find([phone()]) == member.id
    assert member_now(member.id).phone == PHONE
    with pytest.raises(Taken):
        make_member(store, phone())


def test_phone_claimed_during_a_rotation_is_claimed_under_both_keys(
    store: Store, new_keys: Callable[[], None]
) -> None:
    [under_old] = service.claims_of(phone())
    new_keys()
    member = make_member(store, phone())
    assert [claim[:10] for claim in member.identity_claims] == ["PHONE#new.", "PHONE#loca"]
    assert member.identity_claims[1] == under_old
    assert repository.holders(member.identity_claims) == [member.id, member.id]
    assert str(member.sealed_phone).startswith("new.")


def test_phone_told_again_after_a_rotation_takes_the_new_claim_too(
    store: Store, new_keys: Callable[[], None]
) -> None:
    member = make_member(store, phone())
    new_keys()
    told = IdentityChange(member_id=member.id, identity=phone())
    again = service.add_identity(told, viewer=HEADQUARTERS)
    assert repository.holders(service.claims_of(phone())) == [member.id, member.id]
    assert again.identity_claims == service.claims_of(phone())
    before = everything()
    service.add_identity(told, viewer=HEADQUARTERS)
    assert everything() == before


def test_phone_replaced_after_a_rotation_is_free_under_every_key(
    store: Store, new_keys: Callable[[], None]
) -> None:
    before_it = make_member(store, phone("13800138000"))
    new_keys()
    during = make_member(store, phone("13900139000"))
    for member, new in ((before_it, "13700137000"), (during, "13600136000")):
        told = IdentityChange(member_id=member.id, identity=phone(new))
        service.add_identity(told, viewer=HEADQUARTERS)
    given_up = [*service.claims_of(phone("13800138000")), *service.claims_of(phone("13900139000"))]
    assert repository.holders(given_up) == [None] * 4


# --- profile ---------------------------------------------------------------------------------


def test_update_changes_what_is_given_and_clears_what_is_null(store: Store) -> None:
    member = make_member(store, name="王小明", nickname="明", gender=Gender.MALE, city="上海")
    given = Update(id=member.id, nickname="小明", gender=None, city=None)
    updated = service.update(given, viewer=HEADQUARTERS)
    stored = member_now(member.id)
    assert stored.serialize() == updated.serialize()
    shown = (stored.name, stored.nickname, stored.gender, stored.city, stored.version)
    assert shown == ("王小明", "小明", Gender.UNKNOWN, None, 2)


def test_update_that_says_nothing_new_writes_nothing(store: Store) -> None:
    member = make_member(store, name="王小明", birthday="02-28")
    before = everything()
    for given in (
        {},
        {"expected_version": 1},
        {"name": "王小明", "gender": None, "city": None},
        {"birthday": "02-28"},
        {"store_id": store.id},
    ):
        same = service.update(Update(id=member.id, **given), viewer=HEADQUARTERS)
        assert same.version == 1
    assert everything() == before


@pytest.mark.parametrize("given", [{}, {"name": "新"}, {"birthday": "02-28"}, {"name": "王小明"}])
def test_update_of_a_member_who_changed_since_is_a_conflict(
    store: Store, given: dict[str, Any]
) -> None:
    member = make_member(store, name="王小明")
    service.update(Update(id=member.id, expected_version=1, city="上海"), viewer=HEADQUARTERS)
    before = everything()
    with pytest.raises(Conflict) as refused:
        service.update(Update(id=member.id, expected_version=1, **given), viewer=HEADQUARTERS)
    assert refused.value.field == ("input", "expected_version")
    assert everything() == before


def test_profile_is_written_over_a_decision_that_came_between(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    member = make_member(store)
    read, left = repository.get, [True]

    def read_and_decide(member_id: str) -> Member | None:
        found = read(member_id)
        if left:
            left.clear()
            decided = member_now(member_id)
            decided.growth = 12
            transact(lambda tx: repository.save(tx, decided))
        return found

    monkeypatch.setattr(repository, "get", read_and_decide)
    written = service.update(Update(id=member.id, nickname="明"), viewer=HEADQUARTERS)
    stored = member_now(member.id)
    assert (stored.nickname, stored.growth, stored.version) == ("明", 12, 3)
    assert written.serialize() == stored.serialize()


def test_decision_is_taken_again_on_a_profile_that_changed_meanwhile(store: Store) -> None:
    member = make_member(store)
    attempts: list[str | None] = []

    def decide(tx: Transaction) -> None:
        current = member_now(member.id)
        if not attempts:
            service.update(Update(id=member.id, nickname="明"), viewer=HEADQUARTERS)
        attempts.append(current.nickname)
        current.growth = 12
        repository.save(tx, current)

    transact(decide)
    stored = member_now(member.id)
    assert attempts == [None, "明"]
    assert (stored.nickname, stored.growth, stored.version) == ("明", 12, 3)


def test_birthday_is_checked_against_the_stored_year_and_the_year_against_the_birthday(
    store: Store,
) -> None:
    leaper = make_member(store, birthday="02-29")
    of_2001 = make_member(store, birth_year=2001)
    before = everything()
    attempts = [
        (Update(id=leaper.id, birth_year=2001), "birth_year"),
        (Update(id=of_2001.id, birthday="02-29"), "birthday"),
    ]
    for given, field in attempts:
        with pytest.raises(Invalid) as refused:
            service.update(given, viewer=HEADQUARTERS)
        assert refused.value.field == ("input", field)
    assert everything() == before
    service.update(Update(id=leaper.id, birthday=None, birth_year=2001), viewer=HEADQUARTERS)
    stored = member_now(leaper.id)
    assert (stored.birthday, stored.birth_year) == (None, 2001)


def test_member_moves_to_another_home_store(store: Store, other_store: Store) -> None:
    member = make_member(store)
    moved = service.update(
        Update(id=member.id, store_id=other_store.id, name="王"), viewer=HEADQUARTERS
    )
    stored = member_now(member.id)
    assert stored.serialize() == moved.serialize()
    assert (stored.store_id, stored.joining_store_id) == (other_store.id, store.id)
    assert (stored.name, stored.at_store, stored.version) == ("王", other_store.id, 2)


def test_move_that_may_not_be_is_refused_and_nothing_is_written(
    store: Store, other_store: Store, guide: Guide
) -> None:
    member = make_member(store, guide_id=guide.id)
    closed = stores.archive_store(make_store("S3").id, viewer=SYSTEM, clock=CLOCK).id
    attempts: list[tuple[Viewer, str | None, type[AppError]]] = [
        (HEADQUARTERS, None, Required),
        (HEADQUARTERS, "", NotFound),
        (HEADQUARTERS, "chain", NotFound),
        (HEADQUARTERS, HEADQUARTERS_ID, NotFound),
        (HEADQUARTERS, ids.derived_id("sto", "nowhere"), NotFound),
        (HEADQUARTERS, closed, ForbiddenTransition),
        (of_manager(store), other_store.id, NotFound),
        (of_guide(guide), other_store.id, Forbidden),
        (of_member(member), other_store.id, Forbidden),
    ]
    before = everything()
    outcomes = []
    for viewer, store_id, _ in attempts:
        with pytest.raises(AppError) as refused:
            service.update(Update(id=member.id, store_id=store_id), viewer=viewer)
        assert refused.value.field == ("input", "store_id")
        outcomes.append(type(refused.value))
    assert outcomes == [kind for _, _, kind in attempts]
    assert everything() == before


def test_member_out_of_reach_is_not_there_for_any_command(
    store: Store, other_store: Store, guide: Guide
) -> None:
    member = make_member(store, phone(), guide_id=guide.id)
    neighbour = make_member(store)
    writes_only = frozenset({WRITE_MEMBERS})
    outsiders = [
        of_member(neighbour),
        of_guide(make_guide(store, "周杰")),
        of_manager(other_store),
        Viewer(Role.OPERATOR, id="opr_2", store_ids=frozenset({other_store.id})),
        Viewer(Role.INTEGRATION, id="key_1", scopes=frozenset({READ_MEMBERS})),
        Viewer(Role.INTEGRATION, id="key_1", scopes=writes_only),
    ]
    before = everything()
    for viewer in outsiders:
        for attempt in commands(member.id, viewer):
            with pytest.raises(NotFound):
                attempt()
    assert everything() == before


def commands(member_id: str, viewer: Viewer) -> list[Callable[[], Member]]:
    """Every command on a member."""
    consent = ConsentSet(
        member_id=member_id, purpose=ConsentPurpose.SERVICE, granted=True, text_version="v1"
    )
    add = IdentityChange(member_id=member_id, identity=make_identity())
    remove = IdentityChange(member_id=member_id, identity=phone())
    return [
        lambda: service.update(Update(id=member_id, name="王"), viewer=viewer),
        lambda: service.update(Update(id=member_id, birthday="01-01"), viewer=viewer),
        lambda: service.set_consent(consent, viewer=viewer, clock=CLOCK),
        lambda: service.add_identity(add, viewer=viewer),
        lambda: service.remove_identity(remove, viewer=viewer),
        lambda: service.archive(member_id, viewer=viewer, clock=CLOCK),
        lambda: service.restore(member_id, viewer=viewer),
    ]


@pytest.mark.parametrize("member_id", ["", "counter", "claim#OPENID#openid-1", HEADQUARTERS_ID])
def test_id_that_is_no_members_is_not_there(store: Store, member_id: str) -> None:
    make_member(store, make_identity("openid-1"))
    before = everything()
    for attempt in commands(member_id, SYSTEM):
        with pytest.raises(NotFound):
            attempt()
    assert everything() == before


# --- agreements ------------------------------------------------------------------------------


def set_consent(member: Member, granted: bool, version: str, at: datetime = NOW) -> Member:
    given = ConsentSet(
        member_id=member.id,
        purpose=ConsentPurpose.MARKETING,
        channel=ConsentChannel.SMS,
        granted=granted,
        text_version=version,
    )
    return service.set_consent(given, viewer=HEADQUARTERS, clock=Clock(wall=lambda: at))


def shown_consents(member: Member) -> list[tuple[str, datetime, datetime | None, bool]]:
    return [(c.text_version, c.at, c.withdrawn_at, c.granted) for c in member.consents]


def test_agreement_is_given_withdrawn_and_given_to_a_new_text(store: Store) -> None:
    member = make_member(store)
    later, last = NOW + timedelta(days=1), NOW + timedelta(days=2)
    assert shown_consents(set_consent(member, True, "v1")) == [("v1", NOW, None, True)]
    assert shown_consents(set_consent(member, True, "v2", later)) == [("v2", later, None, True)]
    withdrawn = set_consent(member, False, "v3", last)
    assert shown_consents(withdrawn) == [("v2", later, last, False)]
    assert shown_consents(member_now(member.id)) == [("v2", later, last, False)]
    given_again = set_consent(member, True, "v2", last)
    assert shown_consents(given_again) == [("v2", last, None, True)]


def test_agreement_said_again_changes_nothing(store: Store) -> None:
    member = make_member(store)
    before = everything()
    set_consent(member, False, "v1")
    assert everything() == before
    set_consent(member, True, "v1")
    given = everything()
    set_consent(member, True, "v1", NOW + timedelta(days=1))
    assert everything() == given
    set_consent(member, False, "v1")
    withdrawn = everything()
    set_consent(member, False, "v1", NOW + timedelta(days=1))
    assert everything() == withdrawn


# --- identities ------------------------------------------------------------------------------


def add(member: Member, identity: NewIdentity) -> Member:
    given = IdentityChange(member_id=member.id, identity=identity)
    return service.add_identity(given, viewer=HEADQUARTERS)


def remove(member: Member, identity: NewIdentity) -> Member:
    given = IdentityChange(member_id=member.id, identity=identity)
    return service.remove_identity(given, viewer=HEADQUARTERS)


def test_identity_is_added_once(store: Store) -> None:
    member = make_member(store, make_identity("openid-1"))
    added = add(member, make_identity("openid-2"))
    assert added.identity_claims == ["OPENID#openid-1", "OPENID#openid-2"]
    assert service.find([make_identity("openid-2")]) == member.id
    before = everything()
    assert add(member, make_identity("openid-2")).version == added.version
    assert everything() == before


def test_identity_of_another_is_not_added(store: Store) -> None:
    make_member(store, make_identity("openid-1"), phone())
    member = make_member(store)
    before = everything()
    for identity in (make_identity("openid-1"), phone()):
        with pytest.raises(Taken) as refused:
            add(member, identity)
        assert refused.value.field == ("input", "identity", "value")
    assert everything() == before


def test_identity_that_two_members_claim_at_once_goes_to_one(store: Store) -> None:
    members = [make_member(store), make_member(store)]
    together = Barrier(2)

    def attempt(member: Member) -> str | AppError:
        together.wait()
        try:
            return add(member, make_identity("contested")).id
        except AppError as refused:
            return refused

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(attempt, members))
    won = [outcome for outcome in outcomes if isinstance(outcome, str)]
    assert won == [service.find([make_identity("contested")])]
    assert [type(o) for o in outcomes if not isinstance(o, str)] == [Taken]
    holders = [m.id for m in members if "OPENID#contested" in member_now(m.id).identity_claims]
    assert holders == won


def test_new_phone_replaces_the_old_and_frees_it(store: Store) -> None:
    member = make_member(store, phone("13800138000"), make_identity("openid-1"))
    changed = add(member, phone("13900139000"))
    assert (changed.phone, changed.phone_last4) == ("+8613900139000", "9000")
    assert member_now(member.id).serialize() == changed.serialize()
    assert service.find([phone("13900139000")]) == member.id
    assert service.find([phone("13800138000")]) is None
    assert make_member(store, phone("13800138000")).phone == "+8613800138000"


def test_removed_identity_is_free_and_a_removed_phone_is_forgotten(store: Store) -> None:
    member = make_member(store, phone(), make_identity("openid-1"), make_identity("openid-2"))
    remove(member, make_identity("openid-1"))
    left = remove(member, phone())
    assert left.identity_claims == ["OPENID#openid-2"]
    assert (left.phone, left.sealed_phone, left.phone_last4) == (None, None, None)
    assert member_now(member.id).serialize() == left.serialize()
    freed = [make_identity("openid-1"), phone()]
    assert [service.find([identity]) for identity in freed] == [None, None]


def test_last_identity_stays_and_that_of_another_changes_nothing(store: Store) -> None:
    member = make_member(store, make_identity("openid-1"))
    make_member(store, make_identity("openid-2"))
    before = everything()
    with pytest.raises(ForbiddenTransition) as refused:
        remove(member, make_identity("openid-1"))
    assert refused.value.field == ("input", "identity")
    assert remove(member, make_identity("openid-2")).identity_claims == ["OPENID#openid-1"]
    assert everything() == before


def test_member_has_at_most_twenty_identities(store: Store) -> None:
    full = make_member(store, phone(), *(make_identity() for _ in range(19)))
    before = everything()
    with pytest.raises(Invalid) as refused:
        add(full, make_identity())
    assert refused.value.field == ("input", "identity", "value")
    assert everything() == before
    assert add(full, phone("13900139000")).phone == "+8613900139000"


# --- the end of a membership, and locks ------------------------------------------------------


def listed(store: Store, guide: Guide) -> list[list[str]]:
    """Who stands in the lists of all, of a store and of a guide."""
    page: dict[str, Any] = {"first": 10, "after": None, "reverse": False}
    pages = [
        repository.page_of_all(**page),
        repository.page_of_store(store.id, **page),
        repository.page_of_guide(guide.id, **page),
    ]
    return [[member.id for member in page.items] for page in pages]


def test_archived_member_leaves_the_lists_and_comes_back(store: Store, guide: Guide) -> None:
    member = make_member(store, phone(), guide_id=guide.id)
    assert listed(store, guide) == [[member.id]] * 3
    archived = service.archive(member.id, viewer=HEADQUARTERS, clock=CLOCK)
    assert (archived.archived_at, archived.version) == (NOW, 2)
    assert listed(store, guide) == [[], [], []]
    assert service.find([phone()]) == member.id
    before = everything()
    later = Clock(wall=lambda: NOW + timedelta(days=1))
    assert service.archive(member.id, viewer=HEADQUARTERS, clock=later).archived_at == NOW
    with pytest.raises(Taken):
        make_member(store, phone())
    assert everything() == before
    restored = service.restore(member.id, viewer=HEADQUARTERS)
    assert (restored.archived_at, restored.version) == (None, 3)
    assert listed(store, guide) == [[member.id]] * 3
    service.restore(member.id, viewer=HEADQUARTERS)
    assert member_now(member.id).version == 3


def test_change_of_an_archived_member_does_not_list_it(store: Store, guide: Guide) -> None:
    member = make_member(store, guide_id=guide.id)
    service.archive(member.id, viewer=HEADQUARTERS, clock=CLOCK)
    service.update(Update(id=member.id, name="王", birthday="01-01"), viewer=HEADQUARTERS)
    assert listed(store, guide) == [[], [], []]


def test_lock_is_held_by_one_for_five_minutes(store: Store) -> None:
    member = make_member(store)
    locked = service.lock(member.id, "job-1", clock=CLOCK)
    assert (locked.lock_owner, locked.locked_until) == ("job-1", NOW + timedelta(minutes=5))
    before = everything()
    at_the_end = Clock(wall=lambda: NOW + timedelta(minutes=5, seconds=-1))
    with pytest.raises(Conflict):
        service.lock(member.id, "job-2", clock=at_the_end)
    assert everything() == before
    renewed = service.lock(member.id, "job-1", clock=at_the_end)
    assert renewed.locked_until == NOW + timedelta(minutes=10, seconds=-1)
    after = Clock(wall=lambda: NOW + timedelta(minutes=10))
    assert service.lock(member.id, "job-2", clock=after).lock_owner == "job-2"


def test_lock_raises_the_version_so_that_decisions_are_taken_again(store: Store) -> None:
    member = make_member(store)
    attempts: list[str | None] = []

    def decide(tx: Transaction) -> None:
        current = member_now(member.id)
        if not attempts:
            service.lock(member.id, "job-1", clock=CLOCK)
        attempts.append(current.lock_owner)
        repository.save(tx, current)

    transact(decide)
    assert attempts == [None, "job-1"]


def test_lock_of_nobody_is_refused(chain: str) -> None:
    with pytest.raises(NotFound):
        service.lock(ids.derived_id("mbr", "nobody"), "job-1", clock=CLOCK)


def test_joining_time_of_any_offset_sorts_as_utc(store: Store) -> None:
    east = datetime(2017, 6, 1, 1, 0, tzinfo=timezone(timedelta(hours=8)))
    member = enrol(store_id=store.id, joined_at=east)
    key = f"2017-05-31T17:00:00#{member.id}"
    assert member.joined_key == key
    assert models.joined_key_of(member_now(member.id)) == key
