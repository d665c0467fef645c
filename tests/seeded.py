"""A small chain with everything filled in, for documents that are run against it."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from graphql_api import auth
from graphql_api.access import tokens
from graphql_api.access.rules import ENROLMENT_LIFETIME, WeChatPerson
from graphql_api.access.service import keys, sessions
from graphql_api.benefits import service as benefits
from graphql_api.benefits.rules import JOINED, birthday
from graphql_api.bulk import service as bulk
from graphql_api.bulk.rules import BulkProblem, BulkState
from graphql_api.campaigns import models as campaign_models
from graphql_api.campaigns import repository as campaign_repository
from graphql_api.campaigns.models import Campaign, CreditRow
from graphql_api.campaigns.service import NewBudget, NewGoal
from graphql_api.checkout import service as checkout
from graphql_api.codes import service as codes
from graphql_api.codes.rules import Came
from graphql_api.commissions import tasks as commissions
from graphql_api.connectors import models as connector_models
from graphql_api.connectors import repository as connector_repository
from graphql_api.connectors import rules as vendor_rules
from graphql_api.connectors import service as connectors
from graphql_api.connectors.rules import (
    CopyKind,
    CopyState,
    Difference,
    LinkKind,
    PointsMaster,
    Vendor,
)
from graphql_api.connectors.rules import Problem as VendorProblem
from graphql_api.connectors.service import LinkSet, MasterSet, ShopLink
from graphql_api.coupons import tokens as coupon_tokens
from graphql_api.coupons.models import Coupon, CouponsItem, IssueJob, Template, TemplateCount
from graphql_api.coupons.rules import CouponKind, CouponState, IssueState, TemplateState
from graphql_api.coupons.rules import LockKind as HeldFor
from graphql_api.coupons.tokens import TokenKind
from graphql_api.documents.models import MANIFESTS, Document, DocumentsItem, Manifest, manifest_id
from graphql_api.documents.rules import ManifestState, hash_of
from graphql_api.forecasts import tasks as forecasts
from graphql_api.friends import service as friends
from graphql_api.friends.models import (
    CORP_TAGS,
    ContactWay,
    CorpTagLink,
    Handed,
    Transfer,
    corp_tag_key,
    handed_sort,
    transfers_key,
    way_id,
)
from graphql_api.friends.repository import note_made
from graphql_api.friends.rules import Event as FriendEvent
from graphql_api.friends.rules import Happened, TransferOutcome, TransferState
from graphql_api.guides.models import Guide
from graphql_api.kit.dynamo import Transaction, batch_write, transact
from graphql_api.kit.dynamo.tallies import Told
from graphql_api.kit.ids import new_id, numbered_id
from graphql_api.kit.time import Clock, real_now
from graphql_api.members import repository as members
from graphql_api.members.models import Member
from graphql_api.members.rules import (
    ConsentChannel,
    ConsentPurpose,
    Gender,
    IdentityKind,
    Origin,
    OwnershipSource,
)
from graphql_api.members.service import (
    ConsentSet,
    IdentityChange,
    NewConsent,
    NewIdentity,
    add_identity,
    set_consent,
)
from graphql_api.merges.models import Merge
from graphql_api.merges.rules import MergeSource
from graphql_api.merges.service import MembersMerge, merge
from graphql_api.notices import service as notices
from graphql_api.notices.models import Notice, notice_sort
from graphql_api.notices.rules import NoticeAnswer, NoticeState
from graphql_api.notices.service import AnswersAdd, OneAnswer, TemplateSet
from graphql_api.orders import service as orders
from graphql_api.ownership import service as ownership
from graphql_api.ownership.models import HandOver, Skipped, skip_sort
from graphql_api.ownership.rules import EndReason, HandOverFailure, HandOverState, Outcome
from graphql_api.points import service as points
from graphql_api.points.rules import Purchase
from graphql_api.policies.rules import PolicyKind
from graphql_api.privacy.models import Erasure, Export
from graphql_api.privacy.rules import JobState as JobOfPrivacy
from graphql_api.rebuilds import service as rebuilds
from graphql_api.rebuilds import tasks as rebuild_tasks
from graphql_api.sends.models import Send, Target, target_sort
from graphql_api.sends.rules import SendKind, SendOutcome, SendState
from graphql_api.standing import repository as standings
from graphql_api.standing import service as standing
from graphql_api.standing.rules import LockKind
from graphql_api.standing.service import TierLock
from graphql_api.stores import service as stores
from graphql_api.stores.models import HEADQUARTERS_ID, Store
from graphql_api.stores.rules import StoreGrade, UnitKind
from graphql_api.tags.models import Tag, TagJob, jobs_of
from graphql_api.tags.rules import JobMembers, JobState
from graphql_api.viewer import SCOPES, SYSTEM, Role, Viewer
from graphql_api.webhooks import repository as webhook_repository
from graphql_api.webhooks import service as webhooks
from graphql_api.webhooks.rules import (
    Answer,
    DeliveryState,
    EndpointState,
    Health,
    Problem,
    StopReason,
)
from graphql_api.webhooks.service import SecretRotate
from scripts.stand_ins import StandIns
from tests import snapshots
from tests.access.factories import make_account, make_key
from tests.campaigns.factories import adopt, make_campaign, make_offer, make_running, take_part
from tests.coupons.factories import (
    delayed,
    make_terms,
    prepared_coupon,
    prepared_job,
    prepared_template,
    with_pointers,
)
from tests.factories import (
    CLOCK,
    NOW,
    make_guide,
    make_identity,
    make_member,
    make_refund,
    make_snapshot,
    make_store,
    make_unit,
)
from tests.mall.factories import hand_over, make_item, redeem
from tests.policies.factories import make_draft, publish
from tests.snapshots import Snapshot
from tests.tags.factories import make_group, make_tag, set_tags
from tests.webhooks.factories import make_delivery, register

NAME = "王小明"
NICKNAME = "明明爱喝茶"
PHONE = "+8613800138000"
EXTERNAL_USER_ID = "wmAJ2GCAAAXtWyujaWJHDDGi0mAC"
NOTICE_TEMPLATE = "tmpl-points-0001"
UNION_ID = "union-1"
URL = "http://127.0.0.1:9/hook"
URL_OF_OFFER = "https://cinema.example/members"
BULK_QUERY = "{ stores { nodes { id } } }"


_OFFER = {"partner": "影院", "text": "票价九折", "validUntil": "2099-12-31"}
_GIFTS: dict[str, Any] = {f"{name}Gift": {"points": 200} for name in ("joining", "upgrade")}
_GIFTS["birthdayGift"] = {"coupons": ["ctp_" + "0" * 26]}
BENEFITS = {
    "tiers": [
        {
            "tier": f"V{n}",
            "freeShippingOver": 9_900,
            "partnerOffers": [_OFFER | {"url": URL_OF_OFFER}],
        }
        | _GIFTS
        for n in range(1, 7)
    ]
}


_GOOD_FOR = 240.0  # seconds: some of its tokens end after ten minutes
_latest: list[Snapshot] = []


@pytest.fixture
def seeded(chain: str, stand_ins: StandIns) -> dict[str, str]:
    """The ids of everything that `seed` makes, by name; it is made once for many tests."""
    if _latest and _latest[0].age < _GOOD_FOR:
        ids = snapshots.put_back(_latest[0])
        standings.forget()
        return ids
    _latest[:] = [snapshots.take(seed())]
    return dict(_latest[0].ids)


def seed() -> dict[str, str]:
    """The ids of a region with two stores, their guides, three members, and an order, by name.

    Every field of the first of each kind has a value. `member` belongs to `guide` and `store`.
    """
    publish(make_draft(PolicyKind.BENEFITS, BENEFITS))
    publish(make_draft(PolicyKind.PRICING, {"memberDay": {"days": []}}))
    new = stores.UnitCreate(
        kind=UnitKind.AGENT,
        name="华东代理",
        parent_id=HEADQUARTERS_ID,
        partner_level=1,
        partner_growth=1200,
    )
    region = stores.create_unit(new, viewer=SYSTEM, clock=CLOCK)
    empty_region = make_unit("华北")
    store = _store(region.id)
    other_store = make_store("S2")
    guide = make_guide(store, "李芳", wecom_user_id="LiFang", employed_on=date(2016, 3, 1), level=5)
    colleague = make_guide(store, "陈静", wecom_user_id="ChenJing")
    other_guide = make_guide(other_store, "赵敏", wecom_user_id="ZhaoMin")
    member = make_member(
        store,
        NewIdentity(kind=IdentityKind.PHONE, value=PHONE),
        NewIdentity(kind=IdentityKind.UNIONID, value=UNION_ID),
        NewIdentity(kind=IdentityKind.OPENID, value="openid-1"),
        guide_id=guide.id,
        name=NAME,
        nickname=NICKNAME,
        gender=Gender.MALE,
        birthday="02-29",
        birth_year=1988,
        city="上海",
        occupation="教师",
        income_band="10k-15k",
        consents=[
            NewConsent(
                purpose=ConsentPurpose.MARKETING, channel=ConsentChannel.SMS, text_version="2017-09"
            )
        ],
    )
    withdrawn = ConsentSet(
        member_id=member.id,
        purpose=ConsentPurpose.MARKETING,
        channel=ConsentChannel.SMS,
        granted=False,
        text_version="2017-09",
    )
    set_consent(withdrawn, viewer=SYSTEM, clock=CLOCK)
    beside = make_member(store, make_identity("openid-2"), name="孙丽")
    elsewhere = make_member(other_store, make_identity("openid-3"), guide_id=other_guide.id)
    newcomer = make_member(store, make_identity("openid-9"), guide_id=guide.id, clock=Clock())
    merged = _merge(member, store)
    order = _order(store, guide_id=guide.id, member_id=member.id)
    _checked_out(member)
    _locked_tier(member)
    _points(member, order)
    tag = _tag(member, guide)
    publish(make_draft())
    campaigns = _campaigns(region.id, store, other_store, member, order)
    return (
        campaigns
        | _access(member, store)
        | _coupons(region.id, store, member, order)
        | _mall(member, store)
        | _webhooks()
        | _vendors(store, member)
        | _bulk()
        | {
            "manifest": _manifest(),
            "headquarters": HEADQUARTERS_ID,
            "region": region.id,
            "empty_region": empty_region.id,
            "store": store.id,
            "other_store": other_store.id,
            "guide": guide.id,
            "guide_beside": colleague.id,
            "other_guide": other_guide.id,
            "member": member.id,
            "member_no": member.member_no,
            "phone": PHONE,
            "union_id": UNION_ID,
            "member_beside": beside.id,
            "member_new": newcomer.id,
            "member_elsewhere": elsewhere.id,
            "merge": merged.id,
            "member_merged": merged.loser_id,
            "order": order,
            "tag": tag.id,
            "tag_group": tag.group_id,
            "tag_job": _tag_job(tag, guide, failed=elsewhere),
            "hand_over": _hand_over(colleague, guide, skipped=beside),
            "hand_over_waiting": _hand_over_waiting(colleague, guide),
            "export": _export(member),
            "erasure": _erasure(member),
        }
        | _codes(member, guide, tag)
        | _runs()
        | _days(member)
    )


def _store(region_id: str) -> Store:
    return make_store(
        "S1",
        under=region_id,
        name="人民广场店",
        city="上海",
        address="南京东路 1 号",
        phone="+862150001000",
        position=stores.Position(latitude=31.23, longitude=121.47),
        hours=[stores.Hours(weekday=1, opens="09:00", closes="22:00")],
        pickup=True,
        opened_on=date(2015, 5, 1),
        grade=StoreGrade.B,
    )


def _access(member: Member, store: Store) -> dict[str, str]:
    """A session of the member, somebody about to enrol, staff accounts, and a key in use."""
    now = real_now()
    held = sessions.begin(member.id, at=now)
    stranger = WeChatPerson("openid-9", "union-9", "+8613900139000")
    made = make_key(expires_on=date(2099, 12, 31))
    auth.viewer_of(made.key)
    rotation = keys.ApiKeyRotate(id=made.api_key.id, grace_hours=24)
    return {
        "session": str(auth.viewer_of(held.access_token).session_id),
        "refresh_token": held.refresh_token,
        "enrolment_token": tokens.enrolment_text(stranger, now + ENROLMENT_LIFETIME),
        "staff_account": make_account("周总", wecom_user_id="ZhouZong").id,
        "staff_account_of_store": make_account(
            "吴店长", wecom_user_id="WuDianzhang", role=Role.STORE_MANAGER, unit_id=store.id
        ).id,
        "api_key": keys.rotate(rotation, viewer=SYSTEM, at=now).api_key.id,
    }


def _codes(member: Member, guide: Guide, tag: Tag) -> dict[str, str]:
    """The code of a guide, with its picture, through which the member came."""
    code = codes.create(codes.CodeCreate(guide_id=guide.id), viewer=SYSTEM, clock=CLOCK)
    code.drawn_at = real_now()
    code.save()
    codes.came(code.id, member.id, Came.ENROLLED, at=NOW)
    happened = Happened(FriendEvent.ADDED, NOW, code.scene)
    friend = friends.apply(guide.wecom_user_id, EXTERNAL_USER_ID, happened)
    friends.set_welcome(
        friends.WelcomeSet(text="您好", link_title="会员", link_url="https://a.cn/"),
        viewer=SYSTEM,
        at=NOW,
    )
    transfer = Transfer(
        "trf_" + code.id[4:],
        from_user_id=guide.wecom_user_id,
        to_user_id="Other",
        from_guide_id=guide.id,
        to_guide_id=guide.id,
        store_id=guide.store_id,
        has_left=False,
        state=TransferState.CANCELLED,
        outcome_document={"FAILED": 1},
        of_user=transfers_key(guide.wecom_user_id),
        place="1",
        created_at=NOW,
        created_by="opr_1",
        ended_at=NOW,
    )
    transfer.save()
    Handed(transfer.id, handed_sort("wm1"), outcome=TransferOutcome.FAILED, detail="40128").save()
    send = Send(
        "snd_" + code.id[4:],
        kind=SendKind.MASS,
        guide_id=guide.id,
        of_guide=guide.id,
        user_id=guide.wecom_user_id,
        store_id=guide.store_id,
        text="周年庆",
        link_title="会员",
        link_url="https://a.cn/",
        state=SendState.CANCELLED,
        outcome_document={"SENT": 1},
        created_at=NOW,
        created_by="opr_1",
        ended_at=NOW,
        confirmed_at=NOW,
    )
    send.save()
    Target(send.id, target_sort(EXTERNAL_USER_ID), outcome=SendOutcome.SENT).save()
    link = CorpTagLink(
        corp_tag_key("et-1"),
        corp_tag_id="et-1",
        tag_id=tag.id,
        linked_at=NOW,
        problem="40068",
        of_user=CORP_TAGS,
        place="et-1",
    )
    link.save()
    way = ContactWay(way_id(code.id), code_id=code.id, first_asked_at=NOW)
    note_made(way, "config-1", "https://wework.qpic.cn/1", [guide.wecom_user_id], at=NOW)
    set_up = TemplateSet(
        template_id=NOTICE_TEMPLATE, name="积分", page="pages/me", fields=["thing1"]
    )
    notices.set_template(set_up, viewer=SYSTEM, at=NOW)
    said = OneAnswer(template_id=NOTICE_TEMPLATE, answer=NoticeAnswer.ACCEPT)
    answers = AnswersAdd(request_id="asking-1", answers=[said])
    notices.add_answers(answers, viewer=Viewer(Role.MEMBER, id=member.id), at=NOW)
    refused = Notice(
        member.id,
        notice_sort(NOTICE_TEMPLATE, "order-1"),
        template_id=NOTICE_TEMPLATE,
        reason="order-1",
        state=NoticeState.FAILED,
        detail="40037",
        at=NOW,
    )
    refused.save()
    known = NewIdentity(kind=IdentityKind.WECOM_EXTERNAL, value=EXTERNAL_USER_ID)
    add_identity(IdentityChange(member_id=member.id, identity=known), viewer=SYSTEM)
    return {
        "code": code.id,
        "scene": code.scene,
        "friend": friend.id,
        "transfer": transfer.id,
        "send": send.id,
    }


def _merge(member: Member, store: Store) -> Merge:
    """Another who was the same person, as Youzan said."""
    loser = make_member(store, NewIdentity(kind=IdentityKind.YOUZAN, value="yz-1"))
    two = MembersMerge(survivor_id=member.id, loser_id=loser.id, reason="同一个人")
    source = MergeSource.YOUZAN
    return merge(two, viewer=SYSTEM, clock=CLOCK, source=source, source_ref="event-1")


def _manifest() -> str:
    """The manifest of a version of the mini-program, with one document."""
    text = "query Role { me { role } }"
    hash_ = hash_of(text)
    id_ = manifest_id("mini_program", "1.0.0")
    manifest = Manifest(
        id_,
        listed=MANIFESTS,
        place="mini_program#1.0.0",
        client="mini_program",
        release="1.0.0",
        state=ManifestState.PUBLISHED,
        hashes=[hash_],
        published_at=NOW,
        published_by="opr_1",
        retired_at=NOW,
        retired_by="opr_1",
        version=1,
    )
    batch_write(DocumentsItem, [Document(hash_, text=text, versions={id_}), manifest])
    return id_


def _order(store: Store, *, guide_id: str, member_id: str) -> str:
    """An order of 100 yuan with two lines, one refunded in part, and a coupon that is not known.

    It was paid with points too, and its commission is settled.
    """
    rice = orders.SnapshotLine(item_id="rice", name="大米", category="粮食", amount=6_000)
    tea = orders.SnapshotLine(item_id="tea", name="绿茶", category="茶", quantity=2, amount=4_000)
    snapshot = make_snapshot(
        store,
        make_refund("r1", amount=1_500, lines=[{"item_id": "tea", "amount": 1_500}]),
        external_id="W-1",
        guide_id=guide_id,
        member_id=member_id,
        lines=[rice, tea],
        points_used=40,
        coupons=["SUMMER18"],
    )
    order = orders.apply(snapshot, clock=CLOCK).order
    commissions.follow(order, clock=CLOCK)
    commissions.settle(date(2018, 1, 20))
    return order.id


def _checked_out(member: Member) -> None:
    """A checkout that was kept for the order, and let go."""
    line = checkout.CheckoutLine(item_id="tea", unit_price=8_000)
    given = {"member_id": member.id, "source": "pos", "external_id": "W-1"}
    kept = checkout.CheckoutReserve(**given, lines=[line], coupons=[], payable=8_000)
    checkout.reserve(kept, viewer=SYSTEM, clock=Clock())
    checkout.release(checkout.CheckoutRelease(**given), viewer=SYSTEM, clock=Clock())


def _tag(member: Member, guide: Guide) -> Tag:
    """A tag that runs out, which the guide gave the member."""
    group = make_group("饮食偏好", description="爱吃什么，爱喝什么")
    tag = make_tag(group, "爱喝茶", description="常买绿茶", validity_days=90)
    store_ids = frozenset({guide.store_id})
    viewer = Viewer(Role.GUIDE, id=guide.id, unit_id=guide.store_id, store_ids=store_ids)
    set_tags(member, tag, viewer=viewer, reason="试饮后说喜欢", expires_on=date(2099, 12, 31))
    return tag


def _tag_job(tag: Tag, guide: Guide, *, failed: Member) -> str:
    """A job over the guide's members that was cancelled after a member failed, of each maker."""
    makers = {"stm_1": Role.STORE_MANAGER, "opr_1": Role.OPERATOR, "key_1": Role.INTEGRATION}
    jobs = [
        _tag_job_of(by_id, role, tag, guide, failed=failed)
        for by_id, role in {**makers, guide.id: Role.GUIDE}.items()
    ]
    return jobs[0]


