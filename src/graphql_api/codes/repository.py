"""Access paths of codes, scenes, and who came."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from graphql_api.codes import models
from graphql_api.codes.models import (
    CAME,
    COUNTS,
    SOLE,
    TALLY,
    VISIT,
    Arrival,
    Code,
    CodesItem,
    Scene,
    Tally,
    Visit,
)
from graphql_api.codes.rules import Came
from graphql_api.kit.dynamo import Page, Transaction, batch_get, key_page
from graphql_api.kit.dynamo.blocks import one_after_another
from graphql_api.kit.dynamo.partitions import delete_all, page_under


def get_many(code_ids: Sequence[str]) -> list[Code | None]:
    """Codes by id."""
    return batch_get(Code, [(id_, SOLE) for id_ in code_ids])


def get(code_id: str) -> Code | None:
    """One code as it is now (strongly consistent), to decide on."""
    return batch_get(Code, [(code_id, SOLE)], consistent=True)[0]


def id_by_scene(scene: str) -> str | None:
    """The code that a scene leads to."""
    [found] = batch_get(Scene, [(models.scene_id(scene), SOLE)])
    return found.code_id if found else None


def create(tx: Transaction, code: Code) -> None:
    """Add a code and its scene; stale when either is there."""
    code.listed = models.list_key(code.store_id, code.guide_id)
    code.place = models.place_of(code)
    tx.create(code)
    tx.create(Scene(models.scene_id(code.scene), code_id=code.id))


def save(tx: Transaction, code: Code) -> None:
    """Write a code over the version that was read."""
    tx.save(code)


def page_of_codes(key: str, *, first: int, after: str | None, reverse: bool) -> Page[Code]:
    """The codes of a guide, a store or the chain by time: one Query, one BatchGetItem."""
    keys = key_page(
        CodesItem.by_list, key, CodesItem.place, first=first, after=after, reverse=reverse
    )
    return keys.showing(batch_get(Code, [item.key for item in keys.items]))


def tallies(code_ids: Sequence[str]) -> list[Tally]:
    """How many came through codes."""
    found = batch_get(Tally, [(id_, TALLY) for id_ in code_ids])
    return [item or Tally(id_, TALLY) for id_, item in zip(code_ids, found, strict=True)]


def add_visit(tx: Transaction, code_id: str, member_id: str, how: Came, *, at: datetime) -> None:
    """Note that a member came through a code; stale when that is noted."""
    visit = Visit(member_id, models.visit_sort(code_id, how), code_id=code_id, how=how, at=at)
    arrival = Arrival(
        code_id, models.arrival_sort(at, member_id, how), member_id=member_id, how=how, at=at
    )
    tx.create(visit)
    tx.put(arrival)
    tx.update(Tally(code_id, TALLY), [COUNTS[how].add(1)])


def has_visit(member_id: str, code_id: str, how: Came) -> bool:
    """Whether that is noted (strongly consistent)."""
    key = (member_id, models.visit_sort(code_id, how))
    return batch_get(Visit, [key], consistent=True)[0] is not None


def page_of_arrivals(
    code_id: str, *, first: int, after: str | None, reverse: bool
) -> Page[Arrival]:
    """Who came through a code, by time: one Query."""
    return key_page(
        Arrival,
        code_id,
        CodesItem.sort,
        first=first,
        after=after,
        reverse=reverse,
        starts_with=CAME,
    )


def page_of_visits(member_id: str, *, first: int, after: str | None, reverse: bool) -> Page[Visit]:
    """Through which codes a member came: one Query."""
    return key_page(
        Visit,
        member_id,
        CodesItem.sort,
        first=first,
        after=after,
        reverse=reverse,
        starts_with=VISIT,
    )


def page_of_lives(
    member_ids: tuple[str, ...], *, first: int, after: str | None, reverse: bool
) -> Page[Visit]:
    """The same of a member who was several."""
    return one_after_another(page_of_visits, member_ids, first=first, after=after, reverse=reverse)


def forget(member_id: str, *, at_most: int) -> int:
    """Delete what is noted of a member, here and in the lists of codes; how much there was."""
    page: Page[Any] = page_under(Visit, member_id, VISIT, first=at_most, after=None)
    keys = [
        key
        for visit in page.items
        for key in (
            (visit.code_id, models.arrival_sort(visit.at, member_id, visit.how)),
            visit.key,
        )
    ]
    delete_all(CodesItem, keys)
    return len(keys)
