"""Access over GraphQL: logins from end to end, staff accounts and keys, and who is kept out."""

import asyncio
import json
import logging
from typing import Any

import pytest

from graphql_api import auth
from graphql_api.connectors import http
from graphql_api.guides.models import Guide
from graphql_api.kit import ids
from graphql_api.members import repository as members
from graphql_api.members.models import Member
from graphql_api.stores.models import HEADQUARTERS_ID, Store
from graphql_api.viewer import MANAGE_KEYS, MANAGE_STAFF, SCOPES, Role
from scripts.stand_ins import SECRET, StandIns
from tests.access.factories import make_account, make_key, sessions_of, stored_access
from tests.calls import counted
from tests.conftest import Client
from tests.factories import make_guide, make_unit
from tests.orders.storage import everything

TOKENS = "tokens { accessToken expiresAt refreshToken refreshExpiresAt role principalId }"
ERRORS = "userErrors { code field message }"
BY_WECHAT = f"""mutation ($input: LoginWithWeChatInput!) {{
  loginWithWeChat(input: $input) {{ login {{ {TOKENS} enrolmentToken }} {ERRORS} }}
}}"""
BY_WECOM = f"""mutation ($input: LoginWithWeComInput!) {{
  loginWithWeCom(input: $input) {{ login {{ {TOKENS} enrolmentToken }} {ERRORS} }}
}}"""
ENROL = f"""mutation ($input: MemberEnrolSelfInput!) {{
  memberEnrolSelf(input: $input) {{ login {{ {TOKENS} enrolmentToken }} {ERRORS} }}
}}"""
REFRESH = f"""mutation ($input: TokenRefreshInput!) {{
  tokenRefresh(input: $input) {{ {TOKENS} {ERRORS} }}
}}"""
LOGOUT = f"mutation {{ logout {{ endedSessions {ERRORS} }} }}"
LOGOUT_EVERYWHERE = f"mutation {{ logoutEverywhere {{ endedSessions {ERRORS} }} }}"
ME = "{ me { role id scopes } }"
AT_HOME = "{ me { role id member { nickname } store { code } } }"

ACCOUNT = "id name role wecomUserId store { code } unit { name } scopes disabledAt version"
ACCOUNT_CREATE = f"""mutation ($input: StaffAccountCreateInput!) {{
  staffAccountCreate(input: $input) {{ staffAccount {{ {ACCOUNT} }} {ERRORS} }}
}}"""
ACCOUNT_UPDATE = f"""mutation ($input: StaffAccountUpdateInput!) {{
  staffAccountUpdate(input: $input) {{ staffAccount {{ {ACCOUNT} }} {ERRORS} }}
}}"""
ACCOUNT_DISABLE = f"""mutation ($id: ID!) {{
  staffAccountDisable(id: $id) {{ staffAccount {{ disabledAt }} {ERRORS} }}
}}"""
ACCOUNT_ENABLE = ACCOUNT_DISABLE.replace("Disable(", "Enable(")
ACCOUNTS = f"{{ staffAccounts {{ nodes {{ {ACCOUNT} }} }} }}"

KEY = "id name scopes createdAt createdBy expiresOn lastUsedAt oldSecretUntil revokedAt"
KEY_CREATE = f"""mutation ($input: ApiKeyCreateInput!) {{
  apiKeyCreate(input: $input) {{ apiKey {{ {KEY} }} key {ERRORS} }}
}}"""
KEY_ROTATE = f"""mutation ($input: ApiKeyRotateInput!) {{
  apiKeyRotate(input: $input) {{ apiKey {{ {KEY} }} key {ERRORS} }}
}}"""
KEY_REVOKE = f"""mutation ($id: ID!) {{
  apiKeyRevoke(id: $id) {{ apiKey {{ {KEY} }} {ERRORS} }}
}}"""
KEYS = f"{{ apiKeys {{ nodes {{ {KEY} }} pageInfo {{ hasNextPage }} }} }}"

ADMIN = auth.issue(Role.OPERATOR, "opr_1", scopes=frozenset({MANAGE_KEYS, MANAGE_STAFF}))


def shown(data: dict[str, Any]) -> dict[str, Any]:
    """The only root field of an answer."""
    [value] = data.values()
    assert isinstance(value, dict)
    return value


def coded(payload: dict[str, Any]) -> tuple[str, list[str] | None]:
    """Code and field of the one refusal of a payload that has nothing else."""
    [error] = payload["userErrors"]
    assert [v for k, v in payload.items() if k != "userErrors"] in ([None], [None, None])
    return error["code"], error["field"]


