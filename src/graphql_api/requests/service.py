"""Doing a request at most once: begin, write along, and keep the answer or give the key back."""

from datetime import datetime

from graphql_api.config import settings
from graphql_api.errors import AnswerLost, Invalid, KeyReused, RequestInProgress
from graphql_api.kit import ids
from graphql_api.kit.dynamo import Transaction
from graphql_api.kit.secrecy import decrypt, encrypt, keyed_hashes
from graphql_api.requests import models, repository, rules
from graphql_api.requests.models import Request
from graphql_api.requests.rules import State, Verdict
from graphql_api.viewer import Role, Viewer


class Attempt:
    """An attempt at a request; it goes along with whatever the attempt writes.

    Transactions call `join` and `joined` (see kit.dynamo.transactions.companion), so that a key is
    spent in the very transaction that does what was asked, and by one attempt only.
    """

    def __init__(self, request: Request) -> None:
        self._request = request
        self.written = False

    def join(self, tx: Transaction) -> None:
        """Add to a transaction that the key is spent; it fails where another attempt has it."""
        repository.write_along(tx, self._request, lost=_in_progress())

    def joined(self) -> None:
        """The transaction was written."""
        self.written = True

    def finish(self, answer: str | None, *, refused: bool, at: datetime) -> None:
        """Keep the answer of what was done; give the key back where nothing was.

        No answer, or a very long one, is not kept: who asks again is told that it was done.
        """
        if refused and not self.written:
            repository.release(self._request)
        elif answer is not None and len(answer) <= rules.MAX_ANSWER:
            repository.keep_answer(self._request, encrypt(settings().access_keys, answer))
        elif self.written:
            repository.end_lease(self._request, at)
        else:
            repository.release(self._request)


def begin(key: str, fingerprint: str, *, viewer: Viewer, at: datetime) -> Attempt | str:
    """An attempt at a request that is to be done; the answer of one that was done.

    Raises KeyReused, RequestInProgress, AnswerLost, and Invalid for what is no key.
    """
    if viewer.role is Role.ANONYMOUS:
        raise Invalid("A key belongs to a client: send it with a token")
    if not (8 <= len(key) <= 255 and key.isascii() and key.isprintable()):
        raise Invalid("A key is 8 to 255 printable ASCII characters")
    hashes = keyed_hashes(settings().access_keys, fingerprint)
    request = Request(
        models.request_id(viewer, key),
        fingerprint=hashes[0],
        state=State.STARTED,
        lease=ids.new_id("att"),
        leased_until=at + rules.LEASE,
        forget_at=at + rules.KEPT,
    )
    if repository.start(request):
        return Attempt(request)
    return _again(request, hashes, at)


def _again(request: Request, hashes: list[str], at: datetime) -> Attempt | str:
    """The same for a key that is known."""
    known = repository.get(request.id)
    if known is None:
        raise _in_progress()  # given back this moment
    match rules.verdict(
        known.state,
        fingerprint=known.fingerprint,
        asked=hashes,
        leased_until=known.leased_until,
        forget_at=known.forget_at,
        at=at,
    ):
        case Verdict.ANSWER:
            return decrypt(settings().access_keys, known.answer)
        case Verdict.DO if repository.start(request, over=known):
            return Attempt(request)
        case Verdict.OTHER_INPUT:
            raise KeyReused("This key came with another request; take a new one")
        case Verdict.ANSWER_LOST:
            raise AnswerLost("This was done, but its answer was lost: read what it changed")
    raise _in_progress()


def _in_progress() -> RequestInProgress:
    return RequestInProgress("A request with this key is being worked on; ask again in a moment")
