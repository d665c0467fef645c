"""Who read or changed personal data, kept for at least three years 审计日志."""
