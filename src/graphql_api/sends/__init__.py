"""What guides send to their friends in WeCom: mass sends 群发 and moments 朋友圈."""
