"""The config file: what it may say, and what is said of its mistakes. Mistakes are written as a user would make them."""

from __future__ import annotations

import gc
import json
import re
import time as clock
import tomllib
from datetime import time, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor import config, glance, sources
from monitor.config import models, schema, source, values
from monitor.config.lines import Lines
from monitor.errors import ConfigError
from monitor.fetch import labels
from monitor.model import FetchPolicy, Kind
from monitor.senders import BUILT_IN, ROBOTS, sender
from monitor.senders.robots import Robot

ROOT = Path(__file__).parents[1]
FEED = '[[source]]\nid = "x"\nkind = "feed"\nurl = "https://a.example/feed"\n'
LIST = '[[source]]\nid = "x"\nkind = "list"\nurl = "https://a.example/"\nitems = "li"\n'
CHANNEL = '[[channel]]\nid = "ops"\nurl = "console://"\n'
SECRET = "correct horse"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own, which is the working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def load(text: str | bytes, environ: dict[str, str] | None = None, mode: int = 0o600) -> config.Config:
    path = Path("monitor.toml")
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    path.chmod(mode)
    return config.load(path, environ or {})


def problems(text: str | bytes, environ: dict[str, str] | None = None, mode: int = 0o600) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(text, environ, mode)
    return caught.value.problems


