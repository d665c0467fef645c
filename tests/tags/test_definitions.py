"""Groups and tags: made, changed, archived, restored, and refused with nothing written."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from pydantic import ValidationError

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
from graphql_api.tags import repository, service
from graphql_api.tags.models import Tag, TagGroup
from graphql_api.tags.rules import TagKind
from graphql_api.viewer import SYSTEM, Role, Viewer
from tests.factories import make_unit
from tests.tags.factories import CLOCK, HEADQUARTERS, NOW, make_group, make_tag, make_tags
from tests.tags.storage import everything

KINDS = tuple(TagKind)


def create_tag(group_id: str, name: str, viewer: Viewer = HEADQUARTERS, **more: Any) -> Tag:
    new = service.TagCreate(group_id=group_id, name=name, **more)
    return service.create_tag(new, viewer=viewer, clock=CLOCK)


def update_tag(tag: Tag, viewer: Viewer = HEADQUARTERS, **more: Any) -> Tag:
    return service.update_tag(service.TagUpdate(id=tag.id, **more), viewer=viewer)


def update_group(group: TagGroup, viewer: Viewer = HEADQUARTERS, **more: Any) -> TagGroup:
    return service.update_group(service.GroupUpdate(id=group.id, **more), viewer=viewer)


def refused(kind: type[AppError], field: tuple[str, ...], call: Callable[[], object]) -> None:
    """The call is refused so, and nothing was written."""
    before = everything()
    with pytest.raises(kind) as refusal:
        call()
    assert (type(refusal.value), refusal.value.field) == (kind, field)
    assert everything() == before


def names(*, kind: TagKind | None = None) -> tuple[list[str], list[str]]:
    """The names of groups and tags that are listed."""
    kinds = (kind,) if kind else KINDS
    groups = repository.groups_of_kinds(kinds, first=100, after=None, reverse=False)
    tags = repository.page_of_kinds(kinds, first=100, after=None, reverse=False)
    return [group.name for group in groups.items], [tag.name for tag in tags.items]


def test_group_and_tag_are_stored_as_given(chain: str) -> None:
    new = service.GroupCreate(
        name=" 口味 ", kind=TagKind.LIFE, exclusive=True, description="爱吃什么"
    )
    group = service.create_group(new, viewer=HEADQUARTERS, clock=CLOCK)
    tag = create_tag(group.id, " 嗜辣 ", description="川湘口味", validity_days=90)
    [stored_group], [stored] = repository.get_groups([group.id]), repository.get_many([tag.id])
    assert stored_group is not None
    assert stored is not None
    assert (stored_group.name, stored_group.kind, stored_group.exclusive) == (
        "口味",
        TagKind.LIFE,
        True,
    )
    assert (stored_group.description, stored_group.version) == ("爱吃什么", 1)
    assert (stored.name, stored.kind, stored.group_id) == ("嗜辣", TagKind.LIFE, group.id)
    assert (stored.description, stored.validity_days) == ("川湘口味", 90)
    assert (stored.created_at, stored.archived_at, stored.version) == (NOW, None, 1)
    assert ids.prefix_of(stored.id) == "tag"


def test_ids_of_tags_are_their_numbers_and_short_to_store(chain: str) -> None:
    tags = make_tags(3)
    assert [tag.id for tag in tags] == [f"tag_{n:026d}" for n in (1, 2, 3)]


def test_name_of_a_group_is_unique_in_the_chain_in_any_case(chain: str) -> None:
    make_group("Taste")
    refused(Taken, ("input", "name"), lambda: make_group("TASTE", kind=TagKind.PERSONAL))


def test_name_of_a_tag_is_unique_in_its_group(chain: str) -> None:
    taste, other = make_group(), make_group()
    make_tag(taste, "vip")
    refused(Taken, ("input", "name"), lambda: make_tag(taste, "VIP"))
    assert make_tag(other, "VIP").name == "VIP"


def test_tag_is_found_by_its_name(chain: str) -> None:
    group = make_group()
    tag = make_tag(group, "VIP 客户")
    found = [repository.id_by_name(group.id, name) for name in ("VIP 客户", "vip 客户", "VIP")]
    assert found == [tag.id, tag.id, None]


def test_group_of_a_tag_is_there_and_works(chain: str) -> None:
    group = make_group()
    service.archive_group(group.id, viewer=SYSTEM, clock=CLOCK)
    field = ("input", "group_id")
    refused(ForbiddenTransition, field, lambda: create_tag(group.id, "x"))
    for wrong in ("", "tgg_1", make_tag().id, ids.new_id("tgg")):
        refused(NotFound, field, partial(create_tag, wrong, "x"))


def test_changes_are_those_given(chain: str) -> None:
    group = make_group("口味", description="旧")
    tag = make_tag(group, "嗜辣", description="旧", validity_days=30)
    changed = update_tag(tag, name="重辣", description=None, expected_version=1)
    assert (changed.name, changed.description, changed.validity_days) == ("重辣", None, 30)
    assert update_tag(tag, validity_days=None).validity_days is None
    assert update_group(group, name="味道", description="新").description == "新"
    assert names() == (["味道"], ["重辣"])
    assert repository.id_by_name(group.id, "嗜辣") is None
    assert make_tag(group, "嗜辣").name == "嗜辣"


def test_name_in_another_case_is_the_same_name(chain: str) -> None:
    tag = make_tag(make_group("a"), "vip")
    assert update_tag(tag, name="VIP").name == "VIP"
    assert names() == (["a"], ["VIP"])


def test_change_of_nothing_writes_nothing(chain: str) -> None:
    group = make_group("口味")
    tag = make_tag(group, "嗜辣")
    before = everything()
    assert update_tag(tag, name="嗜辣", validity_days=None).version == 1
    assert update_group(group, exclusive=False).version == 1
    assert everything() == before


def test_refused_changes(chain: str) -> None:
    group, other = make_group("a"), make_group("b")
    tag, beside = make_tags(2, group)
    refused(Taken, ("input", "name"), lambda: update_tag(tag, name=beside.name))
    refused(Taken, ("input", "name"), lambda: update_group(group, name=other.name.upper()))
    version = ("input", "expected_version")
    refused(Conflict, version, lambda: update_tag(tag, name="x", expected_version=7))
    refused(Conflict, version, lambda: update_group(group, name="x", expected_version=7))
    refused(Invalid, ("input", "name"), lambda: update_tag(tag, name=None))
    refused(Invalid, ("input", "exclusive"), lambda: update_group(group, exclusive=None))
    gone = Tag(ids.numbered_id("tag", 77))
    refused(NotFound, ("input", "id"), lambda: update_tag(gone, name="x"))
    no_group = TagGroup(ids.new_id("tgg"))
    refused(NotFound, ("input", "id"), lambda: update_group(no_group, name="x"))


def test_group_may_come_to_allow_many_but_never_one(chain: str) -> None:
    group = make_group(exclusive=True)
    assert update_group(group, exclusive=False).exclusive is False
    field = ("input", "exclusive")
    refused(ForbiddenTransition, field, lambda: update_group(group, exclusive=True))


def test_archived_leave_the_lists_and_keep_their_names(chain: str) -> None:
    group = make_group("口味")
    tag = make_tag(group, "嗜辣")
    field = ("id",)
    refused(
        ForbiddenTransition,
        field,
        lambda: service.archive_group(group.id, viewer=SYSTEM, clock=CLOCK),
    )
    archived = service.archive_tag(tag.id, viewer=SYSTEM, clock=CLOCK)
    assert (archived.archived_at, archived.version) == (NOW, 2)
    assert service.archive_tag(tag.id, viewer=SYSTEM, clock=CLOCK).version == 2
    assert names() == (["口味"], [])
    refused(Taken, ("input", "name"), lambda: make_tag(group, "嗜辣"))
    service.archive_group(group.id, viewer=SYSTEM, clock=CLOCK)
    assert names() == ([], [])
    assert repository.id_by_name(group.id, "嗜辣") == tag.id
    refused(ForbiddenTransition, field, lambda: service.restore_tag(tag.id, viewer=SYSTEM))
    assert service.restore_group(group.id, viewer=SYSTEM).archived_at is None
    assert service.restore_group(group.id, viewer=SYSTEM).version == 3
    assert service.restore_tag(tag.id, viewer=SYSTEM).version == 3
    assert service.restore_tag(tag.id, viewer=SYSTEM).version == 3
    assert names() == (["口味"], ["嗜辣"])


def test_lists_go_kind_after_kind_each_by_name(chain: str) -> None:
    life, personal = make_group("b"), make_group("a", kind=TagKind.PERSONAL)
    also_life = make_group("c")
    for group, name in ((also_life, "2"), (life, "1"), (personal, "0"), (life, "3")):
        make_tag(group, name)
    assert names() == (["b", "c", "a"], ["1", "2", "3", "0"])
    assert names(kind=TagKind.LIFE) == (["b", "c"], ["1", "2", "3"])
    assert names(kind=TagKind.PURCHASE) == ([], [])
    page = repository.page_of_kinds(KINDS, first=3, after=None, reverse=True)
    assert ([tag.name for tag in page.items], page.more) == (["0", "3", "2"], True)
    rest = repository.page_of_kinds(KINDS, first=3, after=page.places[-1], reverse=True)
    assert ([tag.name for tag in rest.items], rest.more) == (["1"], False)
    of_group = repository.page_of_group(life.id, first=9, after=None, reverse=False)
    assert [tag.name for tag in of_group.items] == ["1", "3"]


def test_only_headquarters_define_tags(chain: str) -> None:
    store_ids = frozenset({"sto_1"})
    region = Viewer(Role.OPERATOR, id="opr_2", unit_id=make_unit().id, store_ids=store_ids)
    group = make_group()
    tag = make_tag(group)
    new = service.GroupCreate(name="x", kind=TagKind.LIFE)
    for call in (
        lambda: service.create_group(new, viewer=region, clock=CLOCK),
        lambda: update_group(group, region, name="x"),
        lambda: service.archive_group(group.id, viewer=region, clock=CLOCK),
        lambda: service.restore_group(group.id, viewer=region),
        lambda: create_tag(group.id, "x", region),
        lambda: update_tag(tag, region, name="x"),
        lambda: service.archive_tag(tag.id, viewer=region, clock=CLOCK),
        lambda: service.restore_tag(tag.id, viewer=region),
    ):
        refused(Forbidden, (), call)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "长" * 41),
        ("description", "长" * 201),
        ("validity_days", 0),
        ("validity_days", 3651),
    ],
)
def test_values_of_a_tag_have_bounds(field: str, value: object) -> None:
    with pytest.raises(ValidationError) as refusal:
        service.TagCreate.model_validate({"group_id": "g", "name": "x", field: value})
    [error] = refusal.value.errors()
    assert error["loc"] == (field,)
