"""What a new policy does to everyone: shown before, then carried out, in pieces 规则重算."""
