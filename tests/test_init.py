"""`monitor init`: the dialogue through a real terminal, options, and what is written."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import stat
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from monitor import config
from monitor.cli import monitor
from monitor.cli.asking import ROBOTS, WORDS, language_of, pick
from monitor.cli.common import guarded
from monitor.cli.setup import NEXT, template, write
from monitor.config.build import Config
from tests.receivers import HANG, SmtpReceiver, WebhookReceiver, status

ROOT = Path(__file__).parents[1]
DEFAULTS = ["ndrc/tz", "ndrc/gg", "nda/zcfb", "cac/wxfb", "gov/zuixin", "doonsec"]
SECRETS = ("MAIL_PASSWORD", "WECOM_KEY", "DINGTALK_TOKEN", "DINGTALK_SECRET", "FEISHU_TOKEN", "FEISHU_SECRET", "JSON_URL")
LOCALES = ("LC_ALL", "LC_MESSAGES", "LANG")
#: Becomes the leader of a session whose terminal is stdin, and then monitor.
LEADER = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "os.execv(sys.executable, [sys.executable, '-m', 'monitor', *sys.argv[1:]])"
)


class Terminal:
    """A person at a terminal: waits for what monitor asks, then types. `seen` is all that the screen showed."""

    def __init__(self, folder: Path, *args: str, lang: str = "en_US.UTF-8", **extra: str) -> None:
        self.ours, theirs = pty.openpty()
        env = {name: value for name, value in os.environ.items() if name not in (*SECRETS, *LOCALES, "MONITOR_CONFIG")}
        env |= {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "COLUMNS": "120", "TERM": "xterm", "LANG": lang, "HOME": str(folder)}
        self.process = subprocess.Popen(
            [sys.executable, "-c", LEADER, *args],
            stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder, env=env | extra, start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        self.seen, self._new = "", b""

    def wait(self, said: str) -> None:
        """Until the screen shows this, after what was waited for before."""
        until = time.monotonic() + 30
        while said.encode() not in self._new:
            assert time.monotonic() < until, f"never said {said!r}:\n{self.seen}{self._new.decode()}"
            assert self._read(), f"ended without saying {said!r}:\n{self.seen}"
        at = self._new.index(said.encode()) + len(said.encode())
        self.seen += self._new[:at].decode()
        self._new = self._new[at:]

    def type(self, text: str) -> None:
        os.write(self.ours, text.encode())

    def interrupt(self) -> None:
        """Ctrl-C; again after a while, as people do: Python's `input` overlooks one in the instant before it begins to read."""
        for _ in range(4):
            self.type("\x03")
            until = time.monotonic() + 5
            while time.monotonic() < until:
                if select.select([self.ours], [], [], 0.05)[0] and not self._read():
                    return
                if self.process.poll() is not None:
                    return

    def answers(self, *pairs: tuple[str, str]) -> None:
        """Wait for each question, then type its answer and Enter."""
        for question, answer in pairs:
            self.wait(question)
            self.wait(": ")
            self.type(answer + "\n")

    def end(self) -> int:
        """The exit code, when all has been said."""
        until = time.monotonic() + 30
        while time.monotonic() < until and self._read():
            pass
        self.seen += self._new.decode()
        self._new = b""
        return self.process.wait(10)

    def _read(self) -> bool:
        if not select.select([self.ours], [], [], 30)[0]:
            return False
        try:
            part = os.read(self.ours, 65536)
        except OSError:  # Linux: the other end is closed
            part = b""
        self._new += part
        return bool(part)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.ours)