MISTAKES = {
    "an unknown key": (
        FEED.replace("url", "ulr"),
        'monitor.toml:4: source "x": unknown key "ulr" — did you mean "url"?',
    ),
    "a key of another kind": (
        FEED + 'items = "li"\n',
        'monitor.toml:5: source "x": unknown key "items"; it belongs to kind = "list"',
    ),
    "an unknown key of a kind, which was needed": (
        LIST.replace("items", "itmes"),
        'monitor.toml:5: source "x": unknown key "itmes" — did you mean "items"?',
    ),
    "an unknown key of [monitor]": (
        '[monitor]\nevry = "5m"\n',
        'monitor.toml:2: [monitor]: unknown key "evry" — did you mean "every"?',
    ),
    "an unknown key of a channel": (
        CHANNEL.replace("url", "ulr"),
        'monitor.toml:3: channel "ops": unknown key "ulr" — did you mean "url"?',
    ),
    "an unknown key of a route": (
        "[[route]]\nsource = []\n",
        'monitor.toml:2: route 1: unknown key "source" — did you mean "sources"?',
    ),
    "an unknown table": ("[[sources]]\n", "monitor.toml:1: unknown table [sources] — did you mean [[source]]?"),
    "single brackets": ('[source]\nid = "x"\n', "monitor.toml:1: [[source]] is written with two brackets, once for each source"),
    "two brackets": ("[[monitor]]\n", "monitor.toml:1: [monitor] is one table, written with single brackets"),
    "a key without a table": (
        'timezone = "UTC"\n',
        'monitor.toml:1: key "timezone" stands before any table; it belongs under [monitor]',
    ),
    "no kind": (FEED.replace('kind = "feed"\n', ""), None),
    "an unknown kind": (
        FEED.replace('"feed"', '"fed"'),
        'monitor.toml:3: source "x": there is no kind "fed" — did you mean "feed"?',
    ),
    "no id": (FEED.replace('id = "x"\n', ""), 'monitor.toml:1: source 1: "id" is missing'),
    "no url": (FEED.replace('url = "https://a.example/feed"\n', ""), 'monitor.toml:1: source "x": "url" is missing'),
    "no items": (LIST.replace('items = "li"\n', ""), 'monitor.toml:1: source "x": "items" is missing'),
    "an unknown preset": (
        '[[source]]\npreset = "ndrc/tt"\n',
        'monitor.toml:2: source "ndrc/tt": there is no preset "ndrc/tt" — did you mean "ndrc/tz"?',
    ),
    "one id twice": (
        FEED + "\n# again\n" + FEED,
        'monitor.toml:8: source "x": this id is taken already, in line 2; ids must differ',
    ),
    "one channel twice": (
        CHANNEL + CHANNEL,
        'monitor.toml:5: channel "ops": this id is taken already, in line 2; ids must differ',
    ),
    "one preset twice": (
        '[[source]]\npreset = "doonsec"\n[[source]]\npreset = "doonsec"\n',
        'monitor.toml:3: source "doonsec": this id is taken already, in line 1; ids must differ',
    ),
    "an id with white space": (FEED.replace('"x"', '"a b"'), None),
    "another scheme": (
        FEED.replace("https", "ftp"),
        'monitor.toml:4: source "x": "url": "ftp://a.example/feed" is not a web address; it must begin with https:// or http://',
    ),
    "a secret in an address": (
        FEED.replace("a.example", "me:hunter2@a.example"),
        'monitor.toml:4: source "x": "url": the address carries a user name or password, and addresses are shown; '
        "put the secret into headers",
    ),
    "a variable in an address": (
        FEED.replace("/feed", "/feed?k=${KEY}"),
        'monitor.toml:4: source "x": "url": ${…} is not replaced here, because addresses are shown; put the secret into headers',
    ),
    "a duration without a unit": (
        FEED + 'every = "15"\n',
        'monitor.toml:5: source "x": "every": "15" is not a duration; write for example "30s", "15m", "1h30m" or "1d"',
    ),
    "a number for a duration": (FEED + "every = 15\n", 'monitor.toml:5: source "x": "every" must be text in quotes, not 15'),
    "too often": (
        FEED + 'every = "30s"\n',
        'monitor.toml:5: source "x": "every" is "30s"; 1 minute is the least, except for addresses inside allow_private',
    ),
    "too often inside allow_private": (
        '[http]\nallow_private = ["127.0.0.0/8"]\n' + FEED.replace("a.example", "127.0.0.1:9") + 'every = "0.5s"\n',
        'monitor.toml:7: source "x": "every" is "0.5s"; 1 second is the least',
    ),
    "never": (FEED + 'every = "0s"\n', 'monitor.toml:5: source "x": "every": "0s" must be longer than zero'),
    "too often for all": (
        '[monitor]\nevery = "5s"\n' + FEED,
        'monitor.toml:2: [monitor]: "every" is "5s"; 1 minute is the least, except for addresses inside allow_private, '
        'and source "x" is outside',
    ),
    "no pause between requests": (
        '[http]\ndelay = "0s"\n',
        'monitor.toml:2: [http]: "delay" is "0s"; 1 second is the least, except for addresses inside allow_private',
    ),
    "interval and cron": (
        FEED + 'every = "5m"\ncron = "0 9 * * *"\n',
        'monitor.toml:6: source "x": "every" and "cron" exclude each other',
    ),
    "bounds for cron": (
        FEED + 'min = "5m"\ncron = "0 9 * * *"\n',
        'monitor.toml:5: source "x": "min" and "max" go with "every", not with "cron"',
    ),
    "bounds the wrong way round": (
        FEED + 'min = "2h"\nmax = "1h"\n',
        'monitor.toml:5: source "x": "min" is "2h", which is longer than "max", "1h"',
    ),
    "cron with four fields": (FEED + 'cron = "0 9 * *"\n', None),
    "numbers for weekdays": (FEED + 'cron = "0 9 * * 1-5"\n', None),
    "an unknown way": (
        FEED + 'via = "ftp"\n',
        'monitor.toml:5: source "x": "via": "ftp" is not a way to fetch; write "http" or "browser"',
    ),
    "a key that a browser would carry elsewhere": (
        FEED + 'via = "browser"\nheaders = { X-Key = "k", Referer = "https://a.example/" }\n',
        'monitor.toml:6: source "x": "headers", "X-Key": with via = "browser" only these are sent: accept, accept-language, '
        "content-type, cookie, referer, user-agent, x-requested-with",
    ),
    "a bad selector in a list": (
        FEED + 'ignore = ["a", "div["]\n',
        'monitor.toml:5: source "x": "ignore", item 2: "div[" is not a CSS selector: Expected ident or \'*\', got <EOF at 4>',
    ),
    "a bad pattern": (
        FEED + "ignore_text = '(a'\n",
        'monitor.toml:5: source "x": "ignore_text": /(a/ is not a regular expression: missing ) at position 2',
    ),
    "a word for a number": (FEED + 'pages = "five"\n', 'monitor.toml:5: source "x": "pages" must be a whole number, not "five"'),
    "a word for a truth": (
        FEED + 'follow = "yes"\n',
        'monitor.toml:5: source "x": "follow" must be true or false, without quotes, not "yes"',
    ),
    "a number out of range": ("[http]\nper_host = 0\n", 'monitor.toml:2: [http]: "per_host" is 0; 1 is the least'),
    "a bad size": (
        '[http]\nmax_bytes = "10 megs"\n',
        'monitor.toml:2: [http]: "max_bytes": "10 megs" is not a size; write for example "512kB", "10MiB" or "50MB"',
    ),
    "a bad network": (
        '[http]\nallow_private = ["10.0.0.0/8", "nas"]\n',
        'monitor.toml:2: [http]: "allow_private", item 2: "nas" is neither a network ("10.0.0.0/8") nor host:port '
        '("nas.lan:8080")',
    ),
    "an unknown time zone": (
        '[monitor]\ntimezone = "Asia/Shangai"\n',
        'monitor.toml:2: [monitor]: "timezone": "Asia/Shangai" is not a time zone such as "Asia/Shanghai" '
        '— did you mean "Asia/Shanghai"?',
    ),
    "an unknown charset": (
        FEED + 'encoding = "gb-18030"\n',
        'monitor.toml:5: source "x": "encoding": "gb-18030" is not a charset that is known here, such as "gb18030" or "utf-8" '
        '— did you mean "gb18030"?',
    ),
    "a word that is none of those": (
        '[monitor]\nlog = "inf"\n',
        'monitor.toml:2: [monitor]: "log" is "inf", none of "debug", "info", "warning", "error" — did you mean "info"?',
    ),
    "a body without POST": (FEED + 'body = "a=1"\n', 'monitor.toml:5: source "x": "body" needs method = "POST"'),
    "a bad header": (FEED + '[source.headers]\n"X Y" = "1"\n', None),
    "a channel's url is no URL": (
        '[[channel]]\nid = "ops"\nurl = "correct horse"\n',
        'monitor.toml:3: channel "ops": "url" is not an Apprise URL; it begins with a service, for example "mailtos://", '
        '"wecombot://" or "console://"',
    ),
    "a variable that is not set": (
        '[[channel]]\nid = "ops"\nurl = "${NO_SUCH}"\n',
        'monitor.toml:3: channel "ops": "url": environment variable NO_SUCH is not set',
    ),
    "a reference that is not closed": (
        '[[channel]]\nid = "ops"\nurl = "json://${ABC"\n',
        'monitor.toml:3: channel "ops": "url": ${ is not closed by }; write $${ for the characters themselves',
    ),
    "a route to nowhere": (
        CHANNEL + '[[route]]\nchannels = ["opps"]\n',
        'monitor.toml:5: route 1: there is no channel "opps" — did you mean "ops"?',
    ),
    "a route for nothing": (FEED + '[[route]]\nsources = ["miit/*"]\n', 'monitor.toml:6: route 1: "miit/*" names no source'),
    "a route with an empty list": (
        "[[route]]\nkinds = []\n",
        'monitor.toml:2: route 1: "kinds" is an empty list; leave the key out if you mean "any"',
    ),
    "an unknown kind of change": (
        '[[route]]\nkinds = ["new", "revise"]\n',
        'monitor.toml:2: route 1: "kinds", item 2, is "revise", none of "new", "revised", "withdrawn", "restored", "gap", '
        '"failing", "recovered", "note", "reminder" — did you mean "revised"?',
    ),
    "a rate that is none": (
        CHANNEL + "rate = 0.1\n",
        'monitor.toml:4: channel "ops": "rate" is 0.1; 1 is the least',
    ),
    "a gateway for what is no robot": (
        '[[channel]]\nid = "ops"\nurl = "json://127.0.0.1/x"\nendpoint = "http://127.0.0.1:9"\n',
        'monitor.toml:4: channel "ops": "endpoint" is for robots only '
        "(dingtalk, feishu, lark, pushdeer, pushdeers, schan, wecombot); leave it out",
    ),
    "a format that no robot shows": (
        '[[channel]]\nid = "ops"\nurl = "wecombot://abcdefghijkl-key"\nformat = "html"\n',
        'monitor.toml:4: channel "ops": "format" is "html", which no robot shows; write "markdown" or "text", or leave it out',
    ),
    "a bad match": ('[[route]]\nmatch = "a AND ("\n', None),
    "a bad time of day": (
        '[[route]]\ndigest = "9:00"\n',
        'monitor.toml:2: route 1: "digest": "9:00" is not a time of day; write for example "09:00"',
    ),
    "no hours at all": (
        '[[route]]\nquiet = "22:00-22:00"\n',
        'monitor.toml:2: route 1: "quiet": "22:00-22:00" begins and ends at the same minute',
    ),
    "text without quotes": (
        "[monitor]\nevery = 15m\n",
        'monitor.toml:2:11: not valid TOML: a line has only one value; text needs quotes, for example every = "15m"',
    ),
    "no true value": (
        FEED + "follow = no\n",
        "monitor.toml:5:10: not valid TOML: this is no value that TOML knows; text needs quotes, "
        'for example every = "15m", true and false are written small',
    ),
    "a date for a duration": (
        FEED + "every = 2026-01-01\n",
        'monitor.toml:5: source "x": "every" must be text in quotes, not 2026-01-01',
    ),
    "a float for a number": (FEED + "pages = 1e3\n", 'monitor.toml:5: source "x": "pages" must be a whole number, not 1000.0'),
    "quotes of a word processor": (
        "[monitor]\nlanguage = “zh”\n",
        'monitor.toml:2:12: not valid TOML: the character “ (left double quotation mark) stands here; write " in its place',
    ),
    "an equals sign of a Chinese keyboard": (
        '[monitor]\nlanguage ＝ "zh"\n',
        "monitor.toml:2:10: not valid TOML: the character ＝ (fullwidth equals sign) stands here; write = in its place",
    ),
    "brackets of a Chinese keyboard": (
        "【monitor】\n",
        "monitor.toml:1:1: not valid TOML: the character 【 (left black lenticular bracket) stands here; write [ in its place",
    ),
    "a space that is none": (
        '[monitor]\n\u3000language = "zh"\n',
        "monitor.toml:2:1: not valid TOML: the character U+3000 (ideographic space) stands here; "
        "write an ordinary space in its place",
    ),
    "a second byte order mark": (
        FEED + "\ufeff" + CHANNEL,
        "monitor.toml:5:1: not valid TOML: the character U+FEFF (zero width no-break space) stands here; "
        "nobody sees it: delete it",
    ),
    "a control character": (
        FEED + "# \x1b[31m\n",
        "monitor.toml:5:3: not valid TOML: a control character stands here, which nobody sees; delete it",
    ),
    "JSON": ('{"monitor": {}}', "monitor.toml:1:1: not valid TOML: this is JSON; a configuration is TOML"),
    "YAML": ("monitor:\n  every: 15m\n", "monitor.toml:1:8: not valid TOML: a key needs a value: key = value"),
    "an empty cron line": (
        FEED + 'cron = ""\n',
        'monitor.toml:5: source "x": "cron": cron line "" has 0 fields, not 5 (minute hour day month weekday), '
        'e.g. "*/10 8-20 * * mon-fri"',
    ),
    "a cron line that never fires": (
        FEED + 'cron = "0 0 30 2 *"\n',
        'monitor.toml:5: source "x": "cron": cron line "0 0 30 2 *" names a day that never comes',
    ),
    "a pattern that would take all memory": (
        FEED + "ignore_text = '((a{9999}){9999}){9999}'\n",
        'monitor.toml:5: source "x": "ignore_text": /((a{9999}){9999}){9999}/ is not a regular expression: '
        "it repeats more than 100000 times, all its {n} multiplied",
    ),
    "a pattern that is nested too deeply": (
        FEED + "ignore_text = '" + "(" * 5000 + "a" + ")" * 5000 + "'\n",
        None,
    ),
    "a negative interval": (
        FEED + 'every = "-5m"\n',
        'monitor.toml:5: source "x": "every": "-5m" is not a duration; write for example "30s", "15m", "1h30m" or "1d"',
    ),
    "text that is not closed": ('[monitor]\nlog = "info\n', None),
    "a key twice": (
        '[monitor]\nlog = "info"\n\nlog = "error"\n',
        'monitor.toml:4:1: key "log" stands here for a second time; the first is in line 2',
    ),
    "a table twice": (
        "[monitor]\n[http]\n[monitor]\n",
        "monitor.toml:3:1: table [monitor] stands here for a second time; the first is in line 1",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_sentence_with_its_line(name: str, here: Path) -> None:
    text, sentence = MISTAKES[name]
    found = problems(text)
    assert len(found) == 1, found
    if sentence is None:  # its wording is another room's or library's
        assert re.match(r"monitor\.toml:\d+:", found[0])
    else:
        assert found == [sentence]


def test_all_mistakes_are_told_at_once_in_the_order_of_the_lines(here: Path) -> None:
    single = [
        text
        for text, sentence in MISTAKES.values()
        if "[[source]]" in text and "[http]" not in text and "[monitor]" not in text and "not valid TOML" not in (sentence or "")
    ]
    found = problems("\n".join(text.replace('"x"', f'"x{n}"') for n, text in enumerate(single)))
    lines = [int(sentence.split(":")[1]) for sentence in found]
    assert lines == sorted(lines)
    assert len(found) >= len(single)


def test_no_sentence_repeats_a_secret(here: Path) -> None:
    text = (
        FEED
        + 'headers = { Authorization = "Bearer ${TOKEN}\\u0001" }\nproxy = "${TOKEN}"\nbody = "${TOKEN}"\n'
        + '[monitor]\nheartbeat = "${TOKEN}"\n[[channel]]\nid = "a"\nurl = "${TOKEN}"\nendpoint = "${TOKEN}"\n'
    )
    found = problems(text, {"TOKEN": SECRET})
    assert len(found) == 6
    assert not any(SECRET in sentence for sentence in found)


@pytest.mark.parametrize(
    ("value", "said"),
    [(" ", "is empty"), ("a\nb", "holds several lines"), ("a\x1bb", "holds several lines or control characters")],
)
def test_a_secret_is_one_line(value: str, said: str, here: Path) -> None:
    (here / "secret").write_text(value)
    text = '[[channel]]\nid = "a"\nurl = "json://${V}"\n[[channel]]\nid = "b"\nurl = "file:secret"\n'
    found = problems(text, {"V": value})
    assert said in found[0]
    assert "environment variable V" in found[0]
    assert said in found[1]
    assert f"file {here / 'secret'}" in found[1]


def test_secrets_come_from_variables_and_files(here: Path) -> None:
    (here / "key").write_text("file-secret-1\n", "utf-8-sig")
    (here / "credentials").mkdir()
    (here / "credentials" / "hook").write_text("json://127.0.0.1/hook-secret")
    text = (
        '[monitor]\nheartbeat = "https://hc.example/${PING}"\n[http]\nproxy = "http://me:${PROXY}@proxy.lan:3128"\n'
        + FEED
        + 'method = "POST"\nbody = "k=${KEY}"\n[source.headers]\napiKey = "file:key"\nAuthorization = "Bearer ${KEY}"\n'
        + 'X = "$${KEY}"\n'
        + '[[channel]]\nid = "a"\nurl = "file:${CREDENTIALS_DIRECTORY}/hook"\n'
        + '[[channel]]\nid = "b"\nurl = "mailtos://me:${MAIL}@smtp.example.org?to=${TO}"\n'
        + '[[channel]]\nid = "c"\nurl = "wecombot://${PING}"\nendpoint = "http://${GATEWAY}/"\n'
    )
    environ = {
        "PING": "ping-secret",
        "PROXY": "proxy/secret",
        "KEY": "env secret+1",
        "CREDENTIALS_DIRECTORY": str(here / "credentials"),
        "MAIL": "p@ss/w:rd",
        "TO": "a@example.org",
        "GATEWAY": "127.0.0.1:9000",
    }
    made = load(text, environ)
    assert made.heartbeat == "https://hc.example/ping-secret"
    assert made.proxy == "http://me:proxy%2Fsecret@proxy.lan:3128"
    assert made.sources["x"].policy.proxy == made.proxy
    assert made.sources["x"].headers == (("apiKey", "file-secret-1"), ("Authorization", "Bearer env secret+1"), ("X", "${KEY}"))
    assert made.sources["x"].body == "k=env secret+1"
    assert made.channels["a"].target == "json://127.0.0.1/hook-secret"
    assert made.channels["b"].target == "mailtos://me:p%40ss%2Fw%3Ard@smtp.example.org?to=a%40example.org"
    assert made.channels["c"].endpoint == "http://127.0.0.1:9000/"
    assert made.secrets >= {"ping-secret", "proxy/secret", "env secret+1", "file-secret-1", "p@ss/w:rd", "p%40ss%2Fw%3Ard"}
    assert str(here / "credentials") not in made.secrets
    shown = repr(made) + repr(made.channels)
    assert not any(secret in shown for secret in made.secrets - {"127.0.0.1:9000"})


def test_a_password_that_is_percent_encoded_already_stays_so(here: Path) -> None:
    made = load('[[channel]]\nid = "b"\nurl = "mailtos://me:${MAIL}@smtp.example.org"\n', {"MAIL": "p%40ss"})
    assert made.channels["b"].target == "mailtos://me:p%40ss@smtp.example.org"


def test_secrets_that_stand_in_the_file_are_masked_too(here: Path) -> None:
    text = (
        FEED
        + 'headers = { Authorization = "Bearer literal-token" }\n[[channel]]\nid = "a"\nurl = "mailtos://me:hunter22@smtp.example.org"\n'
    )
    assert load(text).secrets >= {"literal-token", "hunter22", "mailtos://me:hunter22@smtp.example.org"}


HOLDERS = {
    'channel "a"': '[[channel]]\nid = "a"\nurl = "mailtos://me:hunter22@smtp.example.org?to=a@example.org"\n',
    "[monitor] heartbeat": '[monitor]\nheartbeat = "https://hc.example.org/0123456789abcdef0"\n',
    "[http] proxy": '[http]\nproxy = "http://me:hunter22@proxy.lan:3128"\n',
    'source "x"': FEED + 'headers = { X-Api-Key = "hunter22" }\n',
    'source "x" ': FEED + 'method = "POST"\nbody = "token=hunter22&page=1"\n',
    'source "x"  ': FEED + 'proxy = "http://me:hunter22@proxy.lan:3128"\n',
}
HARMLESS = {
    "no secret": FEED + 'headers = { Accept = "text/xml" }\n',
    "a proxy without a login": '[http]\nproxy = "http://proxy.lan:3128"\n',
    "a word that is looked for": FEED
    + 'method = "POST"\nbody = "{\\"keyword\\": \\"notices\\", \\"searchKey\\": \\"人工智能\\"}"\n',
    "variables": '[monitor]\nheartbeat = "${V}"\n[http]\nproxy = "${P}"\n' + FEED + 'headers = { Cookie = "${V}" }\n',
}


@pytest.mark.parametrize("holder", HOLDERS)
def test_whoever_holds_a_secret_in_the_file_is_named_where_others_may_write_it(holder: str, here: Path) -> None:
    assert load(HOLDERS[holder]).secrets
    (sentence,) = problems(HOLDERS[holder], mode=0o666)
    assert f"holds the secrets of {holder.strip()}; run `chmod go-w" in sentence
    assert "hunter22" not in sentence


@pytest.mark.parametrize("name", HARMLESS)
def test_a_file_without_secrets_may_be_written_by_others(name: str, here: Path) -> None:
    assert load(HARMLESS[name], {"V": "https://hc.example.org/x", "P": "http://me:hunter22@proxy.lan:3128"}, mode=0o666)


def test_a_source_knows_what_it_sends_to_get_in_and_shows_none_of_it(here: Path) -> None:
    text = (
        '[http]\nproxy = "http://me:${PROXY}@proxy.lan:3128"\n'
        + FEED
        + 'method = "POST"\nbody = "key=${KEY}"\n'
        + 'headers = { Authorization = "Basic bWU6aHVudGVyMjI=", Cookie = "sid=0123456789; a=b" }\n'
        + FEED.replace('"x"', '"y"')
        + 'proxy = ""\n'
    )
    made = load(text, {"PROXY": "p@ss-word", "KEY": "env-key-1"}).sources
    assert made["x"].secrets >= {"p%40ss-word", "env-key-1", "hunter22", "0123456789"}
    assert made["y"].secrets == frozenset()
    assert not any(secret in repr(made["x"]) for secret in made["x"].secrets)


@pytest.mark.parametrize(
    ("url", "mode", "refused"),
    [
        ("wecombot://0123-4567", 0o664, True),
        ("wecombot://0123-4567", 0o602, True),
        ("wecombot://0123-4567", 0o644, False),
        ("wecombot://${KEY}", 0o666, False),
        ("console://", 0o666, False),
    ],
)
def test_a_file_with_secrets_that_others_may_write_is_refused(url: str, mode: int, refused: bool, here: Path) -> None:
    text = f'[[channel]]\nid = "a"\nurl = "{url}"\n'
    if not refused:
        assert load(text, {"KEY": "k"}, mode).channels
        return
    (sentence,) = problems(text, mode=mode)
    assert sentence == (
        f'monitor.toml: other users may write this file (mode {mode:04o}) and it holds the secrets of channel "a"; '
        "run `chmod go-w monitor.toml`, or write them as ${VAR} or file:/path"
    )


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        ('tags = "中文"'.encode("utf-16"), "monitor.toml: the file is UTF-16, and TOML is UTF-8; save it as UTF-8"),
        ('tags = "中文"'.encode("utf-16-le"), "monitor.toml: the file is UTF-16, and TOML is UTF-8; save it as UTF-8"),
        ("\n# 中文注释".encode("gbk"), "monitor.toml:2: the file is not UTF-8; it looks like GBK; save it as UTF-8"),
        (b"# \xff\xff", "monitor.toml:1: the file is not UTF-8; save it as UTF-8"),
        (
            FEED.encode() + b"\0" * 512,
            "monitor.toml:5: zero bytes stand here, so the file was damaged; restore it, or write this part anew",
        ),
        (b"\0" * 512, "monitor.toml:1: zero bytes stand here, so the file was damaged; restore it, or write this part anew"),
        (
            b"#" * (8 * 2**20 + 1),
            "monitor.toml is larger than a configuration can be (8 MiB): is it another file?",
        ),
        (b"a = " + b"9" * 5000, "monitor.toml: a number has more digits than can be read"),
    ],
)
def test_a_file_in_another_encoding_is_named(raw: bytes, sentence: str, here: Path) -> None:
    assert problems(raw) == [sentence]


