"""What stores do with campaigns: take up, adapt, withdraw."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated

from pydantic import StringConstraints

from graphql_api.campaigns import models, repository, rules
from graphql_api.campaigns.models import Adoption, Campaign
from graphql_api.campaigns.rules import ControlMode, Schedule, Scope
from graphql_api.campaigns.service import commands
from graphql_api.campaigns.service.commands import Command, Instant, Name
from graphql_api.errors import ForbiddenTransition, Invalid, NotFound, Taken
from graphql_api.kit import ids
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.kit.time import Clock, to_the_millisecond
from graphql_api.stores import repository as stores
from graphql_api.viewer import Viewer

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]

_ADAPTED = frozenset({"name", "starts_at", "ends_at", "note"})


class _AdoptionFields(Command):
    campaign_id: str
    store_id: str
    name: Name | None = None
    starts_at: Instant | None = None
    ends_at: Instant | None = None
    note: Text | None = None


class Adopt(_AdoptionFields):
    """A store takes a campaign up, with a name and a time of its own where it wants."""


class AdoptionUpdate(_AdoptionFields):
    """What a store adapts; what is not set stays, what is null is cleared."""

    expected_version: int | None = None


class AdoptionWithdraw(Command):
    """A store no longer takes part."""

    campaign_id: str
    store_id: str


def adopt(given: Adopt, *, viewer: Viewer, clock: Clock) -> Adoption:
    """A store that carries a campaign out from now on; saying the same again changes nothing.

    Refuses a campaign that is mandated, over, or not for this store, and a local time outside it.
    """

    def attempt(tx: Transaction) -> Adoption:
        campaign = _offered(tx, given.campaign_id, given.store_id, viewer, clock.now())
        _require_live_store(tx, given.store_id)
        adoption = repository.get_adoption(campaign.id, given.store_id)
        if adoption is None:
            sort = models.adoption_sort(given.store_id)
            adoption = Adoption(campaign.id, sort, store_id=given.store_id)
        elif adoption.withdrawn_at is None:
            return _same_or_taken(adoption, given)
        _adapt(adoption, given, _AdoptionFields.model_fields.keys())
        _require_inside(adoption, campaign)
        adoption.taken_up_by, adoption.taken_up_at = viewer.id, clock.now()
        adoption.withdrawn_by = adoption.withdrawn_at = None
        repository.save_adoption(tx, adoption)
        return adoption

    return transact(attempt)


def update_adoption(given: AdoptionUpdate, *, viewer: Viewer, clock: Clock) -> Adoption:
    """What a store adapts of a campaign it took up; Conflict when `expected_version` has passed."""

    def attempt(tx: Transaction) -> Adoption:
        campaign = _offered(tx, given.campaign_id, given.store_id, viewer, clock.now())
        adoption = _adoption(campaign, given.store_id)
        commands.require_version(adoption, given.expected_version)
        if adoption.withdrawn_at is not None:
            text = "This store does not carry the campaign out"
            raise ForbiddenTransition(text, field=("input", "campaign_id"))
        before = adoption.serialize()
        _adapt(adoption, given, given.model_fields_set)
        if adoption.serialize() != before:
            _require_inside(adoption, campaign)
            repository.save_adoption(tx, adoption)
        return adoption

    return transact(attempt)


def withdraw(given: AdoptionWithdraw, *, viewer: Viewer, clock: Clock) -> Adoption:
    """A store that no longer carries a campaign out; again changes nothing."""

    def attempt(tx: Transaction) -> Adoption:
        campaign = _offered(tx, given.campaign_id, given.store_id, viewer, clock.now())
        adoption = _adoption(campaign, given.store_id)
        if adoption.withdrawn_at is None:
            adoption.withdrawn_by, adoption.withdrawn_at = viewer.id, clock.now()
            repository.save_adoption(tx, adoption)
        return adoption

    return transact(attempt)


def _offered(
    tx: Transaction, campaign_id: str, store_id: str, viewer: Viewer, now: datetime
) -> Campaign:
    """A campaign that a store of the viewer's may take up; the transaction holds to it."""
    field = ("input", "campaign_id")
    if ids.prefix_of(store_id) != "sto" or not viewer.reaches_store(store_id):
        raise NotFound("There is no such store", field=("input", "store_id"))
    campaign = commands.get(campaign_id, field=field)
    store = Scope(stores=frozenset({store_id}))
    above = repository.units_above(store, [campaign.scope])
    if not rules.is_published(campaign) or not rules.meets(store, campaign.scope, above):
        raise NotFound("There is no such campaign", field=field)
    if campaign.control_mode is not ControlMode.OPT_IN:
        raise ForbiddenTransition("Every store carries this campaign out", field=field)
    if rules.state_at(campaign.state, campaign.schedule, now) not in rules.OPEN:
        raise ForbiddenTransition("This campaign has ended", field=field)
    repository.require_unmoved(tx, campaign)
    return campaign


def _require_live_store(tx: Transaction, store_id: str) -> None:
    gone = ForbiddenTransition("This store is archived", field=("input", "store_id"))
    store = stores.get(store_id)
    if store is None:
        raise NotFound("There is no such store", field=("input", "store_id"))
    if store.archived_at is not None:
        raise gone
    stores.require_live_store(tx, store_id, gone=gone)


def _adoption(campaign: Campaign, store_id: str) -> Adoption:
    adoption = repository.get_adoption(campaign.id, store_id)
    if adoption is None:
        text = "This store has not taken the campaign up"
        raise NotFound(text, field=("input", "campaign_id"))
    return adoption


def _adapt(adoption: Adoption, given: _AdoptionFields, names: Iterable[str]) -> None:
    for name in _ADAPTED.intersection(names):
        setattr(adoption, name, _adapted(getattr(given, name)))


def _adapted(value: str | datetime | None) -> str | datetime | None:
    return to_the_millisecond(value) if isinstance(value, datetime) else value


def _same_or_taken(adoption: Adoption, given: Adopt) -> Adoption:
    if any(getattr(adoption, name) != _adapted(getattr(given, name)) for name in _ADAPTED):
        text = "This store has taken the campaign up already; change what it adapted"
        raise Taken(text, field=("input", "campaign_id"))
    return adoption


def _require_inside(adoption: Adoption, campaign: Campaign) -> None:
    own = Schedule(adoption.starts_at or campaign.starts_at, adoption.ends_at or campaign.ends_at)
    if own.starts_at >= own.ends_at:
        raise Invalid("A campaign ends after it starts", field=("input", "ends_at"))
    if own.starts_at < campaign.starts_at:
        raise Invalid("The campaign starts later", field=("input", "starts_at"))
    if own.ends_at > campaign.ends_at:
        raise Invalid("The campaign ends earlier", field=("input", "ends_at"))
