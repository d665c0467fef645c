"""What follows from a write to a job: its next steps, to the end."""

from collections.abc import Callable
from typing import Any

import orjson

from graphql_api.kit import files, ids
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.kit.time import Clock
from graphql_api.privacy import documents, models, repository
from graphql_api.privacy.models import Erasure, Export
from graphql_api.privacy.parts import PARTS, Part, Person
from graphql_api.privacy.rules import FILE_KEPT, JobState

STEPS_AT_ONCE = 20
ROWS_AT_ONCE = 500
FORGOTTEN_AT_ONCE = 100
_PAGE = 100


def follow(job_id: str, version: int, *, clock: Clock) -> None:
    """Carry a job on after the write that made this version; an older one has a newer behind it."""
    job = _get(job_id)
    if job is not None and job.version == version:
        run(job_id, clock=clock, steps=STEPS_AT_ONCE)


def run(job_id: str, *, clock: Clock, steps: int | None = None) -> bool:
    """Carry a job on from where it got to, to its end or for so many steps; whether it is over.

    Killed anywhere and called again it ends the same: a step that was not noted writes the same
    chunk again, or finds forgotten what it forgot.
    """
    left = steps
    while left is None or left > 0:
        job = _get(job_id)
        if job is None or job.state is JobState.DONE:
            return True
        if isinstance(job, Export):
            _gather(job, clock)
        else:
            _forget(job, clock)
        left = None if left is None else left - 1
    return False


def _get(job_id: str) -> Export | Erasure | None:
    if ids.prefix_of(job_id) == Export.id_prefix:
        return repository.get_export(job_id)
    return repository.get_erasure(job_id)


def _note(job: Export | Erasure, clock: Clock, change: Callable[[], None]) -> bool:
    """Write how far a job got, unless somebody else came as far, or it is gone; whether it was."""

    def attempt(tx: Transaction) -> bool:
        now = _get(job.id)
        if now is None or now.version != job.version:
            return False
        change()
        job.started_at = job.started_at or clock.now()
        if job.state is JobState.WAITING:
            job.state = JobState.IN_PROGRESS
        repository.save(tx, job)
        return True

    return transact(attempt)


# --- exports ---------------------------------------------------------------------------------


def _gather(job: Export, clock: Clock) -> None:
    if job.place is None:
        _finish(job, clock)
        return
    rows: list[tuple[str, Any]] = []
    place: list[Any] | None = job.place
    while place is not None and len(rows) < ROWS_AT_ONCE:
        found, place = _page_at(job, *place)
        rows += found
    number = int(job.chunks)
    files.put(models.chunk_key(job.id, number), orjson.dumps(rows))

    def change() -> None:
        job.place, job.chunks, job.rows = place, number + 1, int(job.rows) + len(rows)

    if not _note(job, clock, change) and _get(job.id) is None:
        files.delete(models.chunk_key(job.id, number))  # the person was erased meanwhile


def _page_at(
    job: Export, part: int, number: int, after: str | None
) -> tuple[list[tuple[str, Any]], list[Any] | None]:
    """A page of a part under one of the person's ids, and where to go on."""
    page = PARTS[part].show(job.member_ids[number], _PAGE, after)
    rows = [(PARTS[part].name, row) for row in page.items]
    if page.more:
        return rows, [part, number, page.last]
    if number + 1 < len(job.member_ids):
        return rows, [part, number + 1, None]
    return rows, [part + 1, 0, None] if part + 1 < len(PARTS) else None


def _finish(job: Export, clock: Clock) -> None:
    """Make one file of the chunks."""
    sections: dict[str, list[Any]] = {part.name: [] for part in PARTS}
    for number in range(int(job.chunks)):
        chunk = files.get(models.chunk_key(job.id, number))
        for name, row in orjson.loads(chunk or b"[]"):
            sections[name].append(row)
    body = documents.document(sections, at=clock.now())
    files.put(models.file_key(job.id), body, content_type="application/json")

    def change() -> None:
        job.state, job.finished_at = JobState.DONE, clock.now()
        job.size, job.file_until = len(body), clock.now() + FILE_KEPT

    if _note(job, clock, change):
        for number in range(int(job.chunks)):
            files.delete(models.chunk_key(job.id, number))
    elif _get(job.id) is None:
        files.delete(models.file_key(job.id))


# --- erasures --------------------------------------------------------------------------------


def _forget(job: Erasure, clock: Clock) -> None:
    """Forget some of the part at hand; where nothing is left of it, go to the next one."""
    part: Part = PARTS[int(job.part)]
    person = Person(job.member_ids, job.id, job.created_at, job.waiting_ids)
    found = part.forget(person, FORGOTTEN_AT_ONCE)

    def change() -> None:
        job.found = job.found or found > 0
        if found:
            return
        job.part = int(job.part) + 1
        if job.part < len(PARTS):
            return
        if job.found:  # a write under way may have come behind: only an empty round is the end
            job.part, job.round, job.found = 0, int(job.round) + 1, False
        else:
            job.state, job.finished_at = JobState.DONE, clock.now()

    _note(job, clock, change)
