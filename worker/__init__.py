"""Hosts workflows and activities in a process: settings, connection, task queues, telemetry, registration."""
