"""Who may see what: a table of every field and viewer, compared with the rules and executed.

`access.csv` is written anew by `python -m tests.test_access`, and read in review. A cell says what
the rule of the field says to the viewer of the column: `allow`, `mask`, `deny`, or `inherit` where
whoever reaches the object may see the field.
"""

import csv
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

import pytest
from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLObjectType,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    is_leaf_type,
    is_required_argument,
    parse,
    visit,
)

from graphql_api import auth, tables
from graphql_api.audit.models import AuditItem
from graphql_api.edge.faults import MAX_ERRORS
from graphql_api.edge.limits import LIMITS
from graphql_api.kit.graphql import rule_of
from graphql_api.kit.graphql.access import INHERITED
from graphql_api.schema import schema
from graphql_api.viewer import (
    MANAGE_DOCUMENTS,
    MANAGE_KEYS,
    MANAGE_STAFF,
    MANAGE_VENDORS,
    MANAGE_WEBHOOKS,
    READ_AUDIT,
    READ_CAMPAIGNS,
    READ_COMMISSIONS,
    READ_COUPONS,
    READ_MEMBERS,
    READ_ORDERS,
    READ_POINTS,
    READ_STORES,
    READ_TAGS,
    SCOPES,
    SEE_PERSONAL_DATA,
    Role,
    Viewer,
)
from tests.calls import counted
from tests.conftest import Client
from tests.seeded import NAME, NICKNAME, PHONE

FILE = Path(__file__).with_name("access.csv")
GRAPH = schema._schema

Table = dict[str, dict[str, str]]
Seeded = dict[str, str]


@dataclass(frozen=True)
class Column:
    """A kind of viewer; `principal` and `unit` name what is seeded."""

    role: Role
    principal: str
    unit: str | None = None
    scopes: frozenset[str] = frozenset()

    def token(self, seeded: Seeded) -> str | None:
        """A token of such a viewer."""
        if self.role is Role.ANONYMOUS:
            return None
        id_ = seeded.get(self.principal, self.principal)
        unit_id = seeded[self.unit] if self.unit else None
        return auth.issue(self.role, id_, unit_id=unit_id, scopes=self.scopes)


COLUMNS = {
    "ANONYMOUS": Column(Role.ANONYMOUS, ""),
    "MEMBER": Column(Role.MEMBER, "member"),
    "GUIDE": Column(Role.GUIDE, "guide", "store"),
    "STORE_MANAGER": Column(Role.STORE_MANAGER, "stm_1", "store"),
    "OPERATOR": Column(Role.OPERATOR, "opr_1"),
    "OPERATOR with members:pii": Column(
        Role.OPERATOR, "opr_1", scopes=frozenset({SEE_PERSONAL_DATA})
    ),
    "OPERATOR who manages access": Column(
        Role.OPERATOR,
        "opr_1",
        scopes=frozenset(
            {
                MANAGE_DOCUMENTS,
                MANAGE_KEYS,
                MANAGE_STAFF,
                MANAGE_VENDORS,
                MANAGE_WEBHOOKS,
                READ_AUDIT,
            }
        ),
    ),
    "INTEGRATION without scopes": Column(Role.INTEGRATION, "key_1"),
    "INTEGRATION that reads": Column(
        Role.INTEGRATION,
        "key_1",
        scopes=frozenset(
            {
                READ_CAMPAIGNS,
                READ_COMMISSIONS,
                READ_COUPONS,
                READ_MEMBERS,
                READ_ORDERS,
                READ_POINTS,
                READ_STORES,
                READ_TAGS,
            }
        ),
    ),
    "INTEGRATION with all scopes": Column(Role.INTEGRATION, "key_1", scopes=SCOPES),
}

MEMBER = 'member(by: {id: "$member"})'
STORE = 'store(by: {id: "$store"})'
ORDER = 'order(by: {id: "$order"})'
EARNED = 'guide(by: {id: "$guide"}) { commission(month: "2018-01")'
CAMPAIGN = 'campaign(by: {id: "$campaign"})'
NEARBY = "nearbyStores(position: {latitude: 31.2304, longitude: 121.4737})"
CALENDAR = 'campaignCalendar(from: "$today", to: "$today")'
AUDIT = 'auditEntries(by: {memberId: "$member"})'
ADDED = (
    'campaignParticipationAdd(input: {campaignId: "$campaign",'
    ' participations: [{memberId: "$member"}]})'
)
TAG = 'tag(by: {id: "$tag"})'
TAGGED = 'memberTagsAddBulk(input: {memberIds: ["nobody"], tagIds: ["$tag"]})'
OPENED = (
    'memberPointsImport(input: {{balances: [{{memberId: "nobody", points: 1, key: "k"}}]}})'
    ' @idempotent(key: "points-opened-{}")'
)
LOGIN = 'loginWithWeChat(input: {code: "openid-1"})'
REFUSED = 'memberUpdate(input: {id: "nobody", name: "x"})'

BASKET = '(input: {member: {id: "$member"}, lines: [{itemId: "x", unitPrice: "1.00"}]})'
KEPT = '(input: {member: {id: "$member"}, source: "pos", externalId: "W-1"})'
NOT_KEPT = '(input: {source: "pos", externalId: "W-1", payable: "1.00", lines: []})'
NOT_FREED = '(input: {source: "pos", externalId: "W-1"})'

NO_MANIFEST = '(input: {client: "x", version: "nothing"})'

COUPON_TERMS = 'couponTemplate(id: "$coupon_template") { terms'

