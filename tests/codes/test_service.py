"""Codes: the same for a target, drawn once, resolved on the server, and who came is noted once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from graphql_api.codes import models, repository, rules, service
from graphql_api.codes.models import Code
from graphql_api.codes.rules import Came
from graphql_api.codes.service import CodeCreate
from graphql_api.errors import AppError, Forbidden, ForbiddenTransition, NotFound, Required
from graphql_api.guides import service as guides
from graphql_api.guides.models import Guide
from graphql_api.guides.rules import GuideStatus
from graphql_api.guides.service import GuideStatusSet
from graphql_api.kit import files
from graphql_api.stores import service as stores
from graphql_api.stores.models import Store
from graphql_api.viewer import SYSTEM, Role, Viewer
from tests.factories import CLOCK, NOW, make_guide, make_identity, make_member, make_store

PNG = b"\x89PNG..."


def made(viewer: Viewer = SYSTEM, **target: str) -> Code:
    return service.create(CodeCreate(**target), viewer=viewer, clock=CLOCK)


def as_guide(guide: Guide) -> Viewer:
    return Viewer(
        Role.GUIDE, id=guide.id, unit_id=guide.store_id, store_ids=frozenset({guide.store_id})
    )


def as_manager(store: Store) -> Viewer:
    return Viewer(Role.STORE_MANAGER, id="stm_1", unit_id=store.id, store_ids=frozenset({store.id}))


def refusal(call: Callable[[], object]) -> AppError:
    with pytest.raises(AppError) as refused:
        call()
    return refused.value


def arrivals(code: Code) -> list[tuple[str, Came]]:
    page = repository.page_of_arrivals(code.id, first=10, after=None, reverse=False)
    return [(item.member_id, item.how) for item in page.items]


def test_guide_gets_their_own_code_and_always_the_same(guide: Guide) -> None:
    code = made(as_guide(guide))
    assert (code.guide_id, code.store_id) == (guide.id, guide.store_id)
    again = made(guide_id=guide.id)
    assert (again.id, again.scene) == (code.id, code.scene)
    way = service.by_scene(f"scene={code.scene.upper()}")
    assert way == rules.Way(code.id, guide.store_id, guide.id, None)


def test_two_who_make_one_code_at_once_get_one(guide: Guide) -> None:
    with ThreadPoolExecutor(2) as pool:
        codes = list(pool.map(lambda _: made(guide_id=guide.id), range(2)))
    assert codes[0].scene == codes[1].scene


def test_targets_have_codes_of_their_own(store: Store, guide: Guide) -> None:
    codes = [made(guide_id=guide.id), made(store_id=store.id), made(store_id=make_store("S2").id)]
    assert len({code.scene for code in codes}) == 3
    page = repository.page_of_codes(store.id, first=5, after=None, reverse=False)
    assert [code.id for code in page.items] == [codes[1].id]


def test_what_is_not_ones_to_make_is_refused(store: Store, guide: Guide) -> None:
    other = make_guide(store, wecom_user_id="Other")
    elsewhere = make_store("S2")
    cases: list[tuple[Viewer, dict[str, str], type[AppError], tuple[str, ...]]] = [
        (as_guide(guide), {"guide_id": other.id}, Forbidden, ("input",)),
        (as_guide(guide), {"store_id": store.id}, Forbidden, ("input",)),
        (as_manager(elsewhere), {"guide_id": guide.id}, NotFound, ("input", "guide_id")),
        (as_manager(elsewhere), {"store_id": store.id}, Forbidden, ("input",)),
        (SYSTEM, {}, Required, ("input",)),
        (SYSTEM, {"guide_id": "nobody"}, NotFound, ("input", "guide_id")),
        (SYSTEM, {"store_id": "nothing"}, NotFound, ("input", "store_id")),
        (SYSTEM, {"campaign_id": "nothing"}, NotFound, ("input", "campaign_id")),
    ]
    for viewer, target, kind, field in cases:
        with pytest.raises(kind) as refused:
            made(viewer, **target)
        assert refused.value.field == field, target


def test_code_of_a_guide_who_left_leads_to_the_store(store: Store, guide: Guide) -> None:
    code = made(guide_id=guide.id)
    left = GuideStatusSet(id=guide.id, status=GuideStatus.LEFT)
    guides.set_status(left, viewer=SYSTEM, clock=CLOCK)
    assert service.by_scene(code.scene) == rules.Way(code.id, store.id, None, None)
    assert isinstance(refusal(lambda: made(guide_id=guide.id)), ForbiddenTransition)


def test_retired_code_leads_nowhere_until_it_is_made_again(guide: Guide) -> None:
    code = made(guide_id=guide.id)
    for _ in range(2):
        assert service.retire(code.id, viewer=as_guide(guide), clock=CLOCK).retired_at == NOW
    assert service.by_scene(code.scene) is None
    assert isinstance(
        refusal(lambda: service.draw(code.id, draw=pytest.fail, viewer=SYSTEM, at=NOW)),
        ForbiddenTransition,
    )
    assert made(guide_id=guide.id).retired_at is None
    assert service.by_scene(code.scene) is not None


@pytest.mark.parametrize("text", ["", "x", "0123456789", "a" * 200, "%%%", "scene="])
def test_scene_of_nobody_leads_nowhere(chain: str, text: str) -> None:
    assert service.by_scene(text) is None


def test_picture_is_drawn_once_and_again_before_the_bucket_forgets_it(
    guide: Guide, bucket: str
) -> None:
    code = made(guide_id=guide.id)
    scenes: list[str] = []

    def draw(scene: str) -> bytes:
        scenes.append(scene)
        return PNG

    for days in (0, 5, 6):
        at = NOW + timedelta(days=days)
        drawn = service.draw(code.id, draw=draw, viewer=as_guide(guide), at=at)
        assert rules.picture_holds(drawn.drawn_at, at)
    assert scenes == [code.scene] * 2
    assert files.get(models.picture_key(code)) == PNG


def test_picture_that_was_not_drawn_leaves_nothing(guide: Guide, bucket: str) -> None:
    code = made(guide_id=guide.id)

    def draw(_scene: str) -> bytes:
        raise Forbidden("no")

    refusal(lambda: service.draw(code.id, draw=draw, viewer=SYSTEM, at=NOW))
    [kept] = repository.get_many([code.id])
    assert kept is not None
    assert kept.drawn_at is None
    assert files.get(models.picture_key(code)) is None


def test_code_is_seen_by_those_who_reach_it(store: Store, guide: Guide) -> None:
    own, of_store = made(guide_id=guide.id), made(store_id=store.id)
    colleague = as_guide(make_guide(store, wecom_user_id="Other"))
    assert rules.visible(as_guide(guide), own) is own
    assert rules.visible(colleague, own) is None
    assert rules.visible(colleague, of_store) is of_store
    assert rules.visible(as_manager(store), own) is own
    assert rules.visible(as_manager(make_store("S3")), own) is None
    assert rules.visible(Viewer(Role.MEMBER, id="mbr_1"), own) is None


def test_who_came_is_noted_once_for_each_way(store: Store, guide: Guide) -> None:
    code = made(guide_id=guide.id)
    member = make_member(store, make_identity())
    assert service.came(code.id, member.id, Came.ENROLLED, at=NOW)
    later = NOW + timedelta(minutes=1)
    assert not service.came(code.id, member.id, Came.ENROLLED, at=later)
    assert service.came(code.id, member.id, Came.FRIENDED, at=later)
    assert arrivals(code) == [(member.id, Came.ENROLLED), (member.id, Came.FRIENDED)]
    [tally] = repository.tallies([code.id])
    assert (tally.enrolled, tally.returned, tally.friended) == (1, 0, 1)
    visits = repository.page_of_lives((member.id,), first=5, after=None, reverse=False)
    assert [(visit.code_id, visit.how) for visit in visits.items] == [
        (code.id, Came.ENROLLED),
        (code.id, Came.FRIENDED),
    ]


def test_notes_that_race_count_once(store: Store, guide: Guide) -> None:
    code = made(guide_id=guide.id)
    member = make_member(store, make_identity())

    def note(n: int) -> bool:
        at = NOW + timedelta(seconds=n)
        return service.came(code.id, member.id, Came.ENROLLED, at=at)

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(note, range(4))) == 1
    assert len(arrivals(code)) == 1
    assert repository.tallies([code.id])[0].enrolled == 1


def test_what_is_noted_of_somebody_is_forgotten_in_both_places(store: Store, guide: Guide) -> None:
    code = made(guide_id=guide.id)
    member, other = make_member(store, make_identity()), make_member(store, make_identity())
    for one in (member, other):
        service.came(code.id, one.id, Came.ENROLLED, at=NOW)
    assert repository.forget(member.id, at_most=5) == 2
    assert repository.forget(member.id, at_most=5) == 0
    assert arrivals(code) == [(other.id, Came.ENROLLED)]


def test_store_that_was_archived_has_no_new_codes(store: Store) -> None:
    code = made(store_id=store.id)
    stores.archive_store(store.id, viewer=SYSTEM, clock=CLOCK)
    assert isinstance(refusal(lambda: made(store_id=store.id)), ForbiddenTransition)
    way = service.by_scene(code.scene)
    assert way is not None
    assert way.store_id is None
