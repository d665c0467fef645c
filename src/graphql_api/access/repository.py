"""Access paths of sessions, staff accounts, API keys and attempts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError
from pynamodb.exceptions import UpdateError
from pynamodb.expressions.condition import Condition

from graphql_api.access import models
from graphql_api.access.models import (
    ALL_KEYS,
    SESSIONS,
    SOLE,
    AccessItem,
    ApiKey,
    Attempts,
    Bucket,
    Counter,
    Principal,
    StaffAccount,
    Standing,
    WecomClaim,
)
from graphql_api.access.rules import REFRESH_LIFETIME, USE_NOTED_EVERY, Limit
from graphql_api.errors import AppError
from graphql_api.guides.models import SOLE as SOLE_GUIDE
from graphql_api.guides.models import Guide
from graphql_api.kit import ids
from graphql_api.kit.dynamo import Item, Page, Transaction, batch_get, get_together, key_page
from graphql_api.kit.dynamo.blocks import block_of, block_page, place_of
from graphql_api.kit.dynamo.connection import shared_client
from graphql_api.members.models import SOLE as SOLE_MEMBER
from graphql_api.members.models import Member

_COUNTER_ID = "counter"

_HOLDERS: dict[str, tuple[type[Item], str, Sequence[str] | None]] = {
    "mbr": (Member, SOLE_MEMBER, ("id", "sort", "archived_at")),
    "gde": (Guide, SOLE_GUIDE, ("id", "sort", "status", "store_id")),
    "stf": (StaffAccount, SOLE, None),
}
"""By the prefix of a principal's id: where they are stored, and what of them decides."""


def standing(principal_id: str) -> Standing:
    """A principal's sessions and the holder of the id as they are now: one call.

    Of members and guides only what decides is read.
    """
    wanted: list[Any] = [(Principal, (principal_id, SESSIONS), None)]
    if found := _HOLDERS.get(ids.prefix_of(principal_id) or ""):
        model, sort, only = found
        wanted.append((model, (principal_id, sort), only))
    principal, *holder = get_together(wanted)
    return Standing(principal, next(iter(holder), None))


def save_principal(tx: Transaction, principal: Principal, at: datetime) -> None:
    """Write a principal's sessions over the version that was read; kept while they may matter."""
    ends = [session.ends_at for session in principal.sessions.values()]
    principal.forget_at = max([at, *ends]) + REFRESH_LIFETIME
    tx.save(principal)


# --- staff accounts --------------------------------------------------------------------------


def get_accounts(account_ids: Sequence[str]) -> list[StaffAccount | None]:
    """Staff accounts by id."""
    return batch_get(StaffAccount, [(id_, SOLE) for id_ in account_ids])


def get_account(account_id: str) -> StaffAccount | None:
    """One staff account as it is now (strongly consistent), to decide on."""
    return batch_get(StaffAccount, [(account_id, SOLE)], consistent=True)[0]


def account_id_by_wecom_user_id(wecom_user_id: str) -> str | None:
    """Which account has a WeCom user id, read from its claim."""
    key = (models.wecom_claim_id(wecom_user_id), SOLE)
    claim = batch_get(WecomClaim, [key], consistent=True)[0]
    return claim.account_id if claim else None


def page_of_accounts(*, first: int, after: str | None, reverse: bool) -> Page[StaffAccount]:
    """All staff accounts by number, disabled ones too."""
    keys = block_page(
        lambda block, **page: key_page(
            AccessItem.by_list, f"staff#{block}", AccessItem.place, **page
        ),
        _newest_number,
        first=first,
        after=after,
        reverse=reverse,
    )
    return keys.showing(get_accounts([key.id for key in keys.items]))


def next_account_number() -> int:
    """A number that no other account gets."""
    counter = Counter(_COUNTER_ID)
    counter.update(actions=[Counter.last.add(1)])
    return int(counter.last)


def create_account(tx: Transaction, account: StaffAccount, *, wecom_taken: AppError) -> None:
    """Add a new account and its claim on a WeCom user id; `wecom_taken` refuses one in use."""
    account.listed = f"staff#{block_of(int(account.number))}"
    account.place = place_of(int(account.number))
    tx.create(account)
    _claim(tx, account, wecom_taken)


def move_claim(tx: Transaction, old: str, account: StaffAccount, *, wecom_taken: AppError) -> None:
    """Give up the claim on an account's old WeCom user id and take its new one."""
    if models.wecom_claim_id(old) != models.wecom_claim_id(account.wecom_user_id):
        tx.delete(WecomClaim(models.wecom_claim_id(old)))
        _claim(tx, account, wecom_taken)


def save_account(tx: Transaction, account: StaffAccount) -> None:
    """Write an account over the version that was read."""
    tx.save(account)


# --- API keys --------------------------------------------------------------------------------


def get_keys(key_ids: Sequence[str]) -> list[ApiKey | None]:
    """API keys by id."""
    return batch_get(ApiKey, [(id_, SOLE) for id_ in key_ids])


def get_key(key_id: str) -> ApiKey | None:
    """One API key as it is now (strongly consistent), to decide on."""
    return batch_get(ApiKey, [(key_id, SOLE)], consistent=True)[0]