NOTICE = 'input: {memberId: "nobody", templateId: "x", reason: "x", data: []}'
WAYS = {
    "Query": "{ % }",
    "Mutation": "mutation { % }",
    "OrgUnit": '{ node(id: "$region") { ... on OrgUnit { % } } }',
    "OrgUnitConnection": "{ organisation { units { % } } }",
    "OrgUnitEdge": "{ organisation { units { edges { % } } } }",
    "OrgUnitPayload": 'mutation { orgUnitUpdate(input: {id: "nothing"}) { % } }',
    "Store": f"{{ {STORE} {{ % }} }}",
    "StoreConnection": "{ stores { % } }",
    "StoreEdge": "{ stores { edges { % } } }",
    "StorePayload": 'mutation { storeUpdate(input: {id: "nothing"}) { % } }',
    "PageInfo": "{ stores { pageInfo { % } } }",
    "NearbyStore": f"{{ {NEARBY} {{ % }} }}",
    "Position": f"{{ {STORE} {{ position {{ % }} }} }}",
    "OpeningHours": f"{{ {STORE} {{ hours {{ % }} }} }}",
    "Guide": '{ guide(by: {id: "$guide"}) { % } }',
    "GuideConnection": f"{{ {STORE} {{ guides {{ % }} }} }}",
    "GuideEdge": f"{{ {STORE} {{ guides {{ edges {{ % }} }} }} }}",
    "GuidePayload": 'mutation { guideUpdate(input: {id: "nobody"}) { % } }',
    "Me": "{ me { % } }",
    "Member": f"{{ {MEMBER} {{ % }} }}",
    "MemberConnection": "{ members { % } }",
    "MemberEdge": "{ members { edges { % } } }",
    "MemberPayload": f"mutation {{ {REFUSED} {{ % }} }}",
    "Identity": f"{{ {MEMBER} {{ identities {{ % }} }} }}",
    "Consent": f"{{ {MEMBER} {{ consents {{ % }} }} }}",
    "ConsentEntry": f"{{ {MEMBER} {{ consentHistory {{ nodes {{ % }} }} }} }}",
    "ConsentEntryConnection": f"{{ {MEMBER} {{ consentHistory {{ % }} }} }}",
    "ConsentEntryEdge": f"{{ {MEMBER} {{ consentHistory {{ edges {{ % }} }} }} }}",
    "PurchaseFacts": f"{{ {MEMBER} {{ purchases {{ % }} }} }}",
    "PurchaseMonth": f"{{ {MEMBER} {{ purchases {{ months {{ % }} }} }} }}",
    "MemberTier": f"{{ {MEMBER} {{ tier {{ % }} }} }}",
    "TierProgress": f"{{ {MEMBER} {{ tier {{ progress {{ % }} }} }} }}",
    "TierGoal": f"{{ {MEMBER} {{ tier {{ progress {{ toNext {{ % }} }} }} }} }}",
    "TierForecast": f"{{ {MEMBER} {{ tier {{ nextChange {{ % }} }} }} }}",
    "TierBasis": f"{{ {MEMBER} {{ tier {{ explanation {{ % }} }} }} }}",
    "TierLock": f"{{ {MEMBER} {{ tier {{ lock {{ % }} }} }} }}",
    "MemberPoints": f"{{ {MEMBER} {{ points {{ % }} }} }}",
    "PointsExpiry": f"{{ {MEMBER} {{ points {{ nextExpiry {{ % }} }} }} }}",
    "PointsLot": f"{{ {MEMBER} {{ points {{ lots {{ % }} }} }} }}",
    "PointsHold": f"{{ {MEMBER} {{ points {{ holds {{ % }} }} }} }}",
    "PointsEntry": f"{{ {MEMBER} {{ pointsLedger {{ nodes {{ % }} }} }} }}",
    "PointsEntryConnection": f"{{ {MEMBER} {{ pointsLedger {{ % }} }} }}",
    "PointsEntryEdge": f"{{ {MEMBER} {{ pointsLedger {{ edges {{ % }} }} }} }}",
    "PointsDraw": (
        f"{{ {MEMBER} {{ pointsLedger(reverse: true) {{ nodes {{ draws {{ % }} }} }} }} }}"
    ),
    "PointsImportPayload": f"mutation {{ {OPENED.format(1)} {{ % }} }}",
    "MemberPointsImportResult": f"mutation {{ {OPENED.format(2)} {{ results {{ % }} }} }}",
    "MemberBenefits": f"{{ {MEMBER} {{ benefits {{ % }} }} }}",
    "TierBenefits": f"{{ {MEMBER} {{ benefits {{ current {{ % }} }} }} }}",
    "GiftTerms": f"{{ {MEMBER} {{ benefits {{ current {{ joiningGift {{ % }} }} }} }} }}",
    "PartnerOffer": f"{{ {MEMBER} {{ benefits {{ current {{ partnerOffers {{ % }} }} }} }} }}",
    "Gift": f"{{ {MEMBER} {{ gifts {{ nodes {{ % }} }} }} }}",
    "GiftConnection": f"{{ {MEMBER} {{ gifts {{ % }} }} }}",
    "GiftEdge": f"{{ {MEMBER} {{ gifts {{ edges {{ % }} }} }} }}",
    "GiftPayload": (
        'mutation { memberGiftRetry(input: {memberId: "nobody", kind: JOINING}) { % } }'
    ),
    "MallItem": '{ mallItem(id: "$mall_item") { % } }',
    "MallItemConnection": "{ mallItems { % } }",
    "MallItemEdge": "{ mallItems { edges { % } } }",
    "MallItemPayload": 'mutation { mallItemUpdate(input: {id: "nothing"}) { % } }',
    "MallRedemption": f"{{ {MEMBER} {{ mallRedemptions {{ nodes {{ % }} }} }} }}",
    "MallRedemptionConnection": f"{{ {MEMBER} {{ mallRedemptions {{ % }} }} }}",
    "MallRedemptionEdge": f"{{ {MEMBER} {{ mallRedemptions {{ edges {{ % }} }} }} }}",
    "MallRedemptionPayload": 'mutation { mallRedemptionCancel(input: {id: "nothing"}) { % } }',
    "MemberLifecycle": '{ member(by: {id: "$member_new"}) { lifecycle { % } } }',
    "LifecycleTransition": (
        '{ member(by: {id: "$member_new"}) { lifecycle { nextTransition { % } } } }'
    ),
    "MemberRfm": f"{{ {MEMBER} {{ rfm {{ % }} }} }}",
    "StandingChange": f"{{ {MEMBER} {{ standingHistory(part: TIER) {{ nodes {{ % }} }} }} }}",
    "StandingChangeConnection": f"{{ {MEMBER} {{ standingHistory(part: TIER) {{ % }} }} }}",
    "StandingChangeEdge": f"{{ {MEMBER} {{ standingHistory(part: TIER) {{ edges {{ % }} }} }} }}",
    "PolicyRun": '{ policyRun(id: "$run") { % } }',
    "PolicyRunProgress": '{ policyRun(id: "$run") { progress { % } } }',
    "PolicyMove": '{ policyRun(id: "$run") { moves { % } } }',
    "PolicyRunConnection": "{ policyRuns { % } }",
    "PolicyRunEdge": "{ policyRuns { edges { % } } }",
    "RecomputeRun": "{ recomputeRun { % } }",
    "RecomputeFailure": "{ recomputeRun { failures { nodes { % } } } }",
    "RecomputeFailureConnection": "{ recomputeRun { failures { % } } }",
    "RecomputeFailureEdge": "{ recomputeRun { failures { edges { % } } } }",
    "ForecastTransition": "{ transitionsForecast { % } }",
    "PolicyRunPayload": 'mutation { policyRunCancel(id: "nothing") { % } }',
    "Ownership": f"{{ {MEMBER} {{ ownership {{ % }} }} }}",
    "OwnershipConnection": f"{{ {MEMBER} {{ ownershipHistory {{ % }} }} }}",
    "OwnershipEdge": f"{{ {MEMBER} {{ ownershipHistory {{ edges {{ % }} }} }} }}",
    "Notice": f"{{ {MEMBER} {{ notices {{ nodes {{ % }} }} }} }}",
    "NoticeConnection": f"{{ {MEMBER} {{ notices {{ % }} }} }}",
    "NoticeEdge": f"{{ {MEMBER} {{ notices {{ edges {{ % }} }} }} }}",
    "NoticeQuota": f"{{ {MEMBER} {{ noticeQuotas {{ % }} }} }}",
    "NoticeTemplate": "{ noticeTemplates { % } }",
    "NoticeTemplatePayload": 'mutation { noticeTemplateRetire(input: {templateId: "x"}) { % } }',
    "NoticeQuotaPayload": (
        'mutation { noticeAnswersAdd(input: {requestId: "x", answers: []}) { % } }'
    ),
    "NoticePayload": f"mutation {{ noticeSend({NOTICE}) {{ % }} }}",
    "FriendTransfer": '{ friendTransfer(id: "$transfer") { % } }',
    "FriendTransferConnection": '{ friendTransfers(guideId: "$guide") { % } }',
    "FriendTransferEdge": '{ friendTransfers(guideId: "$guide") { edges { % } } }',
    "FriendTransferCount": '{ friendTransfer(id: "$transfer") { counts { % } } }',
    "FriendTransferRow": '{ friendTransfer(id: "$transfer") { rows { nodes { % } } } }',
    "FriendTransferRowConnection": '{ friendTransfer(id: "$transfer") { rows { % } } }',
    "FriendTransferRowEdge": '{ friendTransfer(id: "$transfer") { rows { edges { % } } } }',
    "FriendTransferPayload": 'mutation { friendTransferCancel(id: "nothing") { % } }',
    "FriendSend": '{ friendSend(id: "$send") { % } }',
    "FriendSendConnection": '{ friendSends(guideId: "$guide") { % } }',
    "FriendSendEdge": '{ friendSends(guideId: "$guide") { edges { % } } }',
    "FriendSendCount": '{ friendSend(id: "$send") { counts { % } } }',
    "FriendSendRow": '{ friendSend(id: "$send") { rows { nodes { % } } } }',
    "FriendSendRowConnection": '{ friendSend(id: "$send") { rows { % } } }',
    "FriendSendRowEdge": '{ friendSend(id: "$send") { rows { edges { % } } } }',
    "FriendSendPayload": 'mutation { friendSendCancel(id: "nothing") { % } }',
    "CorpTagLink": "{ tagCorpLinks { % } }",
    "CorpTagLinkPayload": 'mutation { tagCorpLinkRemove(input: {corpTagId: "x"}) { % } }',
    "CorpTagPayload": 'mutation { tagCorpLinksPull(input: {groupId: "x"}) { % } }',
    "Friend": '{ friends(guideId: "$guide") { nodes { % } } }',
    "FriendConnection": '{ friends(guideId: "$guide") { % } }',
    "FriendEdge": '{ friends(guideId: "$guide") { edges { % } } }',
    "ContactWay": '{ scanCode(id: "$code") { contactWay { % } } }',
    "ContactWayPayload": 'mutation { scanCodeContactWayCreate(id: "nothing") { % } }',
    "FriendWelcome": "{ friendWelcome { % } }",
    "FriendWelcomePayload": 'mutation { friendWelcomeSet(input: {text: ""}) { % } }',
    "WelcomePayload": ('mutation { friendWelcomeRemove(input: {storeId: "nothing"}) { % } }'),
    "ScanCode": '{ scanCode(id: "$code") { % } }',
    "ScanCodeTally": '{ scanCode(id: "$code") { came { % } } }',
    "ScanCodeConnection": '{ scanCodes(guideId: "$guide") { % } }',
    "ScanCodeEdge": '{ scanCodes(guideId: "$guide") { edges { % } } }',
    "ScanCodeArrival": '{ scanCode(id: "$code") { arrivals { nodes { % } } } }',
    "ScanCodeArrivalConnection": '{ scanCode(id: "$code") { arrivals { % } } }',
    "ScanCodeArrivalEdge": '{ scanCode(id: "$code") { arrivals { edges { % } } } }',
    "ScanCodePayload": 'mutation { scanCodeRetire(id: "nothing") { % } }',
    "MemberMerge": '{ memberMerge(id: "$merge") { % } }',
    "MemberMergeMoved": '{ memberMerge(id: "$merge") { moved { % } } }',
    "MemberMergePayload": (
        'mutation { memberMerge(input: {survivorId: "nobody", loserId: "nobody"}) { % } }'
    ),
    "HandOver": '{ handOver(id: "$hand_over") { % } }',
    "HandOverConnection": '{ guide(by: {id: "$guide_beside"}) { handOvers { % } } }',
    "HandOverEdge": '{ guide(by: {id: "$guide_beside"}) { handOvers { edges { % } } } }',
    "HandOverSkips": '{ handOver(id: "$hand_over") { skipped { % } } }',
    "HandOverSkip": '{ handOver(id: "$hand_over") { skippedMembers { nodes { % } } } }',
    "HandOverSkipConnection": '{ handOver(id: "$hand_over") { skippedMembers { % } } }',
    "HandOverSkipEdge": '{ handOver(id: "$hand_over") { skippedMembers { edges { % } } } }',
    "HandOverPayload": 'mutation { handOverCancel(id: "nothing") { % } }',
    "GuideMovePayload": (
        'mutation { guideMove(input: {guideId: "nobody", storeId: "nothing"}) { % } }'
    ),
    "Tag": f"{{ {MEMBER} {{ tags {{ % }} }} }}",
    "TagConnection": "{ tags { % } }",
    "TagEdge": "{ tags { edges { % } } }",
    "TagPayload": 'mutation { tagUpdate(input: {id: "nothing"}) { % } }',
    "TagGroup": f"{{ {MEMBER} {{ tags {{ group {{ % }} }} }} }}",
    "TagGroupConnection": "{ tagGroups { % } }",
    "TagGroupEdge": "{ tagGroups { edges { % } } }",
    "TagGroupPayload": 'mutation { tagGroupUpdate(input: {id: "nothing"}) { % } }',
    "TagAssignment": f"{{ {MEMBER} {{ tagAssignments {{ nodes {{ % }} }} }} }}",
    "TagAssignmentConnection": f"{{ {MEMBER} {{ tagAssignments {{ % }} }} }}",
    "TagAssignmentEdge": f"{{ {MEMBER} {{ tagAssignments {{ edges {{ % }} }} }} }}",
    "TagHistoryEntry": f"{{ {MEMBER} {{ tagHistory {{ nodes {{ % }} }} }} }}",
    "TagHistoryEntryConnection": f"{{ {MEMBER} {{ tagHistory {{ % }} }} }}",
    "TagHistoryEntryEdge": f"{{ {MEMBER} {{ tagHistory {{ edges {{ % }} }} }} }}",
    "TagJob": '{ tagJob(id: "$tag_job") { % } }',
    "TagJobConnection": "{ tagJobs { % } }",
    "TagJobEdge": "{ tagJobs { edges { % } } }",
    "TagJobFailure": '{ tagJob(id: "$tag_job") { failures { % } } }',
    "TagJobPayload": 'mutation { tagJobCancel(id: "nothing") { % } }',
    "TagsSetPayload": 'mutation { memberTagsSet(input: {memberId: "nobody"}) { % } }',
    "TagsAddBulkPayload": f"mutation {{ {TAGGED} {{ % }} }}",
    "MemberTagsResult": f"mutation {{ {TAGGED} {{ results {{ % }} }} }}",
    "CouponTemplate": '{ couponTemplate(id: "$coupon_template") { % } }',
    "CouponTemplateConnection": f"{{ {MEMBER} {{ claimableCoupons {{ % }} }} }}",
    "CouponTemplateEdge": f"{{ {MEMBER} {{ claimableCoupons {{ edges {{ % }} }} }} }}",
    "CouponTerms": f"{{ {COUPON_TERMS} {{ % }} }} }}",
    "CouponValidity": f"{{ {COUPON_TERMS} {{ validity {{ % }} }} }} }}",
    "CouponHours": f"{{ {COUPON_TERMS} {{ validity {{ hours {{ % }} }} }} }} }}",
    "CouponCounts": '{ couponTemplate(id: "$coupon_template") { counts { % } } }',
    "CouponTemplatePayload": 'mutation { couponTemplateStop(id: "nothing") { % } }',
    "Coupon": '{ coupon(by: {id: "$coupon_used"}) { % } }',
    "CouponConnection": f"{{ {MEMBER} {{ coupons {{ % }} }} }}",
    "CouponEdge": f"{{ {MEMBER} {{ coupons {{ edges {{ % }} }} }} }}",
    "CouponPayload": 'mutation { couponRollBack(input: {id: "nothing", reason: "x"}) { % } }',
    "CouponGiftPayload": 'mutation { couponGiftOffer(id: "nothing") { % } }',
    "CouponClaimTokenPayload": (
        'mutation { couponClaimTokenMake(input: {templateId: "nothing", storeId: "nothing"})'
        " { % } }"
    ),
    "CouponIssueJob": "{ couponIssueJobs { nodes { % } } }",
    "CouponIssueJobConnection": "{ couponIssueJobs { % } }",
    "CouponIssueJobEdge": "{ couponIssueJobs { edges { % } } }",
    "CouponIssueFailure": "{ couponIssueJobs { nodes { failures { % } } } }",
    "CouponIssueJobPayload": 'mutation { couponIssueJobCancel(id: "nothing") { % } }',
    "CheckoutQuote": f"{{ checkoutQuote{BASKET} {{ % }} }}",
    "CheckoutLine": f"{{ checkoutQuote{BASKET} {{ lines {{ % }} }} }}",
    "CheckoutStep": f"{{ checkoutQuote{BASKET} {{ steps {{ % }} }} }}",
    "CheckoutReservation": f"{{ checkoutReservation{KEPT} {{ % }} }}",
    "CheckoutReservePayload": f"mutation {{ checkoutReserve{NOT_KEPT} {{ % }} }}",
    "CheckoutReleasePayload": f"mutation {{ checkoutRelease{NOT_FREED} {{ % }} }}",
    "Order": f"{{ {ORDER} {{ % }} }}",
    "OrderPoints": f"{{ {ORDER} {{ points {{ % }} }} }}",
    "OrderCoupons": f"{{ {ORDER} {{ coupons {{ % }} }} }}",
    "OrderCouponProblem": f"{{ {ORDER} {{ coupons {{ problems {{ % }} }} }} }}",
    "OrderConnection": f"{{ {MEMBER} {{ orders {{ % }} }} }}",
    "OrderEdge": f"{{ {MEMBER} {{ orders {{ edges {{ % }} }} }} }}",
    "OrderLine": f"{{ {ORDER} {{ lines {{ % }} }} }}",
    "OrderRefund": f"{{ {ORDER} {{ refunds {{ % }} }} }}",
    "OrderRefundLine": f"{{ {ORDER} {{ refunds {{ lines {{ % }} }} }} }}",
    "GuideCommission": f"{{ {EARNED} {{ % }} }} }}",
    "CommissionRow": f"{{ {EARNED} {{ rows {{ nodes {{ % }} }} }} }} }}",
    "CommissionRowConnection": f"{{ {EARNED} {{ rows {{ % }} }} }} }}",
    "CommissionRowEdge": f"{{ {EARNED} {{ rows {{ edges {{ % }} }} }} }} }}",
    "StoreCommission": f'{{ {STORE} {{ commission(month: "2018-01") {{ % }} }} }}',
    "Policy": "{ policy(kind: GROWTH) { % } }",
    "PolicyConnection": "{ policyVersions(kind: GROWTH) { % } }",
    "PolicyEdge": "{ policyVersions(kind: GROWTH) { edges { % } } }",
    "PolicyPayload": "mutation { policyDraft(input: {kind: RFM, document: {x: 1}}) { % } }",
    "Campaign": f"{{ {CAMPAIGN} {{ % }} }}",
    "CampaignConnection": "{ campaigns { % } }",
    "CampaignEdge": "{ campaigns { edges { % } } }",
    "CampaignAttribution": f"{{ {CAMPAIGN} {{ attributed {{ % }} }} }}",
    "CampaignCredit": f"{{ {CAMPAIGN} {{ attributed {{ rows {{ nodes {{ % }} }} }} }} }}",
    "CampaignCreditConnection": f"{{ {CAMPAIGN} {{ attributed {{ rows {{ % }} }} }} }}",
    "CampaignCreditEdge": f"{{ {CAMPAIGN} {{ attributed {{ rows {{ edges {{ % }} }} }} }} }}",
    "CampaignGoal": f"{{ {CAMPAIGN} {{ goals {{ % }} }} }}",
    "CampaignBudget": f"{{ {CAMPAIGN} {{ budget {{ % }} }} }}",
    "CampaignCalendar": f"{{ {CALENDAR} {{ % }} }}",
    "CampaignOverlap": f"{{ {CALENDAR} {{ overlaps {{ % }} }} }}",
    "CampaignAdoption": f"{{ {CAMPAIGN} {{ adoptions {{ nodes {{ % }} }} }} }}",
    "CampaignAdoptionConnection": f"{{ {CAMPAIGN} {{ adoptions {{ % }} }} }}",
    "CampaignAdoptionEdge": f"{{ {CAMPAIGN} {{ adoptions {{ edges {{ % }} }} }} }}",
    "CampaignAdoptionPayload": (
        'mutation { campaignAdopt(input: {campaignId: "nothing", storeId: "nothing"}) { % } }'
    ),
    "CampaignParticipation": f"{{ {MEMBER} {{ participations {{ nodes {{ % }} }} }} }}",
    "CampaignParticipationConnection": f"{{ {MEMBER} {{ participations {{ % }} }} }}",
    "CampaignParticipationEdge": f"{{ {MEMBER} {{ participations {{ edges {{ % }} }} }} }}",
    "CampaignParticipationPayload": f"mutation {{ {ADDED} {{ % }} }}",
    "CampaignParticipationResult": f"mutation {{ {ADDED} {{ results {{ % }} }} }}",
    "CampaignPayload": 'mutation { campaignUpdate(input: {id: "nothing"}) { % } }',
    "StoreCampaign": f"{{ {STORE} {{ campaigns {{ % }} }} }}",
    "OrderPayload": 'mutation { orderApply(input: {source: "pos", externalId: "x"}) { % } }',
    "Login": f"mutation {{ {LOGIN} {{ login {{ % }} }} }}",
    "LoginPayload": 'mutation { loginWithWeChat(input: {code: ""}) { % } }',
    "Tokens": f"mutation {{ {LOGIN} {{ login {{ tokens {{ % }} }} }} }}",
    "TokenPayload": 'mutation { tokenRefresh(input: {refreshToken: "x"}) { % } }',
    "SessionPayload": "mutation { logout { % } }",
    "StaffAccount": "{ staffAccounts { nodes { % } } }",
    "StaffAccountConnection": "{ staffAccounts { % } }",
    "StaffAccountEdge": "{ staffAccounts { edges { % } } }",
    "StaffAccountPayload": 'mutation { staffAccountUpdate(input: {id: "nobody"}) { % } }',
    "ApiKey": "{ apiKeys { nodes { % } } }",
    "ApiKeyConnection": "{ apiKeys { % } }",
    "ApiKeyEdge": "{ apiKeys { edges { % } } }",
    "ClientManifest": "{ clientManifests { nodes { % } } }",
    "ClientManifestConnection": "{ clientManifests { % } }",
    "ClientManifestEdge": "{ clientManifests { edges { % } } }",
    "ClientManifestPayload": f"mutation {{ clientManifestRetire{NO_MANIFEST} {{ % }} }}",
    "ApiKeyPayload": 'mutation { apiKeyRevoke(id: "nothing") { % } }',
    "AuditEntry": f"{{ {AUDIT} {{ nodes {{ % }} }} }}",
    "AuditEntryConnection": f"{{ {AUDIT} {{ % }} }}",
    "AuditEntryEdge": f"{{ {AUDIT} {{ edges {{ % }} }} }}",
    "BulkOperation": "{ bulkOperation { % } }",
    "BulkOperationPayload": 'mutation { bulkOperationCancel(id: "nothing") { % } }',
    "WebhookEndpoint": "{ webhookEndpoints { nodes { % } } }",
    "WebhookEndpointConnection": "{ webhookEndpoints { % } }",
    "WebhookEndpointEdge": "{ webhookEndpoints { edges { % } } }",
    "WebhookEndpointPayload": 'mutation { webhookEndpointUpdate(input: {id: "nothing"}) { % } }',
    "WebhookDelivery": '{ webhookDelivery(id: "$webhook_delivery") { % } }',
    "WebhookDeliveryConnection": "{ webhookEndpoints { nodes { deliveries { % } } } }",
    "WebhookDeliveryEdge": "{ webhookEndpoints { nodes { deliveries { edges { % } } } } }",
    "WebhookDeliveryPayload": 'mutation { webhookDeliveryReplay(id: "nothing") { % } }',
    "VendorShop": "{ vendorShops { nodes { % } } }",
    "VendorShopConnection": "{ vendorShops { % } }",
    "VendorShopEdge": "{ vendorShops { edges { % } } }",
    "VendorShopPayload": 'mutation { vendorShopUpdate(input: {id: "nothing"}) { % } }',
    "VendorLink": "{ vendorShops { nodes { links(kind: STORE) { nodes { % } } } } }",
    "VendorLinkConnection": "{ vendorShops { nodes { links(kind: STORE) { % } } } }",
    "VendorLinkEdge": "{ vendorShops { nodes { links(kind: STORE) { edges { % } } } } }",
    "VendorLinkPayload": "mutation { vendorShopSetLink"
    '(input: {shopId: "nothing", kind: STORE, vendorKey: "1"}) { % } }',
    "VendorMessage": '{ vendorMessage(id: "$vendor_message") { % } }',
    "VendorMessageConnection": "{ vendorShops { nodes { messages(reverse: true) { % } } } }",
    "VendorMessageEdge": "{ vendorShops { nodes { messages(reverse: true) { edges { % } } } } }",
    "VendorMessagePayload": 'mutation { vendorMessageReplay(id: "nothing") { % } }',
    "VendorCopy": "{ vendorShops { nodes { openCopies { nodes { % } } } } }",
    "VendorCopyConnection": "{ vendorShops { nodes { openCopies { % } } } }",
    "VendorCopyEdge": "{ vendorShops { nodes { openCopies { edges { % } } } } }",
    "VendorCopyPayload": 'mutation { vendorCopyRetry(id: "nothing") { % } }',
    "VendorRun": '{ vendorRun(id: "$vendor_run") { % } }',
    "VendorRunConnection": "{ vendorShops { nodes { runs { % } } } }",
    "VendorRunEdge": "{ vendorShops { nodes { runs { edges { % } } } } }",
    "VendorRunDifference": '{ vendorRun(id: "$vendor_run") { differences { % } } }',
    "VendorRunPayload": "mutation { vendorRunBegin"
    '(input: {shopId: "nothing", since: "2018-01-01T00:00:00Z", until: "2018-01-02T00:00:00Z"})'
    " { % } }",
    "VendorSetup": "{ vendorSetup { % } }",
    "VendorSetupPayload": "mutation { pointsMasterSet"
    "(input: {master: OURS, expectedVersion: 99}) { % } }",
    "MemberExport": '{ memberExport(id: "$export") { % } }',
    "MemberExportPayload": 'mutation { memberExport(id: "nobody") { % } }',
    "MemberErasure": '{ memberErasure(id: "$erasure") { % } }',
    "MemberErasurePayload": 'mutation { memberErase(id: "nobody") { % } }',
    "UserError": f"mutation {{ {REFUSED} {{ userErrors {{ % }} }} }}",
}
"""For each object type a document that reaches one; its fields stand in the place of %."""

