"""Notices that were stored before there was an index are indexed a few at a time, newest first. It changes nothing else."""

from __future__ import annotations

from monitor.check.desk import Desk
from monitor.check.prepared import Prepared
from monitor.store import candidates, terms
from monitor.tell import elsewhere

#: So many at once: a write transaction stays short.
MOST = 50


def index(desk: Desk) -> int:
    """Index some notices that are not indexed yet; their number. Raises StoreError."""
    with desk.store.read() as conn:
        waiting = terms.lacking(conn, MOST)
    if not waiting:
        return 0
    with desk.store.write() as conn:
        for notice, source_id in waiting:
            source = desk.config.sources.get(source_id)
            reads = Prepared(desk.config.bodies, copied=source is not None and elsewhere(source))
            terms.keep(conn, notice, reads)
            if reads.copied:
                candidates.keep(conn, notice, reads)
    return len(waiting)
