"""What happens after a sale: refunds, returns, replacements' originals, reimbursements, and who tells of them."""
