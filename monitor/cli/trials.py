"""What `monitor doctor` tries: each source once, as a check would look at it, and the way to each channel.

Hosts are asked one after the other with the pauses of the configuration; a source whose server asked to wait is left alone.
Nothing is stored, no message is sent.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from threading import Lock
from typing import TYPE_CHECKING

from monitor import browser, decide, sandbox, urls
from monitor.check.desk import Desk, utcnow
from monitor.check.failed import NO_NETWORK
from monitor.check.walk import Walked, walk
from monitor.cli import output, robots
from monitor.cli.common import counted
from monitor.cli.steps import step_for
from monitor.cli.verdicts import Verdict
from monitor.daemon import pause
from monitor.errors import DeliveryError, MonitorError, SourceError, StoreError
from monitor.model import Health, Validators
from monitor.pace import Pace
from monitor.store import Store, lists, sources
from monitor.store.batch import Batch

if TYPE_CHECKING:
    from urllib.robotparser import RobotFileParser

    from monitor.config import Config
    from monitor.mask import Mask
    from monitor.model import Channel, Source

#: Hosts that are asked at once, channels that are tried at once.
WORKERS = 12
#: Seconds by which a clock may be off before it is told, and before it is wrong.
OFF, WRONG = 60, 3600
#: No answer came from there: its robots.txt is not asked for.
_AWAY = frozenset({"dns", "refused", "unreachable", "connect", "timeout", "tls", "handshake", "proxy", "forbidden", "no browser"})


@contextlib.contextmanager
def desk_of(config: Config, *, readable: bool = True) -> Iterator[Desk]:
    """What a look needs: the database for reading, or an empty one where there is none that can be read."""
    with contextlib.ExitStack() as stack:
        try:
            if not readable:
                raise StoreError("it was looked at already")
            store = stack.enter_context(Store(config.database, writable=False))
        except StoreError:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="monitor-doctor-"))
            store = stack.enter_context(Store(Path(folder) / "empty.db"))
        stack.callback(sandbox.close)
        stack.callback(browser.close)
        yield Desk(config, store, Batch(), Pace(config.per_host, lambda host: pause(config, host)))


def known(desk: Desk, source: Source) -> sources.Row:
    """What is stored of a source; of one that was never looked at, nothing."""
    with desk.store.read() as conn:
        try:
            return sources.load(conn, source.id)
        except KeyError:
            return sources.fresh(source)


@dataclass(slots=True)
class Trials:
    """One look at each source. `ahead` collects by how many seconds this machine's clock is ahead of each host's, `reached`
    whether each was reached."""

    desk: Desk
    ahead: dict[str, float] = field(default_factory=dict)
    reached: list[bool] = field(default_factory=list)
    _rules: dict[str, RobotFileParser | None] = field(default_factory=dict)
    _locks: defaultdict[str, Lock] = field(default_factory=lambda: defaultdict(Lock))

    def looks(self, advance: Callable[[int], None]) -> Iterator[Verdict]:
        """A verdict for each enabled source, in the order of the configuration."""
        config = self.desk.config
        wanted = [source for source in config.sources.values() if source.enabled]
        with ThreadPoolExecutor(WORKERS, thread_name_prefix="doctor") as pool:
            futures = {one.id: pool.submit(self._source, one) for one in _by_turns(wanted)}
            for number, source in enumerate(wanted, 1):
                verdict = _outcome(futures[source.id], source.id)
                advance(number)
                yield verdict

    def _source(self, source: Source) -> Verdict:
        row = known(self.desk, source)
        if row.paused:
            return Verdict("ok", "paused, not tried", f"monitor resume {source.id}", source.id)
        if row.asked_until is not None and row.asked_until > utcnow():
            until = output.local(row.asked_until.isoformat(), self.desk.config.timezone)
            return Verdict("warning", f"its server asked to wait until {until}: not tried", "", source.id)
        since = ""
        if row.failures is not None:
            at = output.local(row.failures.since.isoformat(), self.desk.config.timezone)
            since = f" (failing since {at}, {counted(row.failures.count, 'check')})"
        try:
            # pages of the list beyond the first are not asked for, and the whole answer is wanted
            walked = walk(self.desk, replace(source, pages=1), replace(row, validators=Validators()))
        except SourceError as error:
            self.reached.append(error.reason not in NO_NETWORK)
            if error.reason not in _AWAY:
                self._asked_not_to(source)
            return Verdict("broken", error.message + since, step_for(error, source.id), source.id)
        self.reached.append(True)
        if walked.ahead is not None:
            self.ahead[urls.host(source.url)] = walked.ahead
        return self._judged(source, row, walked, since)

    def _judged(self, source: Source, row: sources.Row, walked: Walked, since: str) -> Verdict:
        """What a check would make of the rows."""
        assert walked.seen is not None  # without validators nothing is "not modified"
        rows = walked.seen.rows
        first = rows[: walked.seen.first]
        doubt, _ = decide.too_short(source, row.memory, len(first), decide.list_print(first), utcnow())
        if walked.odd is not None or doubt is not None:
            said, reason = (walked.odd.said, walked.odd.reason) if walked.odd else (doubt or "", "short" if rows else "empty")
            found = "; ".join([said, *walked.problems]) + since
            return Verdict("broken", found, step_for(SourceError(found, reason=reason), source.id), source.id)
        if not rows:
            return Verdict("ok", "no rows, which allow_empty says is right", "", source.id)
        said = counted(len(rows), "row")
        dated = [(str(notice.published), notice.title) for notice in rows if notice.published]
        said += f", the newest: {max(dated)[1]}" if dated else ""
        if self._asked_not_to(source):
            return Verdict(
                "warning", f"{said}; {robots.place_of(source.url)} asks programs not to fetch it", robots.REFUSED, source.id
            )
        if walked.served is not None:
            found = f"{said}, but only from its fallback {walked.served}"
            return Verdict("warning", found, f"monitor doctor {source.id} says what is wrong with its own address", source.id)
        if walked.moved is not None:
            return Verdict("warning", f"{said}; the address moved for good to {walked.moved}", "put that into `url`", source.id)
        if walked.problems:
            return Verdict("warning", f"{said}; {'; '.join(walked.problems)}", "", source.id)
        if row.health is Health.QUIET:
            return Verdict(
                "warning", f"{said}; nothing new for unusually long", "look at the site: did the column move?", source.id
            )
        return Verdict("ok", said + (f"; it was{since.replace(' (', ' ').rstrip(')')}" if since else ""), "", source.id)

    def _asked_not_to(self, source: Source) -> bool:
        """Whether robots.txt of the site asks programs not to fetch the address. Each site is asked once."""
        place = robots.place_of(source.url)
        with self._locks[place]:
            if place not in self._rules:
                with self.desk.pace.turn(urls.host(place)):
                    self._rules[place] = robots.rules(source.url, source.policy)
        rules = self._rules[place]
        return rules is not None and not rules.can_fetch(robots.NAME, source.url)

    def network(self) -> Iterator[Verdict]:
        """Where no source at all was reached, that; and this machine's clock."""
        if self.reached and not any(self.reached):
            alone = len(self.reached) == 1
            found = "the source cannot be reached" if alone else "no source can be reached: this machine seems to be offline"
            yield Verdict("broken", found, "check its network, its name server, and `proxy`")
        yield self.clock()

    def clock(self) -> Verdict:
        """This machine's clock against those of the servers that answered."""
        if not self.ahead:
            return Verdict("warning", "clock not compared: no server told the time", "look at it yourself: date")
        off = median(self.ahead.values())
        if abs(off) <= OFF:
            return Verdict("ok", f"clock right to the minute, by the time of {counted(len(self.ahead), 'server')}")
        way = "ahead" if off > 0 else "behind"
        said = f"clock {_length(abs(off))} {way}, by the time of {counted(len(self.ahead), 'server')}"
        return Verdict(
            "broken" if abs(off) > WRONG else "warning", said, "set it: digests, quiet hours and certificates depend on it"
        )


