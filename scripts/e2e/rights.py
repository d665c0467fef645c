"""What functions may do, what they did, and why some of what they may do is never done here."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import boto3

from scripts import emulator
from scripts.e2e.journey import PATIENCE, Failed, require
from scripts.e2e.unused import UNUSED

Decision = dict[str, str]
_QUIET_SECONDS = 20  # a function starts within five on a busy laptop


@dataclass(frozen=True, order=True, slots=True)
class Right:
    """An action on a resource that a role grants."""

    role: str
    action: str
    resource: str

    def __str__(self) -> str:
        return f"{self.role} {self.action} {self.resource}"


def at_rest(data_dir: Path) -> float:
    """Wait until no function did anything for a while: what follows from the writes is done."""
    found = len(decisions(data_dir))
    began = looked = time.monotonic()
    while time.monotonic() - looked < _QUIET_SECONDS:
        if time.monotonic() - began > PATIENCE:
            raise Failed(f"functions are busy after {PATIENCE:.0f} s")
        time.sleep(1)
        if (now := len(decisions(data_dir))) != found:
            found, looked = now, time.monotonic()
    return time.monotonic() - began


def granted() -> list[Right]:
    """Every action and resource that the roles of the deployed stack name."""
    client = boto3.client("iam")
    found = []
    for page in client.get_paginator("list_roles").paginate():
        for role in (one["RoleName"] for one in page["Roles"]):
            for policy in client.list_role_policies(RoleName=role)["PolicyNames"]:
                read = client.get_role_policy(RoleName=role, PolicyName=policy)
                found += _rights(role, read["PolicyDocument"])
    return sorted(set(found))


def _rights(role: str, document: Any) -> list[Right]:
    return [
        Right(role, action, resource)
        for statement in document["Statement"]
        for action in _listed(statement["Action"])
        for resource in _listed(statement["Resource"])
    ]


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def decisions(data_dir: Path) -> list[Decision]:
    """Each time that a function's rights were looked at."""
    lines = (data_dir / emulator.DECISIONS).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def judge(rights: Sequence[Right], seen: Sequence[Decision]) -> str:
    """How many rights were used; Failed for what was denied, and what was never used."""
    require(denied(seen), [], "what was denied")
    left = unused(rights, seen)
    if unexplained := [right for right in left if not any(u.covers(right) for u in UNUSED)]:
        told = "\n".join(map(str, unexplained))
        raise Failed(f"{len(unexplained)} rights were granted and never used:\n{told}")
    if idle := [one for one in UNUSED if not any(one.covers(right) for right in rights)]:
        raise Failed(f"nobody has these rights any more: {idle}")
    return f"{len(rights) - len(left)} of {len(rights)} used, {len(left)} stay for a reason"


def denied(seen: Sequence[Decision]) -> list[tuple[str, str, str]]:
    """Who was refused what. A secret is looked at twice, by its own policy first."""

    def asked(one: Decision) -> tuple[str, str, str]:
        return one["principal"], one["action"], one["resource"]

    allowed = {asked(one) for one in seen if one["decision"] == "Allow"}
    return sorted({asked(one) for one in seen if one["decision"] != "Allow"} - allowed)


def unused(rights: Sequence[Right], seen: Sequence[Decision]) -> list[Right]:
    """The rights that no allowed decision went by."""
    used: dict[tuple[str, str], set[str]] = {}
    for one in seen:
        if one["decision"] == "Allow":
            used.setdefault((_role_of(one["principal"]), one["action"]), set()).add(one["resource"])
    return [
        right
        for right in rights
        if not any(
            fnmatchcase(resource, right.resource)
            for resource in used.get((right.role, right.action), ())
        )
    ]


def _role_of(principal: str) -> str:
    """The name of a role, of its own ARN or of a session's."""
    kind, _, rest = principal.rpartition(":")[2].partition("/")
    return rest.partition("/")[0] if kind in {"assumed-role", "role"} else ""