def log_in(send: Client, code: str, **more: Any) -> dict[str, Any]:
    """What a login by WeChat gives."""
    payload = shown(send(BY_WECHAT, token=None, input={"code": code, **more}))
    assert payload["userErrors"] == []
    login: dict[str, Any] = payload["login"]
    return login


# --- logins ----------------------------------------------------------------------------------


def test_member_logs_in_refreshes_and_logs_out(
    send: Client, stand_ins: StandIns, member: Member
) -> None:
    login = log_in(send, "openid-1")
    tokens = login["tokens"]
    assert login["enrolmentToken"] is None
    assert (tokens["role"], tokens["principalId"]) == ("MEMBER", member.id)
    me = send(ME, token=tokens["accessToken"])["me"]
    assert (me["role"], me["id"]) == ("MEMBER", member.id)
    given = {"refreshToken": tokens["refreshToken"]}
    new = shown(send(REFRESH, token=None, input=given))["tokens"]
    assert send(ME, token=new["accessToken"])["me"] == me
    assert shown(send(LOGOUT, token=new["accessToken"])) == {"endedSessions": 1, "userErrors": []}
    for text in (tokens["accessToken"], new["accessToken"]):
        answer = send.post(ME, token=text)
        assert (send.status, answer["errors"][0]["extensions"]["code"]) == (401, "UNAUTHENTICATED")
    given = {"refreshToken": new["refreshToken"]}
    payload = shown(send(REFRESH, token=None, input=given))
    assert coded(payload) == ("SESSION_ENDED", ["input", "refreshToken"])


def test_refresh_answers_even_with_a_token_that_has_ended(
    send: Client, stand_ins: StandIns, member: Member
) -> None:
    """Clients are told so: the refresh goes without the old access token."""
    tokens = log_in(send, "openid-1")["tokens"]
    send.post(REFRESH, token="ended", input={"refreshToken": tokens["refreshToken"]})
    assert send.status == 401
    payload = shown(send(REFRESH, token=None, input={"refreshToken": tokens["refreshToken"]}))
    assert payload["userErrors"] == []


def test_stolen_refresh_token_ends_the_session(
    send: Client, stand_ins: StandIns, member: Member
) -> None:
    first = {"refreshToken": log_in(send, "openid-1")["tokens"]["refreshToken"]}
    second = shown(send(REFRESH, token=None, input=first))["tokens"]
    late = shown(send(REFRESH, token=None, input=first))
    assert coded(late) == ("CONFLICT", ["input", "refreshToken"])
    third = {"refreshToken": second["refreshToken"]}
    assert shown(send(REFRESH, token=None, input=third))["userErrors"] == []
    stolen = shown(send(REFRESH, token=None, input=first))
    assert coded(stolen) == ("TOKEN_REUSED", ["input", "refreshToken"])
    assert sessions_of(member.id) == []
    send.post(ME, token=second["accessToken"])
    assert send.status == 401


def test_stranger_enrols_and_is_logged_in(send: Client, stand_ins: StandIns, store: Store) -> None:
    guide = make_guide(store)
    login = log_in(send, "openid-9~union-9", phoneCode="13800138000")
    assert login["tokens"] is None
    given = {
        "enrolmentToken": login["enrolmentToken"],
        "storeId": store.id,
        "guideId": guide.id,
        "nickname": "明明",
        "gender": "FEMALE",
        "birthday": "02-29",
        "birthYear": 1996,
        "consents": [{"purpose": "SERVICE", "textVersion": "2026-01"}],
    }
    payload = shown(send(ENROL, token=None, input=given))
    assert payload["userErrors"] == []
    tokens = payload["login"]["tokens"]
    assert send(AT_HOME, token=tokens["accessToken"])["me"]["member"] == {"nickname": "明明"}
    member = members.get(tokens["principalId"])
    assert member is not None
    assert (member.phone, member.guide_id, member.source) == (
        "+8613800138000",
        guide.id,
        "MINI_PROGRAM",
    )
    assert log_in(send, "openid-9")["tokens"]["principalId"] == member.id


def test_every_wrong_field_of_an_enrolment_is_named(
    send: Client, stand_ins: StandIns, store: Store
) -> None:
    login = log_in(send, "openid-9")
    given = {
        "enrolmentToken": login["enrolmentToken"],
        "storeId": store.id,
        "birthday": "02-29",
        "birthYear": 1997,
        "nickname": "",
    }
    before = everything()
    errors = shown(send(ENROL, token=None, input=given))["userErrors"]
    assert {tuple(error["field"]) for error in errors} == {
        ("input", "nickname"),
        ("input", "birthYear"),
    }
    given = {"enrolmentToken": "x", "storeId": store.id}
    payload = shown(send(ENROL, token=None, input=given))
    assert coded(payload) == ("SESSION_ENDED", ["input", "enrolmentToken"])
    assert everything() == before


