"""Deploying the stack of a stage: into the embedded AWS, by the calls that AWS gets."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest

from graphql_api.config import Settings
from scripts import deploy, package
from scripts.deploy import DeployError, Stack
from scripts.package import PackageError, here
from tests.test_infra import FUNCTION, RESOURCES, TABLE, of_type

pytestmark = pytest.mark.engine("ministack", "it has CloudFormation")

PYTHON, ARCH = here()
NOW = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def zipped(tmp_path: Path) -> Path:
    """A zip of one module, good for this interpreter's runtime."""
    folder = tmp_path / "local"
    folder.mkdir()
    (folder / "shop.py").write_text("OPEN = True\n")
    package._compile(folder, sys.executable)
    return package._zip(folder, PYTHON, ARCH).file


@pytest.fixture
def stack(aws_account: str) -> Stack:
    """The stack of the stage dev, which is not there yet."""
    return Stack.of("dev")


def parameters() -> dict[str, str]:
    return {"Stage": "dev", "Arch": ARCH, "SecretsArn": deploy.make_secret("dev", NOW)}


def physical(kind: str) -> list[str]:
    pages = boto3.client("cloudformation").get_paginator("list_stack_resources")
    listed = pages.paginate(StackName="member-ops-dev")
    found = [one for page in listed for one in page["StackResourceSummaries"]]
    return [r["PhysicalResourceId"] for r in found if r["ResourceType"] == kind]


def served_version() -> dict[str, str]:
    """The settings of the version of the API that the front door asks."""
    [api] = [n for n in physical("AWS::Lambda::Function") if "GraphqlFunction" in n]
    told = boto3.client("lambda").get_function_configuration(FunctionName=api, Qualifier="live")
    variables: dict[str, str] = told["Environment"]["Variables"]
    return variables


def keys_in_use() -> set[str]:
    """The keys by which queues and logs are encrypted; of tables and files the emulator forgets."""
    sqs, logs = boto3.client("sqs"), boto3.client("logs")
    found = {group["kmsKeyId"] for group in logs.describe_log_groups()["logGroups"]}
    for queue in physical("AWS::SQS::Queue"):
        told = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["KmsMasterKeyId"])
        found.add(told["Attributes"]["KmsMasterKeyId"])
    return found


def test_stack_comes_is_left_alone_and_goes(stack: Stack, zipped: Path) -> None:
    given = parameters()
    changes = deploy.diff(stack, zipped, PYTHON, given)
    assert len(changes) >= len(RESOURCES)
    assert "Add     MembersTable (AWS::DynamoDB::Table)" in changes
    assert stack.describe() is None
    told = deploy.up(stack, zipped, PYTHON, given)
    assert set(told) >= {"ApiUrl"}
    tables = set(boto3.client("dynamodb").list_tables()["TableNames"])
    assert tables == {f"member-ops-dev-{n.removesuffix('Table').lower()}" for n in of_type(TABLE)}
    assert len(physical("AWS::Lambda::Function")) == len(of_type(FUNCTION))
    assert deploy.diff(stack, zipped, PYTHON, {}) == []
    assert deploy.up(stack, zipped, PYTHON, {}) == told
    kept = deploy.down(stack)
    assert set(kept) >= tables
    assert stack.describe() is None


def test_stack_keeps_the_parameters_that_are_not_given(stack: Stack, zipped: Path) -> None:
    deploy.up(stack, zipped, PYTHON, {**parameters(), "WechatAppId": "wx1", "OwnKey": "true"})
    before = served_version()
    told = deploy.up(stack, zipped, PYTHON, {"WecomCorpId": "corp1"})
    after = served_version()
    assert (before["APP_WECOM_CORP_ID"], after["APP_WECOM_CORP_ID"]) == ("", "corp1")
    [found] = stack.client.describe_stacks(StackName=stack.name)["Stacks"]
    has = {p["ParameterKey"]: p["ParameterValue"] for p in found["Parameters"]}
    assert (has["WechatAppId"], has["WecomCorpId"], has["Stage"]) == ("wx1", "corp1", "dev")
    assert keys_in_use() == {told["KeyArn"]}


def test_what_is_missing_or_unknown_is_named_and_nothing_is_made(
    stack: Stack, zipped: Path
) -> None:
    with pytest.raises(DeployError, match="a value for SecretsArn"):
        deploy.up(stack, zipped, PYTHON, {"Stage": "dev"})
    with pytest.raises(DeployError, match="no parameter Colour"):
        deploy.up(stack, zipped, PYTHON, {**parameters(), "Colour": "red"})
    other = "3.12" if PYTHON != "3.12" else "3.13"
    with pytest.raises(PackageError, match="no bytecode of Python"):
        deploy.up(stack, zipped, other, {"Stage": "dev"})
    assert stack.describe() is None


def test_secret_has_a_fresh_key_for_every_ring_and_is_made_once(aws_account: str) -> None:
    arn = deploy.make_secret("dev", NOW)
    stored = boto3.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
    rings: dict[str, Any] = json.loads(stored)
    assert len(set(rings.values())) == len(deploy.RINGS)
    assert Settings(stage="dev", **rings).token_keys["202611"]
    with pytest.raises(DeployError, match="already"):
        deploy.make_secret("dev", NOW)


def test_every_ring_of_the_settings_is_in_the_secret() -> None:
    rings = {name for name in Settings.model_fields if name.endswith("_keys")}
    assert set(deploy.RINGS) == rings


def test_parameters_are_named_on_the_command_line() -> None:
    assert deploy._pairs(["A=1", "B=x=y"]) == {"A": "1", "B": "x=y"}
    with pytest.raises(DeployError, match="NAME=value: A"):
        deploy._pairs(["A"])


def test_short_tags_are_read_as_what_they_mean() -> None:
    read = deploy.template("s3://bucket/code.zip")
    assert read["Globals"]["Function"]["CodeUri"] == "s3://bucket/code.zip"
    assert read["Outputs"]["ApiUrl"]["Value"] == {"Fn::GetAtt": ["Api", "ApiEndpoint"]}
    assert read["Conditions"]["HasAlarmTopic"] == {
        "Fn::Not": [{"Fn::Equals": [{"Ref": "AlarmTopicArn"}, ""]}]
    }
