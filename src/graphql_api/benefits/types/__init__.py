"""Benefits, as clients see them: what tiers bring, and the gifts of members."""
