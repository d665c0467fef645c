"""Access paths of documents and manifests."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pynamodb.exceptions import UpdateError

from graphql_api.documents import models
from graphql_api.documents.models import (
    MANIFESTS,
    SOLE,
    Allowance,
    Document,
    DocumentsItem,
    Manifest,
    Remembered,
)
from graphql_api.documents.rules import REMEMBERED, REMEMBERED_A_DAY, ManifestState
from graphql_api.errors import Conflict
from graphql_api.kit.dynamo import Page, Transaction, batch_get, get_together, key_page


def get_text(hash_: str) -> tuple[str | None, bool]:
    """The text of a hash, if any, and whether a live manifest names it: one call."""
    document, remembered = get_together(
        [
            (Document, (hash_, SOLE), None),
            (Remembered, (models.remembered_id(hash_), SOLE), None),
        ]
    )
    if document is not None and document.versions:
        return document.text, True
    return (remembered.text if remembered else None), False


def add_to_version(tx: Transaction, texts: Mapping[str, str], manifest_id: str) -> None:
    """Documents by hash are those of a version that is being published; again changes nothing."""
    _require_state(tx, manifest_id, ManifestState.PUBLISHING)
    for hash_, text in texts.items():
        actions: list[Any] = [Document.text.set(text), Document.versions.add({manifest_id})]
        tx.update(Document(hash_), actions)


def take_from_version(tx: Transaction, hashes: Sequence[str], manifest_id: str) -> None:
    """Documents are no longer those of a version that is retiring; again changes nothing."""
    _require_state(tx, manifest_id, ManifestState.RETIRING)
    for hash_ in hashes:
        tx.update(Document(hash_), [Document.versions.delete({manifest_id})])


def get_manifests(manifest_ids: Sequence[str]) -> list[Manifest | None]:
    """Manifests by id."""
    return batch_get(Manifest, [(id_, SOLE) for id_ in manifest_ids])


def get_manifest(manifest_id: str) -> Manifest | None:
    """A manifest as it is now (strongly consistent), to decide on."""
    return batch_get(Manifest, [(manifest_id, SOLE)], consistent=True)[0]


def page_of_manifests(*, first: int, after: str | None, reverse: bool) -> Page[Manifest]:
    """Manifests by client and version, retired ones too."""
    keys = key_page(
        DocumentsItem.by_list,
        MANIFESTS,
        DocumentsItem.place,
        first=first,
        after=after,
        reverse=reverse,
    )
    return keys.showing(get_manifests([key.id for key in keys.items]))


def save_manifest(tx: Transaction, manifest: Manifest) -> None:
    """Write a manifest over the version that was read, or as a new one."""
    manifest.listed, manifest.place = MANIFESTS, f"{manifest.client}#{manifest.release}"
    tx.save(manifest)


def allow(client: str, at: datetime) -> bool:
    """Count a document against what a client may have remembered on a day; False when over."""
    item = Allowance(models.allowance_id(client, at.date().isoformat()))
    room = Allowance.used.does_not_exist() | (Allowance.used < REMEMBERED_A_DAY)
    actions: list[Any] = [Allowance.used.add(1), Allowance.forget_at.set(at + timedelta(days=2))]
    try:
        item.update(actions=actions, condition=room)
    except UpdateError as error:
        if error.cause_response_code == "ConditionalCheckFailedException":
            return False
        raise
    return True


def remember(hash_: str, text: str, at: datetime) -> None:
    """Keep a document under its hash; its text follows from it, so any write is the same."""
    Remembered(models.remembered_id(hash_), text=text, forget_at=at + REMEMBERED).save()


def _require_state(tx: Transaction, manifest_id: str, state: ManifestState) -> None:
    lost = Conflict("Somebody publishes or retires this version at the same time")
    tx.check(Manifest, (manifest_id, SOLE), Manifest.state == state, lost=lost)
