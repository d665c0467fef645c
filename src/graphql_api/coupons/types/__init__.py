"""Templates, coupons and jobs, as clients see them."""

from graphql_api.coupons.types.coupons import Coupon, visible_coupon
from graphql_api.coupons.types.jobs import CouponIssueJob, visible_job
from graphql_api.coupons.types.templates import CouponTemplate, visible_template

__all__ = [
    "Coupon",
    "CouponIssueJob",
    "CouponTemplate",
    "visible_coupon",
    "visible_job",
    "visible_template",
]