@pytest.mark.parametrize("client", ["MINI_PROGRAM", "WEB"])
def test_guide_logs_in(send: Client, stand_ins: StandIns, guide: Guide, client: str) -> None:
    payload = shown(send(BY_WECOM, token=None, input={"code": "WangFang", "client": client}))
    tokens = payload["login"]["tokens"]
    assert (tokens["role"], tokens["principalId"]) == ("GUIDE", guide.id)
    me = send(AT_HOME, token=tokens["accessToken"])["me"]
    assert (me["role"], me["store"]) == ("GUIDE", {"code": "S1"})


def test_operator_logs_in_and_manages_keys(send: Client, stand_ins: StandIns, chain: str) -> None:
    make_account(wecom_user_id="ZhouZong", scopes={MANAGE_KEYS})
    given = {"code": "ZhouZong", "role": "OPERATOR"}
    token = shown(send(BY_WECOM, token=None, input=given))["login"]["tokens"]["accessToken"]
    assert send(ME, token=token)["me"]["scopes"] == [MANAGE_KEYS]
    assert send(KEYS, token=token)["apiKeys"]["nodes"] == []


WRONG_CODES = {
    "40029": ("INVALID", ["input", "code"]),
    "45011": ("LIMIT_EXCEEDED", ["input", "code"]),
    "garbage": ("UNAVAILABLE", None),
    "slow": ("UNAVAILABLE", None),
    "a b": ("INVALID", ["input", "code"]),
}


def test_wrong_codes_are_coded_and_write_nothing(
    send: Client, stand_ins: StandIns, member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "READ_SECONDS", 0.2)
    http.client.cache_clear()
    before = everything()
    for code, said in WRONG_CODES.items():
        for document in (BY_WECHAT, BY_WECOM):
            payload = shown(send(document, token=None, input={"code": code}))
            assert coded(payload) == said, code
    given = {"code": "openid-1", "phoneCode": "40029"}
    payload = shown(send(BY_WECHAT, token=None, input=given))
    assert coded(payload) == ("INVALID", ["input", "phoneCode"])
    assert (everything(), stored_access()) == (before, [])
    http.client.cache_clear()


def test_login_is_unavailable_where_it_is_not_set_up(send: Client, chain: str) -> None:
    for document in (BY_WECHAT, BY_WECOM):
        payload = shown(send(document, token=None, input={"code": "openid-1"}))
        assert coded(payload) == ("UNAVAILABLE", None)


def test_logout_everywhere_voids_the_token_itself(send: Client, member: Member) -> None:
    token = auth.issue(Role.MEMBER, member.id)
    refused = shown(send(LOGOUT, token=token))
    assert coded(refused) == ("FORBIDDEN_TRANSITION", None)
    assert shown(send(LOGOUT_EVERYWHERE, token=token))["endedSessions"] == 0
    send.post(ME, token=token)
    assert send.status == 401


def test_nobody_reaches_anything_but_the_logins(send: Client, chain: str) -> None:
    before = stored_access()
    new = {"name": "x", "wecomUserId": "x", "role": "OPERATOR", "unitId": HEADQUARTERS_ID}
    commands: list[tuple[str, dict[str, Any]]] = [
        (LOGOUT, {}),
        (LOGOUT_EVERYWHERE, {}),
        (ACCOUNTS, {}),
        (ACCOUNT_CREATE, {"input": new}),
        (ACCOUNT_UPDATE, {"input": {"id": "stf_1"}}),
        (ACCOUNT_DISABLE, {"id": "stf_1"}),
        (ACCOUNT_ENABLE, {"id": "stf_1"}),
        (KEYS, {}),
        (KEY_CREATE, {"input": {"name": "x", "scopes": ["members:read"]}}),
        (KEY_ROTATE, {"input": {"id": "key_1"}}),
        (KEY_REVOKE, {"id": "key_1"}),
    ]
    others = [
        auth.issue(Role.MEMBER, ids.derived_id("mbr", "1"), scopes=SCOPES),
        auth.issue(Role.STORE_MANAGER, "stm_1", unit_id="sto_1", scopes=SCOPES),
        auth.issue(Role.OPERATOR, "opr_1", scopes=SCOPES - {MANAGE_KEYS, MANAGE_STAFF}),
        auth.issue(Role.INTEGRATION, "key_1", scopes=SCOPES),
    ]
    for document, variables in commands:
        assert "data" not in send.post(document, token=None, **variables)
        assert send.status == 401
    for token in others:
        for document, variables in commands[2:]:
            assert "data" not in send.post(document, token=token, **variables)
            assert send.status == 403
    assert stored_access() == before