def _tag_job_of(by_id: str, role: Role, tag: Tag, guide: Guide, *, failed: Member) -> str:
    job_id = new_id("tgj")
    job = TagJob(
        job_id,
        of_kind=jobs_of(by_id),
        name_place=job_id,
        state=JobState.CANCELLED,
        members=JobMembers.OF_GUIDE,
        store_id=guide.store_id,
        guide_id=guide.id,
        add_ids=[tag.id],
        expires_on=date(2018, 3, 31),
        reason="春茶上市",
        by_role=role,
        by_id=by_id,
        day=date(2018, 1, 10),
        total=1,
        done=1,
        failed=1,
        failure_document=[[failed.id, "NOT_FOUND", "There is no such member"]],
        created_at=NOW,
        started_at=NOW,
        finished_at=NOW,
    )
    job.save()
    return str(job.id)


def _hand_over(giver: Guide, taker: Guide, *, skipped: Member) -> str:
    """A hand-over that failed after a member was skipped."""
    job = HandOver(
        new_id("hov"),
        from_guide_id=giver.id,
        store_id=giver.store_id,
        target_ids=[taker.id],
        reason=EndReason.LEFT,
        source=OwnershipSource.ASSIGNED_BY_MANAGER,
        state=HandOverState.FAILED,
        failure=HandOverFailure.NO_TARGET,
        created_by="stm_1",
        created_at=NOW,
        started_at=NOW,
        ended_at=NOW,
        total=2,
        done=1,
        outcome_document={"BUSY": 1},
    )
    job.save()
    Skipped(job.id, skip_sort(0), member_id=skipped.id, reason=Outcome.BUSY).save()
    return str(job.id)


