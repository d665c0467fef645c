"""The template: tables as the models say, a function per handler, rights no wider than needed."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pynamodb.attributes import TTLAttribute
from starlette.routing import Route

from graphql_api.config import settings
from graphql_api.handlers import vendor_webhooks
from graphql_api.kit.dynamo import Item
from graphql_api.privacy.parts import PARTS
from graphql_api.tables import TABLES

ROOT = Path(__file__).parents[1]
TEMPLATE = ROOT / "infra" / "template.yaml"
HANDLERS = {
    file.stem
    for file in (ROOT / "src" / "graphql_api" / "handlers").glob("*.py")
    if file.stem != "__init__"
}
FUNCTION = "AWS::Serverless::Function"
MACHINE_ROLES = {"RebuildMachineRole"}
TABLE = "AWS::DynamoDB::Table"
# !If [MakesKey, !GetAtt Key.Arn, !Ref "AWS::NoValue"]
KEY_OF_THE_STACK = ["MakesKey", "Key.Arn", "AWS::NoValue"]


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short tags as plain text: `!Ref A` is A, `!GetAtt A.B` is A.B."""


def _tagged(loader: yaml.SafeLoader, _tag: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    assert isinstance(node, yaml.SequenceNode)
    return loader.construct_sequence(node, deep=True)


_Loader.add_multi_constructor("!", _tagged)

TEXT = TEMPLATE.read_text()
RESOURCES: dict[str, dict[str, Any]] = yaml.load(TEXT, _Loader)["Resources"]


def of_type(kind: str) -> dict[str, dict[str, Any]]:
    """The properties of every resource of a type, by logical id."""
    return {k: r.get("Properties", {}) for k, r in RESOURCES.items() if r["Type"] == kind}


def listed(value: Any) -> list[Any]:
    """A value that may stand alone, as a list."""
    return value if isinstance(value, list) else [value]


def statements() -> Iterator[dict[str, Any]]:
    """Every statement of every role."""
    for name, role in of_type("AWS::IAM::Role").items():
        assert "ManagedPolicyArns" not in role
        yield from statements_of(name)


def statements_of(role: str) -> list[dict[str, Any]]:
    """The statements of a role; one that a condition grants stands between its name and nothing."""
    [policy] = of_type("AWS::IAM::Role")[role]["Policies"]
    return [s[1] if isinstance(s, list) else s for s in policy["PolicyDocument"]["Statement"]]


def keys(schema: list[dict[str, str]]) -> list[tuple[str, str]]:
    """A key schema: attribute and part, the hash key first."""
    parts = [(part["AttributeName"], part["KeyType"]) for part in schema]
    return sorted(parts, key=lambda part: part[1])


def shape(table: dict[str, Any], stream: str | None, forgets: str | None) -> dict[str, Any]:
    """What a table and its model must have in common."""
    attributes = table["AttributeDefinitions"]
    return {
        "attributes": sorted((a["AttributeName"], a["AttributeType"]) for a in attributes),
        "keys": keys(table["KeySchema"]),
        "indexes": {
            index["IndexName"]: (keys(index["KeySchema"]), index["Projection"])
            for index in table.get("GlobalSecondaryIndexes", [])
        },
        "stream": stream,
        "forgets": forgets,
    }


def of_model(model: type[Item]) -> dict[str, Any]:
    """The shape that PynamoDB would create; it spells its parts in snake case."""

    def renamed(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                "".join(map(str.title, k.split("_"))) if k.islower() else k: renamed(v)
                for k, v in value.items()
            }
        return [renamed(v) for v in value] if isinstance(value, list) else value

    schema = renamed(model._get_schema())
    attributes = model.get_attributes().values()
    forgets = next((a for a in attributes if isinstance(a, TTLAttribute)), None)
    stream = getattr(model.Meta, "stream_view_type", None)
    return shape(schema, stream, forgets.attr_name if forgets else None)


def of_resource(table: dict[str, Any]) -> dict[str, Any]:
    """The shape that the template creates."""
    forgets = table.get("TimeToLiveSpecification", {"Enabled": True, "AttributeName": None})
    assert forgets["Enabled"]
    stream = table.get("StreamSpecification", {}).get("StreamViewType")
    return shape(table, stream, forgets["AttributeName"])


@pytest.mark.parametrize("model", TABLES, ids=lambda model: model.__name__)
def test_table_is_what_its_model_says(model: type[Item]) -> None:
    noun = model.Meta.table_name.removeprefix(settings().table_prefix)
    table = of_type(TABLE)[f"{noun.title()}Table"]
    assert table["TableName"] == f"member-ops-${{Stage}}-{noun}"
    assert of_resource(table) == of_model(model)


def test_every_table_has_a_model() -> None:
    assert len(of_type(TABLE)) == len(TABLES)


def test_functions_find_the_tables_by_their_prefix() -> None:
    variables = yaml.load(TEXT, _Loader)["Globals"]["Function"]["Environment"]["Variables"]
    assert variables["APP_TABLE_PREFIX"] == "member-ops-${Stage}-"


def test_tables_are_encrypted_restorable_and_kept() -> None:
    for name, table in of_type(TABLE).items():
        assert table["BillingMode"] == "PAY_PER_REQUEST"
        assert table["SSESpecification"] == {
            "SSEEnabled": True,
            "SSEType": "KMS",
            "KMSMasterKeyId": KEY_OF_THE_STACK,
        }
        assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        assert RESOURCES[name]["DeletionPolicy"] == "Retain"
        assert RESOURCES[name]["UpdateReplacePolicy"] == "Retain"


def test_every_handler_is_deployed_and_nothing_else() -> None:
    deployed = sorted(function["Handler"] for function in of_type(FUNCTION).values())
    assert deployed == sorted(f"graphql_api.handlers.{name}.handler" for name in HANDLERS)


def test_every_function_has_a_role_and_a_log_of_its_own() -> None:
    functions = of_type(FUNCTION).values()
    roles = [function["Role"].removesuffix(".Arn") for function in functions]
    logs = [function["LoggingConfig"]["LogGroup"] for function in functions]
    assert sorted(roles) == sorted(set(of_type("AWS::IAM::Role")) - MACHINE_ROLES)
    assert len(set(logs)) == len(logs)
    assert set(logs) < set(of_type("AWS::Logs::LogGroup"))


def test_logs_are_kept_for_180_days_and_encrypted() -> None:
    for group in of_type("AWS::Logs::LogGroup").values():
        assert group == {"RetentionInDays": 180, "KmsKeyId": KEY_OF_THE_STACK}


def test_key_serves_this_stack_through_the_services_that_hold_its_data() -> None:
    [key] = of_type("AWS::KMS::Key").values()
    assert (RESOURCES["Key"]["Condition"], RESOURCES["Key"]["DeletionPolicy"]) == (
        "MakesKey",
        "Retain",
    )
    assert key["EnableKeyRotation"] is True
    account, roles, logs = key["KeyPolicy"]["Statement"]
    assert account["Principal"]["AWS"].endswith(":root")
    assert [action for action in roles["Action"] if "*" in action] == []
    condition = roles["Condition"]
    assert condition["StringEquals"] == {"kms:CallerAccount": "AWS::AccountId"}
    services = [via.partition(".")[0] for via in condition["StringLike"]["kms:ViaService"]]
    assert services == ["dynamodb", "sqs", "s3", "secretsmanager"]
    assert condition["ArnLike"]["aws:PrincipalArn"].endswith(":role/${AWS::StackName}-*")
    assert logs["Principal"] == {"Service": "logs.${AWS::Region}.${AWS::URLSuffix}"}
    [groups] = logs["Condition"]["ArnLike"].values()
    assert groups.endswith(":log-group:${AWS::StackName}-*")


WITHOUT_RESOURCES = [
    {
        "Effect": "Allow",
        "Action": ["xray:PutTraceSegments", "xray:PutTelemetryRecords"],
        "Resource": "*",
    },
    {
        "Effect": "Allow",
        "Action": [
            "ec2:CreateNetworkInterface",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DeleteNetworkInterface",
        ],
        "Resource": "*",
    },
]


def test_who_calls_vendors_goes_out_by_subnets_where_there_are_some() -> None:
    subnets = {"SubnetIds": "SubnetIds", "SecurityGroupIds": "SecurityGroupIds"}
    out = {n: f["VpcConfig"] for n, f in of_type(FUNCTION).items() if "VpcConfig" in f}
    callers = (
        *("Graphql", "WebhookDeliveries", "VendorMessages", "VendorOutbox"),
        *("FriendEvents", "FriendWelcomes"),
    )
    assert set(out) == {f"{name}Function" for name in callers}
    for name, config in out.items():
        assert config == ["GoesOutBySubnets", subnets, "AWS::NoValue"]
        [policy] = of_type("AWS::IAM::Role")[name.replace("Function", "Role")]["Policies"]
        granted = ["GoesOutBySubnets", WITHOUT_RESOURCES[1], "AWS::NoValue"]
        assert granted in policy["PolicyDocument"]["Statement"]


def test_front_door_asks_the_newest_version_which_may_start_from_a_snapshot() -> None:
    api = of_type(FUNCTION)["GraphqlFunction"]
    assert api["AutoPublishAlias"] == "live"
    assert api["SnapStart"] == [
        "StartsFromSnapshot",
        {"ApplyOn": "PublishedVersions"},
        "AWS::NoValue",
    ]
    integration = of_type("AWS::ApiGatewayV2::Integration")["ApiIntegration"]
    permission = of_type("AWS::Lambda::Permission")["ApiPermission"]
    asked = (integration["IntegrationUri"], permission["FunctionName"])
    assert asked == ("GraphqlFunction.Alias", "GraphqlFunction.Alias")


def test_vendors_reach_a_function_of_their_own_that_answers_within_ten_seconds() -> None:
    integration = of_type("AWS::ApiGatewayV2::Integration")["VendorIntegration"]
    permission = of_type("AWS::Lambda::Permission")["VendorPermission"]
    asked = (integration["IntegrationUri"], permission["FunctionName"])
    assert asked == ("VendorWebhooksFunction.Arn", "VendorWebhooksFunction")
    function = of_type(FUNCTION)["VendorWebhooksFunction"]
    assert integration["TimeoutInMillis"] == 1000 * function["Timeout"] == 10_000
    routes = of_type("AWS::ApiGatewayV2::Route").values()
    theirs = {r["RouteKey"] for r in routes if "VendorIntegration" in str(r["Target"])}
    ours = {f"POST {path}" for path in vendor_webhooks.PATHS}
    assert theirs == ours | {f"{m} {p}" for p in vendor_webhooks.PLATFORMS for m in ("GET", "POST")}


def test_api_is_traced_where_a_parameter_says_so() -> None:
    assert of_type(FUNCTION)["GraphqlFunction"]["Tracing"] == ["Traces", "Active", "PassThrough"]
    [policy] = of_type("AWS::IAM::Role")["GraphqlRole"]["Policies"]
    granted = ["Traces", WITHOUT_RESOURCES[0], "AWS::NoValue"]
    assert granted in policy["PolicyDocument"]["Statement"]


def test_who_calls_others_is_held_back_by_a_parameter() -> None:
    api, deliveries = (of_type(FUNCTION)[f"{n}Function"] for n in ("Graphql", "WebhookDeliveries"))
    reserved = ["ReservesForApi", "ApiConcurrency", "AWS::NoValue"]
    assert api["ReservedConcurrentExecutions"] == reserved
    [queue] = deliveries["Events"].values()
    assert queue["Properties"]["ScalingConfig"] == {"MaximumConcurrency": "DeliveriesAtOnce"}


def test_dashboard_is_json_and_names_what_exists() -> None:
    [dashboard] = of_type("AWS::CloudWatch::Dashboard").values()
    body = dashboard["DashboardBody"]
    named = set(re.findall(r"\${(\w+)}", body)) - {"Stage"}
    assert named <= set(RESOURCES)
    widgets = json.loads(body)["widgets"]
    titles = [widget["properties"]["title"] for widget in widgets]
    assert len(set(titles)) == len(titles) >= 10


def test_rights_name_what_they_are_for() -> None:
    """No wildcard, but for streams, dated each, files of one slice, runs of one machine, and what
    a condition grants in services that know no resources."""
    pattern = (
        r"\${\w+Table\.Arn}/stream/\*|\${FilesBucket\.Arn}/[a-z]+/\*|.*:execution:[\w${}-]+/\*"
    )
    for statement in statements():
        assert statement["Effect"] == "Allow"
        assert [action for action in listed(statement["Action"]) if "*" in action] == []
        if statement in WITHOUT_RESOURCES:
            continue
        resources = listed(statement["Resource"])
        wild = [one for one in resources if "*" in one]
        assert [one for one in wild if not re.fullmatch(pattern, one)] == []


def test_files_are_encrypted_private_and_forgotten() -> None:
    [(name, bucket)] = of_type("AWS::S3::Bucket").items()
    [rule] = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {
        "SSEAlgorithm": ["MakesKey", "aws:kms", "AES256"],
        "KMSMasterKeyID": KEY_OF_THE_STACK,
    }
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    [forget] = bucket["LifecycleConfiguration"]["Rules"]
    assert (forget["Status"], forget["ExpirationInDays"]) == ("Enabled", 7)
    assert forget["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 2}
    [policy] = of_type("AWS::S3::BucketPolicy").values()
    assert RESOURCES["FilesBucketPolicy"]["Condition"] == "SpeaksTls"
    [statement] = policy["PolicyDocument"]["Statement"]
    assert (policy["Bucket"], statement["Effect"]) == (name, "Deny")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    variables = yaml.load(TEXT, _Loader)["Globals"]["Function"]["Environment"]["Variables"]
    assert variables["APP_FILES_BUCKET"] == name


def test_misspelt_property_fails_the_check(tmp_path: Path) -> None:
    """The emulator takes any name. Asked about one queue of the template, which is quick."""
    head = TEXT[: TEXT.index("Resources:\n")]
    queue = TEXT[TEXT.index("  WebhookQueue:\n") : TEXT.index("      RedrivePolicy:\n")]
    file = tmp_path / "template.yaml"
    file.write_text(f"{head}Resources:\n{queue.replace('VisibilityTimeout', 'VisibilityTimeOut')}")
    lint = Path(sys.executable).with_name("cfn-lint")
    done = subprocess.run([lint, "--", file], capture_output=True, text=True, check=False)
    assert done.returncode
    assert "E3002" in done.stdout
    assert "'VisibilityTimeOut' was unexpected" in done.stdout


OF_DAYS = ("due", "guide-due", "birthday")


def test_every_index_but_those_of_days_may_be_queried_by_the_api() -> None:
    granted = [
        one
        for statement in statements_of("GraphqlRole")
        if "dynamodb:Query" in listed(statement["Action"])
        for one in listed(statement["Resource"])
    ]
    indexes = [
        f"${{{name}.Arn}}/index/{index['IndexName']}"
        for name, table in of_type(TABLE).items()
        for index in table.get("GlobalSecondaryIndexes", [])
    ]
    of_days = [index for index in indexes if index.endswith(tuple(f"/{n}" for n in OF_DAYS))]
    assert [index for index in indexes if index not in granted] == of_days
    assert len(of_days) >= 6


def granted(role: str, action: str) -> set[str]:
    """The tables, indexes and files that a role may do something to."""
    found = [s for s in statements_of(role) if action in listed(s["Action"])]
    return {one for statement in found for one in listed(statement["Resource"])}


@pytest.mark.parametrize("action", ["dynamodb:BatchGetItem", "dynamodb:Query"])
def test_who_asks_in_the_background_reads_what_the_api_reads(action: str) -> None:
    keys_of_mutations = {"RequestsTable.Arn"}
    asked = granted("GraphqlRole", action) - keys_of_mutations
    assert granted("BulkStepsRole", action) == asked


def test_checkouts_that_are_over_may_be_looked_for() -> None:
    assert "CheckoutTable.Arn" in granted("GraphqlRole", "dynamodb:Query")


def test_every_table_that_holds_a_person_may_be_exported_and_forgotten() -> None:
    role = str(of_type("AWS::IAM::Role")["PrivacyJobsRole"])
    tables = {model.Meta.table_name for part in PARTS for model in part.holds}
    nouns = {name.removeprefix(settings().table_prefix).title() for name in tables}
    assert [noun for noun in sorted(nouns) if f"{noun}Table" not in role] == []


def test_functions_and_the_machine_take_their_roles_and_nobody_else() -> None:
    for name, role in of_type("AWS::IAM::Role").items():
        [trust] = role["AssumeRolePolicyDocument"]["Statement"]
        service = "states" if name in MACHINE_ROLES else "lambda"
        assert trust["Principal"] == {"Service": f"{service}.amazonaws.com"}


def test_pieces_of_a_run_are_handed_out_and_tried_again() -> None:
    [machine] = of_type("AWS::StepFunctions::StateMachine").values()
    states = machine["Definition"]["States"]
    assert states["Pieces"]["ItemProcessor"]["ProcessorConfig"]["Mode"] == "DISTRIBUTED"
    tasks = [s for s in states.values() if s["Type"] == "Task"]
    tasks += states["Pieces"]["ItemProcessor"]["States"].values()
    assert {task["Resource"] for task in tasks} == {"${Worker}"}
    assert all(task["Retry"][0]["MaxAttempts"] == 6 for task in tasks)
    assert states["Pieces"]["Catch"][0]["Next"] == "NoteFailure"
    assert watched("ExecutionsFailed") == {"RebuildMachine"}


def test_no_partition_or_host_is_written_down() -> None:
    assert "arn:aws:" not in TEXT
    assert "arn:aws-cn:" not in TEXT
    assert set(re.findall(r"[\w.-]+\.amazonaws\.com", TEXT)) == {
        "apigateway.amazonaws.com",
        "lambda.amazonaws.com",
        "states.amazonaws.com",
    }


def events(kind: str) -> list[tuple[str, dict[str, Any]]]:
    """The functions that an event of this kind calls, with what it says."""
    return [
        (name, event["Properties"])
        for name, function in of_type(FUNCTION).items()
        for event in function.get("Events", {}).values()
        if event["Type"] == kind
    ]


def test_what_fails_again_and_again_is_kept() -> None:
    queues = of_type("AWS::SQS::Queue")
    for _, source in [*events("DynamoDB"), *events("SQS")]:
        assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    for _, source in events("DynamoDB"):
        failed = source["DestinationConfig"]["OnFailure"]["Destination"]
        assert failed.removesuffix(".Arn") in queues
    for _, source in events("SQS"):
        redrive = queues[source["Queue"].removesuffix(".Arn")]["RedrivePolicy"]
        assert redrive["deadLetterTargetArn"].removesuffix(".Arn") in queues
    for _, schedule in events("ScheduleV2"):
        assert schedule["DeadLetterConfig"]["Arn"].removesuffix(".Arn") in queues
    for queue in queues.values():
        assert queue["SqsManagedSseEnabled"] == ["MakesKey", False, True]
        assert queue["KmsMasterKeyId"] == KEY_OF_THE_STACK
        assert queue["MessageRetentionPeriod"] == 14 * 24 * 3600


def test_message_stays_hidden_for_longer_than_its_function_may_take() -> None:
    functions, queues = of_type(FUNCTION), of_type("AWS::SQS::Queue")
    for name, source in events("SQS"):
        hidden = queues[source["Queue"].removesuffix(".Arn")]["VisibilityTimeout"]
        assert hidden >= 6 * functions[name]["Timeout"]


def test_day_begins_five_minutes_after_midnight_where_the_chain_is() -> None:
    schedule = dict(events("ScheduleV2"))["RecomputePlanFunction"]
    assert schedule["ScheduleExpression"] == "cron(5 0 * * ? *)"
    assert schedule["ScheduleExpressionTimezone"] == "Zone"


def test_vendors_are_looked_after_each_quarter_of_an_hour() -> None:
    schedule = dict(events("ScheduleV2"))["VendorReconciliationFunction"]
    assert schedule["ScheduleExpression"] == "rate(15 minutes)"


def watched(metric: str) -> set[str]:
    """The functions or queues that an alarm on this metric watches."""
    alarms = [a for a in of_type("AWS::CloudWatch::Alarm").values() if a["MetricName"] == metric]
    for alarm in alarms:
        assert alarm["ComparisonOperator"] == "GreaterThanThreshold"
        assert alarm["AlarmActions"][1] == ["AlarmTopicArn"]
    return {d["Value"].removesuffix(".QueueName") for a in alarms for d in a["Dimensions"]}


def test_alarms_watch_every_function_every_stream_and_every_dead_letter() -> None:
    functions = of_type(FUNCTION)
    assert watched("Errors") == set(functions)
    assert watched("IteratorAge") == {name for name, _ in events("DynamoDB")}
    queues = of_type("AWS::SQS::Queue")
    worked_on = {name for name, queue in queues.items() if "RedrivePolicy" in queue}
    assert watched("ApproximateAgeOfOldestMessage") == worked_on
    assert watched("ApproximateNumberOfMessagesVisible") == set(queues) - worked_on


def test_every_alarm_says_what_it_means_and_what_to_do() -> None:
    alarms = of_type("AWS::CloudWatch::Alarm")
    texts = {name: alarm.get("AlarmDescription", "") for name, alarm in alarms.items()}
    assert [name for name, text in texts.items() if not 150 <= len(text) <= 1024] == []
    for name, text in texts.items():
        if name.endswith("DeadLettersAlarm"):
            assert f"replay --queue {name.removesuffix('Alarm')}" in text
        for resource in re.findall(r"\b[A-Z]\w+(?:Function|Queue|DeadLetters|Errors)\b", text):
            assert resource in RESOURCES, f"{name} names {resource}"


def test_keys_stay_out_of_the_configuration() -> None:
    assert "resolve:secretsmanager" not in TEXT
    assert re.findall(r"APP_\w*KEYS", TEXT) == []


def test_gateway_passes_on_what_the_application_answers() -> None:
    from graphql_api.app import app

    answered = {
        f"{method} {route.path}"
        for route in app.routes
        if isinstance(route, Route) and not route.path.startswith("/graphiql")
        for method in (route.methods or set()) - {"HEAD"}
    }
    routes = of_type("AWS::ApiGatewayV2::Route").values()
    ours = {r["RouteKey"] for r in routes if "ApiIntegration" in str(r["Target"])}
    assert ours == answered
