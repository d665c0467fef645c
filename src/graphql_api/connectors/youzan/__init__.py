"""Youzan, a vendor of online shops and tills 有赞: what it tells is read, it is not asked yet."""
