"""Every failure that monitor can name, in one tree; it raises nothing itself.

    MonitorError                         str() names the subject (source or channel) and the cause
    ├─ ConfigError(problems)             all at once; exit 2
    ├─ SourceError(source_id, reason)    of one check or reading: stored, counted, never stops the loop
    │  ├─ FetchError(status, transient, retry_after)
    │  ├─ TooLarge
    │  ├─ Forbidden                      the address guard refused
    │  ├─ Challenge                      a shield page instead of the page
    │  ├─ ParseError(hint)
    │  └─ EmptyListing
    ├─ DeliveryError(channel_id, permanent, retry_after, reason)
    ├─ StoreError
    │  ├─ SchemaError                    the database is newer than the program, or another program's
    │  │  └─ OldSchema                   it is older: whoever opens it for writing upgrades it
    │  ├─ Damaged                        what the file holds cannot be relied on: nothing more is written to it
    │  └─ InUse                          another process has the database
    └─ PluginError

Ordinary outcomes ("not modified", "unchanged") are values, not errors. Third-party exceptions are translated in the room that
owns the library. Every one of them survives a pickle round trip: a look may run in another process.
"""

from __future__ import annotations

from enum import StrEnum


class MonitorError(Exception):
    """The root: catch this, and only this, where a sentence for a person is enough."""


class ConfigError(MonitorError):
    """The configuration cannot be used; `problems` holds one sentence each, with file and line."""

    def __init__(self, problems: str | list[str]) -> None:
        self.problems = [problems] if isinstance(problems, str) else list(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n".join(self.problems)


class SourceError(MonitorError):
    """One look failed. `reason` is a short stable word that groups failures which are alike ("dns", "timeout", "http 503")."""

    default_reason = "failed"

    def __init__(self, message: str, *, reason: str | None = None, source_id: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason or self.default_reason
        self.source_id = source_id

    def __str__(self) -> str:
        return f"{self.source_id}: {self.message}" if self.source_id else self.message


class FetchError(SourceError):
    """No complete answer. `status` is the HTTP status if there was one; `retry_after` is seconds, as the server asked; `page` the
    title of the page that came with a refusal, "" where none did."""

    default_reason = "fetch"

    def __init__(
        self,
        message: str,
        *,
        reason: str | None = None,
        source_id: str | None = None,
        status: int | None = None,
        transient: bool = True,
        retry_after: float | None = None,
        page: str = "",
    ) -> None:
        super().__init__(message, reason=reason, source_id=source_id)
        self.status = status
        self.transient = transient
        self.retry_after = retry_after
        self.page = page


class TooLarge(SourceError):
    """The answer is larger than its limit, compressed or decompressed."""

    default_reason = "too large"


class Forbidden(SourceError):
    """The address guard refused to connect (private, loopback, metadata, or another scheme)."""

    default_reason = "forbidden"


class Challenge(SourceError):
    """A shield (anti-bot) page came instead of the page. `shield` is its name; `hint` says what a person can do; `retry_after` is
    seconds, as the server asked."""

    default_reason = "challenge"

    def __init__(
        self,
        message: str,
        *,
        reason: str | None = None,
        source_id: str | None = None,
        shield: str = "",
        status: int | None = None,
        hint: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, reason=reason, source_id=source_id)
        self.shield = shield
        self.status = status
        self.hint = hint
        self.retry_after = retry_after


class ParseError(SourceError):
    """The bytes are not what the source's kind expects; `hint` says what a person can do."""

    default_reason = "parse"

    def __init__(self, message: str, *, hint: str = "", reason: str | None = None, source_id: str | None = None) -> None:
        super().__init__(message, reason=reason, source_id=source_id)
        self.hint = hint


class EmptyListing(SourceError):
    """A list without rows, or far shorter than usual; `short` is the fingerprint of a short one."""

    default_reason = "empty"

    def __init__(
        self, message: str, *, reason: str | None = None, source_id: str | None = None, short: str | None = None
    ) -> None:
        super().__init__(message, reason=reason, source_id=source_id)
        self.short = short


class DeliveryReason(StrEnum):
    """Whose fault a failed delivery is: it decides what happens to the row (DESIGN: a refusal is not a failure)."""

    PASSING = "passing"  # tried again with back-off
    RATE = "rate"  # the service's limit: tried again when it says
    CONTENT = "content"  # this message: tried once more as a plain link
    CHANNEL = "channel"  # bad key, robot removed: the channel is broken


class DeliveryError(MonitorError):
    """The service did not take the message. `retry_after` is in seconds; `detail`: its own answer, no secrets; `posts`: how many
    it was sent all the same, of a message in parts."""

    def __init__(
        self,
        detail: str,
        *,
        channel_id: str | None = None,
        reason: DeliveryReason = DeliveryReason.PASSING,
        retry_after: float | None = None,
        posts: int = 1,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.posts = posts
        self.channel_id = channel_id
        self.reason = reason
        self.retry_after = retry_after

    @property
    def permanent(self) -> bool:
        """Whether the same message can never be accepted by the same channel as it is now."""
        return self.reason in (DeliveryReason.CONTENT, DeliveryReason.CHANNEL)

    def __str__(self) -> str:
        return f"channel {self.channel_id}: {self.detail}" if self.channel_id else self.detail


class StoreError(MonitorError):
    """The database cannot be used: rights, disk, damage."""


class SchemaError(StoreError):
    """The database was written by a newer monitor, or by another program."""


class OldSchema(SchemaError):
    """The database was written by an older monitor, or its making was broken off: opening it for writing upgrades it."""


class Damaged(StoreError):
    """The file or its log is not whole; the words say what was found and how to go on."""


class InUse(StoreError):
    """Another process holds the database; `pid` and `since` say which, if it told."""

    def __init__(self, message: str, *, pid: int | None = None, since: str | None = None) -> None:
        super().__init__(message)
        self.pid = pid
        self.since = since


class PluginError(MonitorError):
    """A third party's kind, reader or sender cannot be loaded."""