ARGUMENTS = {
    "Query.node": '(id: "$store")',
    "Query.nodes": '(ids: ["$store"])',
    "Query.store": '(by: {id: "$store"})',
    "Store.orders": '(month: "2018-01")',
    "Store.commission": '(month: "2018-01")',
    "Guide.commission": '(month: "2018-01")',
    "Query.guide": '(by: {id: "$guide"})',
    "Query.member": '(by: {id: "$member"})',
    "Query.mallItem": '(id: "$mall_item")',
    "Query.mallRedemption": '(id: "$mall_redemption")',
    "Query.mallRedemptionsWaiting": '(storeId: "$store")',
    "Mutation.memberGiftRetry": '(input: {memberId: "nobody", kind: JOINING})',
    "Mutation.mallItemCreate": '(input: {kind: GOODS, name: "", points: 1})',
    "Mutation.mallItemUpdate": '(input: {id: "nothing"})',
    "Mutation.mallItemStateSet": '(input: {id: "nothing", state: ACTIVE})',
    "Mutation.mallItemStockAdd": '(input: {id: "nothing", quantity: 1})',
    "Mutation.mallItemRedeem": '(input: {memberId: "nobody", itemId: "nothing"})',
    "Mutation.mallRedemptionHandOver": '(input: {id: "nothing"})',
    "Mutation.mallRedemptionCancel": '(input: {id: "nothing"})',
    "Query.order": '(by: {id: "$order"})',
    "Query.checkoutQuote": BASKET,
    "Query.checkoutReservation": KEPT,
    "Mutation.checkoutReserve": NOT_KEPT,
    "Mutation.checkoutRelease": NOT_FREED,
    "Query.policy": "(kind: GROWTH)",
    "Query.policyVersions": "(kind: GROWTH)",
    "Query.policyValidate": "(kind: GROWTH, document: {})",
    "Query.campaign": '(by: {id: "$campaign"})',
    "Query.nearbyStores": "(position: {latitude: 31.2304, longitude: 121.4737})",
    "Query.campaignCalendar": '(from: "$today", to: "$today")',
    "Query.auditEntries": '(by: {memberId: "$member"})',
    "Mutation.noticeTemplateSet": '(input: {templateId: "x", name: "", fields: []})',
    "Mutation.noticeTemplateRetire": '(input: {templateId: "x"})',
    "Mutation.noticeAnswersAdd": '(input: {requestId: "x", answers: []})',
    "Mutation.noticeSend": f"({NOTICE})",
    "Query.friendTransfer": '(id: "$transfer")',
    "Query.friendTransfers": '(guideId: "$guide")',
    "Mutation.friendTransferStart": '(input: {fromGuideId: "x", toGuideId: "y"})',
    "Mutation.friendTransferCancel": '(id: "nothing")',
    "Query.friendSend": '(id: "$send")',
    "Query.friendSends": '(guideId: "$guide")',
    "Mutation.friendSendCreate": '(input: {guideId: "x", text: ""})',
    "Mutation.friendSendRemind": '(id: "nothing")',
    "Mutation.friendSendCancel": '(id: "nothing")',
    "Mutation.tagCorpLinkSet": '(input: {tagId: "x", corpTagId: "y"})',
    "Mutation.tagCorpLinkRemove": '(input: {corpTagId: "x"})',
    "Mutation.tagCorpLinksPull": '(input: {groupId: "x"})',
    "Query.friends": '(guideId: "$guide")',
    "Mutation.scanCodeContactWayCreate": '(id: "nothing")',
    "Mutation.friendWelcomeRemove": '(input: {storeId: "nothing"})',
    "Mutation.friendWelcomeSet": '(input: {text: ""})',
    "Query.scanCode": '(id: "$code")',
    "Query.memberMerge": '(id: "$merge")',
    "Query.memberExport": '(id: "$export")',
    "Query.memberErasure": '(id: "$erasure")',
    "Mutation.memberExport": '(id: "nobody")',
    "Mutation.memberErase": '(id: "nobody")',
    "Query.handOver": '(id: "$hand_over")',
    "Query.tag": '(by: {id: "$tag"})',
    "Query.tagJob": '(id: "$tag_job")',
    "Query.policyRun": '(id: "$run")',
    "Query.coupon": '(by: {id: "$coupon"})',
    "Query.couponTemplate": '(id: "$coupon_template")',
    "Query.couponIssueJob": '(id: "$coupon_job")',
    "Mutation.couponTemplateCreate": (
        '(input: {name: "", terms: {kind: AMOUNT, validity: {kind: DELAYED}}})'
    ),
    "Mutation.couponTemplateUpdate": '(input: {id: "nothing"})',
    "Mutation.couponTemplateActivate": '(id: "nothing")',
    "Mutation.couponTemplateStop": '(id: "nothing")',
    "Mutation.couponIssue": '(input: {memberId: "nobody", templateId: "nothing"})',
    "Mutation.couponClaim": '(input: {by: {templateId: "nothing"}})',
    "Mutation.couponClaimTokenMake": '(input: {templateId: "nothing", storeId: "nothing"})',
    "Mutation.couponLock": (
        '(input: {coupon: {id: "nothing"}, key: "x", until: "2018-01-01T00:00:00Z"})'
    ),
    "Mutation.couponUnlock": '(input: {coupon: {id: "nothing"}, key: "x"})',
    "Mutation.couponRedeem": '(input: {coupon: {id: "nothing"}, storeId: "nothing"})',
    "Mutation.couponRollBack": '(input: {id: "nothing", reason: "x"})',
    "Mutation.couponRecycle": '(input: {id: "nothing", reason: "x"})',
    "Mutation.couponGiftOffer": '(id: "nothing")',
    "Mutation.couponGiftWithdraw": '(id: "nothing")',
    "Mutation.couponGiftAccept": '(input: {token: "x"})',
    "Mutation.couponIssueJobCreate": '(input: {templateId: "nothing", members: {ids: ["x"]}})',
    "Mutation.couponIssueJobCancel": '(id: "nothing")',
    "Member.standingHistory": "(part: TIER)",
    "Mutation.policyPreview": "(input: {kind: OWNERSHIP})",
    "Mutation.policyMeasure": "(input: {kind: GROWTH})",
    "Mutation.policyRunCancel": '(id: "nothing")',
    "Mutation.policyRunRetry": '(id: "nothing")',
    "Mutation.memberTierLock": '(input: {memberId: "nobody", tier: "V1", kind: PIN})',
    "Mutation.memberTierUnlock": '(input: {memberId: "nobody"})',
    "Mutation.memberTierGrant": '(input: {memberId: "nobody", tier: "V1"})',
    "Mutation.memberPointsAdjust": '(input: {memberId: "nobody", points: 1, reason: "x"})',
    "Mutation.memberPointsFreeze": '(input: {memberId: "nobody", points: 1, key: "x"})',
    "Mutation.memberPointsConsume": '(input: {memberId: "nobody", key: "x"})',
    "Mutation.memberPointsUnfreeze": '(input: {memberId: "nobody", key: "x"})',
    "Mutation.memberPointsImport": "(input: {balances: []})",
    "Mutation.chainSetUp": '(input: {name: "x"})',
    "Mutation.orgUnitCreate": '(input: {kind: REGION, name: "x", parentId: "nothing"})',
    "Mutation.orgUnitUpdate": '(input: {id: "nothing"})',
    "Mutation.orgUnitArchive": '(id: "nothing")',
    "Mutation.orgUnitRestore": '(id: "nothing")',
    "Mutation.storeCreate": '(input: {code: "S1", name: "x", parentId: "nothing"})',
    "Mutation.storeUpdate": '(input: {id: "nothing"})',
    "Mutation.storeArchive": '(id: "nothing")',
    "Mutation.storeRestore": '(id: "nothing")',
    "Mutation.guideCreate": '(input: {storeId: "nothing", name: "x", wecomUserId: "x"})',
    "Mutation.guideUpdate": '(input: {id: "nobody"})',
    "Mutation.guideStatusSet": '(input: {id: "nobody", status: LEFT})',
    "Mutation.memberEnrol": "(input: {identities: []})",
    "Mutation.memberUpdate": '(input: {id: "nobody", name: "x"})',
    "Mutation.memberConsentSet": (
        '(input: {memberId: "nobody", purpose: SERVICE, granted: true, textVersion: "x"})'
    ),
    "Mutation.memberIdentityAdd": (
        '(input: {memberId: "nobody", identity: {kind: OPENID, value: "x"}})'
    ),
    "Mutation.memberIdentityRemove": (
        '(input: {memberId: "nobody", identity: {kind: OPENID, value: "x"}})'
    ),
    "Mutation.memberMerge": '(input: {survivorId: "nobody", loserId: "nobody"})',
    "Mutation.memberArchive": '(id: "nobody")',
    "Mutation.memberRestore": '(id: "nobody")',
    "Mutation.memberGuideAssign": '(input: {memberId: "nobody", guideId: "nobody"})',
    "Mutation.memberGuideTakeOver": '(input: {member: {id: "nobody"}})',
    "Mutation.memberGuideRelease": '(input: {memberId: "nobody"})',
    "Mutation.handOverCreate": '(input: {fromGuideId: "nobody", targetIds: []})',
    "Mutation.handOverCancel": '(id: "nothing")',
    "Mutation.guideMove": '(input: {guideId: "nobody", storeId: "nothing"})',
    "Mutation.tagGroupCreate": '(input: {name: "", kind: LIFE})',
    "Mutation.tagGroupUpdate": '(input: {id: "nothing"})',
    "Mutation.tagGroupArchive": '(id: "nothing")',
    "Mutation.tagGroupRestore": '(id: "nothing")',
    "Mutation.tagCreate": '(input: {groupId: "nothing", name: ""})',
    "Mutation.tagUpdate": '(input: {id: "nothing"})',
    "Mutation.tagArchive": '(id: "nothing")',
    "Mutation.tagRestore": '(id: "nothing")',
    "Mutation.memberTagsSet": '(input: {memberId: "nobody", add: ["$tag"]})',
    "Mutation.memberTagsAddBulk": '(input: {memberIds: [], tagIds: ["$tag"]})',
    "Mutation.tagJobCreate": '(input: {members: {storeId: "nothing"}, add: ["$tag"]})',
    "Mutation.tagJobCancel": '(id: "nothing")',
    "Mutation.loginWithWeChat": '(input: {code: ""})',
    "Mutation.loginWithWeCom": '(input: {code: ""})',
    "Mutation.scanCodeCreate": '(input: {storeId: "nothing"})',
    "Mutation.scanCodeDraw": '(id: "nothing")',
    "Mutation.scanCodeRetire": '(id: "nothing")',
    "Mutation.memberJoin": '(input: {code: ""})',
    "Mutation.memberEnrolSelf": '(input: {enrolmentToken: "x", storeId: "nothing"})',
    "Mutation.tokenRefresh": '(input: {refreshToken: "x"})',
    "Mutation.staffAccountCreate": (
        '(input: {name: "", wecomUserId: "x", role: OPERATOR, unitId: "nothing"})'
    ),
    "Mutation.staffAccountUpdate": '(input: {id: "nobody"})',
    "Mutation.staffAccountDisable": '(id: "nobody")',
    "Mutation.staffAccountEnable": '(id: "nobody")',
    "Mutation.apiKeyCreate": '(input: {name: "x", scopes: []})',
    "Mutation.apiKeyRotate": '(input: {id: "nothing"})',
    "Mutation.clientManifestPublish": ('(input: {client: "x", version: "nothing", documents: []})'),
    "Mutation.clientManifestRetire": NO_MANIFEST,
    "Mutation.apiKeyRevoke": '(id: "nothing")',
    "Mutation.policyDraft": "(input: {kind: RFM, document: {x: 1}})",
    "Mutation.policyPublish": "(input: {kind: RFM, draftVersion: 7})",
    "Mutation.policyDraftDiscard": "(input: {kind: RFM, expectedVersion: 7})",
    "Mutation.campaignCreate": (
        '(input: {kind: SCENE, name: "", startsAt: "2018-01-01T00:00:00Z",'
        ' endsAt: "2018-01-02T00:00:00Z"})'
    ),
    "Mutation.campaignUpdate": '(input: {id: "nothing"})',
    "Mutation.campaignStateSet": '(input: {id: "nothing", state: ENDED})',
    "Mutation.campaignArchive": '(id: "nothing")',
    "Mutation.campaignAdopt": '(input: {campaignId: "nothing", storeId: "nothing"})',
    "Mutation.campaignAdoptionUpdate": '(input: {campaignId: "nothing", storeId: "nothing"})',
    "Mutation.campaignAdoptionWithdraw": '(input: {campaignId: "nothing", storeId: "nothing"})',
    "Mutation.campaignParticipationAdd": '(input: {campaignId: "nothing", participations: []})',
    "Mutation.bulkOperationRunQuery": '(input: {query: "{ me { role } }"})',
    "Mutation.bulkOperationCancel": '(id: "nothing")',
    "Query.webhookEndpoint": '(id: "$webhook")',
    "Query.webhookDelivery": '(id: "$webhook_delivery")',
    "Mutation.webhookEndpointCreate": '(input: {name: "", url: "https://x.invalid/", topics: []})',
    "Mutation.webhookEndpointUpdate": '(input: {id: "nothing"})',
    "Mutation.webhookEndpointRotateSecret": '(input: {id: "nothing"})',
    "Mutation.webhookEndpointDisable": '(id: "nothing")',
    "Mutation.webhookEndpointEnable": '(id: "nothing")',
    "Mutation.webhookEndpointTest": '(id: "nothing")',
    "Mutation.webhookEndpointReplay": '(input: {id: "nothing", since: "2018-01-01T00:00:00Z"})',
    "Mutation.webhookDeliveryReplay": '(id: "nothing")',
    "Query.vendorShop": '(id: "$vendor_shop")',
    "Query.vendorMessage": '(id: "$vendor_message")',
    "Query.vendorRun": '(id: "$vendor_run")',
    "VendorShop.links": "(kind: STORE)",
    "Mutation.vendorShopLink": '(input: {vendor: YOUZAN, vendorKey: "", clientId: "", name: ""})',
    "Mutation.vendorShopUpdate": '(input: {id: "nothing"})',
    "Mutation.vendorShopUnlink": '(id: "nothing")',
    "Mutation.vendorShopSetLink": '(input: {shopId: "nothing", kind: STORE, vendorKey: "1"})',
    "Mutation.vendorShopReplayMessages": '(input: {shopId: "nothing"})',
    "Mutation.vendorMessageReplay": '(id: "nothing")',
    "Mutation.vendorCopyRetry": '(id: "nothing")',
    "Mutation.vendorRunBegin": '(input: {shopId: "nothing", since: "2018-01-01T00:00:00Z", '
    'until: "2018-01-02T00:00:00Z"})',
    "Mutation.pointsMasterSet": "(input: {master: OURS, expectedVersion: 99})",
    "Mutation.orderApply": '(input: {source: "pos", externalId: "x"})',
}
"""Arguments of fields that need some; those of mutations are refused and change nothing."""

