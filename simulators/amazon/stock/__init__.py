"""Stock at the pretended Amazon: listings and their quantities, the feeds that change them, FBA inventory."""
