"""The local chain: where its data is, which engine serves it, and tokens for its people."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

from graphql_api import auth
from graphql_api.config import settings
from graphql_api.kit import files, queues
from graphql_api.members import repository as members
from graphql_api.viewer import (
    MANAGE_DOCUMENTS,
    MANAGE_KEYS,
    MANAGE_STAFF,
    MANAGE_VENDORS,
    MANAGE_WEBHOOKS,
    READ_AUDIT,
    SCOPES,
    SEE_PERSONAL_DATA,
    Role,
)
from scripts import emulator, engines, processes, stand_ins
from scripts.simulator import laptops as simulated

ACCOUNT = "000000000001"
QUEUES = {
    "APP_WEBHOOK_QUEUE_URL": "webhooks",
    "APP_VENDOR_QUEUE_URL": "vendor-messages",
    "APP_VENDOR_OUTBOX_QUEUE_URL": "vendor-outbox",
    "APP_CONTACT_QUEUE_URL": "contacts",
    "APP_WELCOME_QUEUE_URL": "welcomes",
    "APP_WECHAT_QUEUE_URL": "wechat-pushes",
}
SIMULATOR_RECORD = "simulator.url"
TOKEN_LIFETIME = timedelta(days=7)
OPERATOR_SCOPES = frozenset(
    {
        SEE_PERSONAL_DATA,
        MANAGE_DOCUMENTS,
        MANAGE_KEYS,
        MANAGE_STAFF,
        MANAGE_VENDORS,
        MANAGE_WEBHOOKS,
        READ_AUDIT,
    }
)


def data_dir() -> Path:
    """DATA_DIR, or the engine's own in this folder."""
    return Path(os.environ.get("DATA_DIR") or engines.chosen().DATA_DIR)


def point_at(url: str) -> None:
    """Have every AWS client made from now on talk to the engine."""
    os.environ.update(
        AWS_ENDPOINT_URL=url,
        AWS_ACCESS_KEY_ID=ACCOUNT,
        AWS_SECRET_ACCESS_KEY=processes.SECRET,
        AWS_DEFAULT_REGION="us-east-1",
        POWERTOOLS_METRICS_DISABLED="true",  # nobody reads them here
    )
    os.environ.pop("AWS_PROFILE", None)
    os.environ.pop("AWS_SESSION_TOKEN", None)


@contextmanager
def logins() -> Iterator[None]:
    """Have logins ask stand-ins for WeChat and WeCom, unless the environment names real apps."""
    if os.environ.get("APP_WECHAT_APP_ID") or os.environ.get("APP_WECOM_CORP_ID"):
        yield
        return
    with stand_ins.serve() as server:
        os.environ.update(stand_ins.settings_for(server.url))
        settings.cache_clear()
        yield


@contextmanager
def vendors(data_dir: Path) -> Iterator[None]:
    """Have simulated vendors push and be asked, unless the environment names real apps.

    A file in the data directory says where they are, for `make simulate`.
    """
    if os.environ.get("APP_YOUZAN_APPS") or os.environ.get("APP_WEIMOB_APPS"):
        yield
        return
    record = data_dir / SIMULATOR_RECORD
    with simulated.serve() as simulator:
        os.environ.update(simulated.settings_for(simulator.url))
        if os.environ.get("APP_WECOM_CORP_ID") == stand_ins.CORP_ID:
            # A corp that answers for its customers too, in the place of what only logs people in.
            os.environ.update(simulated.wecom_settings_for(simulator.url))
        settings.cache_clear()
        record.write_text(simulator.url)
        try:
            yield
        finally:
            record.unlink(missing_ok=True)


@contextmanager
def files_and_queues(data_dir: Path) -> Iterator[None]:
    """The bucket and the queues; what waited in a queue that was forgotten waits again.

    DynamoDB Local has neither: an embedded AWS beside it serves them, and forgets when it stops.
    """
    from graphql_api.webhooks import tasks as webhooks

    with ExitStack() as beside:
        if engines.name() != engines.DEFAULT:
            emulator.ensure_environment()
            url = beside.enter_context(emulator.start(data_dir / "beside", persist=False)).url
            os.environ.update(AWS_ENDPOINT_URL_S3=url, AWS_ENDPOINT_URL_SQS=url)
        files.create_bucket()
        for name, suffix in QUEUES.items():
            os.environ[name] = queues.create(f"{settings().table_prefix}{suffix}")
        settings.cache_clear()
        webhooks.wake_all()
        yield


@contextmanager
def database() -> Iterator[str]:
    """The address of the engine on the data directory: the running one, or one for the while."""
    if url := os.environ.get("AWS_ENDPOINT_URL"):
        yield url
        return
    engine = engines.chosen()
    if url := engine.address(data_dir()):
        point_at(url)
        yield url
        return
    with engine.start(data_dir()) as started:
        point_at(started.url)
        yield started.url


def token(role: Role) -> str:
    """A token for a member, guide, store manager, operator or integration of the local chain.

    Member, guide and store belong together. Raises LookupError while there are no members.
    """
    if role is Role.OPERATOR:
        return auth.issue(role, "opr_local", scopes=OPERATOR_SCOPES, lifetime=TOKEN_LIFETIME)
    if role is Role.INTEGRATION:
        return auth.issue(role, "key_local", scopes=SCOPES, lifetime=TOKEN_LIFETIME)
    page = members.page_of_all(first=50, after=None, reverse=False)
    member = next((m for m in page.items if m.guide_id), None)
    if member is None:
        raise LookupError("The local chain has no members yet; run `make dev` or `make import`.")
    principals = {
        Role.MEMBER: (member.id, None),
        Role.GUIDE: (str(member.guide_id), member.store_id),
        Role.STORE_MANAGER: ("man_local", member.store_id),
    }
    principal, unit = principals[role]
    return auth.issue(role, principal, unit_id=unit, lifetime=TOKEN_LIFETIME)
