"""Files that somebody fetches once by a signed link; the bucket forgets them after a week.

A key begins with the noun of the slice that writes it: `bulk/blk_….jsonl.gz`. A large file is put
in parts of at least 5 MiB (the last may be smaller); who keeps the upload's id and the tags of its
parts goes on where a killed run stopped.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from botocore.exceptions import ClientError

from graphql_api.config import settings
from graphql_api.kit import aws

SMALLEST_PART = 5 * 1024 * 1024
LONGEST_LINK = timedelta(hours=1)  # the credentials of a function, which sign it, end after a while


def put(key: str, body: bytes, *, content_type: str = "application/octet-stream") -> None:
    """Write a file, whatever was there."""
    _s3().put_object(**_at(key), Body=body, ContentType=content_type)


def get(key: str) -> bytes | None:
    """A file as it is; None where there is none."""
    try:
        body: bytes = _s3().get_object(**_at(key))["Body"].read()
    except ClientError as error:
        if _code(error) == "NoSuchKey":
            return None
        raise
    return body


def delete(key: str) -> None:
    """Remove a file; again changes nothing."""
    _s3().delete_object(**_at(key))


def link(key: str, *, name: str, lifetime: timedelta = LONGEST_LINK) -> str:
    """An address from which whoever holds it fetches the file, as `name`, for an hour at most.

    It is as good as the file: give it to who may see what is in it, and write it into no log.
    """
    if lifetime > LONGEST_LINK:
        raise ValueError("a link holds for an hour at most")
    wanted = {**_at(key), "ResponseContentDisposition": f'attachment; filename="{name}"'}
    signed: str = _s3().generate_presigned_url(
        "get_object", Params=wanted, ExpiresIn=int(lifetime.total_seconds())
    )
    return signed


# --- in parts --------------------------------------------------------------------------------


def begin(key: str, *, content_type: str = "application/octet-stream") -> str:
    """Begin a file that comes in parts; the id of the upload."""
    begun: str = _s3().create_multipart_upload(**_at(key), ContentType=content_type)["UploadId"]
    return begun


def put_part(key: str, upload: str, number: int, body: bytes) -> str:
    """Put a part, from 1; its tag. The same number again takes the place of the part."""
    tag: str = _s3().upload_part(**_at(key), UploadId=upload, PartNumber=number, Body=body)["ETag"]
    return tag


def finish(key: str, upload: str, tags: Sequence[str]) -> None:
    """Make the file of the parts with these tags, in order; again changes nothing."""
    parts = [{"PartNumber": n, "ETag": tag} for n, tag in enumerate(tags, start=1)]
    try:
        _s3().complete_multipart_upload(
            **_at(key), UploadId=upload, MultipartUpload={"Parts": parts}
        )
    except ClientError as error:
        if _code(error) != "NoSuchUpload" or not _exists(key):
            raise


def abandon(key: str, upload: str) -> None:
    """Forget the parts of a file that will not be made; again changes nothing."""
    try:
        _s3().abort_multipart_upload(**_at(key), UploadId=upload)
    except ClientError as error:
        if _code(error) != "NoSuchUpload":
            raise


def create_bucket() -> bool:
    """Make the bucket unless it is there, for laptops and tests; whether it was made."""
    name = settings().files_bucket
    try:
        _s3().head_bucket(Bucket=name)
    except ClientError:
        _s3().create_bucket(Bucket=name)
        return True
    return False


def _exists(key: str) -> bool:
    try:
        _s3().head_object(**_at(key))
    except ClientError as error:
        if _code(error) == "404":
            return False
        raise
    return True


def _at(key: str) -> dict[str, str]:
    return {"Bucket": settings().files_bucket, "Key": key}


def _code(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])


def _s3() -> Any:
    return aws.client("s3")
