"""The phase of the relationship: by orders in a window, and time since joining (domain: §4)."""

from graphql_api.kit.calendar import months_after
from graphql_api.standing.rules.prepared import Phases
from graphql_api.standing.rules.records import Facts, Phase, Relationship


def phase_on(phases: Phases, old: Relationship | None, orders: int, months: int) -> Relationship:
    """The phase with so many orders in the window, so many whole months after joining.

    The old one itself where nothing changed.
    """
    if orders >= phases.stable_orders:
        phase = Phase.STABLE
    elif months < phases.starting_months:
        phase = Phase.STARTING
    else:
        phase = Phase.GROWING
    if old is not None and old.phase is phase:
        return old
    return Relationship(phase, phases.version)


def starting_ends(phases: Phases, facts: Facts) -> int:
    """The first day on which a member is no longer new."""
    return months_after(facts.joined_month, facts.joined_dom, phases.starting_months)
