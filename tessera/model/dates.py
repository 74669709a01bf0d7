"""Times for people."""

from datetime import UTC, datetime


def utc(timestamp: int) -> str:
    """A unix time as a date and time of day, UTC."""
    return datetime.fromtimestamp(timestamp, UTC).strftime("%a %d %b %Y %H:%M UTC")
