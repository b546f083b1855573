"""Lotteries: prizes that are coupons, one draw per friend and rule, fair and open to recheck."""
