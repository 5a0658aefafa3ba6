"""`monitor doctor`: every finding has a verdict and a next step, each source is asked once, nothing is stored or sent."""

from __future__ import annotations

import os
import re
import socket
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor import config as configs
from monitor.cli import house as house_checks
from monitor.cli import machine, trials
from monitor.cli.steps import STEPS, step_for
from monitor.cli.verdicts import Verdict
from monitor.errors import Challenge, SourceError
from monitor.fetch import headers
from tests.house import House, Row, Site
from tests.receivers import DingTalkReceiver, SmtpReceiver
from tests.test_cli import Run, at_terminal, configured, run
from tests.test_docs import failing_reasons

__all__ = ["run"]

NOW = datetime(2026, 1, 12, 2, 0, tzinfo=UTC)
SHIELD = (
    b"<html><head><title>Just a moment...</title></head><body><script>window._cf_chl_opt={}</script>"
    b"<noscript>Enable JavaScript</noscript></body></html>"
)


def marks(text: str) -> dict[str, str]:
    """What was said of each source and channel: name → verdict and sentence."""
    return {
        found[2]: f"{found[1]}: {found[3]}" for found in re.finditer(r"^  (ok|warning|broken) +(\S+)  +(.*)$", text, re.MULTILINE)
    }


def only(verdicts: object) -> Verdict:
    (verdict,) = verdicts  # type: ignore[misc]  # any iterable of one
    return verdict


# --- the machine


@pytest.mark.parametrize(
    ("version", "mark", "says"),
    [
        ("3.34.1", "broken", "too old"),
        ("3.40.1", "ok", "one writer"),
        ("3.44.5", "ok", "one writer"),
        ("3.44.6", "ok", ""),
        ("3.45.0", "ok", "one writer"),
        ("3.50.7", "ok", ""),
        ("3.51.2", "ok", "one writer"),
        ("3.51.3", "ok", ""),
        ("3.53.0", "ok", ""),
    ],
)
def test_sqlite_is_named_with_the_bug_that_it_has(version: str, mark: str, says: str) -> None:
    verdict = machine.sqlite(version)
    assert verdict.mark == mark
    assert verdict.found.startswith(f"SQLite {version}")
    assert says in verdict.found
    assert bool(verdict.step) == bool(says)


def test_sqlite_for_one_thread_cannot_be_used() -> None:
    assert machine.sqlite("3.51.3", threadsafety=0).mark == "broken"


def test_extras_are_told_present_or_missing_and_how_to_get_them() -> None:
    found = list(
        machine.extras(
            [
                "requests>=2.32",
                'pytest>=9; extra == "test"',
                'tzdata>=1; extra == "here"',
                "no-such-package-4711>=1 ; python_version > '3' and extra == 'absent'",
                'requests>=2; extra == "absent"',
            ]
        )
    )
    assert [(one.mark, one.found) for one in found] == [
        ("ok", "extra absent: not installed (no-such-package-4711 missing)"),
        ("ok", "extra here: installed (tzdata)"),
    ]
    assert found[0].step == "only if you want it: pip install 'notice-monitor[absent]'"


def loaded(folder: Path, text: str, environ: dict[str, str] | None = None) -> configs.Config:
    path = folder / "monitor.toml"
    path.write_text(text, "utf-8")
    path.chmod(0o600)
    return configs.load(path, environ or {})


def test_a_proxy_is_asked_for_a_connection_and_its_password_is_not_said(tmp_path: Path) -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        there = loaded(tmp_path, f'[http]\nproxy = "http://me:hunter22@127.0.0.1:{port}"\n')
        assert only(machine.proxies(there, {})).found.startswith(f"proxy 127.0.0.1:{port} takes connections")
    gone = only(machine.proxies(there, {}))
    assert (gone.mark, gone.found) == ("broken", f"proxy 127.0.0.1:{port} takes no connection (Connection refused)")


def test_proxies_of_the_environment_are_told_for_what_they_are(tmp_path: Path) -> None:
    config = loaded(tmp_path, "")
    assert (
        "is used by channels through Apprise, not by sources"
        in only(machine.proxies(config, {"HTTPS_PROXY": "http://p:1"})).found
    )
    assert only(machine.proxies(config, {})).found == "no proxy"