@pytest.mark.parametrize(
    "raw",
    [
        b"\xef\xbb\xbf" + FEED.encode(),
        FEED.replace("\n", "\r\n").encode(),
        FEED.replace("\n", "\n\t").encode(),
        FEED.encode() + b"# " + b"x" * (7 * 2**20),
    ],
    ids=["a byte order mark", "Windows line ends", "tabs", "7 MB of comment"],
)
def test_a_byte_order_mark_windows_line_ends_tabs_and_long_comments_are_accepted(raw: bytes, here: Path) -> None:
    assert list(load(raw).sources) == ["x"]


@pytest.mark.parametrize("raw", [b"a = " + b"[" * 5000, b"a = " + b"9" * 5000, b"\x00", b"[" * 3, b'a = """'])
def test_hostile_files_are_sentences_too(raw: bytes, here: Path) -> None:
    assert problems(raw)[0].startswith("monitor.toml")


def test_a_file_that_is_not_there_or_a_folder_is_said_so(here: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is no config file nowhere\.toml; `monitor init` writes one"):
        config.load(Path("nowhere.toml"), {})
    with pytest.raises(ConfigError, match=r"is a folder; name the file in it"):
        config.load(here, {})


def test_an_empty_file_has_all_the_defaults(here: Path) -> None:
    made = load("")
    assert made.path == here / "monitor.toml"
    assert made.database == here / "monitor.db"
    assert (made.timezone, made.language, made.log, made.log_format, made.heartbeat) == (
        "Asia/Shanghai",
        "zh",
        "info",
        "text",
        "",
    )
    assert (made.give_up, made.delay, made.per_host, made.allow_private, made.proxy) == (timedelta(days=3), 1.0, 1, (), "")
    assert (made.sources, made.channels, made.routes, made.secrets) == ({}, {}, (), frozenset())
    assert re.fullmatch(r"[0-9a-f]{64}", made.digest)


def test_a_source_has_the_defaults_of_the_contract(here: Path) -> None:
    made = load(FEED).sources["x"]
    assert made.schedule.every == timedelta(minutes=15)
    assert (made.schedule.cron, made.schedule.timezone, made.schedule.low, made.schedule.high) == (
        None,
        "Asia/Shanghai",
        None,
        None,
    )
    assert (made.enabled, made.follow, made.pages, made.backfill, made.since) == (True, False, 5, 50, timedelta(days=7))
    assert (made.complete, made.allow_empty, made.same, made.via, made.method, made.recheck) == (
        False,
        False,
        "auto",
        "http",
        "GET",
        (),
    )
    assert (made.hold, made.failing_after) == (timedelta(minutes=2), timedelta(hours=6))
    assert made.policy == FetchPolicy(deadline=30.0, max_bytes=10 * 2**20, max_attachment=50 * 2**20)


def test_a_source_takes_what_it_does_not_say_from_monitor_and_http(here: Path) -> None:
    text = (
        '[monitor]\ncron = "*/10 8-20 * * mon-fri"\nhold = "1m"\nfailing_after = "0s"\n'
        '[http]\ndeadline = "10s"\nmax_bytes = "1MB"\nproxy = "http://p:1"\nuser_agent = "me/1"\n'
        + FEED
        + FEED.replace('"x"', '"y"')
        + 'every = "1h"\nmin = "10m"\nmax = "1d"\nhold = "0s"\ndeadline = "1m30s"\nproxy = ""\nuser_agent = "you"\n'
        + "follow = true\n"
        + 'recheck = ["2h"]\nselect = "main"\nfallback = ["https://b.example/"]\ntags = ["a"]\nencoding = "GBK"\n'
    )
    made = load(text).sources
    assert (made["x"].schedule.every, made["x"].schedule.cron) == (None, "*/10 8-20 * * mon-fri")
    assert (made["x"].hold, made["x"].failing_after) == (timedelta(minutes=1), timedelta(0))
    assert made["x"].policy == FetchPolicy(deadline=10.0, max_bytes=10**6, proxy="http://p:1", user_agent="me/1")
    assert (made["y"].schedule.every, made["y"].schedule.cron) == (timedelta(hours=1), None)
    assert (made["y"].schedule.low, made["y"].schedule.high) == (timedelta(minutes=10), timedelta(days=1))
    assert (made["y"].hold, made["y"].recheck, made["y"].reading.select) == (timedelta(0), (timedelta(hours=2),), ("main",))
    assert (made["y"].fallback, made["y"].tags) == (("https://b.example/",), ("a",))
    assert made["y"].policy == FetchPolicy(deadline=90.0, max_bytes=10**6, user_agent="you", encoding="GBK")


def test_a_notice_that_is_followed_is_looked_at_again_on_a_decaying_plan(here: Path) -> None:
    hours = [1, 6, 24, 72, 168, 720]
    assert load(FEED + "follow = true\n").sources["x"].recheck == tuple(timedelta(hours=hour) for hour in hours)
    assert load(FEED + "follow = true\nrecheck = []\n").sources["x"].recheck == ()


def test_channels_and_routes_become_what_they_say(here: Path) -> None:
    text = (
        FEED
        + CHANNEL
        + 'format = "markdown"\nlimit = 2000\nrate = 12.5\ngroup = 0\nlanguage = "en"\ntimezone = "UTC"\n'
        + '[[route]]\nsources = ["x*"]\nkinds = ["new", "gap"]\nmatch = "人工智能"\nchannels = ["ops"]\ncontinue = true\n'
        + 'digest = "09:00"\nquiet = "22:00-08:00"\n[[route]]\nchannels = []\n[[route]]\n'
    )
    made = load(text)
    channel = made.channels["ops"]
    assert (channel.format, channel.limit, channel.rate, channel.group) == ("markdown", 2000, 12.5, 0)
    assert (channel.language, channel.timezone) == ("en", "UTC")
    first, second, third = made.routes
    assert (first.name, first.sources, first.kinds, first.channels) == ("route 1", ("x*",), (Kind.NEW, Kind.GAP), ("ops",))
    assert (first.go_on, first.digest, first.quiet) == (True, time(9), (time(22), time(8)))
    assert str(first.match) == "人工智能"
    assert (second.channels, second.match, second.go_on) == ((), None, False)
    assert third.channels is None


def test_a_preset_gives_its_keys_and_any_of_them_may_be_replaced(here: Path) -> None:
    text = '[[source]]\npreset = "ndrc/tz"\n[[source]]\npreset = "ndrc/tz"\nid = "mine"\ndate = "em"\n'
    text += 'cron = "0 9 * * *"\nfollow = false\n'
    made = load(text).sources
    assert list(made) == ["ndrc/tz", "mine"]
    assert made["ndrc/tz"].kind == made["mine"].kind == "list"
    assert (made["mine"].options.date, made["mine"].options.items) == ("em", made["ndrc/tz"].options.items)
    assert (made["mine"].schedule.cron, made["mine"].follow) == ("0 9 * * *", False)


def test_inside_allow_private_a_second_is_enough(here: Path) -> None:
    text = '[monitor]\nevery = "1s"\n[http]\ndelay = "0s"\nallow_private = ["127.0.0.0/8", "nas.lan:8080"]\n'
    for number, host in enumerate(["127.0.0.1:9", "localhost:9", "nas.lan:8080"]):
        text += f'[[source]]\nid = "s{number}"\nkind = "feed"\nurl = "http://{host}/"\n'
    made = load(text)
    assert {one.schedule.every for one in made.sources.values()} == {timedelta(seconds=1)}
    assert made.delay == 0.0


@pytest.mark.parametrize(
    ("url", "allowed", "inside"),
    [
        ("http://127.0.0.1:8000/a", ["127.0.0.0/8"], True),
        ("http://LOCALHOST/", ["127.0.0.1"], True),
        ("http://[::1]:80/", ["::1/128"], True),
        ("http://[::1]:81/", ["[::1]:81"], True),
        ("http://localhost/", ["::1"], False),
        ("http://10.1.2.3/", ["127.0.0.0/8"], False),
        ("http://nas.lan:8080/", ["nas.lan:8080"], True),
        ("http://nas.lan/", ["nas.lan:80"], True),
        ("https://nas.lan/", ["nas.lan:80"], False),
        ("http://nas.lan:8081/", ["nas.lan:8080"], False),
        ("http://name.example/", ["0.0.0.0/0"], False),
        ("http://[::1", ["::1"], False),
    ],
)
def test_what_lies_inside_allow_private(url: str, allowed: list[str], inside: bool) -> None:
    assert values.is_inside(url, allowed) is inside


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=3660)))
def test_a_duration_is_read_as_it_was_written(value: timedelta) -> None:
    assert values.duration(values.duration_text(value)) == value


