"""Changes of personal data are recorded in the transaction that makes them."""

import json

import pytest

from graphql_api.audit import service as audit
from graphql_api.audit.models import AuditEntry
from graphql_api.audit.rules import AuditAction
from graphql_api.config import Settings
from graphql_api.errors import Conflict
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.members import service
from graphql_api.members.rules import ConsentChannel, ConsentPurpose, IdentityKind
from graphql_api.members.service import ConsentSet, IdentityChange, Update
from graphql_api.stores.models import Store
from graphql_api.viewer import Role, Viewer
from tests.audit.storage import entries, forget, said
from tests.factories import CLOCK, make_identity, make_member, make_store

OPERATOR = Viewer(Role.OPERATOR, id="opr_1")
PHONE = "+8613800138000"


@pytest.fixture
def store(chain: str) -> Store:
    """A store of the chain."""
    return make_store("S1")


def consent(member_id: str, *, granted: bool) -> ConsentSet:
    return ConsentSet(
        member_id=member_id,
        purpose=ConsentPurpose.MARKETING,
        channel=ConsentChannel.SMS,
        granted=granted,
        text_version="v1",
    )


def test_every_change_is_recorded_once_with_the_names_of_its_fields(store: Store) -> None:
    phone = make_identity(PHONE, IdentityKind.PHONE)
    card = IdentityChange(member_id="-", identity=make_identity("C-1", IdentityKind.POS_CARD))
    member = make_member(store, phone, viewer=OPERATOR, name="王小明", birth_year=1988)
    card = card.model_copy(update={"member_id": member.id})
    for _ in range(2):  # the second time nothing changes
        changed = Update(id=member.id, name="王大明", city="上海")
        service.update(changed, viewer=OPERATOR)
        service.set_consent(consent(member.id, granted=True), viewer=OPERATOR, clock=CLOCK)
        service.add_identity(card, viewer=OPERATOR)
    for _ in range(2):
        service.set_consent(consent(member.id, granted=False), viewer=OPERATOR, clock=CLOCK)
        service.remove_identity(card, viewer=OPERATOR)
        service.archive(member.id, viewer=OPERATOR, clock=CLOCK)
    service.restore(member.id, viewer=OPERATOR)
    assert [(action, fields) for *_, action, fields in said(member.id)] == [
        ("ENROLLED", ["PHONE", "birth_year", "name"]),
        ("CHANGED", ["city", "name"]),
        ("CONSENT_GIVEN", ["MARKETING#SMS"]),
        ("IDENTITY_ADDED", ["POS_CARD"]),
        ("CONSENT_WITHDRAWN", ["MARKETING#SMS"]),
        ("IDENTITY_REMOVED", ["POS_CARD"]),
        ("ARCHIVED", []),
        ("RESTORED", []),
    ]
    assert {who for _, who, *_ in said(member.id)} == {"opr_1"}
    log = json.dumps([entry.serialize() for entry in entries()], ensure_ascii=False)
    for secret in ("小明", "大明", "1988", "上海", "C-1", PHONE[3:], *member.identity_claims):
        assert secret not in log


def test_change_that_is_refused_is_not_recorded(store: Store) -> None:
    member = make_member(store)
    forget()
    stale = Update(id=member.id, expected_version=7, name="王")
    with pytest.raises(Conflict):
        service.update(stale, viewer=OPERATOR)
    assert said() == []


def test_transaction_that_fails_records_nothing(store: Store) -> None:
    def attempt(tx: Transaction) -> None:
        audit.note(tx, OPERATOR, AuditAction.CHANGED, "mbr_1", ["name"])
        raise Conflict("no")

    with pytest.raises(Conflict):
        transact(attempt)
    assert list(AuditEntry.scan()) == []


def test_log_is_kept_for_three_years_at_least() -> None:
    assert Settings().audit_years == 3
    with pytest.raises(ValueError, match="greater than or equal to 3"):
        Settings(audit_years=2)
