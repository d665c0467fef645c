from collections.abc import Callable
from typing import Any

import pytest

from graphql_api.documents import repository, rules, service
from graphql_api.documents.models import Document, DocumentsItem, Manifest, Remembered
from graphql_api.documents.rules import MAX_REMEMBERED, ManifestState, hash_of
from graphql_api.documents.service import ManifestDocument, ManifestPublish, ManifestRetire
from graphql_api.errors import Conflict, Forbidden, NotFound, Refused, Taken
from graphql_api.kit.dynamo.transactions import Transaction
from graphql_api.viewer import MANAGE_DOCUMENTS, SCOPES, Role, Viewer
from tests.calls import counted
from tests.factories import CLOCK, NOW

HEAD = Viewer(Role.OPERATOR, id="opr_1", scopes=frozenset({MANAGE_DOCUMENTS}))
CARD, ORDERS = "query Card { me { id } }", "query Orders { me { role } }"


def manifest_of(*texts: str, version: str = "1.0.0", viewer: Viewer = HEAD) -> Manifest:
    documents = tuple(ManifestDocument(hash=hash_of(text), text=text) for text in texts)
    given = ManifestPublish(client="mini_program", version=version, documents=documents)
    return service.publish(given, viewer=viewer, clock=CLOCK)


def retire(version: str = "1.0.0", viewer: Viewer = HEAD) -> Manifest:
    given = ManifestRetire(client="mini_program", version=version)
    return service.retire(given, viewer=viewer, clock=CLOCK)


def live() -> set[str]:
    """The texts that a trusted client may send."""
    found = (item for item in DocumentsItem.scan() if len(item.id) == 64)
    texts = (repository.get_text(item.id) for item in found)
    return {text for text, published in texts if text and published}


def test_published_documents_are_live_and_those_of_a_retired_version_are_not(database: str) -> None:
    published = manifest_of(CARD, ORDERS)
    assert (published.state, published.document_count) == (ManifestState.PUBLISHED, 2)
    assert live() == {CARD, ORDERS}
    retired = retire()
    assert (retired.state, retired.retired_at) == (ManifestState.RETIRED, NOW)
    assert live() == set()


def test_a_document_is_live_while_one_version_has_it(database: str) -> None:
    manifest_of(CARD, ORDERS)
    manifest_of(CARD, version="1.1.0")
    retire()
    assert live() == {CARD}


def test_the_second_time_changes_nothing(database: str) -> None:
    manifest_of(CARD)
    with counted() as calls:
        manifest_of(CARD)
    assert calls == {"BatchGetItem": 1}
    retire()
    with counted() as calls:
        retire()
    assert calls == {"BatchGetItem": 1}
    with pytest.raises(NotFound):
        retire("9.9.9")


def test_a_retired_version_may_be_published_again(database: str) -> None:
    manifest_of(CARD)
    retire()
    again = manifest_of(CARD)
    assert (again.state, again.retired_at) == (ManifestState.PUBLISHED, None)
    assert live() == {CARD}


def test_other_documents_are_another_version(database: str) -> None:
    manifest_of(CARD)
    with pytest.raises(Taken):
        manifest_of(ORDERS)
    assert live() == {CARD}


def test_a_hash_that_is_not_that_of_its_text_is_refused(database: str) -> None:
    documents = (
        ManifestDocument(hash=hash_of(CARD), text=CARD),
        ManifestDocument(hash=hash_of(CARD), text=ORDERS),
    )
    given = ManifestPublish(client="mini_program", version="1.0.0", documents=documents)
    with pytest.raises(Refused) as refused:
        service.publish(given, viewer=HEAD, clock=CLOCK)
    [problem] = refused.value.problems
    assert problem.field == ("input", "documents", "1", "hash")
    assert list(DocumentsItem.scan()) == []


@pytest.mark.parametrize("steps", [1, 2, 3, 4])
def test_killed_at_any_step_and_repeated_it_ends_the_same(
    steps: int, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "AT_ONCE", 1)
    send = Transaction._send

    def interrupted(do: Callable[[], Any]) -> None:
        left = [steps]

        def fail(self: Transaction, groups: Any) -> None:
            left[0] -= 1
            if not left[0]:
                raise RuntimeError("killed")
            send(self, groups)

        with monkeypatch.context() as killed:
            killed.setattr(Transaction, "_send", fail)
            with pytest.raises(RuntimeError):
                do()

    interrupted(lambda: manifest_of(CARD, ORDERS))
    assert manifest_of(CARD, ORDERS).state is ManifestState.PUBLISHED
    assert live() == {CARD, ORDERS}
    interrupted(retire)
    assert retire().state is ManifestState.RETIRED
    assert live() == set()


def test_a_version_that_is_retired_meanwhile_gets_no_more_documents(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = repository.add_to_version

    def late(*args: Any, **more: Any) -> None:
        monkeypatch.setattr(repository, "add_to_version", add)
        retire()
        add(*args, **more)

    monkeypatch.setattr(repository, "add_to_version", late)
    with pytest.raises(Conflict):
        manifest_of(CARD)
    assert live() == set()


def test_who_has_no_right_writes_nothing(database: str) -> None:
    manifest_of(CARD)
    before = [item.to_simple_dict() for item in DocumentsItem.scan()]
    for viewer in (
        Viewer(Role.OPERATOR, id="opr_2", scopes=SCOPES - {MANAGE_DOCUMENTS}),
        Viewer(Role.OPERATOR, id="opr_3", scopes=SCOPES, store_ids=frozenset({"sto_1"})),
        Viewer(Role.INTEGRATION, id="key_1", scopes=SCOPES - {MANAGE_DOCUMENTS}),
    ):
        with pytest.raises(Forbidden):
            manifest_of(ORDERS, viewer=viewer)
        with pytest.raises(Forbidden):
            retire(viewer=viewer)
    assert [item.to_simple_dict() for item in DocumentsItem.scan()] == before


def test_manifests_are_listed_by_client_and_version(database: str) -> None:
    for version in ("1.1.0", "1.0.0"):
        manifest_of(CARD, version=version)
    with counted() as calls:
        page = repository.page_of_manifests(first=5, after=None, reverse=False)
    assert [m.release for m in page.items] == ["1.0.0", "1.1.0"]
    assert calls == {"Query": 1, "BatchGetItem": 1}


def test_a_client_has_so_many_documents_remembered_on_a_day(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repository, "REMEMBERED_A_DAY", 2)
    kept = [service.remember(hash_of(text), text, viewer=HEAD, at=NOW) for text in ("a", "b", "c")]
    assert kept == [True, True, False]
    other = Viewer(Role.INTEGRATION, id="key_2")
    assert service.remember(hash_of("c"), "c", viewer=other, at=NOW)
    assert repository.get_text(hash_of("c")) == ("c", False)


def test_what_is_remembered_is_short_and_forgotten_after_two_weeks(database: str) -> None:
    text = "#" * (MAX_REMEMBERED + 1)
    assert not service.remember(hash_of(text), text, viewer=HEAD, at=NOW)
    assert list(DocumentsItem.scan()) == []
    service.remember(hash_of(CARD), CARD, viewer=HEAD, at=NOW)
    remembered = Remembered.get(f"sent#{hash_of(CARD)}", "@")
    assert (remembered.forget_at - NOW).days == 14
    with pytest.raises(Document.DoesNotExist):
        Document.get(hash_of(CARD), "@")
