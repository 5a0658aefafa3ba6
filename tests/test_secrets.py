"""Six secrets, a real daemon, and a world that repeats every one of them: none is found again in anything that monitor leaves.

The forms that are looked for are written here anew, so that the test does not lean on what it tests.
"""

from __future__ import annotations

import base64
import html
import json
import quopri
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import psutil
import pytest

from tests.house import Row, Site
from tests.receivers import SmtpReceiver, at
from tests.test_cli import Run, run
from tests.test_end_to_end import Running, eventually

__all__ = ["run"]

CANARIES = {
    "HOOK_TOKEN": "kanari-hook-7f3a9c21d4e5",
    "MAIL_PASSWORD": "kanari-pässwort+=&/4f9a",
    "DINGTALK_SECRET": "SECkanari0d5f11a2b3c4",
    "FEED_TOKEN": "kanari-feed/+token=81c2",
    "PROXY_PASSWORD": "kanari:proxy@9e21",
    "PING": "kanari-ping-5b1d77e0",
}


def forms(secret: str) -> set[bytes]:
    """A secret as text, in addresses, JSON, HTML and mail, and what of it is the same wherever it stands in base64."""
    octets = secret.encode()
    found = {octets, quote(secret, safe="").encode(), quote(secret).encode(), quote_plus(secret).encode()}
    found |= {re.sub(rb"%..", lambda octet: octet[0].lower(), form) for form in found}
    found |= {json.dumps(secret)[1:-1].encode(), html.escape(secret).encode(), quopri.encodestring(octets).replace(b"=\n", b"")}
    for before in range(3):
        coded = base64.b64encode(b"x" * before + octets + b"x" * (-(before + len(octets)) % 3))
        found.add(coded[4 if before else 0 : -4])
        found.add(coded[4 if before else 0 : -4].replace(b"+", b"-").replace(b"/", b"_"))
    return found


FORMS = {name: forms(secret) for name, secret in CANARIES.items()}


def leaks(what: bytes) -> list[tuple[str, bytes]]:
    """Which secrets stand in these bytes, and what is around them."""
    whole = what + re.sub(rb"=\r?\n", b"", what)  # quoted-printable breaks lines anywhere
    found = []
    for name, written in FORMS.items():
        for form in written:
            place = whole.find(form)
            if place >= 0:
                found.append((name, whole[max(0, place - 160) : place + 80]))
    return found


def repeated(headers: str, path: str, body: bytes) -> str:
    """All that a request said, as a talkative server says it again: as it is and in every form."""
    basic = [base64.b64decode(one).decode() for one in re.findall(r"Basic ([A-Za-z0-9+/=]+)", headers)]
    signed_by = CANARIES["DINGTALK_SECRET"] if path.startswith("/robot/") else ""  # DingTalk's own copy
    said = f"{headers} {path} {body.decode('utf-8', 'replace')} {' '.join(basic)} {signed_by}"
    coded = base64.b64encode(said.encode()).decode()
    return f"{said} {quote(said, safe='')} {html.escape(said)} {json.dumps(said)} {coded}".replace("\n", " ").replace("\r", " ")


