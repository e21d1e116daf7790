"""Which M3 item a listing at Amazon is: everything that is known of both, compared on this machine. Pure.

- `models`: what is known of a listing and of an item, and what is suggested.
- `gtin`, `text`: EANs with their check digit; a name's words in one spelling.
- `numbers`, `grams`, `evidence`: what two have in common, by number, by letters, by words.
- `likeness`, `ranking`, `index`: from there to a list with scores, confidence and reasons.
- `measure`: how good the suggestions are, where the right ones are known.
"""
