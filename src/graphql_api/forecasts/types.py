"""Forecasts, as clients see them."""

from datetime import date

import strawberry

from graphql_api.forecasts.rules import ForecastPart
from graphql_api.kit.graphql import field
from graphql_api.kit.graphql.access import INHERITED
from graphql_api.kit.graphql.enums import describe_enum

describe_enum(
    ForecastPart,
    description="What a forecast is of. 预测项",
    values={
        "TIER": "The tier. 等级",
        "LIFECYCLE": "The lifecycle. 生命周期",
    },
)


@strawberry.type(description="So many members whom time moves on a day. 预计状态变更")
class ForecastTransition:
    """Shows rules.Transition."""

    on: date = field(rule=INHERITED, description="From which business day on. 生效日")
    part: ForecastPart = field(rule=INHERITED, description="Of which part. 预测项")
    to: str = field(
        rule=INHERITED, description="What it becomes: a tier, or a lifecycle state. 变更后"
    )
    members: int = field(rule=INHERITED, description="How many. 人数")
