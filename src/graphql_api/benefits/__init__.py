"""Benefits 会员权益: what each tier brings, and the gifts that are given once."""
