"""What a member is at a day: tier, lifecycle, phase, RFM, quadrant, automatic tags (会员状态)."""
