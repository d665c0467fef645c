"""Files in the bucket: whole or in parts, again or resumed, and fetched by a link that ends."""

from datetime import timedelta

import httpx
import pytest
from botocore.exceptions import ClientError

from graphql_api.kit import aws, files

pytestmark = [
    pytest.mark.engine("ministack", "DynamoDB Local keeps no files"),
    pytest.mark.usefixtures("bucket"),
]
KEY = "bulk/one.jsonl.gz"


def fetch(link: str) -> httpx.Response:
    """What anybody gets who has a link."""
    return httpx.get(link, trust_env=False)


def test_bucket_that_is_there_is_left_alone() -> None:
    files.put(KEY, b"1")
    assert not files.create_bucket()
    assert files.get(KEY) == b"1"


def test_file_is_written_over_read_and_removed() -> None:
    assert files.get(KEY) is None
    files.put(KEY, b"1")
    files.put(KEY, b"2")
    assert files.get(KEY) == b"2"
    files.delete(KEY)
    files.delete(KEY)
    assert files.get(KEY) is None


def test_link_gives_the_file_to_whoever_has_it_under_its_name() -> None:
    files.put(KEY, b"whole", content_type="application/gzip")
    got = fetch(files.link(KEY, name="members.jsonl.gz"))
    assert (got.status_code, got.content) == (200, b"whole")
    assert got.headers["content-disposition"] == 'attachment; filename="members.jsonl.gz"'
    assert got.headers["content-type"] == "application/gzip"


def test_link_is_good_for_its_file_only() -> None:
    files.put(KEY, b"mine")
    files.put("bulk/two.jsonl.gz", b"another's")
    link = files.link(KEY, name="x")
    assert fetch(link.replace("one.jsonl", "two.jsonl")).status_code == 403
    assert fetch(link.partition("?")[0]).content != b"mine"


def test_link_says_when_it_ends_and_holds_for_an_hour_at_most() -> None:
    link = httpx.URL(files.link(KEY, name="x", lifetime=timedelta(minutes=10)))
    assert link.params["X-Amz-Expires"] == "600"
    with pytest.raises(ValueError, match="an hour"):
        files.link(KEY, name="x", lifetime=timedelta(hours=2))


def test_upload_goes_on_where_it_stopped() -> None:
    large = bytes(files.SMALLEST_PART)
    upload = files.begin(KEY)
    tags = [files.put_part(KEY, upload, 1, large)]
    files.put_part(KEY, upload, 2, b"not noted before the run was killed")
    tags.append(files.put_part(KEY, upload, 2, b"end"))
    files.finish(KEY, upload, tags)
    assert files.get(KEY) == large + b"end"
    files.finish(KEY, upload, tags)
    assert files.get(KEY) == large + b"end"


def test_upload_that_never_was_is_not_finished() -> None:
    upload = files.begin(KEY)
    tag = files.put_part(KEY, upload, 1, b"1")
    files.abandon(KEY, upload)
    files.abandon(KEY, upload)
    with pytest.raises(ClientError):
        files.finish(KEY, upload, [tag])
    assert files.get(KEY) is None


def test_clients_are_shared_until_they_are_forgotten() -> None:
    first = aws.client("s3")
    assert aws.client("s3") is first
    aws.forget_clients()
    assert aws.client("s3") is not first