def _hand_over_waiting(giver: Guide, taker: Guide) -> str:
    given = ownership.HandOverCreate(from_guide_id=giver.id, target_ids=[taker.id])
    return str(ownership.hand_over(given, viewer=SYSTEM, clock=CLOCK).id)


def _points(member: Member, order_id: str) -> None:
    """What an old order brought, something by hand, and some of it put aside."""
    clock = Clock()  # the viewers' own
    purchase = Purchase(order_id, clock.today() - timedelta(days=30), 8_500, "STORE")

    def follow(tx: Transaction) -> None:
        known = members.get(member.id)
        assert known is not None
        points.follow_order(tx, known, purchase, None, tier="V1", clock=clock, origin=Origin.LIVE)
        members.save(tx, known)

    transact(follow)
    cart = points.PointsFreeze(
        member_id=member.id, points=5, key="ord_next", until=date(2099, 12, 31)
    )
    points.freeze(cart, viewer=SYSTEM, clock=clock)


def _locked_tier(member: Member) -> None:
    """At least V3 for a long time."""
    given = TierLock(member_id=member.id, tier="V3", kind=LockKind.FLOOR, until=date(2099, 12, 31))
    standing.lock(given, viewer=SYSTEM, clock=CLOCK)


def _runs() -> dict[str, str]:
    """A preview that is over, with a move; a measurement that was cancelled; one that waits."""
    ladder = {"tiers": [{"name": "V1", "threshold": 0}, {"name": "Gold", "threshold": 1}]}
    given = rebuilds.PolicyPreview(kind=PolicyKind.TIER_LADDER, document=ladder)
    run = rebuilds.preview(given, viewer=SYSTEM, clock=CLOCK)
    rebuild_tasks.run_all(run.id, clock=CLOCK)
    cancelled = rebuilds.measure(rebuilds.PolicyMeasure(), viewer=SYSTEM, clock=CLOCK)
    rebuilds.cancel(cancelled.id, viewer=SYSTEM, clock=CLOCK)
    waiting = rebuilds.measure(rebuilds.PolicyMeasure(), viewer=SYSTEM, clock=CLOCK)
    return {"run": run.id, "cancelled_run": cancelled.id, "waiting_run": waiting.id}