def test_the_origin_of_time_zone_data_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = loaded(tmp_path, "")
    (tmp_path / "Asia").mkdir()
    (tmp_path / "Asia" / "Shanghai").touch()
    (tmp_path / "tzdata.zi").write_text("# version 2026a\n")
    monkeypatch.setattr("zoneinfo.TZPATH", (str(tmp_path),))
    assert machine.time_zone(config).found == "time zone Asia/Shanghai: the system's data, release 2026a"
    monkeypatch.setattr("zoneinfo.TZPATH", ())
    assert machine.time_zone(config).found.startswith("time zone Asia/Shanghai: data of the package tzdata 20")


# --- the clock


@pytest.mark.parametrize(
    ("date", "age", "ahead"),
    [
        ("Mon, 12 Jan 2026 02:00:00 GMT", None, 0),
        ("Mon, 12 Jan 2026 01:00:00 GMT", None, 3600),
        ("Mon, 12 Jan 2026 02:05:00 GMT", None, -300),
        ("Mon, 12 Jan 2026 01:00:00 GMT", "3600", 0),
        ("Mon, 12 Jan 2026 02:00:00 GMT", "garbage", 0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", None, None),
        ("yesterday", None, None),
        ("", None, None),
        (None, None, None),
    ],
)
def test_a_server_s_time_counts_what_lay_in_a_cache(date: str | None, age: str | None, ahead: float | None) -> None:
    assert headers.ahead(date, age, NOW) == ahead


@pytest.mark.parametrize(
    ("ahead", "mark", "said"),
    [
        ({}, "warning", "clock not compared: no server told the time"),
        ({"a": 3.0}, "ok", "clock right to the minute, by the time of 1 server"),
        ({"a": -2.0, "b": 1.0, "c": 90_000.0}, "ok", "clock right to the minute, by the time of 3 servers"),
        ({"a": 130.0, "b": 128.0}, "warning", "clock 2 min ahead, by the time of 2 servers"),
        ({"a": -90_000.0}, "broken", "clock 1 d behind, by the time of 1 server"),
    ],
)
def test_the_clock_is_judged_by_the_most_of_the_servers(ahead: dict[str, float], mark: str, said: str) -> None:
    verdict = trials.Trials(None, ahead).clock()  # type: ignore[arg-type]  # the clock needs no desk
    assert (verdict.mark, verdict.found) == (mark, said)


# --- the configuration's file and the database


@pytest.mark.parametrize(
    ("mode", "holds", "said"),
    [
        (0o600, True, None),
        (0o644, False, None),
        (0o644, True, 'can be read by others (mode 0644), and holds secrets of channel "a"'),
        (0o666, False, "can be changed by others (mode 0666)"),
    ],
)
def test_rights_of_the_file_are_told_with_the_command_that_mends_them(
    tmp_path: Path, mode: int, holds: bool, said: str | None
) -> None:
    url = "wecombot://0123-4567-89ab" if holds else "console://"
    config = loaded(tmp_path, f'[[channel]]\nid = "a"\nurl = "{url}"\n')
    config.path.chmod(mode)
    found = [one for one in house_checks.configuration(config) if one.step.startswith("chmod")]
    assert [one.found for one in found] == ([f"{config.path} {said}"] if said else [])


def test_a_file_with_a_secret_that_everybody_can_read_is_told(tmp_path: Path) -> None:
    secret = tmp_path / "hook"
    secret.write_text("json://127.0.0.1/secret-hook-token")
    secret.chmod(0o644)
    config = loaded(tmp_path, '[[channel]]\nid = "a"\nurl = "file:hook"\n')
    found = [one for one in house_checks.configuration(config) if one.step.startswith("chmod")]
    assert [(one.mark, one.found, one.step) for one in found] == [
        ("warning", f"{secret} can be read by others (mode 0644), and holds a secret", f"chmod o-rwx {secret}")
    ]
    secret.chmod(0o440)  # as systemd hands credentials over
    assert not [one for one in house_checks.configuration(config) if one.step.startswith("chmod")]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_files_of_several_owners_are_told_with_the_command_that_mends_them(run: Run, tmp_path: Path, site: Site) -> None:
    folder = configured(tmp_path, site)
    run("check", folder=folder)
    os.chown(folder / "monitor.db", 65534, 65534)
    ran = run("doctor", folder=folder)
    assert "these belong to others: monitor.db to nobody" in ran.out
    assert f"chown nobody {folder / 'monitor.db'}*" in ran.out


def test_each_state_of_the_database_has_its_verdict(run: Run, tmp_path: Path, site: Site) -> None:
    folder = configured(tmp_path, site)
    assert "monitor.db does not exist yet" in run("doctor", folder=folder).out
    run("check", folder=folder)
    assert "monitor.db is sound" in run("doctor", folder=folder).out
    database = folder / "monitor.db"
    good = database.read_bytes()
    page = bytearray(good)
    page[4096 * 3 : 4096 * 12] = b"\xa5" * (4096 * 9)
    database.write_bytes(page)
    ran = run("doctor", folder=folder)
    assert ran.code == 1
    assert f"{database} is damaged: " in ran.out
    assert "There is no sound copy beside it: restore a backup from elsewhere, or begin anew" in ran.out
    database.write_bytes(b"not a database at all" * 1000)
    ran = run("doctor", folder=folder)
    assert ran.code == 1
    assert "is damaged: file is not a database" in ran.out
    text = (folder / "monitor.toml").read_text()
    (folder / "monitor.toml").write_text(text.replace("[monitor]\n", '[monitor]\ndatabase = "nowhere/monitor.db"\n'))
    ran = run("doctor", folder=folder)
    assert f"{folder / 'nowhere'}, the folder of the database, does not exist" in ran.out
    assert f"mkdir -p {folder / 'nowhere'}" in ran.out


@pytest.mark.parametrize(
    ("free", "mark", "step"),
    [
        (10 * 2**30, "ok", ""),
        (100 * 2**20, "warning", "free some space, before there is too little"),
        (20 * 2**20, "broken", "free some space; nothing was lost"),
    ],
)
def test_room_on_the_disk_is_judged_as_the_checks_do(
    free: int, mark: str, step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Usage:
        pass

    usage = Usage()
    usage.free = free  # type: ignore[attr-defined]
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    verdict = next(iter(house_checks.database(loaded(tmp_path, ""))))
    assert (verdict.mark, verdict.step) == (mark, step)


# --- sources, tried once


def several(folder: Path, site: Site, extra: str = "") -> Path:
    """A folder with a source for each thing that can be found out."""
    listed = "".join(
        f'[[source]]\nid = "{name}"\nkind = "list"\nurl = "{site.url}/{name}/"\nitems = "ul.l > li"\ndate = "span"\n{more}'
        for name, more in {
            "empty": "",
            "none-is-right": "allow_empty = true\n",
            "away": "",
            "shielded": "",
            "moved": "",
            "falls-back": f'fallback = ["{site.url}/list/?f"]\n',
            "off": "enabled = false\n",
        }.items()
    )
    page = site._list(0).encode()
    site.bodies |= {"/empty/": b"<html><body><p>nothing</p></body></html>", "/none-is-right/": b"<html><body></body></html>"}
    site.bodies |= {"/shielded/": SHIELD, "/there/": page, "/moved/": b""}
    site.types |= dict.fromkeys(["/empty/", "/none-is-right/", "/shielded/", "/there/"], "text/html; charset=utf-8")
    site.status |= {"/away/": 404, "/shielded/": 403, "/moved/": 301, "/falls-back/": 503, "/robots.txt": 404}
    site.headers |= {"/moved/": {"Location": "/there/"}}
    return configured(folder, site, listed + extra)


def test_each_source_is_tried_once_and_told_with_the_next_step(run: Run, tmp_path: Path, site: Site) -> None:
    folder = several(tmp_path, site)
    ran = run("doctor", folder=folder)
    assert ran.code == 1
    assert marks(ran.out) == {
        "a": "ok: 12 rows, the newest: 关于第12项工作的通知",
        "empty": f"broken: list without a single row: no baseline yet; no row on a page without a title at {site.url}/empty/: "
        'items "ul.l > li" matches 0, link "a" matches 0, date "span" matches 0',
        "none-is-right": "ok: no rows, which allow_empty says is right",
        "away": "broken: 127.0.0.1: HTTP 404",
        "shielded": "broken: 127.0.0.1 answers with an anti-bot page: Cloudflare, HTTP 403 (its waiting page)",
        "moved": f"warning: 12 rows, the newest: 关于第12项工作的通知; the address moved for good to {site.url}/there/",
        "falls-back": f"warning: 12 rows, the newest: 关于第12项工作的通知, but only from its fallback {site.url}/list/?f",
        "console": "ok: prints to standard output; no message was sent: monitor test console",
    }
    steps = [line.strip() for line in ran.out.splitlines() if "→" in line]
    assert "→ find the list on the site's own pages, then: monitor preview URL; put its address into `url`" in steps
    assert ran.out.splitlines()[-1].startswith("3 broken, ")
    asked = [path for path, _ in site.asked]
    assert sorted(asked) == sorted(
        [
            "/list/",
            "/empty/",
            "/none-is-right/",
            "/away/",
            "/shielded/",
            "/moved/",
            "/there/",
            "/falls-back/",
            "/list/?f",
            "/robots.txt",
        ]
    )


def test_nothing_is_stored_and_nothing_told(run: Run, tmp_path: Path, site: Site) -> None:
    folder = configured(tmp_path, site)
    run("check", folder=folder)
    with closing(sqlite3.connect(folder / "monitor.db")) as conn:
        before = list(conn.iterdump())
    site.rows.insert(0, Row("n13", "关于第13项工作的通知", "2026-01-13"))
    ran = run("doctor", folder=folder)
    assert "ok       a  13 rows" in ran.out
    assert run("doctor", "a", folder=folder).code == 0
    with closing(sqlite3.connect(folder / "monitor.db")) as conn:
        assert list(conn.iterdump()) == before
    assert run("check", folder=folder).out.startswith("【新】")


def test_a_refusal_in_robots_txt_is_told(run: Run, tmp_path: Path, site: Site) -> None:
    folder = configured(tmp_path, site)
    site.bodies["/robots.txt"], site.types["/robots.txt"] = b"User-agent: *\nDisallow: /list\n", "text/plain"
    ran = run("doctor", folder=folder)
    assert marks(ran.out)["a"] == (
        f"warning: 12 rows, the newest: 关于第12项工作的通知; {site.url}/robots.txt asks programs not to fetch it"
    )
    assert "decide whether you may, and look seldom" in ran.out


def test_a_source_that_is_paused_or_whose_server_asked_to_wait_is_left_alone(run: Run, tmp_path: Path, site: Site) -> None:
    folder = configured(tmp_path, site, '[[source]]\nid = "b"\nkind = "list"\nurl = "{url}/b/"\nitems = "ul.l > li"\n')
    site.bodies["/b/"] = site._list(0).encode()
    run("check", folder=folder)
    run("pause", "a", folder=folder)
    until = datetime.now(UTC) + timedelta(hours=1)
    with closing(sqlite3.connect(folder / "monitor.db")) as conn:
        conn.execute("UPDATE sources SET asked_until = ? WHERE id = 'b'", (until.isoformat(timespec="milliseconds"),))
        conn.commit()
    before = len(site.asked)
    said = marks(run("doctor", folder=folder).out)
    assert said["a"] == "ok: paused, not tried"
    assert said["b"].startswith("warning: its server asked to wait until 20")
    assert len(site.asked) == before


def test_a_list_that_is_far_shorter_than_usual_is_what_a_check_would_say(run: Run, tmp_path: Path, site: Site) -> None:
    folder = configured(tmp_path, site)
    run("check", folder=folder)
    del site.rows[3:]
    ran = run("doctor", folder=folder)
    assert marks(ran.out)["a"] == "broken: 3 rows, usually 12"
    assert "monitor accept a" in ran.out


def test_how_long_a_source_fails_is_told_whether_or_not_it_answers_now(build: Callable[..., House], site: Site, run: Run) -> None:
    house = build()
    house.check()
    site.status["/list/"] = 500
    house.check()
    house.check()
    house.loops.close()
    assert re.search(
        r"broken +a +127\.0\.0\.1: HTTP 500 \(failing since 2026-01-12 10:00, 2 checks\)", run("doctor", folder=house.folder).out
    )
    del site.status["/list/"]
    assert "; it was failing since 2026-01-12 10:00, 2 checks" in run("doctor", folder=house.folder).out


@pytest.mark.parametrize("reason", sorted(failing_reasons()))
def test_every_reason_of_a_failed_look_has_a_next_step(reason: str) -> None:
    if reason == "http NNN":
        assert "wait" in step_for(SourceError("x", reason="http 503"), "a")
        return
    step = step_for(SourceError("x", reason=reason), "a")
    assert step
    assert "{source}" not in step


def test_no_step_is_given_for_a_reason_that_nothing_has() -> None:
    assert {reason for reason in STEPS if not reason.startswith("http ")} <= failing_reasons() | {
        "short",
        "incomplete",
        "elsewhere",
    }


def test_what_the_error_itself_advises_goes_first() -> None:
    assert step_for(Challenge("x", hint="do this"), "a") == "do this"


def test_a_machine_without_network_is_told_as_such(run: Run, tmp_path: Path, site: Site) -> None:
    extra = '[[source]]\nid = "b"\nkind = "list"\nurl = "http://127.0.0.1:9/"\nitems = "li"\n'
    folder = configured(tmp_path, site, extra)
    assert "offline" not in run("doctor", folder=folder).out
    site.close()
    ran = run("doctor", folder=folder)
    assert "broken   no source can be reached: this machine seems to be offline" in ran.out
    assert "→ check its network, its name server, and `proxy`" in ran.out


# --- channels, without a message


def test_a_mail_server_is_asked_whether_it_takes_the_login_and_gets_no_mail(run: Run, tmp_path: Path, site: Site) -> None:
    with SmtpReceiver(login=("me", "right-password")) as post_office:
        channels = "".join(
            f'[[channel]]\nid = "{name}"\nurl = "{post_office.target(user=f"me:{name}-password@")}"\n'
            for name in ("right", "wrong")
        )
        ran = run("doctor", folder=configured(tmp_path, site, channels=channels))
        said = marks(ran.out)
        assert said["right"] == f"ok: 127.0.0.1:{post_office.port} accepts the login; no message was sent: monitor test right"
        assert said["wrong"].startswith("broken: 127.0.0.1 refused the login: 535")
        assert "mend its url, then: monitor test wrong" in ran.out
        assert post_office.accepted == []
        assert "-password" not in ran.out


def test_a_robot_is_reached_and_not_spoken_to(run: Run, tmp_path: Path, site: Site) -> None:
    with DingTalkReceiver() as bot:
        channels = f'[[channel]]\nid = "ding"\nurl = "{bot.target}"\nendpoint = "{bot.url}"\n'
        folder = configured(tmp_path, site, channels=channels)
        said = marks(run("doctor", folder=folder).out)
        assert said["ding"].startswith(f"ok: 127.0.0.1:{bot.port} can be reached; whether its key is right, only a message shows")
        assert bot.asked == 0
    ran = run("doctor", folder=folder)
    assert marks(ran.out)["ding"] == f"broken: cannot reach 127.0.0.1:{bot.port}: Connection refused"
    assert ran.code == 1


def test_channels_that_cannot_be_tried_say_so_and_those_that_never_tell_are_marked(run: Run, tmp_path: Path, site: Site) -> None:
    channels = (
        '[[channel]]\nid = "hook"\nurl = "json://127.0.0.1:9/x"\n'
        '[[channel]]\nid = "push"\nurl = "pbul://abcdefghijklmnopqrstuvwxyz012345"\n'
        '[[channel]]\nid = "typo"\nurl = "discrod://a/b"\n'
    )
    said = marks(run("doctor", folder=configured(tmp_path, site, channels=channels)).out)
    assert said == {
        "a": "ok: 12 rows, the newest: 关于第12项工作的通知",
        "hook": "ok: not tried: monitor test hook",
        "push": "warning: not tried: monitor test push; its service does not tell whether it accepted a message",
        "typo": 'broken: Apprise knows no service "discrod" — did you mean "discord"?',
    }


def test_a_channel_that_refuses_every_message_is_broken_whatever_it_answers(run: Run, tmp_path: Path, site: Site) -> None:
    folder = configured(tmp_path, site)
    run("check", folder=folder)
    with closing(sqlite3.connect(folder / "monitor.db")) as conn:
        conn.execute(
            "UPDATE channels SET broken = 'bad key', broken_since = '2026-01-12T02:00:00.000+00:00' WHERE id = 'console'"
        )
        conn.commit()
    ran = run("doctor", folder=folder)
    assert marks(ran.out)["console"] == "broken: refuses every message since 2026-01-12 10:00: bad key"
    assert "then: monitor test console" in ran.out


# --- one source, then and now


def test_a_rebuilt_site_is_told_with_the_lines_that_mend_it(run: Run, tmp_path: Path, site: Site) -> None:
    folder = configured(tmp_path, site)
    run("check", folder=folder)
    real = site._list
    site._list = lambda page: (  # type: ignore[method-assign]  # the site is rebuilt
        real(page).replace("class='l'", "class='news'").replace("span>", "em>").replace("<title>list", "<title>新版通知公告")
    )
    menu = "<ul class='menu'>" + "".join(f"<li><a href='/m{n}/'>栏目之第{n}个名称</a></li>" for n in range(20)) + "</ul>"
    rebuilt = site._list
    site._list = lambda page: rebuilt(page).replace("<body>", f"<body>{menu}")  # type: ignore[method-assign]
    ran = run("doctor", "a", folder=folder)
    assert ran.code == 1
    for said in (
        "12 rows, usually 12",
        "2026-01-12  关于第12项工作的通知",
        "titled “新版通知公告”",
        "0 rows",
        "broken   list empty, usually 12 rows",
        "the site was rebuilt: write the lines below into a, then: monitor check a",
        "items  ul.l > li  0 matches",
        "date   span  0 matches on the page, which has no rows",
        "12 of them known by address or title",
    ):
        assert said in ran.out, said
    lines = re.findall(r"^      (\w+ = .*)$", ran.out, re.MULTILINE)
    assert lines == ['items = "ul.news > li"', 'date = "em"']
    text = (folder / "monitor.toml").read_text()
    for line in lines:
        text = re.sub(rf"^{line.partition(' ')[0]} = .*$", line, text, flags=re.MULTILINE)
    (folder / "monitor.toml").write_text(text)
    assert "a: unchanged, 12 notices" in run("check", folder=folder).out
    assert run("doctor", "a", folder=folder).code == 0


def test_a_source_that_is_well_shows_what_its_selectors_find(run: Run, tmp_path: Path, site: Site) -> None:
    ran = run("doctor", "a", folder=configured(tmp_path, site, source='next = "index_{{page}}.html"\n'))
    assert ran.code == 0
    for said in (
        "it was never looked at",
        "HTTP 200, text/html",
        "shield: none was recognised",
        f"page 2: {site.url}/list/index_1.html",
        "ok       a check would take this: 12 rows",
        "ok       items  ul.l > li  12 matches; the first: 关于第12项工作的通知2026-01-12",
        "ok       link   a  in 12 of 12 rows; the first: 关于第12项工作的通知",
        "ok       date   span  in 12 of 12 rows; the first: 2026-01-12",
    ):
        assert said in ran.out, said
    assert "Would fit now" not in ran.out


def test_a_shield_is_named(run: Run, tmp_path: Path, site: Site) -> None:
    ran = run("doctor", "shielded", folder=several(tmp_path, site))
    assert ran.code == 1
    assert "shield: Cloudflare" in ran.out
    assert "→" in ran.out


def test_the_title_of_a_page_that_refuses_is_shown(run: Run, tmp_path: Path, site: Site) -> None:
    site.bodies["/away/"] = "<html><head><title>您访问的页面不存在</title></head></html>".encode()
    folder = several(tmp_path, site)
    site.types["/away/"] = "text/html; charset=utf-8"
    assert "the page that came with it is titled “您访问的页面不存在”" in run("doctor", "away", folder=folder).out


def test_expressions_of_a_json_source_show_what_they_find(run: Run, tmp_path: Path, site: Site) -> None:
    site.bodies["/j"] = '{"data": [{"t": "甲", "d": "2026-01-02", "id": 5}, {"t": "乙"}, {"x": 1}]}'.encode()
    site.types["/j"] = "application/json"
    extra = (
        '[[source]]\nid = "j"\nkind = "json"\nurl = "{url}/j"\nitems = "data"\ntitle = "t"\ndate = "d"\n'
        'link = "https://a.example/{{id}}"\ntext = ["t", "nope"]\n'
    )
    folder = configured(tmp_path, site, extra)
    ran = run("doctor", "j", folder=folder)
    for said in (
        "ok       items  data  a list of 3",
        "ok       title  t  in 2 of 3 rows; the first: 甲",
        "warning  date   d  in 1 of 3 rows; the first: 2026-01-02",
        "warning  link   https://a.example/{id}  in 1 of 3 rows; the first: https://a.example/5",
        "warning  text   nope  in 0 of 3 rows",
        "1 of 3 rows say nothing that could be told",
    ):
        assert said in ran.out, said
    site.bodies["/j"] = b'{"error": "no such list", "code": 5}'
    ran = run("doctor", "j", folder=folder)
    assert ran.code == 1
    assert "items  data  nothing; the answer is an object with" in ran.out


def test_a_page_that_is_one_notice_shows_what_select_finds(run: Run, tmp_path: Path, site: Site) -> None:
    extra = '[[source]]\nid = "p"\nkind = "page"\nurl = "{url}/p/n1.html"\nselect = ["#zoom", "#nope"]\ntitle = "h1"\n'
    ran = run("doctor", "p", folder=configured(tmp_path, site, extra))
    assert "ok       title   h1  1 match; the first: 关于第1项工作的通知" in ran.out
    assert "ok       select  #zoom  1 match; the first: 第1项正文。" in ran.out
    assert "warning  select  #nope  0 matches" in ran.out


def test_another_list_at_the_same_address_is_told(run: Run, tmp_path: Path, site: Site) -> None:
    folder = configured(tmp_path, site)
    run("check", folder=folder)
    site.rows[:] = [Row(f"z{n}", f"另一栏目的第{n}条内容", "2026-01-02") for n in range(12)]
    ran = run("doctor", "a", folder=folder)
    assert ran.code == 0
    assert "warning  none of these rows is known: another list?" in ran.out


def test_a_source_that_is_unknown_has_the_nearest_name(run: Run, tmp_path: Path, site: Site) -> None:
    ran = run("doctor", "aa", folder=configured(tmp_path, site))
    assert (ran.code, ran.out) == (2, "")
    assert 'no source "aa" — did you mean "a"?' in ran.err


# --- for eyes


def test_a_broken_configuration_is_told_whole_beside_the_machine(run: Run, tmp_path: Path) -> None:
    (tmp_path / "monitor.toml").write_text('[monitor]\nevry = "5m"\nlog = "inf"\n')
    ran = run("doctor", folder=tmp_path)
    assert ran.code == 1
    assert 'unknown key "evry" — did you mean "every"?' in ran.out
    assert '"log" is "inf"' in ran.out
    assert "SQLite" in ran.out


def test_a_pipe_gets_lines_and_a_terminal_gets_colour_and_lines_that_fit(run: Run, tmp_path: Path, site: Site) -> None:
    folder = several(tmp_path, site)
    plain = run("doctor", folder=folder).out
    assert "\x1b" not in plain
    code, seen = at_terminal(folder, "doctor")
    assert code == 1
    assert re.search(r"\x1b\[31mbroken", seen)
    lines = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", seen).replace("\r", "").split("\n")
    assert [line for line in lines if len(line) > 120 and not line.startswith("checking ")] == []
    assert "monitor doctor SOURCE shows what a source saw" in seen
