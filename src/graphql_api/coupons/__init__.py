"""Coupons: templates with their stock, what members have of them, and what becomes of it 优惠券."""
