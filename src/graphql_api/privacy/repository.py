"""Access paths of exports and erasures."""

from collections.abc import Sequence

from graphql_api.kit import files
from graphql_api.kit.dynamo import InstantAttribute, Page, Transaction, batch_get, key_page
from graphql_api.kit.dynamo.partitions import delete_all
from graphql_api.privacy import models
from graphql_api.privacy.models import SOLE, Erasure, Export, PrivacyItem

_INSTANT = InstantAttribute()


def get_exports(export_ids: Sequence[str]) -> list[Export | None]:
    """Exports by id."""
    return batch_get(Export, [(id_, SOLE) for id_ in export_ids])


def get_erasures(erasure_ids: Sequence[str]) -> list[Erasure | None]:
    """Erasures by id."""
    return batch_get(Erasure, [(id_, SOLE) for id_ in erasure_ids])


def get_export(export_id: str) -> Export | None:
    """One export as it is now (strongly consistent), to decide on."""
    return batch_get(Export, [(export_id, SOLE)], consistent=True)[0]


def get_erasure(erasure_id: str) -> Erasure | None:
    """One erasure as it is now (strongly consistent), to decide on."""
    return batch_get(Erasure, [(erasure_id, SOLE)], consistent=True)[0]


def create_export(tx: Transaction, job: Export) -> None:
    """Add a new export, in the list of its member."""
    job.of_member = job.member_id
    job.member_place = f"{_INSTANT.serialize(job.created_at)}#{job.id}"
    tx.create(job)


def create_erasure(tx: Transaction, job: Erasure) -> None:
    """Add a new erasure."""
    tx.create(job)


def save(tx: Transaction, job: Export | Erasure) -> None:
    """Write a job over the version that was read."""
    tx.save(job)


def exports_of_member(member_id: str, *, first: int, after: str | None) -> Page[Export]:
    """The exports of a member, by time: one Query, one BatchGetItem."""
    keys = key_page(
        PrivacyItem.by_member, member_id, PrivacyItem.member_place, first=first, after=after
    )
    return keys.showing(get_exports([key.id for key in keys.items]))


def forget_exports(member_id: str, *, first: int) -> int:
    """Delete exports of a member with their files; how many there were."""
    found = exports_of_member(member_id, first=first, after=None).items
    for job in found:
        files.delete(models.file_key(job.id))
        for number in range(int(job.chunks) + 1):
            files.delete(models.chunk_key(job.id, number))
    delete_all(PrivacyItem, [job.key for job in found])
    return len(found)
