"""Telling people: the targets, and the activities of the alerts."""
