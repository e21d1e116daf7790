"""What the archive has of listings and SKUs, for commands."""

from activities.listings_snapshot import Snapshot, newest, read
from activities.skus import latest_report
from worker.archiving import Archive

__all__ = ["latest_report", "newest_listings"]


def newest_listings(archive: Archive, seller_id: str, marketplace_id: str) -> Snapshot | None:
    """What Amazon lists in a marketplace, as it was last read; None where it never was. Raises ArchiveError."""
    key = newest(archive, seller_id, marketplace_id)
    return read(archive, key) if key else None
