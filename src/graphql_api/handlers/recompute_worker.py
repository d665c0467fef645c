"""The work of a day, a piece to a message: most kinds by shard, campaigns in one."""

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from typing import Any

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from graphql_api.benefits import tasks as benefits
from graphql_api.campaigns import tasks as campaigns
from graphql_api.commissions import tasks as commissions
from graphql_api.config import settings
from graphql_api.coupons import tasks as coupons
from graphql_api.coupons.models import SHARDS as COUPON_SHARDS
from graphql_api.kit import aws
from graphql_api.kit.time import Clock, start_of
from graphql_api.members.models import GUIDE_DUE_SHARDS
from graphql_api.observability import batches, count, invocation, logger
from graphql_api.ownership import tasks as ownership
from graphql_api.points import tasks as points
from graphql_api.standing import tasks as standing
from graphql_api.stores import service as stores
from graphql_api.tags import tasks as tags
from graphql_api.tags.models import SHARDS as TAG_SHARDS

SECONDS = 600.0  # the function has 900
Piece = dict[str, str]
Work = Callable[[Piece, Clock], Piece | None]


def pieces(as_of: date) -> list[Piece]:
    """Everything that a day asks for: what runs out first, for standings may hang on it."""
    found = [{"work": "tags", "shard": shard} for shard in TAG_SHARDS]
    found += [{"work": "ownership", "shard": shard} for shard in GUIDE_DUE_SHARDS]
    found += [{"work": "coupons", "shard": shard} for shard in COUPON_SHARDS]
    found += [{"work": "campaigns"}]
    found += [{"work": "points-activate", "shard": shard} for shard in points.SHARDS]
    found += [{"work": "standing", "shard": shard} for shard in standing.SHARDS]
    found += [{"work": "points-expire", "shard": shard} for shard in points.SHARDS]
    found += [{"work": "commissions", "shard": shard} for shard in commissions.SHARDS]
    found += [{"work": "birthdays", "shard": shard} for shard in benefits.SHARDS]
    return [{**piece, "as_of": as_of.isoformat()} for piece in found]


def do(piece: Piece, clock: Clock) -> Piece | None:
    """Do a piece of work; what is left of it, where it would take too long."""
    return _WORK[piece["work"]](piece, clock)


def _tags(piece: Piece, clock: Clock) -> None:
    tags.expire_shard(piece["shard"], _day(piece), clock=clock)


def _ownership(piece: Piece, clock: Clock) -> None:
    ownership.expire_shard(piece["shard"], _day(piece), clock=clock)


def _coupons(piece: Piece, clock: Clock) -> None:
    coupons.expire_shard(piece["shard"], _day(piece), clock=clock)


def _campaigns(piece: Piece, clock: Clock) -> None:
    campaigns.move_due(max(clock.now(), start_of(_day(piece), clock.zone)), clock=clock)


def _standing(piece: Piece, clock: Clock) -> Piece | None:
    report = standing.run_shard(
        piece["shard"], _day(piece), clock=clock, after=piece.get("after"), seconds=SECONDS
    )
    if report.members:
        count("DECIDED", report.members)
        count("DECIDED_ANEW", report.changed)
        count("NOT_DECIDED", report.failed)
        logger.info(
            "shard decided on",
            as_of=piece["as_of"],
            shard=piece["shard"],
            members=report.members,
            changed=report.changed,
            failed=report.failed,
        )
    return {**piece, "after": report.after} if report.more and report.after else None


def _points_activate(piece: Piece, clock: Clock) -> Piece | None:
    return _points(piece, clock, expiring=False)


def _points_expire(piece: Piece, clock: Clock) -> Piece | None:
    return _points(piece, clock, expiring=True)


def _points(piece: Piece, clock: Clock, *, expiring: bool) -> Piece | None:
    report = points.run_shard(
        piece["shard"],
        _day(piece),
        clock=clock,
        expiring=expiring,
        after=piece.get("after"),
        seconds=SECONDS,
    )
    return {**piece, "after": report.after} if report.more and report.after else None


def _commissions(piece: Piece, _clock: Clock) -> Piece | None:
    done = commissions.settle_shard(
        piece["shard"], _day(piece), after=piece.get("after"), seconds=SECONDS
    )
    if done.orders:
        logger.info("commissions settled", as_of=piece["as_of"], orders=done.orders)
    return {**piece, "after": done.after} if done.more and done.after else None


def _birthdays(piece: Piece, clock: Clock) -> None:
    report = benefits.give_shard(piece["shard"], _day(piece), clock=clock)
    if report != benefits.Report():
        logger.info("birthday gifts", as_of=piece["as_of"], shard=piece["shard"], **asdict(report))
    if report.left:
        raise RuntimeError(f"{report.left} members were busy")


_WORK: dict[str, Work] = {
    "birthdays": _birthdays,
    "tags": _tags,
    "ownership": _ownership,
    "coupons": _coupons,
    "campaigns": _campaigns,
    "points-activate": _points_activate,
    "points-expire": _points_expire,
    "commissions": _commissions,
    "standing": _standing,
}


def _day(piece: Piece) -> date:
    return date.fromisoformat(piece["as_of"])


def follow(record: SQSRecord) -> None:
    """Do the piece of a message, and send on what is left of it."""
    left = do(json.loads(record.body), stores.clock())
    if left is not None:
        queue = settings().recompute_queue_url
        aws.client("sqs").send_message(QueueUrl=queue, MessageBody=json.dumps(left))


@invocation
def handler(event: dict[str, Any], context: Any) -> batches.Response:
    """Pieces of a day; one that fails is delivered again, and finds done what was done."""
    return batches.of_queue(event, context, follow)
