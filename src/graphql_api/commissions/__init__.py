"""What guides earn by orders, settled when nothing can come back any more 分佣."""
