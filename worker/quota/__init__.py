"""How fast Amazon and M3 are asked: the limits on the server's queues, and who keeps them."""
