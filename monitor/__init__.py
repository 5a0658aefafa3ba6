"""monitor: a monitor for official announcements."""

__version__ = "0.1.0"
