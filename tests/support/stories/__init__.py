"""Fulfilment stories: what happens at Amazon and in M3, in which order, and how both sides end."""
