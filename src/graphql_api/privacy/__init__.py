"""What is held on a person: handed over whole, or erased 个人信息."""