def _days(member: Member) -> dict[str, str]:
    """A day's run that failed on the member, and what is to come on that day."""
    today = stores.clock().today()
    standings.count_run(today, "00", members=2, changed=1, failed=1)
    standings.put_failure(today, member.id, problem="KeyError", at=NOW)
    forecasts.count([Told("seeded", {f"{today.isoformat()}#LIFECYCLE#AWAKENING": 1})])
    return {"run_day": today.isoformat()}


def _export(member: Member) -> str:
    """An export of the member that is done; there are links to its file for ever."""
    job = Export(
        new_id("exp"),
        state=JobOfPrivacy.DONE,
        member_id=member.id,
        member_ids=[member.id],
        by_role=Role.MEMBER,
        by_id=member.id,
        created_at=NOW,
        started_at=NOW,
        finished_at=NOW,
        rows=20,
        size=4_096,
        file_until=datetime(2099, 12, 31, tzinfo=UTC),
    )
    job.save()
    return str(job.id)


def _erasure(member: Member) -> str:
    """An erasure that is done, of somebody with the member's id, who is still there to look."""
    job = Erasure(
        new_id("era"),
        state=JobOfPrivacy.DONE,
        member_id=member.id,
        member_ids=[member.id],
        by_role=Role.OPERATOR,
        by_id="opr_1",
        created_at=NOW,
        started_at=NOW,
        finished_at=NOW,
        round=2,
    )
    job.save()
    return str(job.id)


