"""The history of what a member agreed to and withdrew."""

from datetime import timedelta
from typing import Any

import pytest

from graphql_api import auth
from graphql_api.kit.time import Clock
from graphql_api.members import repository, service
from graphql_api.members.rules import ConsentChannel, ConsentPurpose
from graphql_api.members.service import ConsentSet, NewConsent
from graphql_api.stores.models import Store
from graphql_api.viewer import SYSTEM, Role, Viewer
from tests.conftest import Client
from tests.factories import NOW, make_member

HISTORY = """query ($id: ID!) { member(by: {id: $id}) { consentHistory {
  nodes { purpose channel granted textVersion at source byRole }
} } }"""
BY = "query ($id: ID!) { member(by: {id: $id}) { consentHistory { nodes { byId } } } }"


def say(member_id: str, granted: bool, version: str, later: int, viewer: Viewer) -> None:
    given = ConsentSet(
        member_id=member_id,
        purpose=ConsentPurpose.MARKETING,
        channel=ConsentChannel.SMS,
        granted=granted,
        text_version=version,
    )
    clock = Clock(wall=lambda: NOW + timedelta(hours=later))
    service.set_consent(given, viewer=viewer, clock=clock)


def test_every_agreement_and_withdrawal_is_told_once_in_its_order(
    send: Client, store: Store
) -> None:
    agreed = NewConsent(purpose=ConsentPurpose.SERVICE, text_version="v1")
    member = make_member(store, consents=[agreed])
    oneself = Viewer(Role.MEMBER, id=member.id)
    for _ in range(2):  # saying the same again adds nothing
        say(member.id, True, "v1", 1, oneself)
    for _ in range(2):
        say(member.id, False, "v1", 2, Viewer(Role.OPERATOR, id="opr_1"))
    say(
        member.id,
        True,
        "v2",
        3,
        Viewer(Role.STORE_MANAGER, id="stm_1", store_ids=frozenset({store.id})),
    )
    token = auth.issue(Role.MEMBER, member.id)
    nodes = send(HISTORY, token=token, id=member.id)["member"]["consentHistory"]["nodes"]
    told = [(n["purpose"], n["granted"], n["textVersion"], n["source"], n["byRole"]) for n in nodes]
    assert told == [
        ("SERVICE", True, "v1", "STORE", "SYSTEM"),
        ("MARKETING", True, "v1", "MINI_PROGRAM", "MEMBER"),
        ("MARKETING", False, "v1", None, "OPERATOR"),
        ("MARKETING", True, "v2", "STORE", "STORE_MANAGER"),
    ]
    assert [n["at"][11:16] for n in nodes] == ["04:00", "05:00", "06:00", "07:00"]


def test_member_is_not_told_which_of_the_staff_recorded_it(send: Client, store: Store) -> None:
    member = make_member(store)
    say(member.id, True, "v1", 1, SYSTEM)
    answer = send.post(BY, token=auth.issue(Role.MEMBER, member.id), id=member.id)
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]
    shown: dict[str, Any] = send(BY, token=auth.issue(Role.OPERATOR, "opr_1"), id=member.id)
    assert shown["member"]["consentHistory"]["nodes"] == [{"byId": "system"}]


def test_at_most_twenty_four_agreements_come_with_an_enrolment(store: Store) -> None:
    agreed = [
        NewConsent(purpose=purpose, channel=channel, text_version="v1")
        for purpose in ConsentPurpose
        for channel in ConsentChannel
    ]
    member = make_member(store, consents=agreed[:24])
    page = repository.consents_of_member(member.id, first=100, after=None, reverse=False)
    assert len(page.items) == 24
    with pytest.raises(ValueError, match="at most 24"):
        make_member(store, consents=agreed[:25])