def test_region_manages_nothing(send: Client, chain: str) -> None:
    """The scope alone is not enough: headquarters only."""
    region = auth.issue(Role.OPERATOR, "opr_2", unit_id=make_unit("华东").id, scopes=SCOPES)
    account, key = make_account(), make_key().api_key
    for document in (ACCOUNTS, KEYS):
        [error] = send.post(document, token=region)["errors"]
        assert error["extensions"]["code"] == "FORBIDDEN"
    given = {"name": "x", "scopes": ["members:read"]}
    assert coded(shown(send(KEY_CREATE, token=region, input=given))) == ("FORBIDDEN", None)
    found = send(
        "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", token=region, ids=[account.id, key.id]
    )
    assert found == {"nodes": [None, None]}


# --- staff accounts --------------------------------------------------------------------------


def test_account_is_made_changed_and_disabled(send: Client, store: Store) -> None:
    given = {
        "name": "周总",
        "wecomUserId": "ZhouZong",
        "role": "STORE_MANAGER",
        "unitId": store.id,
        "scopes": ["members:pii"],
    }
    account = shown(send(ACCOUNT_CREATE, token=ADMIN, input=given))["staffAccount"]
    id_ = account.pop("id")
    assert account == {
        "name": "周总",
        "role": "STORE_MANAGER",
        "wecomUserId": "ZhouZong",
        "store": {"code": "S1"},
        "unit": None,
        "scopes": ["members:pii"],
        "disabledAt": None,
        "version": 1,
    }
    change = {"id": id_, "role": "OPERATOR", "unitId": HEADQUARTERS_ID, "scopes": []}
    payload = shown(send(ACCOUNT_UPDATE, token=ADMIN, input=change))
    assert payload["staffAccount"]["unit"] == {"name": "测试连锁"}
    assert payload["staffAccount"]["scopes"] == []
    assert send(ACCOUNTS, token=ADMIN)["staffAccounts"]["nodes"] == [payload["staffAccount"]]
    disabled = shown(send(ACCOUNT_DISABLE, token=ADMIN, id=id_))["staffAccount"]
    assert disabled["disabledAt"] is not None
    enabled = shown(send(ACCOUNT_ENABLE, token=ADMIN, id=id_))["staffAccount"]
    assert enabled == {"disabledAt": None}
    node = "query ($id: ID!) { node(id: $id) { ... on StaffAccount { name } } }"
    assert send(node, token=ADMIN, id=id_) == {"node": {"name": "周总"}}


def test_every_wrong_field_of_an_account_is_named(send: Client, chain: str) -> None:
    given = {"name": "", "wecomUserId": "王", "role": "GUIDE", "unitId": "x", "scopes": ["x"]}
    before = stored_access()
    errors = shown(send(ACCOUNT_CREATE, token=ADMIN, input=given))["userErrors"]
    assert {error["field"][1] for error in errors} == {"name", "wecomUserId", "role", "scopes"}
    assert stored_access() == before


def test_stores_of_a_page_of_accounts_are_read_in_one_batch(send: Client, store: Store) -> None:
    for n in range(5):
        make_account(f"店长{n}", role=Role.STORE_MANAGER, unit_id=store.id)
    send(ME, token=ADMIN)
    with counted() as calls:
        found = send("{ staffAccounts { nodes { store { code } } } }", token=ADMIN)
    assert found["staffAccounts"]["nodes"] == [{"store": {"code": "S1"}}] * 5
    # The viewer, the newest number, the accounts, their store.
    assert calls == {"Query": 1, "BatchGetItem": 4}


# --- keys ------------------------------------------------------------------------------------


