"""The points mall 积分商城: what members get for their points."""
