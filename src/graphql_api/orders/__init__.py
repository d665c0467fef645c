"""Orders: one door for purchases and refunds, which changes everything once 订单."""