@given(st.text(alphabet="0123456789.dhms ", max_size=12))
def test_what_is_no_duration_is_a_sentence(written: str) -> None:
    try:
        sentence = f'"{written}" is {values.duration(written)}'
    except ValueError as error:
        sentence = str(error)
    assert sentence.startswith(f'"{written}" is ')


@pytest.mark.parametrize(
    ("written", "size"), [("1B", 1), ("512kB", 512_000), ("10MiB", 10 * 2**20), ("50MB", 50_000_000), ("1 GiB", 2**30)]
)
def test_sizes_are_bytes(written: str, size: int) -> None:
    assert values.size(written) == size


@given(st.text(alphabet="abs =[]\".#\n'{}1\\", max_size=60))
def test_the_lines_of_any_text_can_be_looked_for(text: str) -> None:
    found = Lines(text)
    assert all(1 <= mark.line <= text.count("\n") + 1 for mark in found.marks)
    assert found.line(("source", 0, "url")) >= 0


def test_lines_are_found_behind_strings_and_lists_of_several_lines() -> None:
    text = 'a = """\nb = 1\n"""\n[[s]]\nx = [ # [\n  "]",\n]\ny = \'\'\'\n[[s]]\n\'\'\'\n[[s]] # two\n"k.l" = 1\n[s.t]\nz.q = 2\n'
    found = Lines(text)
    wanted = {("a",): 1, ("b",): 0, ("s", 0): 4, ("s", 0, "x"): 5, ("s", 0, "y"): 8, ("s", 1): 11, ("s", 1, "k.l"): 12}
    wanted |= {("s", 1, "t"): 13, ("s", 1, "t", "z", "q"): 14, ("s", 1, "unknown"): 11}
    assert {path: found.line(path) for path in wanted} == wanted