def _length(seconds: float) -> str:
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def _by_turns(wanted: list[Source]) -> list[Source]:
    """One source of each host, then the second of each: a host with many keeps no worker from the others."""
    number: defaultdict[str, int] = defaultdict(int)
    turns = []
    for source in wanted:
        host = urls.host(source.url)
        turns.append((number[host], source))
        number[host] += 1
    return [source for _, source in sorted(turns, key=lambda turn: turn[0])]


def _outcome(future: Future[Verdict], name: str) -> Verdict:
    """What was found; where the program itself failed at it, that."""
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, MonitorError):
        return Verdict("broken", str(error), "", name)
    return Verdict("broken", f"a fault in monitor itself: {error!r}", "please report it", name)


# --- channels


def channels(config: Config) -> Iterator[Verdict]:
    """A verdict for each channel: whether its URL can be used, whether it is known to refuse, and how far one comes without a
    message."""
    from monitor import config as configs

    unusable = configs.check_channels(config)
    broken = _broken(config)
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="doctor") as pool:
        futures = {
            channel.id: pool.submit(_channel, channel, broken.get(channel.id), config.mask)
            for channel in config.channels.values()
            if not any(f'channel "{channel.id}"' in said for said in unusable)
        }
        for name in config.channels:
            if name in futures:
                yield _outcome(futures[name], name)
            else:
                said = next(said for said in unusable if f'channel "{name}"' in said)
                yield Verdict("broken", said.partition(f'channel "{name}": ')[2], "mend its url, then: monitor validate", name)


def _broken(config: Config) -> dict[str, str]:
    """Channels that are known to refuse every message, and since when and why."""
    try:
        with Store(config.database, writable=False) as store, store.read() as conn:
            found = lists.broken_channels(conn)
    except MonitorError:
        return {}
    return {name: f"refuses every message since {output.local(since, config.timezone)}: {why}" for name, since, why in found}


def _channel(channel: Channel, broken: str | None, mask: Mask) -> Verdict:
    from monitor.senders import Prober, sender

    post = sender(channel.target)
    traits = post.traits(channel)
    test = f"monitor test {channel.id}"
    if broken is not None:
        return Verdict("broken", broken, f"mend its url in the configuration, then: {test}", channel.id)
    if not isinstance(post, Prober):
        if traits.verified:
            return Verdict("ok", f"not tried: {test}", "", channel.id)
        found = f"not tried: {test}; its service does not tell whether it accepted a message"
        return Verdict("warning", found, "look whether the test message arrived", channel.id)
    try:
        said = post.probe(channel)
    except DeliveryError as error:
        step = f"mend its url, then: {test}" if error.permanent else f"it may pass; then: {test}"
        return Verdict("broken", mask(error.detail), step, channel.id)
    return Verdict("ok", mask(f"{said}; no message was sent: {test}"), "", channel.id)
