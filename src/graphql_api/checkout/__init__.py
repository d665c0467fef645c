"""What a basket costs a member, and what a checkout keeps for it."""
