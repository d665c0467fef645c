"""Who sees templates, coupons and jobs."""

from typing import Protocol

from graphql_api.coupons.rules.states import TemplateState
from graphql_api.members.rules import Seen, reaches
from graphql_api.viewer import READ_COUPONS, STAFF, WRITE_COUPONS, Role, Viewer


class SeenTemplate(Protocol):
    """What of a template decides who sees it."""

    @property
    def state(self) -> TemplateState: ...


class SeenCoupon(Protocol):
    """What of a coupon decides who sees it."""

    @property
    def member_id(self) -> str: ...


class SeenJob(Protocol):
    """What of a job decides who sees it."""

    @property
    def by_role(self) -> Role: ...
    @property
    def by_id(self) -> str: ...


def sees_drafts(viewer: Viewer) -> bool:
    """Headquarters and keys see templates from the first draft."""
    if viewer.role is Role.INTEGRATION:
        return viewer.holds(READ_COUPONS)
    return viewer.role in {Role.OPERATOR, Role.SYSTEM} and viewer.store_ids is None


def sees_template(viewer: Viewer, template: SeenTemplate) -> bool:
    """What is or was given out is known to all who are logged in."""
    if viewer.role is Role.ANONYMOUS:
        return False
    return sees_drafts(viewer) or template.state is not TemplateState.DRAFT


def sees_coupon(viewer: Viewer, coupon: SeenCoupon) -> bool:
    """The row rule of a coupon by itself: one's own; staff and keys are shown what they verify."""
    match viewer.role:
        case Role.MEMBER:
            return viewer.id == coupon.member_id
        case Role.INTEGRATION:
            return viewer.holds(READ_COUPONS)
        case _:
            return viewer.role in STAFF


def sees_job(viewer: Viewer, job: SeenJob) -> bool:
    """Who made it, headquarters, and keys that read coupons."""
    if (viewer.role, viewer.id) == (job.by_role, job.by_id):
        return True
    return sees_drafts(viewer)


def plans(viewer: Viewer) -> bool:
    """Whether a viewer makes templates: headquarters, and keys that write coupons."""
    if viewer.role is Role.INTEGRATION:
        return viewer.holds(WRITE_COUPONS)
    return viewer.role in {Role.OPERATOR, Role.SYSTEM} and viewer.store_ids is None


def may_issue(viewer: Viewer, member: Seen, *, by_front_line: bool) -> bool:
    """Staff give coupons to members within reach; guides and managers those meant for that."""
    if viewer.role is Role.INTEGRATION:
        return viewer.holds(WRITE_COUPONS)
    if viewer.role in {Role.GUIDE, Role.STORE_MANAGER} and not by_front_line:
        return False
    return viewer.role in STAFF and reaches(viewer, member)
