"""The stream of privacy: an erasure is carried on by its own writes, to its end."""

from pathlib import Path

import boto3

from graphql_api.handlers import privacy_jobs
from graphql_api.members import repository as members
from graphql_api.privacy import repository, service
from graphql_api.privacy.models import PrivacyItem
from graphql_api.privacy.rules import JobState
from graphql_api.viewer import SYSTEM
from scripts.stream_pump import Pump
from tests.factories import CLOCK, make_member, make_store


def test_erasure_is_carried_on_by_its_own_writes(chain: str, tmp_path: Path) -> None:
    member = make_member(make_store("S1"), name="王小明")
    job = service.erase(member.id, viewer=SYSTEM, clock=CLOCK)
    pump = Pump(PrivacyItem.Meta.table_name, privacy_jobs.handler, tmp_path)
    streams = boto3.client("dynamodbstreams")
    while pump.drain(streams):
        pass
    done = repository.get_erasure(job.id)
    assert done is not None
    assert done.state is JobState.DONE
    assert members.get(member.id) is None
    assert list(tmp_path.iterdir()) == []
