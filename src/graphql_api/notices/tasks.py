"""From what WeChat pushes to quotas."""

from graphql_api.connectors.wechat.pushes import Event, Push
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.members import service as members
from graphql_api.members.rules import IdentityKind
from graphql_api.members.service import NewIdentity
from graphql_api.notices import repository, rules
from graphql_api.notices.rules import NoticeAnswer
from graphql_api.observability import count


def follow(text: str) -> None:
    """One push, as JSON; again changes nothing.

    Who turned a template off in WeChat's settings has no messages left. What the mini-program asked
    its client reports itself, and is not counted twice. What did not arrive is counted for us.
    """
    push = Push.model_validate_json(text)
    if push.event is Event.SENT:
        count("NOTICE_NOT_ARRIVED", sum(1 for one in push.templates if one.errcode))
    if push.event is not Event.CHANGED:
        return
    identity = NewIdentity(kind=IdentityKind.OPENID, value=push.open_id)
    member_id = members.find([identity])
    off = [one.template_id for one in push.templates if one.is_accepted is False]
    if member_id is not None and off:
        _turn_off(member_id, off)


def _turn_off(member_id: str, template_ids: list[str]) -> None:
    def attempt(tx: Transaction) -> None:
        for quota in repository.get_quotas(member_id, template_ids):
            if quota.left:
                quota.known = rules.answered(quota.known, NoticeAnswer.BAN)
                repository.save_quota(tx, quota)

    transact(attempt)
