"""Amazon's settlement reports: read, checked and turned into vouchers. Pure: bytes in, contracts out.

- `models`: what is told of a settlement, its vouchers and its customer payments.
- `source`, `layout`, `formats`, `reading`: the file as it really comes, row by row.
- `categories`, `accounts`: what an amount is, and where it is booked.
- `summing`, `vouchers`, `checks`: from rows to vouchers that balance, or to a refusal.
"""
