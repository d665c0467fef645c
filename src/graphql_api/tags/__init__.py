"""Tags: what staff, rules and other systems note of members 标签."""
