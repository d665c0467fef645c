"""Queries and mutations of codes."""

from typing import Annotated

import strawberry

from graphql_api.codes import models, repository, rules, service
from graphql_api.codes.types import ScanCode
from graphql_api.connectors.wechat import pictures
from graphql_api.context import Info
from graphql_api.errors import NotFound
from graphql_api.guides import repository as guides
from graphql_api.guides.rules import visible as visible_guide
from graphql_api.kit.graphql import (
    Connection,
    UserError,
    changed_field,
    command,
    errors_field,
    mutation,
    paged,
)
from graphql_api.kit.graphql.arguments import INPUT, After, First, Id, Reverse
from graphql_api.kit.time import real_now
from graphql_api.permissions import CODE_FIELD, CODE_WRITE

GuideId = Annotated[
    strawberry.ID | None, strawberry.argument(description="The codes of this guide. 导购 ID")
]
StoreId = Annotated[
    strawberry.ID | None,
    strawberry.argument(description="The codes of this store that name no guide. 门店 ID"),
]


@strawberry.type
class CodeQueries:
    """Root fields of this slice."""

    @strawberry.field(
        description="One code; null where there is none that you may see. 活码",
        graphql_type=ScanCode | None,
        metadata={"rule": CODE_FIELD},
    )
    async def scan_code(self, info: Info, id: Id) -> models.Code | None:
        """By id."""
        code: models.Code | None = await info.context.load(repository.get_many, id)
        return rules.visible(info.context.viewer, code) if code else None

    @strawberry.field(
        description=(
            "Codes by time: of a guide, of a store, or those of the whole chain. 活码列表"
        ),
        graphql_type=Connection[ScanCode],
        metadata={"rule": CODE_FIELD},
    )
    async def scan_codes(
        self,
        info: Info,
        guide_id: GuideId = None,
        store_id: StoreId = None,
        first: First = 20,
        after: After = None,
        reverse: Reverse = False,
    ) -> object:
        """Those of one list."""
        viewer = info.context.viewer
        if guide_id is not None:
            guide = await info.context.load(guides.get_many, guide_id)
            if guide is None or visible_guide(viewer, guide) is None:
                raise NotFound("There is no such guide", field=("guideId",))
        elif store_id is not None and not viewer.reaches_store(store_id):
            raise NotFound("There is no such store", field=("storeId",))
        return await paged(
            info.context,
            repository.page_of_codes,
            models.list_key(store_id, guide_id),
            first=first,
            after=after,
            reverse=reverse,
            visible=rules.visible,
        )


@strawberry.input(
    description="What a code stands for: a guide, a store, a campaign, or a campaign at one of the"
    " two. A guide who names none gets their own. 新建活码"
)
class ScanCodeCreateInput:
    """See service.CodeCreate."""

    guide_id: strawberry.ID | None = strawberry.field(
        default=None, description="Whose code it is; who scans it joins their store. 导购 ID"
    )
    store_id: strawberry.ID | None = strawberry.field(
        default=None, description="The store to join; not beside a guide. 门店 ID"
    )
    campaign_id: strawberry.ID | None = strawberry.field(
        default=None, description="The campaign that it is for. 活动 ID"
    )


@strawberry.type(description="What became of a code. 活码操作结果")
class ScanCodePayload:
    """The code, or why not."""

    scan_code: ScanCode | None = changed_field("As it is now; null when refused. 活码")
    user_errors: list[UserError] = errors_field()


@strawberry.type
class CodeMutations:
    """Commands of this slice."""

    @mutation(
        ScanCodePayload,
        rule=CODE_WRITE,
        description="The code of a target; the same target has the same code. 新建活码",
    )
    def scan_code_create(
        self, info: Info, input: Annotated[ScanCodeCreateInput, INPUT]
    ) -> models.Code:
        """See service.create."""
        new = command(service.CodeCreate, input)
        return service.create(new, viewer=info.context.viewer, clock=info.context.clock)

    @mutation(
        ScanCodePayload,
        rule=CODE_WRITE,
        description="Have WeChat draw the picture, unless it is there. 生成小程序码",
    )
    def scan_code_draw(self, info: Info, id: Id) -> models.Code:
        """See service.draw."""
        return service.draw(id, draw=pictures.draw, viewer=info.context.viewer, at=real_now())

    @mutation(
        ScanCodePayload,
        rule=CODE_WRITE,
        description="Have a code lead nowhere; making it again wakes it. 停用活码",
    )
    def scan_code_retire(self, info: Info, id: Id) -> models.Code:
        """See service.retire."""
        return service.retire(id, viewer=info.context.viewer, clock=info.context.clock)