IN_FULL = {
    "Member.name": NAME,
    "Member.nickname": NICKNAME,
    "Member.phone": PHONE,
    "Member.birthYear": 1988,
}
MASKED = {
    "Member.name": "王**",
    "Member.nickname": "明**",
    "Member.phone": "+86*******8000",
    "Member.birthYear": None,
}
EMPTY = {
    "CheckoutStep.name",
    "CheckoutStep.coupon",
    "CheckoutReservePayload.reservation",
    "CheckoutReservePayload.quote",
    "CheckoutReleasePayload.reservation",
    "OrgUnit.archivedAt",
    "OrgUnitPayload.unit",
    "Store.archivedAt",
    "StorePayload.store",
    "Guide.leftAt",
    "GuidePayload.guide",
    "Member.archivedAt",
    "MemberPayload.member",
    "MemberExportPayload.export",
    "MemberErasurePayload.erasure",
    "AuditEntry.requestId",
    "AuditEntry.operation",
    "Ownership.validUntil",
    "Ownership.endedAt",
    "Ownership.endReason",
    "HandOverPayload.handOver",
    "GuideMovePayload.guide",
    "GuideMovePayload.handOver",
    "MemberMerge.problem",
    "ContactWay.problem",
    "ContactWayPayload.contactWay",
    "NoticeTemplate.retiredAt",
    "NoticeTemplatePayload.template",
    "NoticeQuotaPayload.quotas",
    "NoticePayload.notice",
    "FriendTransfer.problem",
    "FriendTransferPayload.transfer",
    "FriendSend.tag",
    "FriendSend.problem",
    "FriendSendPayload.send",
    "CorpTagLinkPayload.link",
    "CorpTagPayload.links",
    "FriendWelcome.store",
    "FriendWelcomePayload.welcome",
    "WelcomePayload.removed",
    "ScanCode.campaign",
    "ScanCode.retiredAt",
    "ScanCodePayload.scanCode",
    "MemberMergePayload.merge",
    "OrderPayload.order",
    "Policy.supersededAt",
    "PolicyPayload.policy",
    "Campaign.archivedAt",
    "CampaignPayload.campaign",
    "CampaignAdoption.withdrawnBy",
    "CampaignAdoption.withdrawnAt",
    "CampaignAdoptionPayload.adoption",
    "CampaignParticipationResult.error",
    "Login.enrolmentToken",
    "LoginPayload.login",
    "TokenPayload.tokens",
    "SessionPayload.endedSessions",
    "StaffAccount.store",
    "StaffAccount.disabledAt",
    "StaffAccountPayload.staffAccount",
    "ApiKey.revokedAt",
    "ApiKeyPayload.apiKey",
    "ClientManifestPayload.clientManifest",
    "ApiKeyPayload.key",
    "BulkOperationPayload.operation",
    "WebhookEndpointPayload.endpoint",
    "WebhookEndpointPayload.secret",
    "WebhookDeliveryPayload.delivery",
    "VendorShopPayload.shop",
    "VendorLinkPayload.link",
    "VendorMessage.body",
    "VendorMessagePayload.message",
    "VendorCopyPayload.copy",
    "VendorRunPayload.run",
    "VendorSetupPayload.setup",
    "Tag.archivedAt",
    "TagPayload.tag",
    "TagGroup.archivedAt",
    "TagGroupPayload.group",
    "TagAssignment.sourceRef",
    "TagHistoryEntry.sourceRef",
    "TagHistoryEntry.replacedBy",
    "TagJob.problem",
    "Member.quadrant",
    "MemberTier.graceUntil",
    "GiftPayload.gift",
    "MallItem.couponTemplate",
    "MallItemPayload.item",
    "MallRedemption.coupon",
    "MallRedemptionPayload.redemption",
    "TierProgress.toKeep",
    "TierGoal.by",
    "PolicyRun.draftedVersion",
    "PolicyRunPayload.run",
    "TagJobPayload.job",
    "CouponTemplatePayload.template",
    "CouponTerms.amount",
    "CouponTerms.itemId",
    "CouponTerms.itemName",
    "CouponValidity.startsOn",
    "CouponValidity.endsOn",
    "CouponPayload.coupon",
    "CouponGiftPayload.coupon",
    "CouponGiftPayload.token",
    "CouponClaimTokenPayload.token",
    "CouponIssueJobPayload.job",
    "TagsSetPayload.member",
    "TagsSetPayload.changes",
    "MemberTagsResult.member",
    "Order.settledAt",
    "PointsEntry.reason",
    "MemberPointsImportResult.member",
}
"""Fields that have no value in what is seeded, whoever asks."""