def _mall(member: Member, store: Store) -> dict[str, str]:
    """Gifts of which one failed, something for points, and a member who fetched it."""
    benefits.give(member.id, birthday(date(2018, 2, 28)), date(2018, 2, 21), clock=CLOCK)
    benefits.give(member.id, JOINED, date(2018, 1, 10), clock=CLOCK)
    item = make_item(
        description="白瓷",
        image_url="https://cdn.example/cup.png",
        per_member=1,
        tiers=["V3"],
        starts_at=NOW,
        ends_at=datetime(2099, 12, 31, tzinfo=UTC),
    )
    # By the clock on the wall, which documents and a deployed stack go by, other points ran out.
    last = date(2099, 12, 31)
    points.grant(member.id, 500, key="seeded", cause=points.Cause(CLOCK), expires_on=last)
    fetched = hand_over(redeem(member, item, store), note="本人领取")
    return {
        "mall_item": item.id,
        "mall_item_open": make_item(points=10, stock=None).id,
        "mall_redemption": str(fetched.redemption_id),
    }


def _coupons(region_id: str, store: Store, member: Member, order_id: str) -> dict[str, str]:
    """A template with everything, coupons of the member in all states, and jobs; one batch."""
    clock = Clock()
    terms = make_terms(
        CouponKind.PERCENT,
        at_most=5_000,
        threshold=3_000,
        unit_ids=[region_id],
        store_ids=[store.id],
        categories=["茶"],
        channels=["STORE"],
        tiers=["V3"],
        validity=delayed(30, hours=[{"weekday": day} for day in range(1, 8)]),
        stackable=True,
        group="会员日",
        giftable=True,
        grace_days=3,
    )
    template, stock = prepared_template(
        terms,
        name="春茶九折",
        description="限门店使用",
        stock=800,
        per_member=5,
        per_member_and_store=4,
        per_store=100,
        opens_at=clock.now() - timedelta(days=1),
        closes_at=clock.now() + timedelta(days=30),
        claim_code="春茶上市",
    )
    giftable, more_stock = prepared_template(make_terms(giftable=True), stock=800)
    open_, gift, offered, at_till, used = (
        prepared_coupon(member, one, clock=clock, store_id=store.id)
        for one in (template, giftable, giftable, giftable, template)
    )
    offered.state, offered.lock_kind, offered.lock_key = CouponState.LOCKED, HeldFor.GIFT, "k"
    offered.locked_until = clock.now() + timedelta(hours=1)
    at_till.state, at_till.redeemed_store_id = CouponState.REDEEMED, store.id
    _use(used, store, order_id)
    coupons = (open_, gift, offered, at_till, used)
    draft, _ = prepared_template(make_terms(), state=TemplateState.DRAFT)
    jobs = _coupon_jobs(template, store, member)
    batch_write(
        CouponsItem,
        [
            *(template, giftable, draft, *stock, *more_stock, *jobs.values()),
            *(item for coupon in coupons for item in with_pointers(coupon)),
            TemplateCount(template.id, "count#0", issued=1, redeemed=1),
        ],
    )
    parts = (offered.coupon_id, "k")
    token = coupon_tokens.sign(TokenKind.GIFT, *parts, at=clock.wall(), seconds=3_600)
    return {
        "coupon_template": template.id,
        "coupon_template_public": giftable.id,
        "coupon_template_draft": draft.id,
        "coupon": open_.coupon_id,
        "coupon_code": open_.code,
        "coupon_gift": gift.coupon_id,
        "coupon_gift_token": token,
        "coupon_at_till": at_till.coupon_id,
        "coupon_used": used.coupon_id,
        "coupon_soon": f"{clock.now() + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}",
        **{name: str(job.id) for name, job in jobs.items()},
    }


