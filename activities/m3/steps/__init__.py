"""The steps of order-to-cash in M3, one module per activity: look first, then write, safe to repeat
anywhere."""
