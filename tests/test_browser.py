"""Pages that need a browser, with a real one: what a script makes is read, nothing leads inside, and nothing holds it up.

Where Chromium or the library is missing these tests are skipped with a sentence that says what is missing.
"""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest
import trustme

from monitor import browser, look, sources
from monitor.cli import monitor
from monitor.cli.common import guarded
from monitor.errors import Challenge, FetchError, Forbidden, SourceError, TooLarge
from monitor.model import FetchPolicy, Listing, Pass, Purpose, Request, Source, Unchanged
from tests.hostile_server import Server, answer
from tests.house import House, Site
from tests.web import Canary, Web, browsers, html

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ITEMS = "".join(f"<li><a href='/p/{i}.html'>关于第{i}项工作的通知</a><span>2026-01-{i:02d}</span></li>" for i in range(9, 0, -1))
LIST = f"<html><head><title>通知</title></head><body><ul class='l'>{ITEMS}</ul></body></html>"
SCRIPTED = (
    "<html><head><title>通知</title></head><body><ul class='l'></ul><script>fetch('/rows').then(r => r.text())"
    ".then(t => { document.querySelector('ul').innerHTML = t })</script></body></html>"
)


@pytest.fixture(autouse=True, scope="module")
def _installed() -> Iterator[None]:
    if said := browser.lacking(FetchPolicy()):
        pytest.skip(f"no page is looked at with a real browser: {said}")
    yield
    browser.close()


@pytest.fixture
def web() -> Iterator[Web]:
    with Web() as made:
        yield made


def source(web: Web, path: str = "/list/", kind: str = "list", **given: Any) -> Source:
    given_options = {"items": "ul.l > li", "date": "span"} if kind == "list" else {}
    given_options |= {"title": "title", "link": "url"} if kind == "json" else {}
    options = sources.kind(kind).Options(**given_options)
    policy = FetchPolicy(deadline=given.pop("deadline", 30.0), allow_private=(f"127.0.0.1:{web.port}",))
    policy = replace(policy, **given.pop("policy", {}))
    return Source("a", kind, web.url + path, options=options, via="browser", policy=policy, **given)


def looked(source: Source, held: Pass | None = None, now: datetime = NOW, **request: Any) -> look.Looked:
    return look.look(source, Request(source.url, via="browser", held=held, **request), lambda: now)


def titles(seen: look.Looked) -> list[str]:
    assert isinstance(seen.result, Listing)
    return [notice.title for notice in seen.result.notices]


# --- what a page becomes


def test_rows_that_a_script_loads_are_read(web: Web) -> None:
    web.pages = {"/list/": SCRIPTED, "/rows": ITEMS}
    seen = looked(source(web))
    assert len(titles(seen)) == 9
    assert (seen.status, seen.url, seen.media_type) == (200, f"{web.url}/list/", "text/html")
    assert seen.held is not None
    assert seen.held.plain == ()


def test_pictures_fonts_and_media_are_not_loaded(web: Web) -> None:
    markup = LIST.replace(
        "</body>",
        "<img src=/i.png><video src=/v.mp4></video><style>@font-face{font-family:f;src:url(/f.woff)}body{font-family:f}</style>",
    )
    web.pages = {"/list/": markup}
    assert len(titles(looked(source(web)))) == 9
    assert set(web.paths()) == {"/list/"}


def test_the_browser_and_plain_requests_have_one_name_which_says_nothing_of_a_head(web: Web) -> None:
    web.pages = {"/list/": LIST}
    seen = looked(source(web))
    names = {asked.headers["user-agent"] for asked in web.asked}
    assert seen.held is not None
    assert names == {seen.held.user_agent}
    assert "Headless" not in names.pop()
    web.asked.clear()
    looked(source(web, policy={"user_agent": "mine/1"}))
    assert {asked.headers["user-agent"] for asked in web.asked} == {"mine/1"}


RSS = '<?xml version="1.0"?><rss version="2.0"><channel><item><title>通知</title><link>https://a.example/1</link></item></channel></rss>'


