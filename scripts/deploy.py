"""`make deploy`, `diff`, `destroy` and `secret`: the stack of one stage, by boto3 alone.

    python -m scripts.deploy secret --stage dev
    python -m scripts.deploy up --stage dev SecretsArn=arn:…
    python -m scripts.deploy diff --stage dev
    python -m scripts.deploy down --stage dev

Account and region are those of the AWS settings in the environment, China's too. A parameter that
is not given keeps the value that the stack has. The zip is the one of `make package`; its bytecode
must be that of the runtime.
"""

import argparse
import hashlib
import json
import secrets
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import boto3
import yaml
from botocore.exceptions import BotoCoreError, ClientError, WaiterError

from scripts import package
from scripts.package import PackageError

TEMPLATE = package.ROOT / "infra" / "template.yaml"
FUNCTION = "AWS::Serverless::Function"
RINGS = (
    "token_keys",
    "phone_hash_keys",
    "phone_cipher_keys",
    "cursor_keys",
    "access_keys",
    "webhook_keys",
)
_POLL = {"Delay": 2, "MaxAttempts": 900}
_NOTHING = ("didn't contain changes", "No updates are to be performed")


class DeployError(RuntimeError):
    """The stack cannot be changed; the message says why."""


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack of this account and region, and where its artifacts go."""

    name: str
    client: Any
    objects: Any
    bucket: str

    @classmethod
    def of(cls, stage: str) -> "Stack":
        """The stack of a stage, with a bucket for artifacts that is made when it is missing."""
        account = boto3.client("sts").get_caller_identity()["Account"]
        region = boto3.session.Session().region_name
        bucket = f"member-ops-artifacts-{account}-{region}"
        clients = boto3.client("cloudformation"), boto3.client("s3")
        return cls(f"member-ops-{stage}", *clients, bucket)

    def describe(self) -> dict[str, Any] | None:
        """The stack as it is, None where there is none."""
        try:
            [found] = self.client.describe_stacks(StackName=self.name)["Stacks"]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise
        known: dict[str, Any] = found
        return None if known["StackStatus"] in {"DELETE_COMPLETE", "REVIEW_IN_PROGRESS"} else known

    def outputs(self) -> dict[str, str]:
        """What the stack tells, by name."""
        found = self.describe() or {}
        return {o["OutputKey"]: o["OutputValue"] for o in found.get("Outputs", [])}


class _Tags(yaml.SafeLoader):
    """Reads CloudFormation's short tags as the long forms that JSON has."""


def _long_form(loader: _Tags, name: str, node: yaml.Node) -> Any:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    if name == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {name if name in {"Ref", "Condition"} else f"Fn::{name}": value}


_Tags.add_multi_constructor("!", _long_form)


def template(code: str) -> dict[str, Any]:
    """The template with every function's code at an address in S3."""
    read = _read()
    read["Globals"]["Function"]["CodeUri"] = code
    return read


def _read() -> dict[str, Any]:
    loader = _Tags(TEMPLATE.read_text(encoding="utf-8"))
    read: dict[str, Any] = loader.get_single_data()
    return read


def up(stack: Stack, zipped: Path, runtime: str, given: dict[str, str]) -> dict[str, str]:
    """Make or change the stack, and give its outputs; nothing to change is no error."""
    changes = _change_set(stack, zipped, runtime, given)
    if changes is None:
        print("Nothing to change.")
        return stack.outputs()
    kind, name = changes
    stack.client.execute_change_set(StackName=stack.name, ChangeSetName=name)
    try:
        waiter = stack.client.get_waiter(f"stack_{kind.lower()}_complete")
        waiter.wait(StackName=stack.name, WaiterConfig=_POLL)
    except WaiterError:
        raise DeployError(_what_failed(stack)) from None
    return stack.outputs()


def diff(stack: Stack, zipped: Path, runtime: str, given: dict[str, str]) -> list[str]:
    """What `up` would change, a line each; changes nothing."""
    exists = stack.describe() is not None
    changes = _change_set(stack, zipped, runtime, given)
    if changes is None:
        return []
    _, name = changes
    pages = stack.client.get_paginator("describe_change_set")
    lines = []
    for page in pages.paginate(StackName=stack.name, ChangeSetName=name):
        for change in page.get("Changes", []):
            one = change["ResourceChange"]
            again = " (replaced)" if one.get("Replacement") == "True" else ""
            named = f"{one['LogicalResourceId']} ({one['ResourceType']})"
            lines.append(f"{one['Action']:8}{named}{again}")
    stack.client.delete_change_set(StackName=stack.name, ChangeSetName=name)
    if not exists:  # a stack that was only ever looked at is left in review
        stack.client.delete_stack(StackName=stack.name)
    return lines


