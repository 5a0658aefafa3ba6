"""The store: the only SQL. Tables, transactions, what is known, what is owed.

`Store` gives connections; the modules `sources`, `notices`, `readings`, `changes`, `outbox`, `lists` are functions that take one.
"""

from monitor.store.database import Store

__all__ = ["Store"]
