"""Who gets in: logins, sessions, staff accounts and API keys 访问与密钥."""
