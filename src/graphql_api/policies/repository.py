"""Access paths of policies."""

import time
from collections.abc import Sequence
from threading import Lock

from graphql_api.kit.dynamo import Page, Stale, Transaction, batch_get, key_page
from graphql_api.policies import models
from graphql_api.policies.models import SHIPPED_VERSION, SOLE, Head, PoliciesItem, Policy
from graphql_api.policies.rules import PolicyDocument, PolicyKind

_SHIPPED = {models.policy_id(kind, SHIPPED_VERSION): kind for kind in PolicyKind}
REMEMBERED_SECONDS = 60
_in_force: dict[PolicyKind, tuple[float, int, PolicyDocument]] = {}
_documents: dict[tuple[PolicyKind, int], PolicyDocument] = {}
_lock = Lock()
_SHIPPED_PLACE = models.place_of(SHIPPED_VERSION)


def get_many(policy_ids: Sequence[str]) -> list[Policy | None]:
    """Versions of policies by id, shipped ones too."""
    stored = [id_ for id_ in policy_ids if id_ not in _SHIPPED]
    found = iter(batch_get(Policy, [(id_, SOLE) for id_ in stored]))
    return [models.shipped(_SHIPPED[id_]) if id_ in _SHIPPED else next(found) for id_ in policy_ids]


def get_in_force(kinds: Sequence[PolicyKind]) -> list[Policy | None]:
    """The policy in force of each kind: one batch of heads, one of policies."""
    heads = batch_get(Head, [(models.head_id(kind), SOLE) for kind in kinds])
    versions = [int(head.in_force) if head else SHIPPED_VERSION for head in heads]
    pairs = zip(kinds, versions, strict=True)
    return get_many([models.policy_id(kind, version) for kind, version in pairs])


def in_force(kind: PolicyKind) -> Policy:
    """The policy in force as it is now (strongly consistent), to decide by; shipped if none was."""
    return version_of(kind, int(head(kind).in_force))


def remembered(kind: PolicyKind) -> tuple[int, PolicyDocument]:
    """The version in force and its document, as known to the process for a minute at most."""
    now = time.monotonic()
    with _lock:
        known = _in_force.get(kind)
        if known is None or now - known[0] >= REMEMBERED_SECONDS:
            read = get_in_force(list(PolicyKind))
            _in_force.update({p.kind: (now, int(p.version), p.content) for p in read if p})
            known = _in_force[kind]
    return known[1], known[2]


def document_of(kind: PolicyKind, version: int) -> PolicyDocument:
    """The document of a version that is there; it never changes, so the process remembers it."""
    known = _documents.get((kind, version))
    if known is None:
        known = _documents[kind, version] = version_of(kind, version).content
    return known


def forget() -> None:
    """Have the next look at policies read them."""
    _in_force.clear()
    _documents.clear()


def version_of(kind: PolicyKind, version: int) -> Policy:
    """A version that a head names; stale when it was a draft and is gone by now."""
    if version == SHIPPED_VERSION:
        return models.shipped(kind)
    key = (models.policy_id(kind, version), SOLE)
    [policy] = batch_get(Policy, [key], consistent=True)
    if policy is None:
        raise Stale
    return policy


def head(kind: PolicyKind) -> Head:
    """What is in force and open of a kind as it is now (strongly consistent), or a first one."""
    [found] = batch_get(Head, [(models.head_id(kind), SOLE)], consistent=True)
    return found or Head(models.head_id(kind))


def page_of_kind(kind: PolicyKind, *, first: int, after: str | None, reverse: bool) -> Page[Policy]:
    """Every version of a kind, the shipped one first: one Query, one BatchGetItem."""
    keys = key_page(
        PoliciesItem.by_kind, kind, PoliciesItem.place, first=first, after=after, reverse=reverse
    )
    found = batch_get(Policy, [key.key for key in keys.items])
    listed = [(p, at) for p, at in zip(found, keys.places, strict=True) if p is not None]
    own = (models.shipped(kind), _SHIPPED_PLACE)
    if not reverse and after is None:
        listed = [own, *listed]
    if reverse and not keys.more and after != _SHIPPED_PLACE:
        listed = [*listed, own]
    more = keys.more or len(listed) > first
    return Page([p for p, _ in listed[:first]], [at for _, at in listed[:first]], more)


def create(tx: Transaction, policy: Policy) -> None:
    """Add a new version."""
    policy.of_kind = policy.kind
    policy.place = models.place_of(int(policy.version))
    tx.create(policy)


def save(tx: Transaction, policy: Policy) -> None:
    """Write a version's new state; its head has the condition."""
    tx.put(policy)


def delete(tx: Transaction, policy: Policy) -> None:
    """Remove a draft; its head has the condition."""
    tx.delete(policy)


def save_head(tx: Transaction, item: Head) -> None:
    """Write what is in force and open, over the version that was read, or for the first time."""
    if item.version is None:
        tx.create(item)
    else:
        tx.save(item)