def test_how_a_source_is_read_is_told_by_what_shapes_text_or_key(here: Path) -> None:
    plain = load(LIST).sources["x"].how
    assert re.fullmatch(r"list/1:[0-9a-f]{8}", plain)
    for same in (
        'link = "a"\n',
        'via = "http"\n',
        'every = "1h"\n',
        "follow = true\n",
        "select = []\n",
        'next = "i_{page}.html"\n',
    ):
        assert load(LIST + same).sources["x"].how == plain, same
    other = {
        load(LIST + key).sources["x"].how for key in ('link = "b"\n', 'date = "em"\n', 'select = "main"\n', 'encoding = "gbk"\n')
    }
    assert len(other | {plain}) == 5


def test_the_hash_of_a_reading_stays_the_same_for_years(here: Path) -> None:
    assert load(LIST).sources["x"].how == "list/1:fe29f34e"
    assert load(FEED + 'ignore = ["nav"]\nignore_text = "\\\\d+ 次"\n').sources["x"].how == "feed/1:718cc011"


@pytest.mark.parametrize(
    ("explicit", "environ", "files", "found"),
    [
        ("own.toml", {"MONITOR_CONFIG": "env.toml"}, ["own.toml", "env.toml", "monitor.toml"], "own.toml"),
        (None, {"MONITOR_CONFIG": "env.toml"}, ["env.toml", "monitor.toml"], "env.toml"),
        (None, {"MONITOR_CONFIG": ""}, ["monitor.toml", "config/monitor.toml"], "monitor.toml"),
        (None, {}, ["config/monitor.toml", "home/.config/monitor/monitor.toml"], "config/monitor.toml"),
        (None, {}, ["home/.config/monitor/monitor.toml"], "home/.config/monitor/monitor.toml"),
    ],
)
def test_the_file_is_looked_for_in_this_order(
    explicit: str | None, environ: dict[str, str], files: list[str], found: str, tmp_path: Path
) -> None:
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    assert glance.find(explicit, environ, tmp_path, tmp_path / "home") == tmp_path / found