class Echo:
    """A server, and a proxy, at which everything goes wrong and which repeats whatever it was sent."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        echo = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                echo.asked.append(self.path)
                echo.answer(self, repeated(str(self.headers), self.path, body))

            do_POST = do_CONNECT = do_GET  # noqa: N815 - the library's names

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.server.server_port}"

    def answer(self, to: BaseHTTPRequestHandler, said: str) -> None:
        """By what the path asks for; anything else is a 401."""
        path, token = to.path.partition("?")[0], quote(CANARIES["FEED_TOKEN"], safe="")
        page = f"<html><head><title>{html.escape(said)}</title></head><body><p>{html.escape(said)}</p></body></html>"
        if to.path.startswith("http://") or to.command == "CONNECT":
            self.send(to, 407, page, **{"Proxy-Authenticate": f'Basic realm="{said[:200].encode("ascii", "replace").decode()}"'})
        elif path.startswith("/circle"):
            self.send(to, 302, page, Location=f"/circle/{token}?key={token}")
        elif path == "/inside":
            self.send(to, 302, page, Location=f"http://10.0.0.1/{token}?key={token}")
        elif path == "/moved":
            self.send(to, 301, page, Location=f"/rows/{token}?key={token}")
        elif path.startswith("/rows/"):
            rows = "".join(
                f"<li><a href='/p/{n}'>关于第{n}项工作的通知</a><span>2026-01-{n:02d}</span></li>" for n in range(1, 9)
            )
            self.send(to, 200, f"<html><head><title>list</title></head><body><ul class='l'>{rows}</ul></body></html>")
        elif path == "/nothing":
            self.send(to, 200, page)
        elif path == "/heavy":
            self.send(to, 200, page.replace("<p>", "<p>" + "<i></i>" * 60_000))
        elif path == "/json":
            self.send(to, 200, json.dumps({"error": said}), **{"Content-Type": "application/json"})
        elif path == "/wrong":
            self.send(to, 200, json.dumps({"data": said}), **{"Content-Type": "application/json"})
        elif path.startswith(("/robot/", "/cgi-bin/")):
            self.send(to, 200, json.dumps({"errcode": 310000, "errmsg": said[:3000]}), **{"Content-Type": "application/json"})
        else:
            self.send(to, 401, page, **{"WWW-Authenticate": 'Basic realm="x"'})

    def send(self, to: BaseHTTPRequestHandler, status: int, body: str, **headers: str) -> None:
        raw = body.encode()
        to.send_response(status, body[:300].encode("ascii", "replace").decode().replace("\n", " "))
        for name, value in ({"Content-Type": "text/html; charset=utf-8"} | headers).items():
            to.send_header(name, value)
        to.send_header("Content-Length", str(len(raw)))
        to.end_headers()
        to.wfile.write(raw)

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


PLUGIN = '''
import logging
from pydantic import BaseModel
class Nothing(BaseModel):
    pass
class Boom:
    """A kind, and a sender, of a third party whose faults say all that they know."""
    Options = Nothing
    version, shaping = 1, frozenset()
    def begin(self, source, state, now):
        from monitor.model import Request
        return Request(source.url, headers=source.headers)
    def parse(self, source, got):
        raise RuntimeError(f"cannot read {source.headers} {got.request.headers} {source.policy.proxy}")
    def traits(self, channel):
        from monitor.senders import Traits
        return Traits(1000, "characters", None, "text", False)
    def send(self, channel, message):
        logging.getLogger("boom").warning("sending to %s", channel.target)
        raise RuntimeError(f"cannot send to {channel.target}")
class Blunt(Boom):
    def send(self, channel, message):
        from monitor.errors import DeliveryError
        raise DeliveryError(f"refused by {channel.target}")
'''


def plugin(folder: Path) -> Path:
    """A package of a third party, as pip leaves one."""
    place = folder / "plugin"
    about = place / "boom-1.dist-info"
    about.mkdir(parents=True)
    (place / "boom.py").write_text(PLUGIN)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: boom\nVersion: 1\n")
    (about / "entry_points.txt").write_text(
        "[monitor.sources]\nboom = boom:Boom\n[monitor.senders]\nboom = boom:Boom\nblunt = boom:Blunt\n"
    )
    return place


#: Sources of kind list, and all that fail.
LISTED = ("401", "circle", "inside", "moved", "nothing", "heavy")
FAILING = ("401", "circle", "inside", "nothing", "heavy", "proxied", "json", "wrong", "boom")


def write(folder: Path, site: Site, echo: Echo, post_office: SmtpReceiver, log_format: str) -> Path:
    header = 'headers = { Authorization = "Bearer ${FEED_TOKEN}", X-Api-Key = "${FEED_TOKEN}" }\n'
    listed = "".join(
        f'[[source]]\nid = "{name}"\nkind = "list"\nurl = "http://{echo.place}/{name}"\nitems = "ul.l > li"\n{header}'
        for name in LISTED
    )
    mail = post_office.target(user="me%40example.org:${MAIL_PASSWORD}@")
    (folder / "monitor.toml").write_text(
        f'[monitor]\nevery = "1s"\nfailing_after = "0s"\nlog = "debug"\nlog_format = "{log_format}"\n'
        f'heartbeat = "http://{echo.place}/ping/${{PING}}"\n'
        '[http]\ndelay = "0s"\nper_host = 8\nallow_private = ["127.0.0.0/8"]\n'
        f'[[source]]\nid = "good"\nkind = "list"\nurl = "{site.url}/list/"\nitems = "ul.l > li"\ndate = "span"\n{header}'
        f"{listed}"
        f'[[source]]\nid = "proxied"\nkind = "list"\nurl = "{site.url}/list/?p"\nitems = "ul.l > li"\n'
        f'proxy = "http://me:${{PROXY_PASSWORD}}@{echo.place}"\n{header}'
        f'[[source]]\nid = "json"\nkind = "json"\nurl = "http://{echo.place}/json"\nitems = "rows"\ntitle = "t"\n'
        'method = "POST"\nbody = "key=${FEED_TOKEN}&page=1"\n'
        f'[[source]]\nid = "wrong"\nkind = "json"\nurl = "http://{echo.place}/wrong"\nitems = "data"\ntitle = "t"\n{header}'
        f'[[source]]\nid = "boom"\nkind = "boom"\nurl = "{site.url}/list/?b"\nproxy = ""\n{header}'
        f'[[channel]]\nid = "hook"\nurl = "json://{echo.place}/${{HOOK_TOKEN}}"\n'
        f'[[channel]]\nid = "wecom"\nurl = "wecombot://${{HOOK_TOKEN}}"\nendpoint = "http://{echo.place}"\n'
        f'[[channel]]\nid = "ding"\nurl = "dingtalk://${{DINGTALK_SECRET}}@6f1b0d75f3a94ee3ad0c5be0"\nendpoint = "http://{echo.place}"\n'
        f'[[channel]]\nid = "mail"\nurl = "{mail}"\n'
        '[[channel]]\nid = "boom"\nurl = "boom://${HOOK_TOKEN}/x"\n[[channel]]\nid = "blunt"\nurl = "blunt://${HOOK_TOKEN}/x"\n',
        "utf-8",
    )
    (folder / "monitor.toml").chmod(0o600)
    return folder / "monitor.toml"


class Watch:
    """What the process list says of a process and its children, again and again."""

    def __init__(self, pid: int) -> None:
        self.seen: set[bytes] = set()
        self.children: set[int] = set()
        self._pid = pid
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._end.wait(0.05):
            try:
                family = [psutil.Process(self._pid), *psutil.Process(self._pid).children(recursive=True)]
            except psutil.NoSuchProcess:
                return
            for one in family:
                try:
                    self.seen.add(Path(f"/proc/{one.pid}/cmdline").read_bytes())
                    if one.pid != self._pid:
                        self.children.add(one.pid)
                        self.seen.add(Path(f"/proc/{one.pid}/environ").read_bytes())
                except OSError:
                    continue

    def close(self) -> None:
        self._end.set()
        self._thread.join()


COMMANDS = [
    ["validate"], ["doctor"], ["doctor", "401"], ["doctor", "nothing"], ["doctor", "proxied"], ["doctor", "wrong"], ["sources"],
    ["sources", "--json"], ["changes"], ["changes", "--json"], ["notices", "--json"], ["deliveries", "--json"],
    *[["explain", str(n)] for n in range(1, 12)], ["explain", "1", "--json"],
    *[["test", name] for name in ("hook", "wecom", "ding", "mail", "blunt")],
    *[["preview", name] for name in (*LISTED, "proxied", "json", "wrong")],
    ["check"], ["check", "--json"], ["-v", "check", "401"], ["accept", "nothing"], ["pause", "401"], ["resume", "401"], ["retry"],
    ["forget", "circle", "--yes"], ["backup", "{folder}/copy.db"], ["export", "{folder}/export.jsonl"],
    ["calendar", "{folder}/c.ics"],
    ["demo"],
]  # fmt: skip


@pytest.fixture
def world() -> Iterator[tuple[Echo, SmtpReceiver]]:
    password = CANARIES["MAIL_PASSWORD"]
    coded = base64.b64encode(f"\0me@example.org\0{password}".encode()).decode()
    said = f"535 5.7.8 AUTH PLAIN {coded} {quote(password)} {base64.b64encode(password.encode()).decode()} failed"
    echo = Echo()
    with SmtpReceiver(login=("me@example.org", "another")) as post_office:
        post_office.always(at("AUTH", said))
        yield echo, post_office
    echo.close()


def failed(run: Run, folder: Path) -> bool:
    """Whether every source failed often enough to be told, and every channel was tried."""
    bad = {one["id"] for one in run("sources", "--json", folder=folder).json if one["error"]}
    tried = {one["channel"] for one in run("deliveries", "--json", folder=folder).json if one["last_error"]}
    return bad >= set(FAILING) and tried == {"hook", "wecom", "ding", "mail", "boom", "blunt"}


@pytest.fixture
def known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment of monitor: the secrets, and a package of a third party; of this process's commands, too."""
    place = plugin(tmp_path)
    monkeypatch.syspath_prepend(str(place))
    for name, secret in CANARIES.items():
        monkeypatch.setenv(name, secret)
    return CANARIES | {"PYTHONPATH": str(place), "PYTHONIOENCODING": "utf-8", "LANG": "C.UTF-8"}