def _use(coupon: Coupon, store: Store, order_id: str) -> None:
    """A coupon that went through everything, and was used by the order in the end."""
    coupon.state = CouponState.REDEEMED
    coupon.source_ref, coupon.reference, coupon.reason = "cpj_1", "小票 17", "扫错了"
    coupon.lock_kind, coupon.lock_key, coupon.locked_until = HeldFor.ORDER, order_id, NOW
    coupon.redeemed_at = coupon.returned_at = coupon.ended_at = NOW
    coupon.redeemed_store_id, coupon.order_id = store.id, order_id
    coupon.redeemed_by_role, coupon.redeemed_by_id = Role.GUIDE, "gde_1"


def _coupon_jobs(template: Template, store: Store, member: Member) -> dict[str, IssueJob]:
    """A job that failed after a member did, of each maker; one of headquarters that waits."""
    makers = {
        "coupon_job": ("opr_1", Role.OPERATOR),
        "coupon_job_of_manager": ("stm_1", Role.STORE_MANAGER),
        "coupon_job_of_key": ("key_1", Role.INTEGRATION),
        "coupon_job_of_guide": (str(member.guide_id), Role.GUIDE),
    }
    failure = [member.id, "LIMIT_EXCEEDED", "None of this coupon is left"]
    jobs = {
        name: prepared_job(
            template,
            by_id,
            role,
            store_id=store.id,
            guide_id=member.guide_id,
            tag_id=numbered_id("tag", 1),
            state=IssueState.FAILED,
            problem="None of this coupon is left",
            started_at=NOW,
            finished_at=NOW,
            total=1,
            done=1,
            failed=1,
            failure_document=[failure],
        )
        for name, (by_id, role) in makers.items()
    }
    return jobs | {"coupon_job_waiting": prepared_job(template, "opr_9", Role.OPERATOR)}