def test_key_is_shown_once_used_rotated_and_revoked(send: Client, chain: str) -> None:
    given = {"name": "收银系统", "scopes": ["stores:read"], "expiresOn": "2099-12-31"}
    made = shown(send(KEY_CREATE, token=ADMIN, input=given))
    key, text = made["apiKey"], made["key"]
    assert text.startswith(f"{key['id']}.")
    assert (key["scopes"], key["createdBy"]) == (["stores:read"], "opr_1")
    assert (key["expiresOn"], key["lastUsedAt"]) == ("2099-12-31", None)
    me = send(ME, token=text)["me"]
    assert (me["role"], me["id"], me["scopes"]) == ("INTEGRATION", key["id"], ["stores:read"])
    assert send("{ stores { nodes { id } } }", token=text) == {"stores": {"nodes": []}}
    send.post("{ members { nodes { id } } }", token=text)
    assert send.status == 403
    raw = json.dumps(send(KEYS, token=ADMIN))
    assert text.partition(".")[2] not in raw
    [listed] = json.loads(raw)["apiKeys"]["nodes"]
    assert listed["lastUsedAt"] is not None
    rotate = {"id": key["id"], "graceHours": 1}
    rotated = shown(send(KEY_ROTATE, token=ADMIN, input=rotate))
    assert rotated["apiKey"]["oldSecretUntil"] is not None
    for either in (text, rotated["key"]):
        assert send(ME, token=either)["me"]["id"] == key["id"]
    revoked = shown(send(KEY_REVOKE, token=ADMIN, id=key["id"]))["apiKey"]
    assert revoked["revokedAt"] is not None
    for either in (text, rotated["key"]):
        answer = send.post(ME, token=either)
        assert (send.status, answer["errors"][0]["extensions"]["code"]) == (401, "UNAUTHENTICATED")


def test_every_wrong_field_of_a_key_is_named(send: Client, chain: str) -> None:
    wrong = {"name": "", "scopes": []}
    errors = shown(send(KEY_CREATE, token=ADMIN, input=wrong))["userErrors"]
    assert {error["field"][1] for error in errors} == {"name", "scopes"}
    id_ = make_key().api_key.id
    payload = shown(send(KEY_ROTATE, token=ADMIN, input={"id": id_, "graceHours": 73}))
    assert coded(payload) == ("INVALID", ["input", "graceHours"])
    payload = shown(send(KEY_REVOKE, token=ADMIN, id="key_1"))
    assert coded(payload) == ("NOT_FOUND", ["id"])


def test_key_cannot_log_out(send: Client, chain: str) -> None:
    key = make_key().key
    for document in (LOGOUT, LOGOUT_EVERYWHERE):
        send.post(document, token=key)
        assert send.status == 403


# --- logs ------------------------------------------------------------------------------------


def test_logs_hold_nothing_that_opens_anything(
    send: Client, stand_ins: StandIns, member: Member, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.INFO, "botocore")  # at DEBUG it prints whole requests
    tokens = log_in(send, "openid-1", phoneCode="13800138000")["tokens"]
    enrolment = log_in(send, "openid-8")["enrolmentToken"]
    given = {"refreshToken": tokens["refreshToken"]}
    new = shown(send(REFRESH, token=None, input=given))["tokens"]
    made = shown(send(KEY_CREATE, token=ADMIN, input={"name": "x", "scopes": ["stores:read"]}))
    send(ME, token=made["key"])
    send.post(ME, token=made["key"] + "x")
    send.post("{ broken", token=new["accessToken"])
    for code in ("40029", "61023", "garbage"):
        send(BY_WECHAT, token=None, input={"code": code})
    said = caplog.text + "".join(str(record.__dict__) for record in caplog.records)
    secret = [SECRET, enrolment, made["key"], made["key"].partition(".")[2], "13800138000"]
    secret += [pair[name] for pair in (tokens, new) for name in ("accessToken", "refreshToken")]
    secret += ["openid-1", "openid-8", "c2Vzc2lvbi1rZXk", "js_code"]
    assert [text for text in secret if text in said] == []
    assert "logged in" in said


def test_logins_do_not_hold_up_other_requests(
    send: Client, stand_ins: StandIns, member: Member
) -> None:
    """A platform that is slow keeps a thread waiting, not the process."""
    from graphql_api.app import app
    from tests import asgi

    headers = {"content-type": "application/json"}

    async def both() -> list[int]:
        slow = json.dumps({"query": BY_WECHAT, "variables": {"input": {"code": "slow"}}}).encode()
        quick = json.dumps({"query": "{ __typename }"}).encode()
        waiting = asyncio.create_task(asgi.request(app, "POST", "/graphql", slow, headers))
        await asyncio.sleep(0.05)
        answered = await asgi.request(app, "POST", "/graphql", quick, headers)
        assert not waiting.done()
        stand_ins.released.set()
        return [answered[0], (await waiting)[0]]

    try:
        answers = asyncio.run(both())
    finally:
        stand_ins.released.clear()
    assert answers == [200, 200]
