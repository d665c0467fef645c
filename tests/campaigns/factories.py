"""Campaigns to test with; the chain is set up already."""

import itertools
from datetime import timedelta
from typing import Any

from graphql_api.campaigns import service
from graphql_api.campaigns.models import Adoption, Campaign, Participation, shard_of
from graphql_api.campaigns.rules import CampaignKind, CampaignState, ControlMode
from graphql_api.kit import ids
from graphql_api.kit.time import Clock
from graphql_api.members import service as members
from graphql_api.members.models import Member
from graphql_api.stores.models import Store
from graphql_api.viewer import SYSTEM, Role, Viewer
from tests.factories import CLOCK

DAY = timedelta(days=1)

_ids = (ids.derived_id("mbr", "shard", str(n)) for n in itertools.count())


def make_campaign(name: str = "春茶节", *, clock: Clock = CLOCK, **more: Any) -> Campaign:
    """A draft that would run from yesterday for ten days, in all stores unless told otherwise."""
    given = {"kind": CampaignKind.PROMOTION, "name": name, "starts_at": clock.now() - DAY}
    given |= {"ends_at": clock.now() + 9 * DAY} | more
    return service.create(service.CampaignCreate(**given), viewer=SYSTEM, clock=clock)


def set_state(
    campaign: Campaign, state: str, *, clock: Clock = CLOCK, viewer: Viewer = SYSTEM
) -> Campaign:
    """The campaign in another state."""
    change = service.CampaignStateSet(id=campaign.id, state=CampaignState(state))
    return service.set_state(change, viewer=viewer, clock=clock)


def make_running(name: str = "春茶节", *, clock: Clock = CLOCK, **more: Any) -> Campaign:
    """A campaign that was scheduled, and runs unless its start lies ahead."""
    return set_state(make_campaign(name, clock=clock, **more), "SCHEDULED", clock=clock)


def make_offer(name: str = "会员日", *, clock: Clock = CLOCK, **more: Any) -> Campaign:
    """A running campaign that stores may take up."""
    return make_running(name, clock=clock, control_mode=ControlMode.OPT_IN, **more)


def manager_of(store: Store) -> Viewer:
    """The manager of a store."""
    reach = frozenset({store.id})
    return Viewer(Role.STORE_MANAGER, id="stm_1", unit_id=store.id, store_ids=reach)


def adopt(
    campaign: Campaign,
    store: Store,
    *,
    viewer: Viewer | None = None,
    clock: Clock = CLOCK,
    **more: Any,
) -> Adoption:
    """A store that takes a campaign up."""
    given = service.Adopt(campaign_id=campaign.id, store_id=store.id, **more)
    return service.adopt(given, viewer=viewer or manager_of(store), clock=clock)


def take_part(
    campaign: Campaign, member: Member, *, clock: Clock = CLOCK, **more: Any
) -> Participation:
    """A member who takes part in a campaign."""
    one = service.NewParticipation(member_id=member.id, **more)
    given = service.ParticipationAdd(campaign_id=campaign.id, participations=[one])
    [added] = service.add_participations(given, viewer=SYSTEM, clock=clock)
    assert added.participation is not None
    return added.participation


def member_of_shard(store: Store, shard: int) -> Member:
    """A member whose participations stand in a shard."""
    member_id = next(id_ for id_ in _ids if shard_of(id_) == shard)
    identities = [members.NewIdentity(kind="OPENID", value=member_id)]
    new = members.Enrol(identities=identities, store_id=store.id)
    return members.enrol(new, viewer=SYSTEM, clock=CLOCK, member_id=member_id)