def _campaigns(
    region_id: str, store: Store, other_store: Store, member: Member, order_id: str
) -> dict[str, str]:
    """A campaign that the store took up, another on top of it, and a draft; as of today."""
    clock = Clock()
    offer = make_offer(
        "中秋品茶会",
        clock=clock,
        external_id="mall-7",
        kind="FESTIVAL",
        grade="S",
        goals=[NewGoal(metric="SALES", target=100_000)],
        path=["ACTIVATION", "REVENUE"],
        unit_ids=[region_id],
        store_ids=[other_store.id],
        audience={"any": [{"gender": {"in": ["FEMALE"]}}, {"birthdayMonth": {"in": [9]}}]},
        budget=NewBudget(amount=5_000_000, period="DAY", per_period=500_000, per_store=100_000),
        channels=["STORE", "WECOM"],
        holdout_percent=5,
    )
    times: dict[str, Any] = {"starts_at": offer.starts_at, "ends_at": offer.ends_at}
    adopt(offer, store, clock=clock, name="人民广场品茶会", note="二楼茶室", **times)
    take_part(offer, member, clock=clock, channel="WECOM")
    _credited(offer, order_id)
    ahead: dict[str, Any] = {"starts_at": clock.now() + timedelta(days=5)}
    return {
        "campaign": offer.id,
        "campaign_external": "mall-7",
        "campaign_mandated": make_running("会员日", clock=clock).id,
        "campaign_draft": make_campaign("双十一", clock=clock, **ahead).id,
        "today": clock.today().isoformat(),
    }


