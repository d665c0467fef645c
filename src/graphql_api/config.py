"""Settings: every value has a default that works on a laptop and is refused in the cloud."""

import json
import os
from functools import cache
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from graphql_api.edge.budgets import DEFAULTS, Budget
from graphql_api.viewer import Role

_LOCAL_KEYS = {
    "local": SecretStr("6c6f63616c2d6f6e6c792d6b65792d6e6f742d666f722d70726f64756374696f")
}

type_of_ring = dict[str, SecretStr]


def _key_ring(value: object) -> object:
    """Read `kid:hex,kid2:hex`; the first key signs and encrypts, all of them verify and read."""
    if not isinstance(value, str):
        return value
    pairs = [part.partition(":") for part in value.split(",") if part]
    return {kid: secret for kid, _, secret in pairs}


TrustedRole = Literal["ANONYMOUS", "MEMBER", "GUIDE", "STORE_MANAGER", "OPERATOR"]
KeyRing = Annotated[type_of_ring, NoDecode, BeforeValidator(_key_ring)]


def _names(value: object) -> object:
    """Read `MEMBER,GUIDE`."""
    return [name for name in value.split(",") if name] if isinstance(value, str) else value


def _secret(arn: str) -> dict[str, Any]:
    """A JSON object kept in Secrets Manager."""
    from botocore.session import get_session  # boto3 would only slow a cold start

    client: Any = get_session().create_client("secretsmanager")
    values: dict[str, Any] = json.loads(client.get_secret_value(SecretId=arn)["SecretString"])
    return values


class Settings(BaseSettings):
    """What differs between a laptop, a stage and production.

    Read from `APP_*` variables, then from the secret that `APP_SECRETS_ARN` names: a JSON object
    of settings by name, such as `{"token_keys": "2026:…"}`.
    """

    # Inputs hold keys: an error must not print them.
    model_config = SettingsConfigDict(env_prefix="APP_", frozen=True, hide_input_in_errors=True)

    stage: Literal["local", "dev", "prod"] = "local"
    table_prefix: str = "member-ops-"
    files_bucket: str = "member-ops-files"
    token_keys: KeyRing = _LOCAL_KEYS
    phone_hash_keys: KeyRing = _LOCAL_KEYS
    phone_cipher_keys: KeyRing = _LOCAL_KEYS
    cursor_keys: KeyRing = _LOCAL_KEYS
    access_keys: KeyRing = _LOCAL_KEYS
    webhook_keys: KeyRing = _LOCAL_KEYS
    webhook_queue_url: str = ""
    token_issuer: str = "member-operations"  # noqa: S105 - a name
    wechat_base_url: str = "https://api.weixin.qq.com"
    wechat_app_id: str = ""
    wechat_app_secret: SecretStr = SecretStr("")
    wechat_code_page: str = "pages/join/index"
    wechat_push_token: SecretStr = SecretStr("")
    wechat_push_key: SecretStr = SecretStr("")
    wechat_queue_url: str = ""
    wecom_base_url: str = "https://qyapi.weixin.qq.com"
    wecom_corp_id: str = ""
    wecom_app_secret: SecretStr = SecretStr("")
    wecom_contacts_secret: SecretStr = SecretStr("")
    wecom_callback_token: SecretStr = SecretStr("")
    wecom_callback_key: SecretStr = SecretStr("")
    youzan_base_url: str = "https://open.youzanyun.com"
    youzan_apps: dict[str, SecretStr] = {}
    youzan_fetch_delay_seconds: int = Field(default=30, ge=0, le=900)
    weimob_base_url: str = "https://dopen.weimob.com"
    weimob_apps: dict[str, SecretStr] = {}
    vendor_queue_url: str = ""
    vendor_outbox_queue_url: str = ""
    contact_queue_url: str = ""
    welcome_queue_url: str = ""
    first_operator: str = ""
    trusted_roles: Annotated[frozenset[TrustedRole], NoDecode, BeforeValidator(_names)] = (
        frozenset()
    )
    audit_years: int = Field(default=3, ge=3, le=30)
    recompute_queue_url: str = ""
    rebuild_machine_arn: str = ""
    graphiql: bool = True
    introspection: Literal["everyone", "insiders", "nobody"] = "everyone"
    throttled: bool = True
    budgets: dict[Role, Budget] = {}
    transaction_deadline_seconds: float = 4.0

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - no files are read
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - no files are read
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Who is asked, in order."""
        if not (arn := os.environ.get("APP_SECRETS_ARN")):
            return init_settings, env_settings
        return init_settings, env_settings, InitSettingsSource(settings_cls, _secret(arn))

    def budget_of(self, role: Role) -> Budget:
        """What clients of this role may ask."""
        return self.budgets.get(role) or DEFAULTS[role]

    @model_validator(mode="after")
    def _cloud_stages_bring_their_own_keys(self) -> Self:
        rings = (
            self.token_keys,
            self.phone_hash_keys,
            self.phone_cipher_keys,
            self.cursor_keys,
            self.access_keys,
            self.webhook_keys,
        )
        for ring in rings:
            if not ring:
                raise ValueError("a key ring needs at least one key, as kid:hex")
            for kid, secret in ring.items():
                if len(bytes.fromhex(secret.get_secret_value())) < 32:
                    raise ValueError(f"key {kid} must have at least 32 bytes, as hex")
        if self.stage != "local" and any("local" in ring for ring in rings):
            raise ValueError(f"stage {self.stage} must not run on the keys of the laptop")
        return self

    @model_validator(mode="after")
    def _cloud_stages_keep_secrets_off_the_wire(self) -> Self:
        urls = (
            self.wechat_base_url,
            self.wecom_base_url,
            self.youzan_base_url,
            self.weimob_base_url,
        )
        if self.stage != "local" and not all(url.startswith("https://") for url in urls):
            raise ValueError(f"stage {self.stage} asks other systems over https only")
        return self


@cache
def settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()
