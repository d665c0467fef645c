"""Numbers that the business may change, as documents with shipped defaults 规则."""
