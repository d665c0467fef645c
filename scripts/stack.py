"""The packaged stack in the embedded AWS: what `make deploy` sends to the cloud, on this machine.

    python scripts/stack.py

DATA_DIR (.dev-stack) holds its state. Stop it with Ctrl-C.
"""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3

from graphql_api.kit.dynamo import reset_connections
from scripts import deploy, emulator, local, package, stand_ins
from scripts.deploy import Stack
from scripts.processes import EngineError, Progress, Running, say
from scripts.simulator import laptops
from scripts.simulator.server import Simulator

# API Gateway's requests carry no signature: they belong to the account of whoever has none.
ACCOUNT = "000000000000"
STAGE = "local"
DATA_DIR = ".dev-stack"
FIRST_OPERATOR = "ZhangZong"


@dataclass(frozen=True, slots=True)
class LocalStack:
    """A stack that answers, and the engine that it runs in."""

    running: Running
    stack: Stack
    outputs: dict[str, str]
    vendors: Simulator

    @property
    def url(self) -> str:
        """Where the API is: POST GraphQL to its /graphql."""
        api_id = self.outputs["ApiUrl"].partition("//")[2].partition(".")[0]
        return f"{self.running.url}/_aws/execute-api/{api_id}/$default"

    def physical(self, logical_id: str) -> str:
        """What a resource of the template is called here."""
        found = self.stack.client.describe_stack_resource(
            StackName=self.stack.name, LogicalResourceId=logical_id
        )
        named: str = found["StackResourceDetail"]["PhysicalResourceId"]
        return named


@contextmanager
def deployed(
    data_dir: Path, *, persist: bool, enforce_rights: bool = False, progress: Progress = say
) -> Iterator[LocalStack]:
    """Package for this machine, deploy into an emulator on the data directory, and serve."""
    progress("Packaging.")
    zipped = package.build(*package.here(), local=True)
    emulator.ensure_environment(progress)
    options: Any = {"persist": persist, "enforce_rights": enforce_rights, "progress": progress}
    with (
        emulator.start(data_dir, **options) as running,
        stand_ins.serve() as people,
        laptops.serve() as vendors,
    ):
        _point_at(running.url)
        stack = Stack.of(STAGE)
        parameters = _parameters(zipped.arch, people.url, vendors.url)
        outputs = deploy.up(stack, zipped.file, zipped.python, parameters)
        yield LocalStack(running, stack, outputs, vendors)


def _point_at(url: str) -> None:
    local.point_at(url)
    os.environ["AWS_ACCESS_KEY_ID"] = ACCOUNT
    boto3.setup_default_session()
    reset_connections()


def _parameters(arch: str, people: str, vendors: str) -> dict[str, str]:
    return {
        "Stage": STAGE,
        "Arch": arch,
        "SecretsArn": _secret(),
        "FirstOperator": FIRST_OPERATOR,
        "TrustedRoles": "",  # there is no manifest here yet
        "WechatAppId": stand_ins.APP_ID,
        "WecomCorpId": stand_ins.CORP_ID,
        "WechatBaseUrl": people,
        "WecomBaseUrl": people,
        "YouzanBaseUrl": vendors,
        "WeimobBaseUrl": vendors,
    }


def _secret() -> str:
    """The stage's secret, made at the first time, with what opens the stand-ins."""
    client = boto3.client("secretsmanager")
    apps = {laptops.CLIENT_ID: laptops.SECRET}
    more: dict[str, Any] = {
        "wechat_app_secret": stand_ins.SECRET,
        "wecom_app_secret": stand_ins.SECRET,
        "wecom_callback_token": stand_ins.CALLBACK_TOKEN,
        "wecom_callback_key": stand_ins.CALLBACK_KEY,
        "youzan_apps": apps,
        "weimob_apps": apps,
    }
    try:
        return deploy.make_secret(STAGE, datetime.now(UTC), more)
    except deploy.DeployError:
        found: str = client.describe_secret(SecretId=deploy.secret_name(STAGE))["ARN"]
        return found


def main() -> int:
    """Serve until Ctrl-C."""
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    data_dir = Path(os.environ.get("DATA_DIR") or DATA_DIR)
    try:
        with deployed(data_dir, persist=True) as served:
            say(f"The stack {served.stack.name} answers: POST {served.url}/graphql")
            say(f"Log in as headquarters: staffLoginWithWeCom(code: {FIRST_OPERATOR!r}).")
            stop.wait()
    except (EngineError, deploy.DeployError, package.PackageError) as error:
        say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
