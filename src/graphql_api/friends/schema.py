"""Queries and mutations of friends."""

from typing import Annotated

import strawberry

from graphql_api.context import Info
from graphql_api.errors import NotFound
from graphql_api.friends import models, repository, rules, service, tag_links, transfers, ways
from graphql_api.friends.types import (
    ContactWay,
    CorpTagLink,
    Friend,
    FriendTransfer,
    FriendWelcome,
    visible_transfer,
)
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
from graphql_api.permissions import (
    CODE_WRITE,
    CORP_TAG_FIELD,
    CORP_TAG_WRITE,
    FRIEND_FIELD,
    FRIEND_WRITE,
    TRANSFER_FIELD,
)
from graphql_api.viewer import Role

GuideId = Annotated[strawberry.ID, strawberry.argument(description="Whose friends. 导购 ID")]
CodeId = Annotated[strawberry.ID, strawberry.argument(description="Of which code. 活码 ID")]
StoreId = Annotated[
    strawberry.ID | None,
    strawberry.argument(description="Of this store; of the chain by default. 门店 ID"),
]


@strawberry.type
class FriendQueries:
    """Root fields of this slice."""

    @strawberry.field(
        description="The friends of a guide in WeCom by time, lost ones too. 导购的企微好友",
        graphql_type=Connection[Friend],
        metadata={"rule": FRIEND_FIELD},
    )
    async def friends(
        self,
        info: Info,
        guide_id: GuideId,
        first: First = 20,
        after: After = None,
        reverse: Reverse = False,
    ) -> object:
        """A guide asks for their own."""
        viewer = info.context.viewer
        guide = await info.context.load(guides.get_many, guide_id)
        is_another = viewer.role is Role.GUIDE and guide_id != viewer.id
        if guide is None or is_another or visible_guide(viewer, guide) is None:
            raise NotFound("There is no such guide", field=("guideId",))
        return await paged(
            info.context,
            repository.page_of_user,
            guide.wecom_user_id,
            first=first,
            after=after,
            reverse=reverse,
            visible=rules.visible,
        )

    @strawberry.field(
        description="What new friends of a store's guides are told, or of all. 欢迎语",
        graphql_type=FriendWelcome | None,
        metadata={"rule": FRIEND_FIELD},
    )
    async def friend_welcome(self, info: Info, store_id: StoreId = None) -> models.Welcome | None:
        """What was set there itself."""
        if store_id is not None and not info.context.viewer.reaches_store(store_id):
            raise NotFound("There is no such store", field=("storeId",))
        key = models.welcome_key(store_id)
        found: models.Welcome | None = await info.context.load(repository.welcomes, key)
        return found

    @strawberry.field(
        description="One hand-over of friends; null where there is none that you may see. 客户继承",
        graphql_type=FriendTransfer | None,
        metadata={"rule": TRANSFER_FIELD},
    )
    async def friend_transfer(self, info: Info, id: Id) -> models.Transfer | None:
        """By id."""
        found: models.Transfer | None = await info.context.load(repository.get_transfers, id)
        return visible_transfer(info.context.viewer, found) if found else None

    @strawberry.field(
        description="The hand-overs of a guide's friends by time. 导购的客户继承列表",
        graphql_type=Connection[FriendTransfer],
        metadata={"rule": TRANSFER_FIELD},
    )
    async def friend_transfers(
        self,
        info: Info,
        guide_id: GuideId,
        first: First = 20,
        after: After = None,
        reverse: Reverse = False,
    ) -> object:
        """Of a guide who left, too."""
        viewer = info.context.viewer
        guide = await info.context.load(guides.get_many, guide_id)
        if guide is None or visible_guide(viewer, guide) is None:
            raise NotFound("There is no such guide", field=("guideId",))
        return await paged(
            info.context,
            repository.page_of_transfers,
            guide.wecom_user_id,
            first=first,
            after=after,
            reverse=reverse,
            visible=visible_transfer,
        )

    @strawberry.field(
        description="The tags that go both ways between here and WeCom. 企业标签对应关系",
        graphql_type=list[CorpTagLink],
        metadata={"rule": CORP_TAG_FIELD},
    )
    async def tag_corp_links(self, info: Info) -> list[models.CorpTagLink]:
        """All of them, at most some thousands."""
        found: list[models.CorpTagLink] = await info.context.run(repository.corp_links)
        return found


