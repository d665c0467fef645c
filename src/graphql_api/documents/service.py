"""What can be done with documents: publish and retire manifests, find and remember texts."""

from datetime import datetime
from functools import partial
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from graphql_api.documents import models, repository, rules
from graphql_api.documents.models import Manifest
from graphql_api.documents.rules import ManifestState
from graphql_api.errors import Forbidden, Invalid, NotFound, Refused, Taken
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.kit.time import Clock
from graphql_api.viewer import Viewer

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
Release = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z.+-]{0,39}$")]


class _Command(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ManifestDocument(_Command):
    """A document and the hash that its client calls it by."""

    hash: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    text: Annotated[str, StringConstraints(min_length=1, max_length=rules.MAX_TEXT)]


class ManifestPublish(_Command):
    """The documents of a version of a client."""

    client: Name
    version: Release
    documents: tuple[ManifestDocument, ...] = Field(min_length=1, max_length=1_000)


class ManifestRetire(_Command):
    """A version of a client that nobody runs any more."""

    client: Name
    version: Release


def publish(given: ManifestPublish, *, viewer: Viewer, clock: Clock) -> Manifest:
    """The manifest of a version, whose documents may be sent from now on.

    It is begun, its documents are written in groups, and it is finished; the same call again goes
    on where that was interrupted, and brings back a retired one. Other documents are another
    version: Taken.
    """
    _require_right(viewer)
    _require_honest_hashes(given)
    texts = {document.hash: document.text for document in given.documents}
    id_ = models.manifest_id(given.client, given.version)

    def begin(tx: Transaction) -> Manifest:
        manifest = repository.get_manifest(id_)
        if manifest is None:
            manifest = Manifest(id_, client=given.client, release=given.version)
            manifest.hashes = sorted(texts)
        if manifest.hashes != sorted(texts):
            raise Taken("This version has other documents", field=("input", "version"))
        if manifest.state is None or not rules.is_live(manifest.state):
            manifest.state = ManifestState.PUBLISHING
            manifest.published_at, manifest.published_by = clock.now(), viewer.id
            manifest.retired_at = manifest.retired_by = None
            repository.save_manifest(tx, manifest)
        return manifest

    begun = transact(begin)
    if begun.state is ManifestState.PUBLISHED:
        return begun
    for hashes in rules.in_groups(sorted(texts)):
        group = {hash_: texts[hash_] for hash_ in hashes}
        transact(partial(repository.add_to_version, texts=group, manifest_id=id_))
    return _finish(begun, ManifestState.PUBLISHING, ManifestState.PUBLISHED)


def retire(given: ManifestRetire, *, viewer: Viewer, clock: Clock) -> Manifest:
    """A manifest whose documents may no longer be sent, unless another live version has them too.

    Again changes nothing, and goes on where it was interrupted.
    """
    _require_right(viewer)

    def begin(tx: Transaction) -> Manifest:
        manifest = repository.get_manifest(models.manifest_id(given.client, given.version))
        if manifest is None:
            raise NotFound("There is no such version", field=("input", "version"))
        if rules.is_live(manifest.state):
            manifest.state = ManifestState.RETIRING
            manifest.retired_at, manifest.retired_by = clock.now(), viewer.id
            repository.save_manifest(tx, manifest)
        return manifest

    begun = transact(begin)
    if begun.state is ManifestState.RETIRED:
        return begun
    for hashes in rules.in_groups(begun.hashes):
        transact(partial(repository.take_from_version, hashes=hashes, manifest_id=begun.id))
    return _finish(begun, ManifestState.RETIRING, ManifestState.RETIRED)


def _finish(begun: Manifest, doing: ManifestState, done: ManifestState) -> Manifest:
    """The manifest in its last state, unless somebody has begun something else with it."""

    def attempt(tx: Transaction) -> Manifest:
        manifest = repository.get_manifest(begun.id)
        assert manifest is not None
        if manifest.state is doing:
            manifest.state = done
            repository.save_manifest(tx, manifest)
        return manifest

    return transact(attempt)


def remember(hash_: str, text: str, *, viewer: Viewer, at: datetime) -> bool:
    """Keep a valid document that a client sent, unless it is long or the client has had enough."""
    if len(text) > rules.MAX_REMEMBERED or not repository.allow(viewer.id, at):
        return False
    repository.remember(hash_, text, at)
    return True


def _require_honest_hashes(given: ManifestPublish) -> None:
    wrong = [
        Invalid(
            "The hash is not the SHA-256 of the text",
            field=("input", "documents", str(n), "hash"),
        )
        for n, document in enumerate(given.documents)
        if rules.hash_of(document.text) != document.hash
    ]
    if wrong:
        raise Refused(wrong)


def _require_right(viewer: Viewer) -> None:
    if not rules.manages(viewer):
        raise Forbidden("Headquarters, or a key with the scope, publish documents")
