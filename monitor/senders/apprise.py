"""Every service that has no sender of its own, through Apprise: one channel is one Apprise URL is one notification.

Apprise calls a service successful when it answered HTTP 2xx; `VERIFIED` names those for which that, or what the plugin reads in
the body, means that the message was taken. The reason of a failure is read from Apprise's own log lines, which never leave this
file unmasked. The delivery loop keeps the rate and tries again: Apprise's own throttle is off. Plugins use `requests` as it is:
the environment's proxies apply here.
"""

from __future__ import annotations

import ast
import difflib
import logging
import re
import threading
from dataclasses import replace
from functools import cache, lru_cache
from importlib.metadata import entry_points
from types import ModuleType
from typing import Any
from urllib.parse import parse_qsl

from monitor.errors import DeliveryError, DeliveryReason
from monitor.model import Channel, Message, Receipt
from monitor.senders import BUILT_IN, Sender, Traits, scheme, sender
from monitor.senders.answers import DEADLINE, RATE_WAIT, Parts, divide, reason_of, said, secrets_of
from monitor.senders.native import native
from monitor.senders.split import measure, titled, truncate

#: Services whose refusal shows: as an HTTP error (webhooks, Telegram, Discord, ntfy …) or in the body, which the plugin reads
#: (Slack, PushPlus, WxPusher). Of others it is not known.
VERIFIED = frozenset(
    {
        "json", "jsons", "xml", "xmls", "form", "forms",
        "tgram", "discord", "ntfy", "ntfys", "gotify", "gotifys", "matrix", "matrixs", "mmost", "mmosts", "pover",
        "slack", "pushplus", "wxpusher",
    }
)  # fmt: skip
#: What services take, in messages a minute, where it is known and less than anybody would send: Telegram to one group.
RATES = {"tgram": 20.0}
#: Seconds for one part, all of a service's requests together; each request has DEADLINE to connect and as much to answer.
PART_DEADLINE = 30.0
_STATUS = re.compile(r"\berror=([1-5][0-9]{2})\b")
_TOLD = ("Response Details:", "Socket Exception:", "Notification Exception:")
_lock = threading.Lock()


@cache
def library() -> ModuleType:
    """Apprise, imported when first needed (0.3 s), with its log kept to itself: its lines hold addresses and messages."""
    log = logging.getLogger("apprise")
    log.propagate = False
    log.setLevel(logging.DEBUG)
    log.addHandler(logging.NullHandler())
    import apprise

    return apprise


def plugin(target: str) -> Any:
    """Apprise's plugin for a URL, as Apprise makes it. Raises DeliveryError (CHANNEL) where it makes none."""
    apprise = library()
    asset = apprise.AppriseAsset(
        app_id="monitor",
        app_desc="Official announcements",
        http_redirects=False,
        result_log_disk_size=0,  # its lines hold secrets: in memory only
        service_timeout=0,  # else every service shares one small pool of threads, and one that hangs delays the others
    )
    with _lock:
        service = apprise.Apprise.instantiate(target, asset=asset)
    if service is None:
        raise DeliveryError(_unusable(target), reason=DeliveryReason.CHANNEL)
    return service


@lru_cache(maxsize=512)
def load(target: str) -> Any:
    """`plugin` made ready to send: redirections, its throttle and `optional` off. Raises DeliveryError (CHANNEL)."""
    service = plugin(target)
    service.redirects = False
    service.request_rate_per_sec = 0
    service.optional = False  # "a failure counts as success" is not for us
    own = vars(service)  # where ?cto= and ?rto= of the URL are, if they are
    service.socket_connect_timeout = own.get("socket_connect_timeout", DEADLINE)
    service.socket_read_timeout = own.get("socket_read_timeout", DEADLINE)
    service.overflow_mode = library().OverflowMode.SPLIT  # what Apprise's own conversion lengthened is still not lost
    return service


def check_target(target: str) -> str | None:
    """A sentence, without secrets, if Apprise can make nothing of a URL or would leave out a recipient; None if all is well.

    A target of the console or of a third party's sender is none of Apprise's business. Opens no connection.
    """
    name = scheme(target)
    if name == "console" or entry_points(group="monitor.senders", name=name):
        return None
    library()
    lines = _Lines()
    log = logging.getLogger("apprise")
    log.addHandler(lines)
    try:
        service = plugin(target)
    except DeliveryError as error:
        return error.detail
    finally:
        log.removeHandler(lines)
    if any("Dropped invalid" in line for line in lines.found) or _recipient_lost(target):
        return "one of its recipients is not valid and would get nothing"
    if getattr(service, "pgp_mode", "no") != "no":
        return "pgp= and wkd= are not supported: monitor would send the mail unencrypted"
    return None


def normalise(target: str) -> str:
    """The Apprise URL for a service's own web address (`https://qyapi.weixin.qq.com/…?key=KEY` → `wecombot://KEY/…`).

    Every other target, and a web address that neither monitor nor Apprise knows, comes back as it is.
    """
    target = native(target)
    if scheme(target) not in ("http", "https"):
        return target
    try:
        return str(plugin(target).url())
    except DeliveryError:
        return target


