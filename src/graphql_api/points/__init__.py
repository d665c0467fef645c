"""Points (积分): lots and their ledger, what orders earn and spend, and what time does to them."""