def page_of_keys(*, first: int, after: str | None, reverse: bool) -> Page[ApiKey]:
    """All API keys by time of creation, revoked ones too."""
    keys = key_page(
        AccessItem.by_list, ALL_KEYS, AccessItem.place, first=first, after=after, reverse=reverse
    )
    return keys.showing(get_keys([key.id for key in keys.items]))


def create_key(tx: Transaction, key: ApiKey) -> None:
    """Add a new API key; ids sort by time of creation."""
    key.listed, key.place = ALL_KEYS, key.id
    tx.create(key)


def save_key(tx: Transaction, key: ApiKey) -> None:
    """Write an API key over the version that was read."""
    tx.save(key)


def note_use(key: ApiKey, at: datetime, *, new_hash: str | None) -> bool:
    """Write down that a key was used; False when somebody noted it first, or the key changed.

    `new_hash` is that of the same secret under the newest hash key.
    """
    unnoted = ApiKey.last_used_at.does_not_exist() | (ApiKey.last_used_at <= at - USE_NOTED_EVERY)
    actions = [ApiKey.last_used_at.set(at)]
    if new_hash is not None:
        actions.append(ApiKey.secret_hash.set(new_hash))
    return _updated(key, actions, unnoted & (ApiKey.secret_hash == key.secret_hash))


# --- attempts --------------------------------------------------------------------------------


def count_attempt(name: str, limit: Limit, at: datetime) -> bool:
    """Count an attempt under a name; False, and not counted, when its window is full."""
    window = limit.window(at)
    item = Attempts(models.attempts_id(name, window))
    room = Attempts.made.does_not_exist() | (Attempts.made < limit.attempts)
    over = datetime.fromtimestamp((window + 1) * limit.seconds, UTC) + timedelta(hours=1)
    return _updated(item, [Attempts.made.add(1), Attempts.forget_at.set(over)], room)


# --- buckets ---------------------------------------------------------------------------------


_TOO_OFTEN = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingException",
    }
)
"""More draws from one bucket than DynamoDB writes of one item; whoever asks so much can wait."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """Whether it was there, and when the bucket is full again, in microseconds."""

    granted: bool
    full_at: int


def draw(client: str, amount: int, whole: int, at: int, *, running: bool) -> Drawn:
    """Take an amount from a client's bucket of `whole`, or nothing; all in microseconds.

    A negative amount is given back; a bucket that is full is none the fuller for it.
    One UpdateItem if `running` guesses right whether the bucket is being filled at `at`, else two.
    """
    assert amount <= whole
    while True:
        outcome = _moved(client, amount, whole, at) if running else _begun(client, amount, at)
        if isinstance(outcome, Drawn):
            return outcome
        running = outcome is not None and outcome >= at
        if outcome is not None and max(outcome, at) + amount > at + whole:
            return Drawn(granted=False, full_at=outcome)


def _moved(client: str, amount: int, whole: int, at: int) -> Drawn | int | None:
    """Draw from a bucket that is being filled; where it stands if it is not, or is too low."""
    condition = "full_at >= :at AND full_at <= :latest"
    return _bucket(
        client,
        "SET full_at = full_at + :amount, forget_at = :forget",
        condition,
        {":amount": amount, ":at": at, ":latest": at + whole - amount, ":forget": _forget(at)},
    )


def _begun(client: str, amount: int, at: int) -> Drawn | int | None:
    """Draw from a bucket that is full; where it stands if it is not."""
    condition = "attribute_not_exists(full_at) OR full_at < :at"
    return _bucket(
        client,
        "SET full_at = :full_at, forget_at = :forget",
        condition,
        {":full_at": at + max(amount, 0), ":at": at, ":forget": _forget(at)},
    )


def _forget(at: int) -> int:
    return at // 1_000_000 + 24 * 3600


def _bucket(client: str, update: str, condition: str, values: dict[str, int]) -> Drawn | int | None:
    dynamodb: Any = shared_client()
    try:
        answer = dynamodb.update_item(
            TableName=Bucket.Meta.table_name,
            Key={"id": {"S": models.bucket_id(client)}, "sort": {"S": SOLE}},
            UpdateExpression=update,
            ConditionExpression=condition,
            ExpressionAttributeValues={name: {"N": str(n)} for name, n in values.items()},
            ReturnValues="UPDATED_NEW",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in _TOO_OFTEN:
            return Drawn(granted=False, full_at=values[":at"])
        if code != "ConditionalCheckFailedException":
            raise
        old: Any = error.response.get("Item")
        return int(old["full_at"]["N"]) if old else None
    return Drawn(granted=True, full_at=int(answer["Attributes"]["full_at"]["N"]))


def _updated(item: Item, actions: list[Any], condition: Condition) -> bool:
    try:
        item.update(actions=actions, condition=condition, add_version_condition=False)
    except UpdateError as error:
        if error.cause_response_code == "ConditionalCheckFailedException":
            return False
        raise
    return True


def _claim(tx: Transaction, account: StaffAccount, taken: AppError) -> None:
    claim = WecomClaim(models.wecom_claim_id(account.wecom_user_id), account_id=account.id)
    tx.create(claim, lost=taken)


def _newest_number() -> int:
    counter = batch_get(Counter, [(_COUNTER_ID, SOLE)])[0]
    return int(counter.last) if counter else 0
