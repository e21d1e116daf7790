"""stub"""


def simulators() -> None:
    """Stub."""