class Apprise:
    """The sender for every scheme that is not in `BUILT_IN`."""

    def __init__(self) -> None:
        self._parts = Parts()

    def traits(self, channel: Channel) -> Traits:
        """See `Sender.traits`. A URL that cannot be used has the least of everything: `send` says what is wrong with it."""
        own, channel = _own(channel)
        if own:
            return own.traits(channel)
        try:
            service = load(channel.target)
        except DeliveryError:
            return Traits(channel.limit or 2000, "characters", channel.rate, channel.format or "text", verified=False)
        form = channel.format or str(service.resolve_format(None).value)
        schemas = service.schemas()
        rate = channel.rate or next((RATES[one] for one in schemas if one in RATES), None)
        return Traits(_limit(channel, service), "characters", rate, form, verified=not VERIFIED.isdisjoint(schemas))

    def send(self, channel: Channel, message: Message) -> Receipt:
        """See `Sender.send`. HTML that is too long for one part goes as plain text, since a tag must not be cut."""
        own, channel = _own(channel)
        if own:
            return own.send(channel, message)
        try:
            service = load(channel.target)
            limit = _limit(channel, service)
            title = truncate(message.title, min(service.title_maxlen, limit // 2)) if service.title_maxlen > 0 else ""
            if service.overflow_amalgamate_title and title:
                limit -= len(title) + service.overflow_max_display_count_width
            limit -= service.overflow_buffer
            form = message.format
            body = message.body if title else titled(message.title, message.body)
            if form == "html" and measure(body, "characters") > limit:
                form = "text"
            if form != message.format:
                body = message.text if title else titled(message.title, message.text)
            parts = divide(body, limit, "characters")
        except DeliveryError as error:
            error.channel_id = channel.id
            raise
        return self._parts.deliver(channel, message, parts, lambda part: _notify(channel.target, service, title, part, form))


def _own(channel: Channel) -> tuple[Sender | None, Channel]:
    """The sender of ours where the target is its service's own web address, and the channel with that service's Apprise URL."""
    channel = replace(channel, target=normalise(channel.target))
    return (sender(channel.target) if scheme(channel.target) in BUILT_IN else None), channel


def _recipient_lost(target: str) -> bool:
    """Whether a mail URL lists a recipient that is no address: Apprise leaves it out without a word."""
    if not scheme(target).startswith("mailto"):
        return False
    lists = [value for name, value in parse_qsl(target.partition("?")[2]) if name in ("to", "cc", "bcc") and '"' not in value]
    return any(one.strip() and "@" not in one for value in lists for one in re.split("[,;]", value))


class _Lines(logging.Handler):
    """Keeps the lines that are logged while a plugin is made."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.found.append(record.getMessage())


def _limit(channel: Channel, service: Any) -> int:
    most = int(service.body_maxlen) or 32768
    return min(channel.limit or most, most)


def _notify(target: str, service: Any, title: str, body: str, form: str) -> str:
    """One notification; the service's name and status in words. Raises DeliveryError."""
    apprise = library()
    one = apprise.Apprise(asset=service.asset)
    one.add(service)
    box: list[Any] = []

    def work() -> None:
        box.append(one.notify(body=body, title=title, body_format=form, log_level=logging.DEBUG))

    worker = threading.Thread(target=work, name="apprise", daemon=True)  # a service that never ends must not hold us at exit
    worker.start()
    worker.join(PART_DEADLINE)
    if not box:
        raise DeliveryError(f"{service.service_name}: no answer within {PART_DEADLINE:g} s")
    with box[0] as result:
        status = result.status
        lines = [(str(entry.level), str(entry.message)) for entry in result.logs()]
    if status == apprise.AppriseResultStatus.SUCCESS:
        return f"{service.service_name}: {status.name}"
    raise _failure(f"{service.service_name}: {status.name}", lines, target)


def _failure(what: str, lines: list[tuple[str, str]], target: str) -> DeliveryError:
    """The error for a notification not taken: Apprise's warnings say the HTTP status, its debug lines the service's words."""
    warnings = [message for level, message in lines if level in ("WARNING", "ERROR", "CRITICAL")]
    words = warnings + [_decoded(message) for level, message in lines if level == "DEBUG" and message.startswith(_TOLD)]
    detail = said("; ".join([what, *words]), secrets_of(target))
    found = [int(match.group(1)) for message in warnings for match in _STATUS.finditer(message)]
    if not found:
        return DeliveryError(detail)
    reason = reason_of(found[-1])
    return DeliveryError(detail, reason=reason, retry_after=RATE_WAIT if reason is DeliveryReason.RATE else None)


def _decoded(line: str) -> str:
    r"""A debug line whose bytes are written as Python does (`b'\xe4…'`), as text."""
    name, _, value = line.partition(":")
    if not value.strip().startswith(("b'", 'b"')):
        return line
    try:
        raw = ast.literal_eval(value.strip())
    except (ValueError, SyntaxError):
        return line
    return f"{name}: {raw.decode('utf-8', 'replace')}" if raw else f"{name}: nothing"


def _unusable(target: str) -> str:
    """Why Apprise made nothing of a target, without the target."""
    name = scheme(target)
    known = library().plugins.N_MGR
    if "://" not in target:
        return 'the target is not an Apprise URL: it has no "scheme://"'
    if name in ("http", "https"):
        return "Apprise knows no service at this web address; a plain webhook is json://host/path (https: jsons://)"
    if name not in known:
        near = difflib.get_close_matches(name, [str(one) for one in known.schemas()], n=1)
        hint = f' — did you mean "{near[0]}"?' if near else "; https://appriseit.com/services/ lists them all"
        return f'Apprise knows no service "{name}"{hint}'
    kind = known[name]
    if not kind.enabled:
        return f"{name}:// needs a package that is not installed, or is not for this system; see {kind.setup_url}"
    return f"Apprise cannot use this {name}:// URL: a part of it is missing or not valid; see {kind.setup_url}"
