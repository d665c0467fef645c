"""Which document a request means: its text, the id of a published one, or the hash of a sent one.

What a client may send is decided here, by the policy of the client (viewer.DocumentPolicy).
"""

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

from graphql import GraphQLSchema, OperationDefinitionNode

from graphql_api.documents import repository, rules
from graphql_api.documents import service as store
from graphql_api.edge import documents
from graphql_api.edge.documents import Document
from graphql_api.edge.faults import NotExecuted, bad_request, coded
from graphql_api.edge.requests import Asked
from graphql_api.errors import Forbidden
from graphql_api.kit.time import real_now
from graphql_api.viewer import DocumentPolicy, Role, Viewer

MAX_KNOWN = 1_024
MAX_KNOWN_LENGTH = 8_000_000
GOOD_FOR_SECONDS = 60.0
_PREFIX = "sha256:"


@dataclass(frozen=True, slots=True)
class _Known:
    """A text by its hash, whether a live manifest names it, and until when that is believed."""

    text: str
    published: bool
    until: float


class _Memo:
    """The latest texts by hash, for the life of the process; bounded by number and by length."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._length = 0
        self._lock = Lock()

    def get(self, hash_: str) -> _Known | None:
        """What is known of a hash, while it is believed."""
        with self._lock:
            found = self._known.get(hash_)
            if found is None or found.until < time.monotonic():
                return None
            self._known.move_to_end(hash_)
            return found

    def keep(self, hash_: str, text: str, *, published: bool) -> _Known:
        """Believe it for a minute; retired documents are refused everywhere within one."""
        with self._lock:
            if before := self._known.pop(hash_, None):
                self._length -= len(before.text)
            until = time.monotonic() + GOOD_FOR_SECONDS
            self._known[hash_] = kept = _Known(text, published, until)
            self._length += len(text)
            while len(self._known) > MAX_KNOWN or self._length > MAX_KNOWN_LENGTH:
                _, oldest = self._known.popitem(last=False)
                self._length -= len(oldest.text)
        return kept

    def forget(self) -> None:
        """Know nothing."""
        with self._lock:
            self._known.clear()
            self._length = 0


known = _Memo()


async def text_of(asked: Asked, viewer: Viewer) -> str:
    """The one place that decides which document a request means; raises NotExecuted."""
    hash_ = _hash_of(asked)
    if asked.query:
        if hash_ is not None and rules.hash_of(asked.query) != hash_:
            raise NotExecuted([coded("BAD_USER_INPUT", "`sha256Hash` is not that of `query`")])
        if viewer.documents is DocumentPolicy.TRUSTED:
            await _require_published(asked.query, viewer)
        return asked.query
    if hash_ is None:
        raise bad_request(400, "`query` is a string and not empty, or `documentId` names it")
    text = await _found(hash_, viewer)
    if text is None:
        raise NotExecuted([coded("PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound")])
    return text


async def remember(asked: Asked, document: Document, viewer: Viewer) -> None:
    """Keep a document that was sent with its hash, now that it is known to be valid."""
    hash_ = _hash_of(asked)
    if hash_ is None or asked.query is None or not _may_teach(viewer):
        return
    if await _found(hash_, viewer) is not None:
        return
    kept = await asyncio.to_thread(
        store.remember, hash_, document.text, viewer=viewer, at=real_now()
    )
    if kept:
        known.keep(hash_, document.text, published=False)


def require_sendable(text: str, viewer: Viewer, *, field: tuple[str, ...]) -> None:
    """Raise Forbidden for a document within an operation that its client may not send by itself."""
    if viewer.documents is not DocumentPolicy.TRUSTED:
        return
    _, published = repository.get_text(rules.hash_of(text))
    if not published:
        raise Forbidden("This client sends the documents of its manifest only", field=field)


def problem_of(graph: GraphQLSchema, text: str) -> str | None:
    """What is wrong with a document of a manifest, if anything, with its name."""
    try:
        document = documents.read_document(graph, documents.parsed(text))
    except NotExecuted as fault:
        return f"It is no document: {fault}"
    definitions = document.node.definitions
    operations = [d for d in definitions if isinstance(d, OperationDefinitionNode)]
    if len(operations) != 1 or operations[0].name is None:
        return "It holds one operation, with a name"
    name = operations[0].name.value
    return f"{name}: {document.errors[0].message}" if document.errors else None


def _may_teach(viewer: Viewer) -> bool:
    return viewer.documents is not DocumentPolicy.TRUSTED and viewer.role is not Role.ANONYMOUS


async def _require_published(text: str, viewer: Viewer) -> None:
    if await _found(rules.hash_of(text), viewer) is None:
        message = "This client sends the documents of its manifest only"
        raise NotExecuted([coded("FORBIDDEN", message)])


async def _found(hash_: str, viewer: Viewer) -> str | None:
    """The text of a hash that the viewer may send."""
    trusted = viewer.documents is DocumentPolicy.TRUSTED
    found = known.get(hash_)
    if found is None or (trusted and not found.published):
        text, published = await asyncio.to_thread(repository.get_text, hash_)
        if text is None or (trusted and not published):
            return None
        found = known.keep(hash_, text, published=published)
    return found.text


def _hash_of(asked: Asked) -> str | None:
    """The hash that a request names, by `documentId` or as Apollo's clients do."""
    given = (asked.extensions or {}).get("persistedQuery")
    if asked.document_id is not None:
        if asked.query or given is not None:
            raise bad_request(400, "`documentId` stands alone, in the place of `query`")
        hash_ = asked.document_id.removeprefix(_PREFIX)
        if hash_ == asked.document_id or not rules.HASH.fullmatch(hash_):
            raise bad_request(400, "`documentId` is `sha256:` and 64 lower-case hex digits")
        return hash_
    if given is None:
        return None
    sent = given.get("sha256Hash") if isinstance(given, dict) else None
    if not isinstance(sent, str) or not rules.HASH.fullmatch(sent) or given.get("version") != 1:
        raise bad_request(400, "`persistedQuery` has version 1 and a `sha256Hash`")
    return sent
