"""The organisation tree and its stores 组织与门店."""
