"""Loop 2: claim, render, send, settle. `Delivering` runs it; `post` knows the order of rooms, `rate` how much a service takes."""

from monitor.deliver.loop import Delivering
from monitor.deliver.post import Post, Sent

__all__ = ["Delivering", "Post", "Sent"]