def down(stack: Stack) -> list[str]:
    """Delete the stack; gives what is kept, because it holds data."""
    pages = stack.client.get_paginator("list_stack_resources")
    held = {name for name, r in _read()["Resources"].items() if r.get("DeletionPolicy") == "Retain"}
    kept = [
        resource["PhysicalResourceId"]
        for page in pages.paginate(StackName=stack.name)
        for resource in page["StackResourceSummaries"]
        if resource["LogicalResourceId"] in held
    ]
    stack.client.delete_stack(StackName=stack.name)
    try:
        waiter = stack.client.get_waiter("stack_delete_complete")
        waiter.wait(StackName=stack.name, WaiterConfig=_POLL)
    except WaiterError:
        raise DeployError(_what_failed(stack)) from None
    return kept


def secret_name(stage: str) -> str:
    """What the secret of a stage is called."""
    return f"member-ops/{stage}"


def make_secret(stage: str, now: datetime, more: Mapping[str, Any] = MappingProxyType({})) -> str:
    """A secret with a fresh key in every ring; gives its ARN. Refuses where there is one."""
    client = boto3.client("secretsmanager")
    name, kid = secret_name(stage), f"{now:%Y%m}"
    rings = {ring: f"{kid}:{secrets.token_hex(32)}" for ring in RINGS}
    try:
        made = client.create_secret(Name=name, SecretString=json.dumps({**rings, **more}))
    except client.exceptions.ResourceExistsException:
        text = f"There is a secret {name} already; rotating its keys is in docs/operations.md"
        raise DeployError(text) from None
    arn: str = made["ARN"]
    return arn