def test_where_it_was_looked_for_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        glance.find(None, {}, tmp_path, tmp_path / "home")
    for place in ("monitor.toml", "config/monitor.toml", "home/.config/monitor/monitor.toml"):
        assert str(tmp_path / place) in str(caught.value)
    with pytest.raises(ConfigError, match=r"there is no config file .*own\.toml \(--config\)"):
        glance.find("own.toml", {}, tmp_path, tmp_path)
    with pytest.raises(ConfigError, match=r"env\.toml \(MONITOR_CONFIG\)"):
        glance.find(None, {"MONITOR_CONFIG": "env.toml"}, tmp_path, tmp_path)


def test_a_single_source_is_built_outside_of_any_file(here: Path) -> None:
    alone = config.source_of({"kind": "feed", "url": "https://a.example/"})
    assert (alone.id, alone.policy.deadline) == ("preview", 30.0)
    made = load('[http]\ndeadline = "9s"\n')
    assert config.source_of({"preset": "doonsec"}, made).policy.deadline == 9.0
    with pytest.raises(ConfigError) as caught:
        config.source_of({"kind": "feed", "ulr": "https://a.example/"})
    assert caught.value.problems == ['source "preview": unknown key "ulr" — did you mean "url"?']


def test_channels_of_which_apprise_can_make_nothing_are_named(here: Path) -> None:
    made = load(CHANNEL + '[[channel]]\nid = "bad"\nurl = "nosuchservice://secret-part"\n')
    (sentence,) = config.check_channels(made)
    assert sentence.startswith('monitor.toml:6: channel "bad": ')
    assert "secret-part" not in sentence
    (here / "monitor.toml").unlink()  # since then the file went away
    assert config.check_channels(made)[0].startswith('monitor.toml: channel "bad": ')