OWN = {
    "MallItem.obstacle": {Role.MEMBER},
    "Me.member": {Role.MEMBER},
    "Query.couponIssueJob": {Role.OPERATOR, Role.INTEGRATION},
    "Me.store": {Role.GUIDE, Role.STORE_MANAGER},
}
"""Fields that have a value for some roles only."""

LOOKED_UP = {"BatchGetItem": 1}
"""What it takes to know whether a token still holds."""

LAST_WORDS = {"Mutation.logoutEverywhere"}
"""What would end the run, and needs no argument that could be refused: asked in tests/access."""


def object_types() -> Iterator[GraphQLObjectType]:
    """The object types of ours."""
    for named in GRAPH.type_map.values():
        if isinstance(named, GraphQLObjectType) and not named.name.startswith("__"):
            yield named


def fields() -> dict[str, GraphQLField]:
    """Every field of every object type, by coordinate."""
    return {
        f"{named.name}.{name}": field
        for named in object_types()
        for name, field in named.fields.items()
    }


def said_by_rules() -> Table:
    """The table as the rules on the fields say it; AssertionError for a field without one."""
    viewers = {name: Viewer(c.role, scopes=c.scopes) for name, c in COLUMNS.items()}
    table: Table = {}
    for coordinate, field in sorted(fields().items()):
        rule = rule_of(field)
        assert rule is not None, f"{coordinate} has no rule"
        table[coordinate] = {
            name: "inherit" if rule is INHERITED else rule.verdict(viewer).value
            for name, viewer in viewers.items()
        }
    return table


