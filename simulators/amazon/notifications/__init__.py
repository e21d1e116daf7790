"""Notifications v1: destinations, subscriptions, and the messages Amazon puts into a seller's SQS queue.

`registry` and `api` are the Notifications API; `watcher` sees what happens to orders, `messages` puts it into
the published schemas, `outbox` decides what is late, doubled or lost, `sender` carries it to SQS.
"""