def test_whatever_is_a_robot_is_known_as_one_and_shows_no_html() -> None:
    robots = {name: one for name in BUILT_IN if isinstance(one := sender(f"{name}://"), Robot)}
    assert robots.keys() == ROBOTS
    assert not [name for name, one in robots.items() if "html" in one.limits]


@pytest.mark.parametrize(
    "address",
    [
        "htps://user:hunter2@host.example/",
        "https://user:hunter2@host.example/a b",
        "https://user:hunter2 hunter2@host.example/",
        "https://user:hun@ter2hunter2@host.example/",
        "https:/user:hunter2@host.example/",
        "https//user:hunter2@host.example/",
        "https://user:hunter2@[host.example/",
        "//user:hunter2@host.example/",
        "user:hunter2@host.example",
        "https://user:hunter2@host.example:port/",
        "https://user:hunter2/more@host.example:99999/",
        "https://hunter2@host.example/",
    ],
)
@pytest.mark.parametrize("key", ["url", "fallback", "nested"])
def test_no_sentence_repeats_the_login_of_an_address(address: str, key: str, here: Path) -> None:
    written = {
        "url": f'[[source]]\nid = "x"\nkind = "feed"\nurl = "{address}"\n',
        "fallback": FEED + f'fallback = "{address}"\n',
        "nested": f'[[source]]\nid = "x"\nkind = "feed"\nurl = ["{address}"]\n',
    }
    if key == "nested" and "//" not in address:
        return
    found = problems(written[key])
    assert found
    assert "hunter2" not in "\n".join(found)
    assert "ter2" not in "\n".join(found)


