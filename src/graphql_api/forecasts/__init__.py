"""How many members time will move to which state on which day 预测."""