@pytest.mark.parametrize(
    ("kind", "media", "body"),
    [
        pytest.param("json", "application/json", '[{"title": "通知", "url": "https://a.example/1"}]'.encode(), id="JSON"),
        pytest.param("feed", "application/rss+xml", RSS.encode(), id="RSS"),
        pytest.param("feed", "text/xml", RSS.replace("?>", ' encoding="gbk"?>', 1).encode("gbk"), id="RSS in GBK"),
    ],
)
def test_what_is_no_html_is_had_plainly_with_what_the_browser_got(web: Web, kind: str, media: str, body: bytes) -> None:
    """The browser shows such a thing in its own way: its bytes would not be those that came."""
    web.pages = {"/x": lambda asked: (200, {"Content-Type": media}, body) if "secret" in asked.cookie else shielded("")(asked)}
    given = source(web, "/x", kind)
    seen = looked(given)
    assert titles(seen) == ["通知"]
    assert [asked.browser for asked in web.asked] == [True, True, False]
    web.asked.clear()
    assert titles(looked(given, seen.held)) == ["通知"]
    assert [asked.browser for asked in web.asked] == [False]


def visited(web: Web, path: str = "/", seconds: float = 30.0, **request: Any) -> browser.Visited:
    return browser.visit(
        Request(web.url + path, **request), source(web).policy, timezone="Asia/Shanghai", seconds=lambda: seconds
    )


def test_a_page_in_another_charset_comes_as_utf_8(web: Web) -> None:
    body = LIST.replace("<head>", "<head><meta charset=gb2312>").encode("gbk")
    web.pages = {"/list/": lambda _: (200, {"Content-Type": "text/html"}, body)}
    assert titles(looked(source(web)))[0] == "关于第9项工作的通知"


def test_dates_that_a_script_writes_are_in_the_time_zone_of_the_configuration(web: Web) -> None:
    script = (
        "<script>document.write('<p>' + new Date(Date.UTC(2026, 0, 5, 20)).toLocaleDateString() + ' 起施行的规定</p>')</script>"
    )
    web.pages = {"/list/": f"<html><body>{script}</body></html>"}
    assert "2026/1/6" in (visited(web, "/list/").body or b"").decode()


def test_a_post_is_a_post(web: Web) -> None:
    web.pages = {"/list/": LIST}
    asking = source(web, method="POST", body="页=1")
    assert len(titles(looked(asking, method="POST", body=b"a=1", headers=(("Referer", web.url + "/r"),)))) == 9
    first = web.asked[0]
    assert (first.method, first.body, first.headers["referer"]) == ("POST", b"a=1", web.url + "/r")


def test_name_and_password_of_an_address_are_for_its_host_alone_and_shown_nowhere(web: Web) -> None:
    def page(asked: Any) -> tuple[int, dict[str, str], bytes]:
        if asked.headers.get("authorization") != "Basic bWU6czNjcmV0":
            return html("<h1>401</h1>", 401, WWW_Authenticate='Basic realm="x"')
        return html(
            LIST.replace("</body>", f"<script>fetch('{other.url}/x', {{mode: 'no-cors', credentials: 'include'}})</script>")
        )

    with Web({"/x": lambda _: html("", 401, WWW_Authenticate='Basic realm="x"')}) as other:
        web.pages = {"/list/": page}
        given = source(web, policy={"allow_private": ("127.0.0.0/8",)})
        seen = looked(replace(given, url=f"http://me:s3cret@127.0.0.1:{web.port}/list/"))
        assert seen.url == f"{web.url}/list/"
        assert isinstance(seen.result, Listing)
        assert seen.result.notices[0].url == f"{web.url}/p/9.html"
        assert "/x" in other.paths()
        assert not any("authorization" in asked.headers for asked in other.asked)


def test_an_equal_page_is_unchanged(web: Web) -> None:
    web.pages = {"/list/": SCRIPTED, "/rows": ITEMS}
    first = looked(source(web))
    again = looked(source(web), first.held, validators=first.validators)
    assert isinstance(again.result, Unchanged)


