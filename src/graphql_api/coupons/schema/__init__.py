"""Queries and mutations of coupons."""

from graphql_api.coupons.schema.mutations import CouponMutations
from graphql_api.coupons.schema.queries import CouponQueries
from graphql_api.coupons.schema.templates import CouponTemplateMutations

__all__ = ["CouponMutations", "CouponQueries", "CouponTemplateMutations"]
