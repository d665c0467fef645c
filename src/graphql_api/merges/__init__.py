"""Merges: two members who are one person become one, and nothing of either is lost 会员合并."""
