"""LINE's own coupons: an alternative to the shop's, simpler and without any record per friend."""