def committed() -> Table:
    """The table as it stands in the file."""
    with FILE.open(newline="") as file:
        return {row.pop("field"): row for row in csv.DictReader(file)}


def write() -> None:
    """Write the file anew."""
    with FILE.open("w", newline="") as file:
        writer = csv.DictWriter(file, ["field", *COLUMNS], lineterminator="\n")
        writer.writeheader()
        writer.writerows({"field": field, **cells} for field, cells in said_by_rules().items())


def coordinates(document: str) -> list[str]:
    """The fields that a document selects."""
    info = TypeInfo(GRAPH)
    found: list[str] = []

    class Collect(Visitor):
        def enter_field(self, node: FieldNode, *_: Any) -> None:
            parent = info.get_parent_type()
            assert parent is not None
            if not node.name.value.startswith("__"):
                found.append(f"{parent.name}.{node.name.value}")

    visit(parse(document), TypeInfoVisitor(info, Collect()))
    return found


def document(type_name: str, names: Iterable[str]) -> str:
    """A document that reaches an object of a type and selects these fields of it."""
    return WAYS[type_name].replace("%", " ".join(selection(f"{type_name}.{n}") for n in names))


def selection(coordinate: str) -> str:
    """A field under an alias of its own, with arguments, and something of the object it gives."""
    type_name, _, name = coordinate.partition(".")
    inner = get_named_type(fields()[coordinate].type)
    below = "" if is_leaf_type(inner) else " { __typename }"
    if type_name == "Mutation":
        below = " { userErrors { code } }"
    return f"its_{name}: {name}{ARGUMENTS.get(coordinate, '')}{below}"


