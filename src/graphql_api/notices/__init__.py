"""Subscribe messages of the mini-program 订阅消息: what members agreed to, and what was sent."""
