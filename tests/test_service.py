"""monitor as a service: the unit is closed, what it says to systemd arrives, and the commands of the documentation work."""

from __future__ import annotations

import configparser
import json
import logging
import os
import re
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from monitor.daemon import logs
from monitor.daemon.notify import notify, reloading, watchdog_seconds
from tests.house import Row, Site
from tests.test_cli import Run, configured, run
from tests.test_docs import OPERATIONS, blocks

__all__ = ["run"]

ROOT = Path(__file__).parents[1]
UNIT = ROOT / "config" / "monitor.service"


def settings() -> list[tuple[str, str]]:
    return [
        (name, value)
        for line in UNIT.read_text("utf-8").splitlines()
        if "=" in line and not line.startswith("#")
        for name, _, value in [line.partition("=")]
    ]


def analyze(*args: str) -> subprocess.CompletedProcess[str]:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not here: apt-get install systemd")
    return subprocess.run(["systemd-analyze", *args], capture_output=True, text=True, timeout=60, check=False)


# --- the unit


def test_the_unit_leaves_little_open() -> None:
    ran = analyze("security", "--offline=true", "--no-pager", str(UNIT))
    found = re.search(r"Overall exposure level for monitor\.service: (\d+\.\d+)", ran.stdout)
    assert found is not None, ran.stdout + ran.stderr
    assert float(found[1]) <= 1.5


def test_the_unit_is_one_that_systemd_understands(tmp_path: Path) -> None:
    unit = tmp_path / "monitor.service"
    text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", UNIT.read_text("utf-8"), flags=re.MULTILINE)
    unit.write_text(text, "utf-8")
    ran = analyze("verify", "--man=no", str(unit))
    said = [line for line in (ran.stdout + ran.stderr).splitlines() if "monitor.service" in line]
    assert said == []


def test_the_unit_starts_the_daemon_of_the_documentation_with_its_own_user_and_folder() -> None:
    found = dict(settings())
    assert found["ExecStart"] == "/opt/monitor/.venv/bin/monitor --config /etc/monitor/monitor.toml run"
    assert (found["User"], found["StateDirectory"], found["StateDirectoryMode"]) == ("monitor", "monitor", "0700")
    text = OPERATIONS.read_text("utf-8")
    for name in ("/opt/monitor/.venv", "/etc/monitor/monitor.toml", "/var/lib/monitor/monitor.db", "/etc/credstore/monitor.mail"):
        assert name in text


def test_a_credential_that_is_not_there_keeps_nothing_from_starting() -> None:
    """An absolute path would have to exist; a name is looked for in systemd's stores and left out."""
    credentials = [value for name, value in settings() if name == "LoadCredential"]
    assert credentials
    assert all(re.fullmatch(r"\w+:monitor\.\w+", one) for one in credentials)


# --- what is said to the manager


@pytest.mark.parametrize("kind", ["a file", "an abstract name"])
def test_states_arrive_at_the_manager_s_socket(tmp_path: Path, kind: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        name = str(tmp_path / "notify") if kind == "a file" else f"@monitor-notify-{os.getpid()}"
        manager.bind("\0" + name[1:] if name.startswith("@") else name)
        manager.settimeout(5)
        environ = {"NOTIFY_SOCKET": name}
        assert notify(environ, "READY=1", "STATUS=5 sources")
        assert manager.recv(100) == b"READY=1\nSTATUS=5 sources"
        reloading(environ)
        assert re.fullmatch(rb"RELOADING=1\nMONOTONIC_USEC=\d+", manager.recv(100))
        for state in ("WATCHDOG=1", "STOPPING=1"):
            assert notify(environ, state)
            assert manager.recv(100) == state.encode()


@pytest.mark.parametrize("place", ["", "relative", "/no/such/socket", "@nobody-listens-here"])
def test_without_a_manager_nothing_is_said_and_nothing_fails(place: str) -> None:
    assert notify({"NOTIFY_SOCKET": place}, "READY=1") is False


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({"WATCHDOG_USEC": "60000000"}, 30.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_a_sign_of_life_comes_twice_as_often_as_it_is_wanted(environ: dict[str, str], seconds: float | None) -> None:
    assert watchdog_seconds(environ) == seconds


# --- the documentation's commands


def test_a_backup_is_restored_by_the_commands_of_the_documentation(run: Run, tmp_path: Path, site: Site) -> None:
    """They are run as they stand there, with other folders, and with a `sudo` and a `systemctl` that only say that they ran."""
    (tmp_path / "var").mkdir()
    folder = configured(tmp_path / "var", site)
    run("check", folder=folder)
    backup = tmp_path / "2026-01-12.db"
    assert run("backup", str(backup), folder=folder).code == 0
    site.rows.insert(0, Row("n13", "关于第13项工作的通知", "2026-01-13"))
    run("check", folder=folder)
    (commands,) = [body for body in blocks(OPERATIONS, "sh") if "aside" in body]
    commands = commands.replace("/var/lib/monitor", str(folder)).replace("/var/backups/monitor/2026-01-12.db", str(backup))
    commands = commands.replace("-o monitor -g monitor ", "")
    tools = tmp_path / "tools"
    tools.mkdir()
    for name, script in {"sudo": '"$@"', "systemctl": f'echo "$@" >> {tools}/said'}.items():
        (tools / name).write_text(f"#!/bin/sh\n{script}\n")
        (tools / name).chmod(0o755)
    path = f"{tools}:{os.environ['PATH']}"
    subprocess.run(["sh", "-e", "-c", commands], env={"PATH": path}, check=True, timeout=30)
    assert (tools / "said").read_text() == "stop monitor\nstart monitor\n"
    assert (folder / "monitor.db").stat().st_mode & 0o777 == 0o600
    assert (folder / "aside" / "monitor.db").exists()
    assert len(run("notices", folder=folder).lines) == 12
    assert "a: 1 new" in run("check", folder=folder).out
    assert "is sound" in run("doctor", folder=folder).out


def test_a_line_of_the_log_is_what_the_documentation_shows(capsys: pytest.CaptureFixture[str]) -> None:
    (shown,) = blocks(OPERATIONS, "json")
    record = logging.LogRecord("monitor", logging.INFO, __file__, 1, "%s: new: %s", ("ndrc/tz", "关于印发某办法的通知"), None)
    made = json.loads(logs.Json().format(record))
    example = json.loads(shown)
    assert list(made) == list(example)
    assert made["message"] == example["message"]
    assert made["level"] == example["level"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00", made["at"])


def test_a_unit_has_no_setting_twice_by_accident() -> None:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # names keep their letters
    parser.read(UNIT, "utf-8")
    names = [name for name, _ in settings()]
    assert {name for name in names if names.count(name) > 1} == {"LoadCredential", "SystemCallFilter"}
    assert parser.sections() == ["Unit", "Service", "Install"]
