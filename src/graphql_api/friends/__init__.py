"""Friends of guides in WeCom 企微好友: who is whose, since when, and by which code."""
