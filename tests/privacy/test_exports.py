"""All that is held on a person comes as one document, by a link that ends."""

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from graphql_api import auth
from graphql_api.audit import repository as audit
from graphql_api.errors import NotFound
from graphql_api.kit import files
from graphql_api.kit.time import Clock
from graphql_api.privacy import models, repository, service, tasks
from graphql_api.privacy.models import Export
from graphql_api.privacy.parts import PARTS
from graphql_api.privacy.rules import JobState
from graphql_api.viewer import Role, Viewer
from tests.audit.storage import said
from tests.conftest import Client
from tests.factories import CLOCK, NOW
from tests.privacy.life import NAME, NICKNAME, OPERATOR, PHONE, REASON, Life, everything

pytestmark = pytest.mark.engine("ministack", "the other one keeps no files")
LINK = """query Fetch($id: ID!) { memberExport(id: $id) { state size rows link fileUntil } }"""


@pytest.fixture(autouse=True)
def _bucket(bucket: str) -> None:
    """A bucket for the files."""


def export(life: Life, viewer: Viewer = OPERATOR) -> Export:
    """An export that waits."""
    return service.export(life.member.id, viewer=viewer, clock=CLOCK)


def document(job: Export) -> dict[str, Any]:
    """The file of an export."""
    body = files.get(models.file_key(job.id))
    assert body is not None
    told: dict[str, Any] = json.loads(body)
    return told


def test_document_holds_everything_of_the_person_and_no_secret(life: Life) -> None:
    job = export(life)
    assert not tasks.run(job.id, clock=CLOCK, steps=1)
    begun = repository.get_export(job.id)
    assert begun is not None
    assert (begun.state, begun.started_at) == (JobState.IN_PROGRESS, NOW)
    assert tasks.run(job.id, clock=CLOCK)
    told = document(job)
    assert list(told) == ["format", "exportedAt", *(part.name for part in PARTS)]
    member = told["member"][0]
    assert (member["memberNo"], member["phone"]) == (life.member.member_no, PHONE.value)
    assert (member["name"], member["nickname"], member["city"]) == (NAME, NICKNAME, "杭州")
    assert {i["kind"] for i in member["identities"]} == {"OPENID", "UNIONID", "POS_CARD"}
    assert len(told["member"]) == 2  # the alias too
    assert [(c["purpose"], c["granted"]) for c in told["consentHistory"]] == [
        ("SERVICE", True),
        ("MARKETING", True),
        ("MARKETING", False),
    ]
    orders = {order["externalId"]: order for order in told["orders"]}
    assert {(o["status"], len(o["refunds"])) for o in orders.values()} == {
        ("PAID", 0),
        ("PARTIALLY_REFUNDED", 1),
        ("REFUNDED", 1),
    }
    assert [(tag["name"], tag["reason"]) for tag in told["tags"]] == [("爱喝茶", REASON)]
    assert [entry["action"] for entry in told["tagHistory"]] == ["ADDED", "ADDED", "REMOVED"]
    ends = [term.get("endReason") for term in told["ownership"]]
    assert ends == ["HANDED_OVER", None, "MERGED"]
    assert [merge["reason"] for merge in told["merges"]] == [REASON]
    assert [part["name"] for part in told["campaigns"]] == ["会员日"]
    kept = [(one["externalId"], one["payable"]) for one in told["checkouts"]]
    assert kept == [("M-1", 8_000)]
    assert [sorted(session) for session in told["sessions"]] == [["endsAt", "id", "lastUsedAt"]]
    assert told["audit"][0]["action"] == "ENROLLED"
    assert {effect["kind"] for effect in told["effects"]} == {
        "ENROLLED",
        "FIRST_PURCHASE",
        "GIFT_GIVEN",
    }
    assert [(gift["kind"], gift["state"]) for gift in told["gifts"]] == [("JOINING", "GIVEN")]
    assert [(one["itemName"], one["state"]) for one in told["mall"]] == [("茶杯", "WAITING")]
    assert [one["times"] for one in told["mallTaken"]] == [1]
    text = json.dumps(told)
    assert str(life.member.sealed_phone) not in text
    assert "hash" not in text


class Killed(BaseException):
    """The process ended here."""


