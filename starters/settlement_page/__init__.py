"""The proof sheet of a settlement as one HTML page that needs nothing beside it: no script, no font, no picture."""
