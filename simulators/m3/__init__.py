"""Infor M3 as a local HTTP server: the MI programs an order needs, and what M3 does behind them."""