def _change_set(
    stack: Stack, zipped: Path, runtime: str, given: dict[str, str]
) -> tuple[str, str] | None:
    """A change set that can be executed, with its kind; None when nothing would change."""
    package.require_fit(zipped, runtime)
    _require_bucket(stack)
    about = json.loads(zipped.with_name(zipped.name.removesuffix(".zip") + ".json").read_text())
    key = f"code/{about['sha256']}.zip"
    stack.objects.upload_file(str(zipped), stack.bucket, key)
    body = template(f"s3://{stack.bucket}/{key}")
    given = {**given, "Runtime": f"python{runtime}"}
    _publish(body, {**_values(stack), **given})
    stack.objects.put_object(
        Bucket=stack.bucket, Key="template.json", Body=json.dumps(body).encode()
    )
    kind = "CREATE" if stack.describe() is None else "UPDATE"
    name = f"change-{datetime.now(UTC):%Y%m%d%H%M%S}-{secrets.token_hex(2)}"
    stack.client.create_change_set(
        StackName=stack.name,
        ChangeSetName=name,
        ChangeSetType=kind,
        TemplateURL=_address(stack),
        Parameters=_parameters(stack, given),
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    while True:
        told = stack.client.describe_change_set(StackName=stack.name, ChangeSetName=name)
        if told["Status"] in {"CREATE_COMPLETE", "FAILED"}:
            break
        time.sleep(1)
    if told["Status"] == "CREATE_COMPLETE":
        return kind, name
    reason = told.get("StatusReason", "")
    stack.client.delete_change_set(StackName=stack.name, ChangeSetName=name)
    if any(text in reason for text in _NOTHING):
        return None
    raise DeployError(reason)


def _publish(body: dict[str, Any], values: dict[str, str]) -> None:
    """Name what a version holds: SAM itself makes no new one where only a parameter changes."""
    whole = hashlib.sha256(json.dumps([body, values], sort_keys=True).encode()).hexdigest()
    for resource in body["Resources"].values():
        if "AutoPublishAlias" in resource.get("Properties", {}):
            resource["Properties"]["AutoPublishCodeSha256"] = whole


def _values(stack: Stack) -> dict[str, str]:
    """What every parameter is now, the defaults where there is no stack."""
    declared = _read()["Parameters"].items()
    values = {name: str(about["Default"]) for name, about in declared if "Default" in about}
    for one in (stack.describe() or {}).get("Parameters", []):
        values[one["ParameterKey"]] = one["ParameterValue"]
    return values


def _address(stack: Stack) -> str:
    """Where CloudFormation reads the template: a signed address, good in every partition."""
    parameters = {"Bucket": stack.bucket, "Key": "template.json"}
    signed: str = stack.objects.generate_presigned_url("get_object", Params=parameters)
    return signed


def _parameters(stack: Stack, given: dict[str, str]) -> list[dict[str, Any]]:
    """Those given, and for the others what the stack has."""
    declared = _read()["Parameters"]
    if unknown := sorted(set(given) - set(declared)):
        raise DeployError(f"The template has no parameter {', '.join(unknown)}")
    before = {p["ParameterKey"] for p in (stack.describe() or {}).get("Parameters", [])}
    needed = {name for name, about in declared.items() if "Default" not in about}
    if missing := sorted(needed - before - set(given)):
        raise DeployError(f"Give a value for {', '.join(missing)}, as NAME=value")
    kept = [{"ParameterKey": n, "UsePreviousValue": True} for n in sorted(before - set(given))]
    new = [{"ParameterKey": n, "ParameterValue": v} for n, v in sorted(given.items())]
    return [p for p in kept if p["ParameterKey"] in declared] + new


def _require_bucket(stack: Stack) -> None:
    """A private, encrypted bucket for code and templates."""
    region = stack.objects.meta.region_name
    where = {} if region == "us-east-1" else {"LocationConstraint": region}
    try:
        stack.objects.head_bucket(Bucket=stack.bucket)
    except ClientError:
        configured = {"CreateBucketConfiguration": where} if where else {}
        stack.objects.create_bucket(Bucket=stack.bucket, **configured)
        closed = (
            "BlockPublicAcls",
            "IgnorePublicAcls",
            "BlockPublicPolicy",
            "RestrictPublicBuckets",
        )
        stack.objects.put_public_access_block(
            Bucket=stack.bucket, PublicAccessBlockConfiguration=dict.fromkeys(closed, True)
        )


def _what_failed(stack: Stack) -> str:
    """The first reasons that CloudFormation gives, the oldest first."""
    events = stack.client.describe_stack_events(StackName=stack.name)["StackEvents"]
    failed = [e for e in reversed(events) if e["ResourceStatus"].endswith("FAILED")]
    told = [f"{e['LogicalResourceId']}: {e.get('ResourceStatusReason', '')}" for e in failed[:5]]
    return "\n".join([f"{stack.name} failed.", *told])


def _pairs(given: Iterable[str]) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in given]
    if wrong := [name for name, equals, _ in pairs if not equals]:
        raise DeployError(f"A parameter is NAME=value: {', '.join(wrong)}")
    return {name: value for name, _, value in pairs}


def run(given: argparse.Namespace) -> int:
    """Do one of the four."""
    if given.what == "secret":
        print(f"SecretsArn={make_secret(given.stage, datetime.now(UTC))}")
        return 0
    stack = Stack.of(given.stage)
    if given.what == "down":
        for kept in down(stack):
            print(f"kept: {kept}")
        return 0
    parameters = {**_pairs(given.parameters), "Stage": given.stage, "Arch": given.arch}
    zipped = package.BUILD / f"{package.name_of(given.python, given.arch)}.zip"
    if not zipped.exists():
        raise DeployError(f"First `make package PY={given.python} ARCH={given.arch}`")
    if given.what == "diff":
        print("\n".join(diff(stack, zipped, given.python, parameters)) or "Nothing would change.")
        return 0
    for name, value in up(stack, zipped, given.python, parameters).items():
        print(f"{name}: {value}")
    return 0


def main() -> int:
    """0 when it is done; otherwise it says what is wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["up", "diff", "down", "secret"])
    parser.add_argument("--stage", required=True, choices=["dev", "prod"])
    parser.add_argument("--python", default="3.13", choices=sorted(package.MAGIC))
    parser.add_argument("--arch", default="arm64", choices=sorted(package.MACHINES))
    parser.add_argument("parameters", nargs="*", metavar="NAME=value")
    try:
        return run(parser.parse_args())
    except (DeployError, PackageError, ClientError, BotoCoreError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
