"""What is run by the Python of `.venv-peers`: other people's importers, unmodified, pointed at a simulator.

None of these files imports this project, and this project imports none of them.
"""