def test_killed_at_any_step_it_is_the_same_document(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "ROWS_AT_ONCE", 4)
    whole, cut = export(life), export(life, Viewer(Role.MEMBER, id=life.member.id))
    tasks.run(whole.id, clock=CLOCK)
    save, kills = repository.save, [0]

    def killed(tx: Any, job: Export) -> None:
        kills[0] += 1
        if kills[0] % 2:
            raise Killed
        save(tx, job)

    monkeypatch.setattr(repository, "save", killed)
    over = False
    while not over:
        try:
            over = tasks.run(cut.id, clock=CLOCK)
        except Killed:
            assert files.get(models.file_key(cut.id)) is None or kills[0] > 10
    assert kills[0] > 10
    first, second = document(whole), document(cut)
    assert first.pop("exports") != []
    assert second.pop("exports") != []
    assert first == second
    done = repository.get_export(cut.id)
    assert done is not None
    assert done.rows >= sum(len(section) for section in list(second.values())[2:])
    assert files.get(models.chunk_key(cut.id, 0)) is None


def test_who_may_asks_once_a_day(life: Life) -> None:
    before = everything()
    for viewer in (Viewer(Role.OPERATOR, id="x"), Viewer(Role.MEMBER, id="mbr_x")):
        with pytest.raises(NotFound):
            export(life, viewer)
    assert everything() == before
    job = export(life)
    before = everything()
    assert export(life).id == job.id
    assert service.export(life.merged, viewer=OPERATOR, clock=CLOCK).id == job.id
    assert everything() == before
    tomorrow = Clock(wall=lambda: NOW + timedelta(days=1))
    assert service.export(life.member.id, viewer=OPERATOR, clock=tomorrow).id != job.id
    assert [action for *_, action, _ in said(life.member.id)][-2:] == ["EXPORTED", "EXPORTED"]


def test_person_fetches_the_file_by_a_link_and_others_do_not(send: Client, life: Life) -> None:
    job = service.export(life.member.id, viewer=OPERATOR, clock=Clock())
    token = auth.issue(Role.MEMBER, life.member.id)
    waiting = send(LINK, token=token, id=job.id)["memberExport"]
    assert (waiting["state"], waiting["link"]) == ("WAITING", None)
    tasks.run(job.id, clock=Clock())
    shown = send(LINK, token=token, id=job.id)["memberExport"]
    assert shown["state"] == "DONE"
    answer = httpx.get(shown["link"])
    assert answer.json() == document(job)
    assert len(answer.content) == shown["size"]
    assert "attachment" in answer.headers["content-disposition"]
    entries = audit.page_of_member(life.member.id, first=1, after=None, reverse=True).items
    assert entries[0].action == "EXPORTED"  # who looks at themselves is not noted
    for other in (auth.issue(Role.MEMBER, "mbr_1"), auth.issue(Role.OPERATOR, "opr_8")):
        assert "http" not in str(send.post(LINK, token=other, id=job.id))
    operator = auth.issue(Role.OPERATOR, "opr_7", scopes=OPERATOR.scopes)
    assert send(LINK, token=operator, id=job.id)["memberExport"]["link"]
    assert said(life.member.id)[-1] == ("OPERATOR", "opr_7", "READ", ["export"])
    ended = repository.get_export(job.id)
    assert ended is not None
    ended.file_until = Clock().now() - timedelta(seconds=1)
    ended.save()
    assert send(LINK, token=operator, id=job.id)["memberExport"]["link"] is None


def test_files_of_a_person_who_is_erased_are_deleted(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    done, half = export(life), export(life, Viewer(Role.MEMBER, id=life.member.id))
    tasks.run(done.id, clock=CLOCK)
    monkeypatch.setattr(tasks, "ROWS_AT_ONCE", 4)
    tasks.run(half.id, clock=CLOCK, steps=2)
    erasure = service.erase(life.member.id, viewer=OPERATOR, clock=CLOCK)
    # A step of the other export, which had begun before, finds that it is not wanted any more.
    put = files.put

    def late(key: str, body: bytes, **more: Any) -> None:
        monkeypatch.setattr(files, "put", put)
        tasks.run(erasure.id, clock=CLOCK)
        put(key, body, **more)

    monkeypatch.setattr(files, "put", late)
    assert tasks.run(half.id, clock=CLOCK)
    keys = [models.file_key(done.id), *(models.chunk_key(half.id, n) for n in range(3))]
    assert [files.get(key) for key in keys] == [None] * 4
    assert repository.get_exports([done.id, half.id]) == [None, None]
