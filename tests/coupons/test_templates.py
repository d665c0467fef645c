"""Templates are drafted, given out and stopped; what was issued never changes its meaning."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from graphql_api.coupons import repository, service
from graphql_api.coupons.rules import TemplateState
from graphql_api.coupons.service import TemplateCreate, TemplateUpdate
from graphql_api.errors import Conflict, Forbidden, ForbiddenTransition, Invalid, NotFound, Taken
from graphql_api.stores.models import Store
from graphql_api.viewer import Role, Viewer
from tests.coupons.factories import (
    CLOCK,
    HEADQUARTERS,
    NOW,
    draft,
    make_template,
    make_terms,
)
from tests.coupons.storage import everything

MANAGER = Viewer(Role.STORE_MANAGER, id="stm_1", store_ids=frozenset({"sto_1"}))


def update(template_id: str, **change: object) -> object:
    given = TemplateUpdate.model_validate({"id": template_id, **change})
    return service.update_template(given, viewer=HEADQUARTERS)


def test_terms_change_while_nothing_is_given_out_and_never_after(chain: str) -> None:
    template = draft()
    other = make_terms(amount=2_000)
    update(template.id, terms=other)
    [stored] = repository.get_templates([template.id])
    assert stored is not None
    assert stored.terms == other
    service.activate_template(template.id, viewer=HEADQUARTERS, clock=CLOCK)
    before = everything()
    with pytest.raises(ForbiddenTransition, match="make another template"):
        update(template.id, terms=make_terms())
    update(template.id, terms=other)
    assert everything() == before


def test_what_may_change_changes_and_the_same_again_is_not_written(chain: str) -> None:
    template = make_template(per_member=1)
    update(template.id, name="新名字", per_member=None, closes_at=NOW + timedelta(days=1))
    [stored] = repository.get_templates([template.id])
    assert stored is not None
    assert (stored.name, stored.per_member, stored.public) == ("新名字", None, True)
    before = everything()
    update(template.id, name="新名字", per_member=None, closes_at=NOW + timedelta(days=1))
    assert everything() == before
    with pytest.raises(Invalid, match="cannot be null"):
        update(template.id, name=None)
    with pytest.raises(Invalid, match="closes after it opens"):
        update(template.id, opens_at=NOW + timedelta(days=2))
    with pytest.raises(Conflict, match="at version"):
        update(template.id, name="再改", expected_version=1)
    assert everything() == before


def test_template_goes_from_draft_to_active_and_stopped_and_back(chain: str) -> None:
    template = draft()
    with pytest.raises(ForbiddenTransition, match="is DRAFT"):
        service.stop_template(template.id, viewer=HEADQUARTERS)
    for _ in range(2):
        service.activate_template(template.id, viewer=HEADQUARTERS, clock=CLOCK)
    [stored] = repository.get_templates([template.id])
    assert stored is not None
    assert (stored.state, stored.activated_at) == (TemplateState.ACTIVE, NOW)
    before = everything()
    service.activate_template(template.id, viewer=HEADQUARTERS, clock=CLOCK)
    assert everything() == before
    for _ in range(2):
        stopped = service.stop_template(template.id, viewer=HEADQUARTERS)
    assert stopped.state is TemplateState.STOPPED
    page = repository.page_of_states((TemplateState.STOPPED,), first=5, after=None, reverse=False)
    assert [one.id for one in page.items] == [template.id]
    assert repository.public_page(first=5, after=None, reverse=False).items == []


def test_word_belongs_to_one_template_until_it_is_given_up(chain: str) -> None:
    template = make_template(claim_code="Spring-18")
    before = everything()
    with pytest.raises(Taken, match="in use"):
        draft(claim_code="spring-18")
    assert everything() == before
    update(template.id, claim_code=None)
    assert draft(claim_code="spring-18").claim_code == "spring-18"
    for word in ("abc", "two words", "x" * 33):
        with pytest.raises(ValidationError):
            TemplateCreate(name="x", terms=make_terms(), claim_code=word)


def test_terms_name_stores_and_units_that_are_there(store: Store) -> None:
    draft(make_terms(store_ids=[store.id]))
    before = everything()
    with pytest.raises(NotFound) as refusal:
        draft(make_terms(store_ids=[store.id, "sto_nowhere"]))
    assert refusal.value.field == ("input", "terms", "store_ids", "1")
    with pytest.raises(NotFound, match="org unit"):
        draft(make_terms(unit_ids=["org_nowhere"]))
    assert everything() == before


def test_only_headquarters_make_templates(chain: str) -> None:
    template = draft()
    before = everything()
    with pytest.raises(Forbidden):
        service.create_template(
            TemplateCreate(name="x", terms=make_terms()), viewer=MANAGER, clock=CLOCK
        )
    with pytest.raises(Forbidden):
        service.activate_template(template.id, viewer=MANAGER, clock=CLOCK)
    with pytest.raises(Forbidden):
        service.stop_template(template.id, viewer=MANAGER)
    assert everything() == before