def found_below(data: Any, alias: str) -> Any:
    """The value of a field of the first object that was reached; LookupError if none was."""
    if isinstance(data, dict):
        if alias in data:
            return data[alias]
        return found_below(next(iter(data.values())), alias)
    if isinstance(data, list) and data:
        return found_below(data[0], alias)
    raise LookupError(alias)


class Visit:
    """One viewer's run over the whole schema."""

    def __init__(self, send: Client, seeded: Seeded, name: str) -> None:
        self.send = send
        self.seeded = seeded
        self.role = COLUMNS[name].role
        self.token = COLUMNS[name].token(seeded)
        self.cells = {field: cells[name] for field, cells in committed().items()}

    def expected(self, named: GraphQLObjectType) -> dict[str, str]:
        """What the table says of the fields of a type: denied too where no way there is open."""
        closed = self.denied(WAYS[named.name].replace("%", "__typename"))
        cells = {name: self.cells[f"{named.name}.{name}"] for name in named.fields}
        return {
            name: "deny" if closed else cell.replace("inherit", "allow")
            for name, cell in cells.items()
        }

    def observed(self, named: GraphQLObjectType) -> dict[str, str]:
        """What becomes of the fields of a type when they are asked for."""
        at_once = MAX_ERRORS - len(self.denied(WAYS[named.name].replace("%", "__typename")))
        denied = [n for n in named.fields if self.cells[f"{named.name}.{n}"] == "deny"]
        unasked = [n for n in named.fields if f"{named.name}.{n}" in LAST_WORDS and n not in denied]
        allowed = [n for n in named.fields if n not in {*denied, *unasked}]
        outcome = dict.fromkeys(unasked, "allow")
        for start in range(0, len(allowed), LIMITS.aliases):
            outcome |= self.asked(named.name, allowed[start : start + LIMITS.aliases])
        for start in range(0, len(denied), at_once):
            outcome |= self.asked(named.name, denied[start : start + at_once])
        return outcome

    def asked(self, type_name: str, names: Sequence[str]) -> dict[str, str]:
        """Ask for some fields of a type: all are refused, or each has a value or a mask."""
        if not names:
            return {}
        text = document(type_name, names)
        sent = Template(text).substitute(self.seeded)
        with counted() as calls:
            answer = self.send.post(sent, token=self.token)
        if "data" not in answer:
            refused = {error["message"].partition(" ")[0] for error in answer["errors"]}
            codes = {error["extensions"]["code"] for error in answer["errors"]}
            anonymous = self.role is Role.ANONYMOUS
            assert codes == {"UNAUTHENTICATED" if anonymous else "FORBIDDEN"}
            assert refused == set(self.denied(text))
            assert calls == ({} if anonymous else LOOKED_UP)
            return dict.fromkeys(names, "deny")
        assert "errors" not in answer, answer["errors"]
        data = answer["data"]
        return {n: self.outcome(f"{type_name}.{n}", found_below(data, f"its_{n}")) for n in names}

    def outcome(self, coordinate: str, value: Any) -> str:
        """Whether a value is what is stored, or its mask; the value itself where it is neither."""
        if coordinate.startswith("Mutation."):
            return "allow" if value["userErrors"] else f"{coordinate} did something"
        if coordinate in IN_FULL:
            known = {"allow": IN_FULL[coordinate], "mask": MASKED[coordinate]}
            return next((word for word, shown in known.items() if value == shown), str(value))
        empty = coordinate in EMPTY or self.role not in OWN.get(coordinate, {self.role})
        return "allow" if (value is None) == empty else f"{coordinate} is {value}"

    def denied(self, text: str) -> list[str]:
        """The fields of a document that the table denies."""
        return [field for field in dict.fromkeys(coordinates(text)) if self.cells[field] == "deny"]


