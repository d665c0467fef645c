"""Every stored model says what it holds on a person, or is known to be about nobody."""

from collections.abc import Iterator

from graphql_api import tables
from graphql_api.access import models as access
from graphql_api.bulk import models as bulk
from graphql_api.campaigns import models as campaigns
from graphql_api.codes import models as codes
from graphql_api.commissions import models as commissions
from graphql_api.connectors import models as connectors
from graphql_api.coupons import models as coupons
from graphql_api.documents import models as documents
from graphql_api.forecasts import models as forecasts
from graphql_api.friends import models as friends
from graphql_api.guides import models as guides
from graphql_api.kit.dynamo import Item
from graphql_api.mall import models as mall
from graphql_api.members import models as members
from graphql_api.notices import models as notices
from graphql_api.ownership import models as ownership
from graphql_api.points import models as points
from graphql_api.policies import models as policies
from graphql_api.privacy.documents import shown
from graphql_api.privacy.parts import PARTS
from graphql_api.rebuilds import models as rebuilds
from graphql_api.requests import models as requests
from graphql_api.sends import models as sends
from graphql_api.standing import models as standing
from graphql_api.stores import models as stores
from graphql_api.tags import models as tags
from graphql_api.webhooks import models as webhooks

OF_NO_MEMBER = {
    *(stores.Chain, stores.OrgUnit, stores.Store, stores.CodeClaim, stores.Counter),
    *(guides.Guide, guides.WecomClaim),
    *(policies.Policy, policies.Head),
    *(campaigns.Campaign, campaigns.MonthRow, campaigns.Adoption, campaigns.ExternalClaim),
    *(campaigns.CreditRow, campaigns.CreditSum),
    *(campaigns.Counter, members.Counter, tags.Counter, access.Counter),
    *(tags.TagGroup, tags.Tag, tags.NameClaim, tags.MemberCount, tags.Mark),
    *(access.StaffAccount, access.WecomClaim, access.ApiKey),
    notices.Template,
    *(
        friends.Welcome,
        friends.ContactWay,
        friends.KeptDay,
        friends.CorpTagLink,
        friends.CorpTagClaim,
    ),
    *(codes.Code, codes.Scene, codes.Tally),
    *(bulk.LastOperation, points.ProgramPart),
    *(commissions.OrderLedger, commissions.CommissionRow, commissions.MonthSum),
    bulk.LastOperation,
    *(webhooks.Endpoint, webhooks.EndpointHealth),
    *(coupons.Template, coupons.Stock, coupons.StoreClaims, coupons.CodeClaim),
    *(coupons.TemplateCount, coupons.Mark),
    *(mall.MallItem, mall.Stock),
    *(standing.ShardRun, forecasts.ForecastCount, forecasts.Mark),
    *(connectors.Shop, connectors.Token, connectors.Rate, connectors.Run, connectors.Setup),
    connectors.Position,
    *(documents.Document, documents.Remembered, documents.Allowance, documents.Manifest),
}
"""Models that never hold a member's id."""

LEAD_NOWHERE = {
    campaigns.OrderCredits: "an id until the stream tells that the order has no buyer any more",
    ownership.HandOver: "counts only",
    ownership.HandedOver: "a number and an id in the list of a job",
    ownership.Skipped: "the same, with a reason from a closed list",
    tags.TagJob: "ids of members that failed, with refusals of ours",
    tags.JobList: "ids in the list of a job",
    coupons.IssueJob: "ids of members that failed, with refusals of ours",
    coupons.IssueList: "ids in the list of a job",
    standing.Failure: "an id and the name of an error",
    rebuilds.Run: "ids of a few members whom a policy moves",
    rebuilds.Piece: "the same, of a piece of the run",
    access.Bucket: "what a client may still ask, for minutes",
    access.Attempts: "a hash of whom a platform named, for an hour",
    bulk.BulkOperation: "ids of parents whose lists are left, while it runs; a file for a week",
    webhooks.Delivery: "ids of what changed, for two weeks",
    connectors.Copy: "until the stream tells that the member is gone",
    connectors.Link: "a vendor's code of a coupon that is gone, or keys of whom they made one",
    sends.Send: "counts, and words for many",
    sends.Target: "an id of WeCom in the list of a job",
    friends.Transfer: "counts only",
    friends.Handed: "an id of WeCom in the list of a job",
    friends.Friend: "ids of WeCom; which member that is, claims say, which are gone",
    friends.Customer: "the same",
    friends.UnionLink: "the same",
    connectors.BackLink: "the same, the other way",
    connectors.Message: "what a vendor pushed, as it arrived, for thirty days",
    requests.Request: "under the asker's id, with a sealed answer, for two days",
}
"""Models that may hold the id of somebody who was erased, which leads to nothing any more."""


def stored_models() -> Iterator[type[Item]]:
    """Every model of a table that has items of its own."""
    for table in tables.TABLES:
        waiting = list(table.__subclasses__())
        while waiting:
            model = waiting.pop()
            waiting += model.__subclasses__()
            if not model.__name__.startswith("_") and model.__module__.startswith("graphql_api."):
                yield model


def test_every_model_is_part_of_an_export_and_an_erasure_or_about_nobody() -> None:
    held = [model for part in PARTS for model in part.holds]
    known = {*held, *OF_NO_MEMBER, *LEAD_NOWHERE}
    unknown = set(stored_models()) - known
    assert unknown == set(), "add a line to privacy/parts.py, or say here why it needs none"
    assert len(known) == len(held) + len(OF_NO_MEMBER) + len(LEAD_NOWHERE)
    assert len({part.name for part in PARTS}) == len(PARTS)


def test_document_of_an_item_leaves_out_what_is_the_tables_own() -> None:
    member = members.Member("mbr_1", number=1, name="王", block="1", at_store="sto_1", version=3)
    told = shown(member, without={"number"})
    assert told["name"] == "王"
    assert {"id", "sort", "block", "atStore", "number"}.isdisjoint(told)
