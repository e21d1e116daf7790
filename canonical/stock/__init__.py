"""Stock both ways: what the seller's own warehouse may promise at Amazon, and what Amazon's warehouse did to the stock
that M3 keeps for it. Pure: nothing here reads or writes anything outside."""