@strawberry.input(description="A tag here and its counterpart in WeCom. 关联企业标签")
class TagCorpLinkSetInput:
    """See tag_links.LinkSet."""

    tag_id: strawberry.ID = strawberry.field(description="The tag here. 标签 ID")
    corp_tag_id: strawberry.ID = strawberry.field(description="The id in WeCom. 企业标签 ID")


@strawberry.input(description="Which link ends. 取消关联企业标签")
class TagCorpLinkRemoveInput:
    """See tag_links.LinkRemove."""

    corp_tag_id: strawberry.ID = strawberry.field(description="The id in WeCom. 企业标签 ID")


@strawberry.input(description="Link the tags of a group by their names. 按名称关联企业标签")
class TagCorpLinksPullInput:
    """See tag_links.LinksPull."""

    group_id: strawberry.ID = strawberry.field(description="The group here. 标签组 ID")
    create_missing: bool = strawberry.field(
        default=False, description="Make those that WeCom has not. 是否新建缺少的标签"
    )


@strawberry.type(description="What became of a link. 关联企业标签结果")
class CorpTagLinkPayload:
    """The link, or why not."""

    link: CorpTagLink | None = changed_field("As it is, or was; null when refused. 对应关系")
    user_errors: list[UserError] = errors_field()


@strawberry.type(description="What became of links by name. 按名称关联结果")
class CorpTagPayload:
    """The new links, or why not."""

    links: list[CorpTagLink] | None = changed_field("The new ones; null when refused. 对应关系")
    user_errors: list[UserError] = errors_field()


@strawberry.input(description="Whose friends go to whom. 发起客户继承")
class FriendTransferStartInput:
    """See transfers.TransferStart."""

    from_guide_id: strawberry.ID = strawberry.field(
        description="Whose friends: at work, or left within a year. 原跟进导购 ID"
    )
    to_guide_id: strawberry.ID = strawberry.field(
        description="A guide at work who takes them. 接替导购 ID"
    )
    message: str | None = strawberry.field(
        default=None,
        description="What the customers of a guide at work are told, 200 characters. 转移提示语",
    )


@strawberry.type(description="What became of a hand-over of friends. 客户继承操作结果")
class FriendTransferPayload:
    """The hand-over, or why not."""

    transfer: FriendTransfer | None = changed_field("As it is now; null when refused. 客户继承")
    user_errors: list[UserError] = errors_field()


@strawberry.input(description="What new friends are told. 设置欢迎语")
class FriendWelcomeSetInput:
    """See service.WelcomeSet."""

    store_id: strawberry.ID | None = strawberry.field(
        default=None, description="For the friends of this store's guides; else of all. 门店 ID"
    )
    text: str = strawberry.field(
        description="At most 3,800 bytes in UTF-8; `{guide}` and `{store}` stand for names. 文本"
    )
    link_title: str | None = strawberry.field(
        default=None, description="The title of a link, with its address. 链接标题"
    )
    link_url: str | None = strawberry.field(
        default=None, description="An https address that comes along. 链接地址"
    )


@strawberry.input(description="Which welcome is to go. 删除欢迎语")
class FriendWelcomeRemoveInput:
    """See service.WelcomeRemove."""

    store_id: strawberry.ID | None = strawberry.field(
        default=None, description="That of this store; else that of the chain. 门店 ID"
    )


@strawberry.type(description="What became of a contact way. 联系我操作结果")
class ContactWayPayload:
    """The way, or why not."""

    contact_way: ContactWay | None = changed_field("As it is now; null when refused. 联系我")
    user_errors: list[UserError] = errors_field()


@strawberry.type(description="What became of a welcome. 欢迎语操作结果")
class FriendWelcomePayload:
    """The welcome, or why not."""

    welcome: FriendWelcome | None = changed_field("As it is now; null when refused. 欢迎语")
    user_errors: list[UserError] = errors_field()


@strawberry.type(description="What became of a welcome that is to go. 删除欢迎语结果")
class WelcomePayload:
    """Whether there was one, or why not."""

    removed: bool | None = changed_field("Whether there was one; null when refused. 是否删除")
    user_errors: list[UserError] = errors_field()