Open = Callable[..., Terminal]


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Open]:
    """Opens a terminal in an empty folder with a command of monitor in it."""
    with contextlib.ExitStack() as opened:

        def start(*args: str, **options: str) -> Terminal:
            one = Terminal(tmp_path, *args, **options)
            opened.callback(one.close)
            return one

        yield start


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run a command in this process, in an empty folder and without a terminal."""
    monkeypatch.chdir(tmp_path)
    for name in (*SECRETS, "MONITOR_CONFIG"):
        monkeypatch.delenv(name, raising=False)

    def ran(*args: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = guarded(monitor, list(args))
        said = capsys.readouterr()
        return code, said.out, said.err

    return ran


def loaded(folder: Path, **environ: str) -> Config:
    """The written configuration, as every command loads it; its mode and that nothing else lies there are checked too."""
    path = folder / "monitor.toml"
    for place in folder.iterdir():
        assert place == path or place.suffix == ".secret", place
        assert stat.S_IMODE(place.stat().st_mode) == 0o600
    read = config.load(path, environ)
    assert config.check_channels(read) == []
    return read


def targets(read: Config) -> dict[str, str]:
    return {id_: channel.target for id_, channel in read.channels.items()}


# --- at a terminal


def test_enter_at_every_question_writes_the_default_page(terminal: Open, tmp_path: Path) -> None:
    person = terminal("init")
    person.answers(("Language", "zh"), ("编号或名称，用空格", ""), ("编号或名称", ""))
    assert person.end() == 0
    assert (tmp_path / "monitor.toml").read_text("utf-8") == template().replace("#:schema ./monitor.schema.json\n", "")
    assert list(loaded(tmp_path).sources) == DEFAULTS
    assert "monitor check" in person.seen


def test_a_channel_is_tried_out_and_its_secret_is_neither_shown_nor_written(terminal: Open, tmp_path: Path) -> None:
    with WebhookReceiver() as hook:
        url = hook.target(path="/the-secret-path")
        person = terminal("init")
        person.answers(
            ("Language", "en"), ("Numbers or names", "2 nda/*, 11-12"), ("Number or name", "url"),
            ("Apprise URL (not shown)", url), ("Send a test", "y"), ("Number or name", "1"),
        )  # fmt: skip
        assert person.end() == 0
        assert hook.accepted.texts == ["This is a test message: the channel works."]
    assert "channel json: sent: JSON: SUCCESS" in person.seen
    assert "the-secret-path" not in person.seen
    assert "the-secret-path" not in (tmp_path / "monitor.toml").read_text("utf-8")
    assert "read -rs JSON_URL && export JSON_URL" in person.seen
    read = loaded(tmp_path, JSON_URL=url)
    names = list(config.presets())
    assert list(read.sources) == [names[1], *(name for name in names if name.startswith("nda/")), *names[10:12]]
    assert (targets(read), read.language) == ({"json": url}, "en")
    assert [place.name for place in tmp_path.iterdir()] == ["monitor.toml"]


def test_a_secret_may_be_kept_in_a_file_beside_the_configuration(terminal: Open, tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "channel.secret").write_text("of another")
    (tmp_path / "conf" / "channel.secret").chmod(0o600)
    with WebhookReceiver() as hook:
        url = hook.target()
        person = terminal("init", "conf")
        person.answers(
            ("Language", ""), ("Numbers or names", "cisa/kev"), ("Number or name", "6"), ("Apprise URL (not shown)", url),
            ("Send a test", ""), ("Number or name", "file"),
        )  # fmt: skip
        assert person.end() == 0
    folder = tmp_path / "conf"
    assert (folder / "channel.secret").read_text() == "of another"
    assert (folder / "channel-2.secret").read_text() == url + "\n"
    assert tomllib.loads((folder / "monitor.toml").read_text("utf-8"))["channel"] == [
        {"id": "json", "url": "file:channel-2.secret"}
    ]
    assert targets(loaded(folder)) == {"json": url}
    assert "monitor --config conf/monitor.toml check" in person.seen


@pytest.mark.parametrize(("choice", "posts"), [("t", 2), ("g", 1)])
def test_a_test_that_fails_shows_the_answer_and_may_be_tried_again_or_left(
    terminal: Open, tmp_path: Path, choice: str, posts: int
) -> None:
    with WebhookReceiver() as hook:
        hook.script(status(503, "the service is being mended"))
        person = terminal("init", lang="zh_CN.UTF-8")
        person.answers(
            ("Language", ""), ("编号或名称，用空格", "1"), ("编号或名称", "6"), ("Apprise URL（输入时不显示）", hook.target()),
            ("测试消息", ""), ("测试消息没有被接收", choice), ("编号或名称", "variable"),
        )  # fmt: skip
        assert person.end() == 0
        assert hook.asked == posts
    assert "the service is being mended" in person.seen
    assert ("monitor test json" in person.seen) == (choice == "g")  # what was not seen to work is the next thing to try
    assert loaded(tmp_path, JSON_URL=hook.target()).language == "zh"


def test_a_channel_that_does_not_work_can_be_entered_again(terminal: Open, tmp_path: Path) -> None:
    with WebhookReceiver() as hook:
        hook.script(status(403))
        person = terminal("init")
        person.answers(("Language", ""), ("Numbers or names", "1"), ("Number or name", "url"))
        person.answers(("Apprise URL (not shown)", "discrod://a/b"))
        person.wait('did you mean "discord"?')
        person.answers(
            ("Number or name", "url"), ("Apprise URL (not shown)", hook.target()), ("Send a test", ""), ("(e) enter", "e")
        )
        person.answers(("Number or name", "console"))
        assert person.end() == 0
    assert targets(loaded(tmp_path)) == {"console": "console://"}


def test_what_is_not_understood_is_said_and_asked_again(terminal: Open, tmp_path: Path) -> None:
    person = terminal("init")
    person.answers(("Language", "fr"))
    person.answers(("Language", "en"), ("Numbers or names", "0"))
    person.wait('"0" is none of these sources: give a number from 1 to')
    person.answers(("Numbers or names", "ndrc/tt"))
    person.wait('"ndrc/tt" is none of these sources')
    person.answers(("Numbers or names", "ndrc/tz"), ("Number or name", "9"))
    person.wait('"9" is none of these: give a number from 1 to 6')
    person.answers(("Number or name", "3"), ("webhook address", ""))
    person.wait("Nothing was typed")
    person.answers(("webhook address", "https://oapi.dingtalk.com/robot/send?access_token=abc"))
    person.wait("That is not the address of this robot")
    person.answers(("Number or name", "mail"), ("Sender's", "nobody"))
    person.wait('"nobody" is no mail address')
    person.answers(("Sender's", "me@example.org"), ("SMTP server", "smtp example"))
    person.wait('"smtp example" is no server')
    person.interrupt()
    assert person.end() == 130
    assert list(tmp_path.iterdir()) == []


ROBOT_DIALOGUES = [
    (
        "wecom",
        [("webhook address", "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=693a91f6-7abc-4bc4")],
        "wecombot://${WECOM_KEY}",
        {"WECOM_KEY": "693a91f6-7abc-4bc4"},
    ),
    ("wecom", [("webhook address", "693a91f6-7abc-4bc4")], "wecombot://${WECOM_KEY}", {"WECOM_KEY": "693a91f6-7abc-4bc4"}),
    (
        "dingtalk",
        [
            ("webhook address", "https://oapi.dingtalk.com/robot/send?access_token=6f1b0d75f3a94ee3"),
            ("signing secret", "SEC0123abcd"),
            ("keyword", "公告"),
        ],
        "dingtalk://${DINGTALK_SECRET}@${DINGTALK_TOKEN}/?keyword=%E5%85%AC%E5%91%8A",
        {"DINGTALK_TOKEN": "6f1b0d75f3a94ee3", "DINGTALK_SECRET": "SEC0123abcd"},
    ),
    (
        "dingtalk",
        [("webhook address", "6f1b0d75f3a94ee3"), ("signing secret", ""), ("keyword", "")],
        "dingtalk://${DINGTALK_TOKEN}",
        {"DINGTALK_TOKEN": "6f1b0d75f3a94ee3"},
    ),
    (
        "feishu",
        [
            ("webhook address", "https://open.feishu.cn/open-apis/bot/v2/hook/0a1b2c3d-feed"),
            ("signing secret", "s3cret+/="),
            ("keyword", ""),
        ],
        "feishu://${FEISHU_TOKEN}/?secret=${FEISHU_SECRET}",
        {"FEISHU_TOKEN": "0a1b2c3d-feed", "FEISHU_SECRET": "s3cret+/="},
    ),
    (
        "feishu",
        [
            ("webhook address", "https://open.larksuite.com/open-apis/bot/v2/hook/0a1b2c3d-feed"),
            ("signing secret", ""),
            ("keyword", "news"),
        ],
        "lark://${LARK_TOKEN}/?keyword=news",
        {"LARK_TOKEN": "0a1b2c3d-feed"},
    ),
]


@pytest.mark.parametrize(("service", "talk", "url", "values"), ROBOT_DIALOGUES)
def test_a_robot_is_entered_by_its_address_or_its_key(
    terminal: Open, tmp_path: Path, service: str, talk: Sequence[tuple[str, str]], url: str, values: dict[str, str]
) -> None:
    person = terminal("init")
    person.answers(("Language", "en"), ("Numbers or names", "1"), ("Number or name", service), *talk)
    person.answers(("Send a test", "n"), ("Number or name", ""))
    assert person.end() == 0
    text = (tmp_path / "monitor.toml").read_text("utf-8")
    (channel,) = tomllib.loads(text)["channel"]
    assert channel["url"] == url
    loaded(tmp_path, **values)
    for name, value in values.items():
        assert value not in text
        assert value not in person.seen
        assert f"export {name}" in person.seen
    assert f"monitor test {channel['id']}" in person.seen


def test_a_variable_that_is_set_is_taken_by_enter(terminal: Open, tmp_path: Path) -> None:
    person = terminal("init", WECOM_KEY="693a91f6-7abc")
    person.answers(("Language", "en"), ("Numbers or names", "1"), ("Number or name", "wecom"), ("$WECOM_KEY as it is set]", ""))
    person.answers(("Send a test", "n"), ("Number or name", "file"))
    assert person.end() == 0
    assert targets(loaded(tmp_path)) == {"wecom": "wecombot://693a91f6-7abc"}


def test_mail_is_put_together_from_its_parts(terminal: Open, tmp_path: Path) -> None:
    with SmtpReceiver(login=("me@example.org", "p@ss w/rd")) as server:
        person = terminal("init")
        person.answers(
            ("Language", "en"), ("Numbers or names", "1"), ("Number or name", "2"), ("Sender's", "me@example.org"),
            ("SMTP server", f"127.0.0.1:{server.port}"), ("Encryption", "none"), ("Login name", ""), ("Password", "p@ss w/rd"),
            ("Recipients", "a@example.org, b@example.org"), ("Send a test", ""), ("Number or name", "2"),
        )  # fmt: skip
        assert person.end() == 0
        (mail,) = server.accepted
    assert mail.recipients == ("a@example.org", "b@example.org")
    assert "channel mail: sent: 250" in person.seen
    assert "p@ss" not in person.seen
    assert (tmp_path / "channel.secret").read_text().startswith("mailto://me%40example.org:p%40ss%20w%2Frd@127.0.0.1:")
    assert "file:channel.secret" in (tmp_path / "monitor.toml").read_text("utf-8")
    loaded(tmp_path)


@pytest.mark.parametrize(
    "talk",
    [
        [],
        [("Language", "en")],
        [("Language", "en"), ("Numbers or names", "1"), ("Number or name", "url")],
        [
            ("Language", "en"), ("Numbers or names", "1"), ("Number or name", "url"), ("Apprise URL (not shown)", "json://127.0.0.1:9/"),
            ("Send a test", "n"),
        ],
    ],
    ids=len,
)  # fmt: skip
def test_ctrl_c_leaves_nothing_behind_and_exits_130(terminal: Open, tmp_path: Path, talk: Sequence[tuple[str, str]]) -> None:
    person = terminal("init", "new/folder")
    person.answers(*talk)
    person.wait(": ")
    person.interrupt()
    assert person.end() == 130
    assert "Traceback" not in person.seen
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_during_the_test_message_leaves_nothing_behind(terminal: Open, tmp_path: Path) -> None:
    (tmp_path / "scratch").mkdir()
    with WebhookReceiver() as hook:
        hook.script(HANG)
        person = terminal("init", "new", TMPDIR=str(tmp_path / "scratch"))
        person.answers(
            ("Language", "en"), ("Numbers or names", "1"), ("Number or name", "url"), ("Apprise URL (not shown)", hook.target()),
            ("Send a test", ""),
        )  # fmt: skip
        until = time.monotonic() + 30
        while hook.scripted and time.monotonic() < until:
            select.select([], [], [], 0.01)
        person.interrupt()
        assert person.end() == 130
    assert [place.name for place in tmp_path.iterdir()] == ["scratch"]
    assert list((tmp_path / "scratch").iterdir()) == []


@pytest.mark.parametrize("args", [("--yes",), ("--language", "en"), ("--source", "cisa/kev"), ("--channel", "console://")])
def test_with_an_option_nothing_is_asked_at_a_terminal_either(terminal: Open, tmp_path: Path, args: Sequence[str]) -> None:
    person = terminal("init", *args)
    assert person.end() == 0
    assert "Language of messages" not in person.seen
    loaded(tmp_path)


# --- without a terminal, and with options


def test_without_a_terminal_the_default_page_is_written_and_nothing_is_asked(run: Run, tmp_path: Path) -> None:
    code, out, err = run("init")
    assert (code, err) == (0, "")
    assert (tmp_path / "monitor.toml").read_text("utf-8") == template().replace("#:schema ./monitor.schema.json\n", "")
    assert "6 sources, told on console" in out
    assert list(loaded(tmp_path).sources) == DEFAULTS
    assert run("validate")[0] == 0


def test_options_replace_language_sources_and_channels_and_the_comments_stay(run: Run, tmp_path: Path) -> None:
    code, out, _ = run(
        "init", "--language", "en", "--source", "cisa/kev", "--source", "nda/*", "--source", "doonsec", "--channel", "console://",
        "--channel", "mailtos://me:${MAIL_PASSWORD}@smtp.example.org?to=a@example.org",
    )  # fmt: skip
    assert code == 0
    assert "export MAIL_PASSWORD" in out
    assert "monitor test mail" in out
    read = loaded(tmp_path, MAIL_PASSWORD="secret")
    nda = [name for name in config.presets() if name.startswith("nda/")]
    assert list(read.sources) == ["cisa/kev", *nda, "doonsec"]
    assert (list(read.channels), read.language) == (["console", "mail"], "en")
    text = (tmp_path / "monitor.toml").read_text("utf-8")
    comments = {line for line in template().splitlines() if line.startswith("# ")}
    assert comments <= set(text.splitlines())
    assert "MAIL_PASSWORD" in text
    assert 'every  = "30m"' in text  # what the default page says of a source stays with it


def test_a_channel_whose_url_holds_its_secret_is_kept_in_a_file(run: Run, tmp_path: Path) -> None:
    code, out, _ = run("init", "--channel", "wecombot://693a91f6-7abc", "--channel", "wecombot://9b0c-11")
    assert code == 0
    assert targets(loaded(tmp_path)) == {"wecom": "wecombot://693a91f6-7abc", "wecom-2": "wecombot://9b0c-11"}
    text = (tmp_path / "monitor.toml").read_text("utf-8")
    assert "693a91f6" not in text + out
    assert [(tmp_path / name).read_text() for name in ("channel.secret", "channel-2.secret")] == [
        "wecombot://693a91f6-7abc\n",
        "wecombot://9b0c-11\n",
    ]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("wecombot://${WECOM_KEY}", "export WECOM_KEY"),
        ("file:${CREDENTIALS}/mail", "export CREDENTIALS"),
        ("file:mail.secret", "needs the file mail.secret, which is not there"),
        ("${CHANNEL_URL}", "export CHANNEL_URL"),
    ],
)
def test_what_a_channel_still_needs_is_said(run: Run, tmp_path: Path, url: str, said: str) -> None:
    code, out, _ = run("init", "--channel", url)
    assert code == 0
    assert said in out
    assert tomllib.loads((tmp_path / "monitor.toml").read_text("utf-8"))["channel"][0]["url"] == url


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--source", "ndrc/tt"], 'no preset "ndrc/tt" — did you mean "ndrc/tz"?'),
        (["--source", "1"], 'no preset "1"'),
        (["--channel", "discrod://a/b"], 'did you mean "discord"?'),
        (["--channel", "no url"], "not an Apprise URL"),
        (["--channel", "no 'url ${X}"], "not an Apprise URL"),
        (["--channel", "wecombot://${X"], "is not closed"),
        (["--channel", "wecombot://a\nb"], "on one line"),
        (["--language", "fr"], "'fr' is not one of"),
    ],
)
def test_an_option_that_cannot_be_used_is_a_sentence_exit_2_and_no_file(
    run: Run, tmp_path: Path, args: list[str], said: str
) -> None:
    code, out, err = run("init", "new", *args)
    assert (code, out) == (2, "")
    assert said in err
    assert not (tmp_path / "new").exists()


def test_a_secrets_file_that_is_there_is_read_before_it_is_referred_to(run: Run, tmp_path: Path) -> None:
    held = tmp_path / "my.secret"
    held.touch(0o600)
    code, _, err = run("init", "--channel", "file:my.secret")
    assert (code, err) == (2, "--channel: file my.secret is empty\n")
    assert list(tmp_path.iterdir()) == [held]
    held.write_text("wecombot://693a91f6-7abc")
    assert run("init", "--channel", "file:my.secret")[0] == 0
    assert targets(loaded(tmp_path)) == {"channel": "wecombot://693a91f6-7abc"}


def test_an_existing_file_is_never_overwritten_and_nothing_is_asked(terminal: Open, tmp_path: Path) -> None:
    (tmp_path / "monitor.toml").write_text("mine")
    person = terminal("init")
    assert person.end() == 1
    assert "monitor.toml exists already and is not overwritten: name another folder" in person.seen
    assert (tmp_path / "monitor.toml").read_text() == "mine"


def test_a_folder_that_cannot_be_is_said_before_anything_is_asked(terminal: Open, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    person = terminal("init", "taken/below")
    assert person.end() == 1
    assert "taken is a file, so taken/below/monitor.toml cannot be written: name another folder" in person.seen


def test_files_are_written_all_or_none(tmp_path: Path) -> None:
    (tmp_path / "monitor.toml").write_text("came first")
    with pytest.raises(FileExistsError):
        write({tmp_path / "channel.secret": "x", tmp_path / "monitor.toml": "y"})
    with pytest.raises(UnicodeEncodeError):
        write({tmp_path / "channel.secret": "x", tmp_path / "other.toml": "\ud800"})
    assert {place.name: place.read_text() for place in tmp_path.iterdir()} == {"monitor.toml": "came first"}


# --- the parts


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("1", "a"),
        ("3 1", "c a"),
        ("1-2，4", "a b d"),
        ("b、b 2", "b"),
        ("d/*", ""),
        ("[ab]", "a b"),
        ("0", ""),
        ("5", ""),
        ("3-2", ""),
        ("A", ""),
    ],
)
def test_numbers_ranges_names_and_globs_are_picked_once_each(typed: str, found: str) -> None:
    if found:
        assert " ".join(pick(typed, "abcd")) == found
    else:
        with pytest.raises(ValueError, match=re.escape(typed.split(maxsplit=1)[0])):
            pick(typed, "abcd")


@pytest.mark.parametrize(
    ("environ", "language"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "en_GB.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LC_ALL": "", "LANG": "zh_TW"}, "zh"),
        ({}, "en"),
    ],
)
def test_the_language_is_that_of_the_locale(environ: dict[str, str], language: str) -> None:
    assert language_of(environ) == language


@pytest.mark.parametrize("words", [WORDS, NEXT], ids=["questions", "next"])
def test_both_languages_say_the_same_things(words: dict[str, dict[str, str]]) -> None:
    assert words["en"].keys() == words["zh"].keys()
    for key, said in words["en"].items():
        named = set(re.findall(r"\{(\w+)\}", said)) - {"sources"}
        assert named == set(re.findall(r"\{(\w+)\}", words["zh"][key])) - {"n"}, key


def test_every_robot_of_the_dialogue_has_a_sender_of_its_own() -> None:
    from monitor.senders import BUILT_IN

    assert {name for schemes in ROBOTS.values() for name in schemes} <= BUILT_IN.keys()
