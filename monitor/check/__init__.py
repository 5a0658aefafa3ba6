"""Loop 1: check sources, read pages. `Checking` runs it; `one` and `reading` know the order of rooms.

It sends nothing: what is to be told becomes rows, in the transaction that stores what was seen.
"""

from monitor.check.desk import Desk, Report
from monitor.check.loop import Checking

__all__ = ["Checking", "Desk", "Report"]
