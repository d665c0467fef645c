"""The lifecycle: by whole months since the last purchase, or since joining (domain: §4)."""

from bisect import bisect_right
from datetime import date

from graphql_api.kit.calendar import months_after, whole_months
from graphql_api.standing.rules.prepared import LifecycleBounds
from graphql_api.standing.rules.records import Facts, Lifecycle, LifecycleState

STATES = tuple(LifecycleState)


def lifecycle_on(
    bounds: LifecycleBounds,
    facts: Facts,
    old: Lifecycle | None,
    active: int,
    months: int,
    on: date,
) -> Lifecycle:
    """The state on a day; the old one itself where nothing changed.

    `months` are over since the last purchase or, where there is none, the joining; `active` is the
    day from which the old state counted so. A state that time brought began on its exact day, one
    that purchases or refunds brought on `on`.
    """
    index = bisect_right(bounds.months, months)
    state = STATES[index]
    if old is not None and active == facts.active and state is old.state:
        return old
    day = on.toordinal()
    if old is None:
        since = _began(bounds, facts, index) if index else facts.active
        return Lifecycle(state, min(since, day), 0, bounds.version)
    if active == facts.active:
        since = _began(bounds, facts, index) if index else day
        return Lifecycle(state, since, old.reactivations, bounds.version)
    before = _state_by(bounds, active, on)
    came_back = index == 0 and before != 0 and facts.active > active
    if state is old.state and not came_back:
        return old
    return Lifecycle(state, day, old.reactivations + came_back, bounds.version)


def _state_by(bounds: LifecycleBounds, active: int, on: date) -> int:
    """The state that a day of purchase would have led to, had nothing come after it."""
    then = date.fromordinal(active)
    months = whole_months(then.year * 12 + then.month - 1, then.day, on)
    return bisect_right(bounds.months, months)


def _began(bounds: LifecycleBounds, facts: Facts, index: int) -> int:
    return months_after(facts.active_month, facts.active_dom, bounds.months[index - 1])


def next_transition(
    bounds: LifecycleBounds, facts: Facts, state: LifecycleState
) -> tuple[int, LifecycleState] | None:
    """The day on which time leads to the next state, and which; None for a member who is lost."""
    index = STATES.index(state)
    if index == len(bounds.months):
        return None
    day = months_after(facts.active_month, facts.active_dom, bounds.months[index])
    return day, STATES[index + 1]
