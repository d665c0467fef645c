"""What every command asks first: the member, the store, and the refusals that they share."""

from graphql_api.errors import AppError, ForbiddenTransition, NotFound, Taken
from graphql_api.kit import ids
from graphql_api.members import repository, rules
from graphql_api.members.models import Member
from graphql_api.stores import repository as stores
from graphql_api.viewer import WRITE_MEMBERS, Role, Viewer


def reached(member_id: str, viewer: Viewer, field: tuple[str, ...]) -> Member:
    """The member as it is now, when the viewer may change it."""
    member = repository.get(member_id) if ids.prefix_of(member_id) == "mbr" else None
    writes = viewer.role is not Role.INTEGRATION or viewer.holds(WRITE_MEMBERS)
    if member is None or not writes or not rules.reaches(viewer, member):
        raise NotFound("There is no such member", field=field)
    return member


def require_open_store(store_id: str, viewer: Viewer, field: str) -> None:
    known = ids.prefix_of(store_id) == "sto" and viewer.reaches_store(store_id)
    store = stores.get(store_id) if known else None
    if store is None:
        raise NotFound("There is no such store", field=("input", field))
    if store.archived_at is not None:
        raise closed(field)


def taken(field: tuple[str, ...]) -> AppError:
    return Taken("This identity belongs to another member", field=field)


def erased(field: tuple[str, ...]) -> AppError:
    return ForbiddenTransition("This person was erased; only they can come back", field=field)


def closed(field: str) -> AppError:
    return ForbiddenTransition("This store is archived", field=("input", field))