@strawberry.type
class FriendMutations:
    """Commands of this slice."""

    @mutation(
        ContactWayPayload,
        rule=CODE_WRITE,
        description=(
            "The contact way of a code of a guide or a store: made once in WeCom, with the scene as"
            " its State, and led to the guides at work each day. 生成联系我"
        ),
    )
    def scan_code_contact_way_create(self, info: Info, id: CodeId) -> models.ContactWay:
        """See ways.make."""
        return ways.make(id, viewer=info.context.viewer, at=real_now())

    @mutation(
        CorpTagLinkPayload,
        rule=CORP_TAG_WRITE,
        description=(
            "Have a tag go both ways between here and WeCom from now on: with the next change of a"
            " member's tags, or of a customer's. 关联企业标签"
        ),
    )
    def tag_corp_link_set(
        self, info: Info, input: Annotated[TagCorpLinkSetInput, INPUT]
    ) -> models.CorpTagLink:
        """See tag_links.set_link."""
        given = command(tag_links.LinkSet, input)
        return tag_links.set_link(given, viewer=info.context.viewer, at=real_now())

    @mutation(
        CorpTagLinkPayload,
        rule=CORP_TAG_WRITE,
        description="End a link; who has the tag keeps it on either side. 取消关联企业标签",
    )
    def tag_corp_link_remove(
        self, info: Info, input: Annotated[TagCorpLinkRemoveInput, INPUT]
    ) -> models.CorpTagLink:
        """See tag_links.remove_link."""
        given = command(tag_links.LinkRemove, input)
        return tag_links.remove_link(given, viewer=info.context.viewer)

    @mutation(
        CorpTagPayload,
        rule=CORP_TAG_WRITE,
        description="Link a group's tags with those called alike in WeCom. 按名称关联企业标签",
    )
    def tag_corp_links_pull(
        self, info: Info, input: Annotated[TagCorpLinksPullInput, INPUT]
    ) -> list[models.CorpTagLink]:
        """See tag_links.pull_links."""
        given = command(tag_links.LinksPull, input)
        return tag_links.pull_links(given, viewer=info.context.viewer, at=real_now())

    @mutation(
        FriendTransferPayload,
        rule=FRIEND_WRITE,
        description=(
            "Hand all friends of a guide over to another in WeCom, in the background, with"
            " progress: it takes a day, and customers may refuse. Owners of members are handed"
            " over by `handOverCreate`. 发起客户继承"
        ),
    )
    def friend_transfer_start(
        self, info: Info, input: Annotated[FriendTransferStartInput, INPUT]
    ) -> models.Transfer:
        """See transfers.start."""
        given = command(transfers.TransferStart, input)
        return transfers.start(given, viewer=info.context.viewer, at=real_now())

    @mutation(
        FriendTransferPayload,
        rule=FRIEND_WRITE,
        description="Ask for no more friends; what WeCom has begun goes on. 停止客户继承",
    )
    def friend_transfer_cancel(self, info: Info, id: Id) -> models.Transfer:
        """See transfers.cancel."""
        return transfers.cancel(id, viewer=info.context.viewer, at=real_now())

    @mutation(
        FriendWelcomePayload,
        rule=FRIEND_WRITE,
        description=(
            "What new friends of guides are told at once, within the 20 seconds that WeCom gives:"
            " the words of the guide's store, else those of the chain. 设置欢迎语"
        ),
    )
    def friend_welcome_set(
        self, info: Info, input: Annotated[FriendWelcomeSetInput, INPUT]
    ) -> models.Welcome:
        """See service.set_welcome."""
        given = command(service.WelcomeSet, input)
        return service.set_welcome(given, viewer=info.context.viewer, at=real_now())

    @mutation(
        WelcomePayload,
        rule=FRIEND_WRITE,
        description="Take the words of a store, or of the chain, back. 删除欢迎语",
    )
    def friend_welcome_remove(
        self, info: Info, input: Annotated[FriendWelcomeRemoveInput, INPUT]
    ) -> bool:
        """See service.remove_welcome."""
        given = command(service.WelcomeRemove, input)
        return service.remove_welcome(given.store_id, viewer=info.context.viewer)
