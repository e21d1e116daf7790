"""``python -m starters`` is `o2c`: how the demonstration starts its worker."""

from starters.cli import main

main()
