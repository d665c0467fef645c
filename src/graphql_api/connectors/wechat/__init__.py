"""WeChat, for mini-programs 微信小程序."""
