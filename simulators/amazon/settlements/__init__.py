"""Settlements: what Amazon pays out, issued unasked, and the report that tells of each."""
