"""Clients of AWS services other than DynamoDB, made on first use and shared by the process."""

from functools import cache
from threading import Lock
from typing import Any

import botocore.config
import botocore.session

_lock = Lock()


def client(service: str) -> Any:
    """The process's client of a service; thread-safe. The engine's address holds for it too."""
    with _lock:
        return _made(service)


@cache
def _made(service: str) -> Any:
    session = botocore.session.get_session()  # boto3 would only slow a cold start
    region = session.get_config_variable("region") or "us-east-1"
    config = botocore.config.Config(
        connect_timeout=3,
        read_timeout=30,
        retries={"total_max_attempts": 4, "mode": "standard"},
        signature_version="s3v4" if service == "s3" else None,
    )
    return session.create_client(service, region, config=config)


def forget_clients() -> None:
    """Have the next call read endpoint and credentials again."""
    with _lock:
        _made.cache_clear()