@pytest.mark.parametrize("status", [404, 410, 403, 500])
def test_an_error_of_the_site_is_its_status(web: Web, status: int) -> None:
    web.pages = {"/list/": lambda _: html("<h1>error</h1>", status)}
    with pytest.raises(FetchError, match=f"HTTP {status}") as caught:
        looked(source(web))
    assert (caught.value.status, caught.value.reason, caught.value.source_id) == (status, f"http {status}", "a")


def test_a_page_that_moved_for_good_says_where(web: Web) -> None:
    web.pages = {
        "/old/": lambda _: (301, {"Location": "/list/"}, b""),
        "/late/": lambda _: (302, {"Location": "/list/"}, b""),
        "/list/": SCRIPTED,
        "/rows": ITEMS,
    }
    assert looked(source(web, "/old/")).moved == f"{web.url}/list/"
    assert looked(source(web, "/late/")).moved is None


def test_a_page_behind_tls_is_looked_at_and_its_certificate_is_judged(tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with Web({"/list/": SCRIPTED, "/rows": ITEMS}, tls=context) as web:
        with pytest.raises(FetchError, match="verify_tls = false") as caught:
            looked(source(web))
        assert caught.value.reason == "tls"
        assert len(titles(looked(source(web, policy={"verify_tls": False})))) == 9


def test_the_way_leads_through_the_users_own_proxy(web: Web) -> None:
    with Server([answer(LIST.encode(), "Content-Type: text/html", "Connection: close")] * 9) as proxy:
        given = source(web, policy={"proxy": f"http://me:s3cret@127.0.0.1:{proxy.port}", "allow_private": ("127.0.0.0/8",)})
        assert len(titles(looked(given))) == 9
        assert proxy.heads[0].startswith(f"GET {web.url}/list/ ".encode())
        assert proxy.field("proxy-authorization", 0) == "Basic bWU6czNjcmV0"
    assert web.asked == []


# --- shields, cookies, plain requests


JSL = (
    "<script>document.cookie='__jsl_clearance_s=secret-value;path=/;max-age=3600';"
    "location.href=location.pathname+location.search</script>"
)


def shielded(markup: str) -> Callable[[Any], tuple[int, dict[str, str], bytes]]:
    """A page behind a shield that lets in whom its script gave a cookie."""

    def page(asked: Any) -> tuple[int, dict[str, str], bytes]:
        if "__jsl_clearance_s=secret-value" in asked.cookie:
            return html(markup)
        return html(f"<html><body>{JSL}</body></html>", 521, Set_Cookie="__jsluid_s=other-secret; path=/")

    return page


SOURCE = """
[[source]]
id = "a"
kind = "list"
url = "{url}/list/"
items = "ul.l > li"
date = "span"
via = "browser"
"""


@pytest.fixture
def house(tmp_path: Path, web: Web) -> Iterator[Callable[..., House]]:
    made: list[House] = []

    def build(keys: str = "") -> House:
        site = Site.__new__(Site)  # only its address is asked for
        site.server = web.server
        made.append(House(tmp_path, site, SOURCE + keys))
        return made[-1]

    yield build
    for one in made:
        one.close()


def test_behind_a_shield_later_checks_are_plain_with_the_browsers_cookies(
    web: Web, house: Callable[..., House], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    web.pages = {"/list/": shielded(LIST)}
    home = house()
    assert home.check()["a"].rows == 9
    assert [(asked.browser, "secret-value" in asked.cookie) for asked in web.asked] == [
        (True, False),
        (True, True),
        (False, True),
    ]
    assert {"__jsluid_s=other-secret", "__jsl_clearance_s=secret-value"} == set(web.asked[-1].cookie.split("; "))

    browser.close()
    web.asked.clear()
    assert home.check()["a"].outcome == "unchanged"
    web.pages["/list/"] = shielded(LIST.replace("第9项", "第十项"))
    assert home.check()["a"].outcome == "changed"
    home.reopen()  # a new process knows it from the database
    assert home.check()["a"].outcome == "unchanged"
    assert [(asked.browser, "secret-value" in asked.cookie) for asked in web.asked] == [(False, True)] * 3
    assert browsers() == []
    said = caplog.text + repr(home.changes()) + repr(home.source())
    assert "secret" not in said


def test_a_cookie_that_no_longer_works_is_got_anew(web: Web, house: Callable[..., House]) -> None:
    web.pages = {"/list/": shielded(LIST)}
    home = house()
    home.check()
    web.asked.clear()

    def other(asked: Any) -> tuple[int, dict[str, str], bytes]:
        status, fields, body = shielded(LIST)(replace(asked, headers={"cookie": asked.cookie.replace("newer", "secret-value")}))
        if "secret-value" in asked.cookie:
            return html(f"<html><body>{JSL.replace('secret-value', 'newer')}</body></html>", 521)
        return status, fields, body.replace(b"secret-value", b"newer")

    web.pages["/list/"] = other
    assert home.check()["a"].outcome == "unchanged"
    assert [asked.browser for asked in web.asked] == [False, True, True, False]
    assert "newer" in web.asked[-1].cookie
    web.asked.clear()
    home.check()
    assert [asked.browser for asked in web.asked] == [False]


def test_a_shield_that_stays_is_a_challenge_and_nothing_is_forced(web: Web) -> None:
    web.pages = {"/good/": LIST}
    looked(source(web, "/good/"))
    web.pages = {"/list/": lambda _: html("<html><body><script>$_ts=window['$_ts'];$_ts.cd='x'</script></body></html>", 412)}
    with pytest.raises(Challenge, match="瑞数") as caught:
        looked(source(web, deadline=6))
    assert caught.value.status == 412
    assert web.paths() == ["/good/", "/good/", "/list/"]


def test_a_page_that_says_something_else_to_plain_requests_is_never_believed(web: Web) -> None:
    web.pages = {
        "/p": lambda asked: html(
            "<html><body><article><p>本通知自发布之日起施行，请各单位遵照执行。</p><p id=x></p></article>"
            "<script>document.getElementById('x').textContent = '第二条 各单位应于2026年4月30日前报送落实情况。'</script>"
            "</body></html>"
        )
    }
    page = source(web, "/p", "page")
    held, seen = None, []
    for hours in (0, 1, 23, 25):
        web.asked.clear()
        found = looked(page, held, NOW + timedelta(hours=hours))
        held = found.held
        assert isinstance(found.result, Listing)
        assert "第二条" in (found.result.notices[0].text or "")
        seen.append([asked.browser for asked in web.asked])
    assert seen == [[True, False], [True], [True], [True, False]]  # it is compared again a day later


def test_a_plain_list_that_became_short_is_asked_of_the_browser(web: Web, house: Callable[..., House]) -> None:
    """The site began to make its rows by a script: what plain requests still show of it is not what there is."""
    web.pages = {"/list/": LIST}
    home = house()
    for _ in range(3):
        home.check()
    web.pages = {"/list/": SCRIPTED.replace("</ul>", ITEMS[: ITEMS.index("</li>") + 5] + "</ul>"), "/rows": ITEMS}
    web.asked.clear()
    assert home.check()["a"].outcome == "failed"  # one row of nine
    assert [asked.browser for asked in web.asked] == [False]
    assert home.check()["a"].outcome == "unchanged"
    assert home.check()["a"].outcome == "unchanged"
    assert web.paths(browser=True).count("/list/") == 2
    assert home.told() == []


def test_a_page_that_is_read_again_because_of_a_doubt_is_read_by_the_browser(web: Web, house: Callable[..., House]) -> None:
    text = "".join(f"<p>第{i}条 各单位应当遵照执行，并于规定期限内报送落实情况。</p>" for i in range(30))
    web.pages = {"/list/": LIST, "/p/9.html": f"<html><body><h1>通知</h1><div id=t>{text}</div></body></html>"}
    home = house('follow = true\nbackfill = 1\nrecheck = ["1h"]\n')
    home.check()
    shell = "<html><body><h1>通知</h1><div id=t><p>第0条 各单位应当遵照执行。</p></div>"
    web.pages["/p/9.html"] = f"{shell}<script>document.getElementById('t').innerHTML = '{text}'</script></body></html>"
    web.asked.clear()
    for _ in range(3):
        home.clock.on(minutes=70)
        home.check()
    asked = [asked.browser for asked in web.asked if asked.path == "/p/9.html"]
    assert asked[:2] == [False, True]
    assert home.told() == []


def test_what_was_compared_when_the_source_was_read_differently_counts_no_more(web: Web) -> None:
    web.pages = {"/list/": LIST}
    first = looked(source(web, how="list/1:a"))
    assert first.held is not None
    assert first.held.plain == (f"listing 127.0.0.1:{web.port}",)
    web.asked.clear()
    looked(source(web, how="list/1:a"), first.held)
    looked(source(web, how="list/1:b"), first.held)
    assert [asked.browser for asked in web.asked] == [False, True, False]


def test_pages_of_notices_and_their_files_take_the_same_way(web: Web, house: Callable[..., House]) -> None:
    page = (
        "<html><head><title>通知</title></head><body><h1>通知</h1><div><p>正文如下，请各单位遵照执行。</p>"
        "<p><a href='/f/a.pdf'>附件</a></p></div></body></html>"
    )
    web.pages = {"/list/": shielded(LIST.replace("/p/9", "/p/x")), "/p/x.html": shielded(page)}
    web.pages["/f/a.pdf"] = lambda asked: (
        (200, {"Content-Type": "application/pdf"}, b"%PDF-1.4 file") if "secret-value" in asked.cookie else shielded("")(asked)
    )
    home = house("follow = true\nbackfill = 1\n")
    home.check()
    (notice,) = [one for one in home.notices() if one["url"].endswith("/p/x.html")]
    assert [(a["name"], a["bytes"]) for a in notice["attachments"]] == [("a.pdf", 13)]
    assert web.paths(browser=True) == ["/list/", "/list/", "/p/x.html", "/p/x.html"]
    assert web.paths(browser=False) == ["/list/", "/p/x.html", "/f/a.pdf"]


def test_a_file_behind_the_shield_is_fetched_plainly_once_the_browser_was_let_in(web: Web) -> None:
    web.pages["/a.pdf"] = lambda asked: (
        (200, {"Content-Type": "application/pdf"}, b"%PDF-1.4 file") if "secret-value" in asked.cookie else shielded("")(asked)
    )
    given = source(web, "/a.pdf")
    seen = looked(given, purpose=Purpose.ATTACHMENT)
    assert seen.raw == b"%PDF-1.4 file"
    assert [asked.browser for asked in web.asked] == [False, True, True, False]


def test_preview_shows_what_a_browser_shows_and_doctor_names_it(
    web: Web, house: Callable[..., House], capsys: pytest.CaptureFixture[str]
) -> None:
    web.pages = {"/list/": SCRIPTED, "/rows": ITEMS}
    path = str(house().path)
    capsys.readouterr()
    assert guarded(monitor, ["-c", path, "preview", "a", "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["title"] for row in rows][:1] == ["关于第9项工作的通知"]
    assert len(rows) == 9
    assert guarded(monitor, ["-c", path, "validate"]) == 0
    guarded(monitor, ["-c", path, "doctor"])
    assert re.search(r"ok +browser: /.+, driven by \w+ [\d.]+, for 1 source\n", capsys.readouterr().out)


# --- the guard

REACHING = {
    "picture": "new Image().src = '{http}/picture'",
    "fetch": "fetch('{http}/fetch', {{mode: 'no-cors'}}).catch(() => 0)",
    "request by script": "let x = new XMLHttpRequest(); x.open('GET', '{http}/xhr'); x.send()",
    "redirect": "fetch('/away', {{mode: 'no-cors'}}).catch(() => 0)",
    "frame": "document.body.appendChild(document.createElement('iframe')).src = '{http}/frame'",
    "frame that redirects": "document.body.appendChild(document.createElement('iframe')).src = '/away'",
    "script": "document.body.appendChild(document.createElement('script')).src = '{http}/script.js'",
    "style": "document.head.insertAdjacentHTML('beforeend', '<link rel=stylesheet href={http}/style.css>')",
    "websocket": "new WebSocket('{ws}/socket')",
    "events": "new EventSource('{http}/events')",
    "beacon": "navigator.sendBeacon('{http}/beacon', 'x')",
    "preconnect": "document.head.insertAdjacentHTML('beforeend', '<link rel=preconnect href={http}>')",
    "worker": "new Worker(URL.createObjectURL(new Blob([`fetch('{http}/worker', {{mode: 'no-cors'}})`])))",
    "worker's socket": "new Worker(URL.createObjectURL(new Blob([`new WebSocket('{ws}/ws')`])))",
    "by name": "fetch('http://localhost:{port}/name', {{mode: 'no-cors'}}).catch(() => 0)",
    "as a number": "fetch('http://2130706433:{port}/number', {{mode: 'no-cors'}}).catch(() => 0)",
    "TLS": "fetch('https://127.0.0.1:{port}/tls', {{mode: 'no-cors'}}).catch(() => 0)",
    "window": "window.open('{http}/window')",
    "call": "const c = new RTCPeerConnection({{iceServers: [{{urls: 'stun:127.0.0.1:{port}'}}]}}); c.createDataChannel('x');"
    " c.createOffer().then(o => c.setLocalDescription(o))",
    "transport": "try {{ new WebTransport('https://127.0.0.1:{port}/transport').ready.catch(() => 0) }} catch (e) {{}}",
}


def reaching(scripts: Iterator[str] | list[str], canary: Canary) -> str:
    at = {"http": f"http://127.0.0.1:{canary.port}", "ws": f"ws://127.0.0.1:{canary.port}", "port": canary.port}
    lines = "".join(f"<script>{{ {script.format(**at)} }}</script>" for script in scripts)
    return LIST.replace("</body>", lines + "<script>fetch('/late')</script></body>")


def late(web: Web) -> tuple[int, dict[str, str], bytes]:
    """What a page waits for while all that it tries has its time."""
    web.over.wait(1.5)
    return html("")


def test_nothing_on_a_page_reaches_a_guarded_address(web: Web) -> None:
    with Canary() as canary:
        web.pages = {"/list/": reaching(list(REACHING.values()), canary), "/late": lambda _: late(web)}
        web.pages["/away"] = lambda _: (302, {"Location": f"http://127.0.0.1:{canary.port}/redirected"}, b"")
        assert len(titles(looked(source(web)))) == 9
        assert {"/away", "/late"} < set(web.paths())
        assert canary.came == []


def test_the_same_page_reaches_an_address_that_is_allowed(web: Web) -> None:
    """That the canary would sing: all but pictures, windows, calls and transports, which are never let out."""
    with Canary() as canary:
        web.pages = {"/list/": reaching(list(REACHING.values()), canary), "/late": lambda _: late(web)}
        web.pages["/away"] = lambda _: (302, {"Location": f"http://127.0.0.1:{canary.port}/redirected"}, b"")
        looked(source(web, policy={"allow_private": ("127.0.0.0/8",)}))
        came = " ".join(canary.came)
    for path in [
        "fetch",
        "xhr",
        "redirected",
        "frame",
        "script.js",
        "style.css",
        "socket",
        "events",
        "beacon",
        "worker",
        "ws",
        "name",
        "number",
    ]:
        assert f" /{path} " in came, path
    assert "\x16\x03" in came  # TLS
    assert "UDP" not in came
    assert "picture" not in came


@pytest.mark.parametrize("way", ["itself", "redirect", "script", "meta"])
def test_a_page_that_leads_inside_is_refused(web: Web, way: str) -> None:
    with Canary() as canary:
        there = f"http://127.0.0.1:{canary.port}/"
        web.pages["/redirect"] = lambda _: (302, {"Location": there}, b"")
        web.pages["/script"] = f"<html><body><p>正文</p><script>location.href = '{there}'</script></body></html>"
        web.pages["/meta"] = f"<html><head><meta http-equiv=refresh content='0; url={there}'></head><body></body></html>"
        given = source(web, f"/{way}")
        if way == "itself":
            given = replace(given, url=there)
        with pytest.raises(Forbidden, match="a loopback address: refused"):
            looked(given)
        assert canary.came == []


@pytest.mark.parametrize("target", ["file:///etc/passwd", "chrome://version/", "data:text/html,<ul class=l><li>x"])
def test_other_kinds_of_address_are_not_opened(web: Web, target: str) -> None:
    with pytest.raises(SourceError):
        looked(replace(source(web), url=target))
    web.pages["/list/"] = f"<html><body><p>正文</p><script>location.href = '{target}'</script></body></html>"
    web.pages["/list/"] = LIST.replace("</body>", f"<script>location.href = '{target}'</script></body>")
    seen = looked(source(web))
    assert len(titles(seen)) == 9


# --- limits


SPINNING = "<html><body><p>正文</p><script>while (true) {}</script></body></html>"


@pytest.mark.parametrize("page", ["drip", SPINNING], ids=["drips", "spins"])
def test_a_page_that_has_no_end_ends_at_the_deadline_and_the_next_look_works(web: Web, page: str) -> None:
    web.pages = {"/list/": SCRIPTED, "/rows": ITEMS, "/endless": page}
    looked(source(web))
    started = time.monotonic()
    with pytest.raises(FetchError, match="deadline") as caught:
        looked(source(web, "/endless", deadline=4))
    assert caught.value.reason == "timeout"
    assert 3 < time.monotonic() - started < 8
    assert len(titles(looked(source(web)))) == 9


def test_what_a_page_asks_for_without_end_does_not_keep_it_from_being_taken(web: Web) -> None:
    web.pages = {"/list/": LIST.replace("</body>", "<script>fetch('/endless')</script></body>"), "/endless": "drip"}
    assert len(titles(looked(source(web)))) == 9


@pytest.mark.parametrize(
    ("script", "said"),
    [
        pytest.param("fetch('/large').then(r => r.text())", "the page loads more than 1 MiB; raise max_bytes", id="loads"),
        pytest.param("document.body.append('x'.repeat(2000000))", "the page is larger than 1 MiB; raise max_bytes", id="grows"),
        pytest.param("for (let i = 0; i < 400; i++) fetch('/small?' + i)", "more than 300 requests", id="asks"),
        pytest.param(
            "let a = []; for (;;) a.push(new Uint8Array(20000000).fill(1))",
            "more than 800 MiB of memory",
            id="takes",
        ),
    ],
)
def test_a_page_that_is_too_much_is_refused_and_the_next_look_works(
    web: Web, script: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "memory" in said:
        monkeypatch.setattr(browser, "MEMORY", 800 * 1024 * 1024)
    web.pages = {
        "/list/": LIST.replace("</body>", f"<script>{script}</script></body>"),
        "/large": lambda _: (200, {"Content-Type": "text/plain"}, os.urandom(3_000_000)),
        "/small": "x",
        "/good/": LIST,
    }
    with pytest.raises(TooLarge, match=said):
        looked(source(web, policy={"max_bytes": 1024 * 1024}))
    assert len(titles(looked(source(web, "/good/")))) == 9


# --- its life


def main_process() -> psutil.Process:
    """The browser's first process."""
    return next(
        one
        for one in browsers()
        if "--remote-debugging-pipe" in " ".join(one.cmdline()) and "--type=" not in " ".join(one.cmdline())
    )


def own_process() -> psutil.Process:
    """The one that drives it."""
    return next(one for one in browsers() if "monitor.browser.serve" in " ".join(one.cmdline()))


def library_process() -> psutil.Process:
    """The one through which the library drives it."""
    return next(one for one in own_process().children() if "run-driver" in " ".join(one.cmdline()))


@pytest.mark.parametrize("which", [main_process, library_process, own_process], ids=["the browser", "the library", "its driver"])
def test_after_a_kill_between_two_looks_the_next_one_works(web: Web, which: Callable[[], psutil.Process]) -> None:
    web.pages = {"/list/": SCRIPTED, "/rows": ITEMS}
    looked(source(web))
    victim = which()
    victim.send_signal(signal.SIGKILL)
    psutil.wait_procs([victim], 10)
    assert len(titles(looked(source(web)))) == 9


@pytest.mark.parametrize("which", [main_process, library_process, own_process], ids=["the browser", "the library", "its driver"])
def test_a_kill_during_a_look_is_an_error_and_the_next_one_works(web: Web, which: Callable[[], psutil.Process]) -> None:
    web.pages = {"/list/": SCRIPTED, "/rows": ITEMS, "/endless": "drip"}
    looked(source(web))
    came = len(web.asked)

    def kill() -> None:
        while len(web.asked) == came:
            time.sleep(0.02)
        which().send_signal(signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(FetchError, match="the browser broke down") as caught:
        looked(source(web, "/endless"))
    killer.join()
    assert caught.value.reason == "browser"
    assert len(titles(looked(source(web)))) == 9


def test_one_browser_is_kept_warm_takes_one_page_at_a_time_and_ends_when_idle(web: Web) -> None:
    web.pages = {"/list/": SCRIPTED, "/rows": ITEMS}
    threads = [threading.Thread(target=looked, args=(source(web),)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    first = main_process()
    looked(source(web))
    assert main_process() == first
    browser.tidy()
    assert main_process() == first
    browser.tidy(time.monotonic() + browser.keep.IDLE + 1)
    assert browsers() == []


def test_a_stop_leaves_no_process_and_no_file(web: Web, house: Callable[..., House]) -> None:
    web.pages = {"/list/": SCRIPTED, "/rows": ITEMS}
    home = house()
    home.check()
    folder = own_process().cmdline()[-1]
    assert Path(folder).is_dir()
    home.close()
    assert browsers() == []
    assert not Path(folder).exists()


SCRIPT = """
import sys
from monitor import browser
from monitor.model import FetchPolicy, Request
policy = FetchPolicy(allow_private=("127.0.0.0/8",))
browser.visit(Request(sys.argv[1]), policy, timezone="UTC", seconds=lambda: 30.0)
print("looked", flush=True)
browser.visit(Request(sys.argv[2]), policy, timezone="UTC", seconds=lambda: 60.0)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_the_browser_ends_with_its_parent_however_that_ends(web: Web, number: signal.Signals) -> None:
    web.pages = {"/list/": LIST, "/endless": "drip"}
    parent = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, f"{web.url}/list/", f"{web.url}/endless"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert parent.stdout is not None
    assert parent.stdout.readline() == b"looked\n"
    while "/endless" not in web.paths():
        time.sleep(0.02)
    mine = browsers(parent.pid)
    assert len(mine) > 3
    folder = next(one.cmdline()[-1] for one in mine if "monitor.browser.serve" in " ".join(one.cmdline()))
    os.killpg(parent.pid, number)  # as a terminal does
    parent.wait(20)
    parent.stdout.close()
    _, alive = psutil.wait_procs(mine, 10)
    assert alive == []
    assert not Path(folder).exists()


def test_looks_that_wait_for_the_browser_do_not_take_the_places_of_others(tmp_path: Path, site: Site) -> None:
    rows = [SOURCE.replace('"a"', f'"b{i}"').replace("{url}", f"http://127.0.0.{i + 2}:9") for i in range(9)]
    rows += [
        SOURCE.replace('"a"', f'"h{i}"').replace("{url}", f"http://127.0.1.{i + 2}:9").replace('via = "browser"', "")
        for i in range(9)
    ]
    home = House(tmp_path, site, "".join(rows))
    try:
        home.loops.checking.reload()
        home.clock.on(minutes=5)
        due = [task.source for task in home.loops.checking._due(home.clock())]
    finally:
        home.close()
    assert len([id_ for id_ in due if id_.startswith("b")]) == 3
    assert len([id_ for id_ in due if id_.startswith("h")]) == 9