EXAMPLES = sorted(path for path in (ROOT / "config").glob("*.toml"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_every_example_loads_and_fits_the_schema(path: Path) -> None:
    assert config.load(path, {}).sources
    jsonschema.validate(tomllib.loads(path.read_text("utf-8")), schema.schema())


def test_the_examples_in_comments_load_too(here: Path) -> None:
    text = (ROOT / "config" / "monitor.toml").read_text("utf-8")
    commented = re.sub(r"^# (?=\[\[|[a-z]+ +=)", "", text, flags=re.MULTILINE)
    made = load(commented, {"MAIL_PASSWORD": "p@ss", "WECOM_KEY": "0123"})
    assert {"my-list", "ndrc/tz"} <= set(made.sources)
    assert list(made.channels) == ["console", "mail", "wecom"]
    assert len(made.routes) == 1


def test_the_schema_in_the_repository_is_the_one_of_the_models() -> None:
    path = ROOT / "config" / "monitor.schema.json"
    assert path.read_text("utf-8") == schema.text(), f"python -m monitor.config.schema > {path.relative_to(ROOT)}"
    jsonschema.Draft202012Validator.check_schema(schema.schema())


IN_SCHEMA: list[tuple[str, bool]] = [
    (FEED, True),
    (LIST, True),
    ('[[source]]\npreset = "ndrc/tz"\nevery = "1h"\ndate = "em"\n', True),
    (CHANNEL + "rate = 20\n", True),
    (FEED + 'select = "main"\nignore = ["nav", "aside"]\nheaders = { A = "b" }\n', True),
    ('[[route]]\nkinds = ["new"]\nquiet = "22:00-08:00"\ncontinue = true\n', True),
    (FEED.replace("url", "ulr"), False),
    (FEED + 'items = "li"\n', False),
    (LIST.replace('items = "li"\n', ""), False),
    (FEED + 'every = "15 minutes"\n', False),
    (FEED + "pages = 0\n", False),
    (FEED.replace("feed", "fed"), False),
    ('[monitor]\nevry = "5m"\n', False),
    ("[[sources]]\n", False),
    (CHANNEL.replace("url", "ulr"), False),
    ('[[route]]\nkinds = ["revise"]\n', False),
    ("[[route]]\ngo_on = true\n", False),
]


@pytest.mark.parametrize(("text", "fits"), IN_SCHEMA)
def test_an_editor_sees_the_same_mistakes(text: str, fits: bool, here: Path) -> None:
    found = jsonschema.Draft202012Validator(schema.schema()).is_valid(tomllib.loads(text))
    assert found is fits
    if fits:
        load(text)
    else:
        assert problems(text)


def test_every_key_of_the_schema_says_what_it_is_for() -> None:
    def without(node: Any, name: str = "") -> list[str]:
        found = []
        for key, value in node.get("properties", {}).items():
            found += [] if "description" in value.get("items", {}) | value else [f"{name}.{key}"]
            found += without(value.get("items", value), key)
        return found

    assert without(schema.schema()) == []


def test_no_kind_takes_a_key_that_every_source_has() -> None:
    common = set(models.keys(models.SourceTable))
    for kind in sources.BUILT_IN:
        assert not common & set(models.keys(sources.kind(kind).Options)), kind


def test_every_charset_that_may_be_written_is_known_where_it_is_used() -> None:
    assert [name for name in models.ENCODINGS if labels.codec(name) is None] == []


def test_every_source_key_reaches_the_source(here: Path) -> None:
    """A key that is checked and then forgotten would be silently ignored."""
    text = Path(source.__file__).read_text("utf-8")
    assert [key for key in models.SourceTable.model_fields if f"table.{key}" not in text and key not in ("preset", "kind")] == []


def test_ten_thousand_sources_load_in_about_a_second(here: Path) -> None:
    text = "".join(LIST.replace('"x"', f'"s{number}"').replace("a.example", f"a{number}.example") for number in range(10_000))
    load(text)
    gc.collect()
    started = clock.process_time()
    assert len(load(text).sources) == 10_000
    assert clock.process_time() - started < 3  # 0.8 s alone on a machine of 2026; three times that leaves room for busy ones


def test_the_schema_is_json_that_people_can_read() -> None:
    assert json.loads(schema.text())["properties"]["source"]["items"]["properties"]["kind"]["enum"] == sorted(sources.BUILT_IN)
