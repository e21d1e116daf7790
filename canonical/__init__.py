"""What an order, a shipment, an invoice is, and the rules that turn Amazon's words into M3's.

Pure: nothing here does I/O or knows Temporal, so every rule can be tested by calling it.
"""