def _credited(campaign: Campaign, order_id: str) -> None:
    """The campaign was credited with the order."""
    day = date(2018, 1, 5)
    row = CreditRow(
        *campaign_models.credit_row_key(campaign.id, order_id, day, 1),
        campaign_id=campaign.id,
        order_id=order_id,
        order_version=1,
        orders=1,
        net=8_500,
        day=day,
        policy_version=0,
        recorded_at=NOW,
    )
    transact(lambda tx: campaign_repository.add_credit(tx, row))


def _webhooks() -> dict[str, str]:
    """An endpoint of a key that is paused, with a delivery on its way, and one that works."""
    viewer = Viewer(Role.INTEGRATION, "key_1", scopes=SCOPES)
    paused, active = (register(URL, viewer=viewer).endpoint for _ in range(2))
    webhooks.rotate_secret(SecretRotate(id=paused.id), viewer=SYSTEM, at=real_now())
    webhooks.stop(paused.id, EndpointState.PAUSED, StopReason.FAILING, at=NOW)
    webhook_repository.note_health(paused.id, Health(), Health(3, NOW, NOW))
    delivery = make_delivery(paused)
    failed = Answer(500, Problem.STATUS, 12, "no")
    webhook_repository.note_attempt(
        delivery, failed, DeliveryState.PENDING, at=NOW, next_at=real_now()
    )
    return {
        "webhook": paused.id,
        "webhook_delivery": delivery.id,
        "webhook_active": active.id,
        "webhook_delivered": make_delivery(active).id,
        "now": f"{real_now() - timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}",
    }


def _vendors(store: Store, member: Member) -> dict[str, str]:
    """A shop of Youzan: a link, a message and a copy that were given up, a run at its end."""
    at = real_now()
    shop = connectors.link(
        ShopLink(
            vendor=Vendor.YOUZAN,
            vendor_key="74234",
            client_id="app-1",
            name="测试旗舰店",
            default_store_id=store.id,
            tells=[CopyKind.TAGS],
        ),
        viewer=SYSTEM,
        at=at,
    )
    link = LinkSet(shop_id=shop.id, kind=LinkKind.STORE, vendor_key="56232", our_id=store.id)
    connectors.set_link(link, viewer=SYSTEM, at=at)
    message = connector_models.Message(
        connector_models.message_id(shop.id, "seeded"),
        shop_id=shop.id,
        vendor=shop.vendor,
        type="SCRM_CUSTOMER_EVENT",
        subject="725462007",
        vendor_version=1517055397112,
        note="seeded",
        outcome=vendor_rules.Outcome.IGNORED,
        received_at=at,
        begun_at=at,
        next_at=at,
        handled_at=at,
    )
    message.raw = b"{}"
    message.move(vendor_rules.MessageState.WAITING)
    connector_repository.receive(message)
    unlinked = VendorProblem.NOT_LINKED
    connector_repository.fail(message, unlinked, "STORE 1", next_at=at)
    copy = connector_repository.mark_due(shop.id, CopyKind.TAGS, member.id, at)
    copy.told_at = at
    copy.save()
    connector_repository.note_untold(copy, VendorProblem.VENDOR_REFUSED, "4204", next_at=at)
    copy.move(CopyState.DEAD)
    copy.save()
    run = connectors.begin_day(shop.id, at - timedelta(hours=1), at)
    run.differences = [["E1", Difference.MISSING.value]]
    run.problem, run.ended_at, run.state = VendorProblem.BUSY, at, vendor_rules.RunState.FAILED
    run.save()
    connectors.set_master(MasterSet(master=PointsMaster.OURS), viewer=SYSTEM, at=at)
    spare = ShopLink(vendor=Vendor.WEIMOB, vendor_key="4020000000002", client_id="app-1", name="x")
    return {
        "vendor_shop": shop.id,
        "vendor_shop_spare": connectors.link(spare, viewer=SYSTEM, at=at).id,
        "vendor_message": message.id,
        "vendor_copy": copy.id,
        "vendor_run": run.id,
    }


def _bulk() -> dict[str, str]:
    """Operations of a key and of headquarters: the file is there, but for what its query refused.

    The second of each role is running.
    """
    made = {}
    for role, id_ in ((Role.INTEGRATION, "key_1"), (Role.OPERATOR, "opr_1")):
        operation = bulk.run(BULK_QUERY, viewer=Viewer(role, id_, scopes=SCOPES), at=real_now())
        operation.state, operation.finished_at = BulkState.DONE, NOW
        operation.problem, operation.problem_text = BulkProblem.REFUSED, "seeded"
        operation.save()
        made[role] = operation.id
    running = bulk.run(BULK_QUERY, viewer=Viewer(Role.OPERATOR, "opr_9"), at=real_now())
    return {
        "bulk": made[Role.OPERATOR],
        "bulk_of_key": made[Role.INTEGRATION],
        "bulk_running": running.id,
    }
