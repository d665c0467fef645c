"""Members: who they are, what they agreed to, and the facts of what they bought 会员."""
