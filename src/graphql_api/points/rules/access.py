"""Who may change points."""

from graphql_api.members.rules import Seen, reaches
from graphql_api.viewer import WRITE_POINTS, Role, Viewer


def may_change(viewer: Viewer, member: Seen) -> bool:
    """Headquarters and managers within their reach; keys that write points."""
    if viewer.role is Role.INTEGRATION:
        return viewer.holds(WRITE_POINTS) and reaches(viewer, member)
    staff = {Role.STORE_MANAGER, Role.OPERATOR, Role.SYSTEM}
    return viewer.role in staff and reaches(viewer, member)