def stored() -> list[str]:
    """Every item of every table, but for what logins, keys, platforms and reads leave."""
    noted = [table for table in tables.TABLES if table is not AuditItem]
    items = [json.dumps(item.serialize()) for table in noted for item in table.scan()]
    return sorted(
        item
        for item in items
        if not re.search('"attempts#|"S": "sessions"|"S": "token"|#points-opened', item)
    )


def test_table_is_what_the_rules_say() -> None:
    assert committed() == said_by_rules(), "run `python -m tests.test_access` and read the change"


def test_every_type_has_a_way_and_every_needed_argument_a_value() -> None:
    needed = {
        coordinate
        for coordinate, field in fields().items()
        if any(is_required_argument(argument) for argument in field.args.values())
    }
    assert set(WAYS) == {named.name for named in object_types()}
    assert set(ARGUMENTS) == needed


def test_masks_tell_nothing_but_a_shape() -> None:
    assert [field for field in IN_FULL if IN_FULL[field] == MASKED[field]] == []
    assert re.fullmatch(r"\w\*{1,2}", str(MASKED["Member.name"]))
    assert re.fullmatch(r"\+\d{1,2}\*{4,}\d{4}", str(MASKED["Member.phone"]))
    masked = {field for field, cells in committed().items() if "mask" in cells.values()}
    assert masked == set(MASKED)


@pytest.mark.parametrize("name", COLUMNS)
def test_viewer_sees_of_every_field_what_the_table_says(
    send: Client, seeded: Seeded, name: str
) -> None:
    send.post("{ me { role } }", token=None)  # whatever a first request reads
    run = Visit(send, seeded, name)
    before = stored()
    expected = {named.name: run.expected(named) for named in object_types()}
    assert {named.name: run.observed(named) for named in object_types()} == expected
    assert stored() == before


if __name__ == "__main__":
    write()
