"""Other systems: a vendor is one folder 外部系统."""