@pytest.mark.slow
@pytest.mark.parametrize("log_format", ["text", "json"])
def test_no_secret_is_found_again_in_anything_that_monitor_leaves(
    tmp_path: Path, site: Site, world: tuple[Echo, SmtpReceiver], known: dict[str, str], run: Run, log_format: str
) -> None:
    echo, post_office = world
    left: dict[str, bytes] = {}
    folder = tmp_path / "house"
    folder.mkdir()
    running = Running(write(folder, site, echo, post_office, log_format), **known)
    watch = Watch(running.process.pid)

    def keep(*command: str) -> None:
        ran = run(*(one.format(folder=folder) for one in command), folder=folder)
        left[f"{len(left)}: monitor {' '.join(command)}"] = (ran.out + ran.err).encode()

    try:
        running.ready()
        eventually(lambda: run("notices", "--source", "good", folder=folder).lines)
        site.rows.insert(0, Row("new", "关于新工作的通知", "2026-01-13"))
        eventually(lambda: failed(run, folder), 60)
        for command in COMMANDS if log_format == "text" else COMMANDS[:1]:
            keep(*command)
        for what in (["test", "boom"], ["-v", "test", "boom"], ["preview", "boom"]):
            ran = running.monitor(*what)
            assert "cannot" in ran.stderr
            left[f"monitor {' '.join(what)}"] = (ran.stdout + ran.stderr).encode()
        for file in folder.glob("monitor.db*"):
            if file.is_file():
                left[f"{file.name} while it runs"] = file.read_bytes()
        echo.close()
        for name in ("hook", "wecom", "ding"):
            keep("test", name)
        keep("check", "401", "proxied")
        assert running.stop() == 0
    finally:
        watch.close()
        running.close()
    assert watch.children, "a child read the heavy page"
    left["the process list"] = b"\n".join(watch.seen)
    for file in folder.iterdir():
        if file.is_file():
            left[file.name] = file.read_bytes()
    assert any("/ping/" in path for path in echo.asked), "the heartbeat was asked"
    for said in ("RuntimeError: cannot read", "RuntimeError: cannot send to •••", "sending to •••"):
        assert said in running.said(), "the third party's words are in the log"
    found = {name: some for name, what in left.items() if (some := leaks(what))}
    assert not found, found


def test_a_secret_that_is_typed_into_init_is_in_its_own_file_alone(run: Run, tmp_path: Path) -> None:
    target = f"json://127.0.0.1:9/{CANARIES['HOOK_TOKEN']}"
    ran = run("init", str(tmp_path / "mine"), "--channel", target)
    assert ran.code == 0
    assert leaks((ran.out + ran.err).encode()) == []
    holds = [file.name for file in (tmp_path / "mine").iterdir() if leaks(file.read_bytes())]
    assert holds == ["channel.secret"]
    assert (tmp_path / "mine" / "channel.secret").stat().st_mode & 0o777 == 0o600
    assert leaks((run("validate", folder=tmp_path / "mine").out).encode()) == []
