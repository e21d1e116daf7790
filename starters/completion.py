"""What the shell offers when a word is begun."""

from canonical.held import FixName, HeldReason


def actions(incomplete: str) -> list[str]:
    """Repairs that begin so."""
    return [name.value for name in FixName if name.value.startswith(incomplete)]


def reasons(incomplete: str) -> list[str]:
    """Held reasons that begin so."""
    return [reason.value for reason in HeldReason if reason.value.startswith(incomplete)]
