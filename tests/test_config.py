"""Settings: defaults on a laptop, variables, and the secret of a cloud stage."""

import json
from typing import Any

import boto3
import pytest
from pydantic import ValidationError

from graphql_api.config import Settings

RING = f"2026:{'ab' * 32}"
RINGS = (
    "token_keys",
    "phone_hash_keys",
    "phone_cipher_keys",
    "cursor_keys",
    "access_keys",
    "webhook_keys",
)


keeps_secrets = pytest.mark.engine("ministack", "DynamoDB Local has no Secrets Manager")


def keep_secret(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    """Put a secret into Secrets Manager and point the settings at it."""
    client: Any = boto3.Session().client("secretsmanager")
    kept = client.create_secret(Name="app", SecretString=json.dumps(values))
    monkeypatch.setenv("APP_SECRETS_ARN", kept["ARN"])


def test_laptop_needs_no_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("APP_SECRETS_ARN", raising=False)
    assert Settings().stage == "local"
    assert list(Settings().token_keys) == ["local"]


def test_key_ring_is_read_in_the_order_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_TOKEN_KEYS", f"b:{'cd' * 32},a:{'ab' * 40},")
    ring = Settings().token_keys
    assert list(ring) == ["b", "a"]
    assert [ring[kid].get_secret_value() for kid in ring] == ["cd" * 32, "ab" * 40]


@pytest.mark.parametrize("name", RINGS)
@pytest.mark.parametrize("ring", ["", ",", "a:", f"a:{'ab' * 31}", f"a:{'xy' * 32}", "ab" * 32])
def test_ring_without_whole_keys_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, ring: str
) -> None:
    monkeypatch.setenv(f"APP_{name.upper()}", ring)
    with pytest.raises(ValidationError):
        Settings()


def test_cloud_stage_refuses_a_single_ring_of_the_laptop(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in RINGS[1:]:
        monkeypatch.setenv(f"APP_{name.upper()}", RING)
    with pytest.raises(ValidationError, match="must not run on the keys of the laptop"):
        Settings(stage="prod")
    monkeypatch.setenv("APP_TOKEN_KEYS", RING)
    assert Settings(stage="prod").stage == "prod"


def test_cloud_stage_refuses_the_keys_of_the_laptop() -> None:
    with pytest.raises(ValidationError, match="must not run on the keys of the laptop"):
        Settings(stage="dev")


@keeps_secrets
def test_cloud_stage_reads_its_key_rings_from_the_secret(
    aws_account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_secret(monkeypatch, **dict.fromkeys(RINGS, RING))
    found = Settings(stage="dev")
    assert [list(getattr(found, name)) for name in RINGS] == [["2026"]] * len(RINGS)
    assert found.token_keys["2026"].get_secret_value() == "ab" * 32


@keeps_secrets
def test_secret_without_a_ring_is_not_filled_from_the_laptop(
    aws_account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_secret(monkeypatch, **dict.fromkeys(RINGS[1:], RING))
    with pytest.raises(ValidationError, match="must not run on the keys of the laptop"):
        Settings(stage="dev")


@keeps_secrets
def test_error_shows_no_key(aws_account: str, monkeypatch: pytest.MonkeyPatch) -> None:
    short = "cd" * 20
    keep_secret(monkeypatch, **dict.fromkeys(RINGS, f"2026:{short}"))
    with pytest.raises(ValidationError) as refusal:
        Settings(stage="dev")
    assert "must have at least 32 bytes" in str(refusal.value)
    assert short not in str(refusal.value)


@pytest.mark.parametrize(
    "name", ["wechat_base_url", "wecom_base_url", "youzan_base_url", "weimob_base_url"]
)
def test_cloud_stage_asks_platforms_over_https_only(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for ring in RINGS:
        monkeypatch.setenv(f"APP_{ring.upper()}", RING)
    monkeypatch.setenv(f"APP_{name.upper()}", "http://127.0.0.1:1")
    assert getattr(Settings(), name) == "http://127.0.0.1:1"
    with pytest.raises(ValidationError, match="over https only"):
        Settings(stage="prod")
