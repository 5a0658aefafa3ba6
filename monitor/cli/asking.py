"""The questions of `monitor init`: language, sources and one channel, which is tried out. It writes no file that stays.

What gives access is typed without echo and leaves here in memory only, beside a URL that names it as `${VAR}`.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import click

from monitor.cli import output
from monitor.cli.common import DONE, FAILED
from monitor.config.secrets import Secrets, refers
from monitor.errors import MonitorError
from monitor.senders import scheme

if TYPE_CHECKING:
    from monitor.config import Preset

CHANNELS = ("console", "mail", "wecom", "dingtalk", "feishu", "url")
#: Scheme of a robot → what its variables begin with. The first of a service is that of a bare key.
ROBOTS = {
    "wecom": {"wecombot": "WECOM"},
    "dingtalk": {"dingtalk": "DINGTALK"},
    "feishu": {"feishu": "FEISHU", "lark": "LARK"},
}
#: Scheme → id of its channel, where that is another word.
IDS = {"mailto": "mail", "mailtos": "mail", "wecombot": "wecom", "schan": "serverchan"}
PORTS = {"ssl": 465, "starttls": 587, "none": 25}

WORDS = {
    "en": {
        "begin": "{path} will be written at the end; Ctrl-C leaves nothing behind.",
        "sources": "\nSources: which of these? (* are the default)",
        "which": "Numbers or names with spaces, also 2-5 or ndrc/*; Enter: those marked *",
        "no source": '"{typed}" is none of these sources: give a number from 1 to {last}, or a name of the list',
        "channel": "\nChannel: where are you told?",
        "console": "this terminal",
        "mail": "mail",
        "wecom": "WeCom group robot",
        "dingtalk": "DingTalk group robot",
        "feishu": "Feishu or Lark group robot",
        "url": "any other: Telegram, Slack, ntfy, a webhook … by its Apprise URL (https://appriseit.com/services/)",
        "number": "Number or name",
        "no channel": '"{typed}" is none of these: give a number from 1 to 6, or a name of the list',
        "robot": "The robot's webhook address, or its key (not shown)",
        "is set": "Enter: ${name} as it is set",
        "needed": "Nothing was typed: it is needed here; Ctrl-C ends without writing anything",
        "unprintable": "That holds control characters: type it again, on one line",
        "not robot": "That is not the address of this robot: copy it from the robot's page, or choose another channel",
        "secret": "The robot's signing secret (not shown; Enter: it has none)",
        "keyword": "The robot's keyword (Enter: it has none)",
        "address": "Sender's mail address",
        "no address": '"{typed}" is no mail address: write it like name@example.org',
        "server": "SMTP server, as host or host:port",
        "no server": '"{typed}" is no server: write it like smtp.example.org or smtp.example.org:465',
        "security": "Encryption",
        "login": "Login name (none: no login)",
        "password": "Password, or the provider's authorisation code (not shown)",
        "to": "Recipients, with commas",
        "apprise": "The channel's Apprise URL (not shown)",
        "unusable": "This channel cannot be used: {why}. Enter it again:",
        "try": "\nSend a test message now?",
        "failed": "The test message was not taken. (t) try again, (e) enter the channel again, (g) go on, as it may work later",
        "keep": "\nWhere is the secret kept? It is not written into monitor.toml.\n"
        "  1  variable  in the environment, as {names}: you set it\n"
        "  2  file      in {file} beside monitor.toml, readable by you alone",
        "no keep": '"{typed}" is neither: give 1 or 2',
    },
    "zh": {
        "begin": "最后才写入 {path}；按 Ctrl-C 退出，不留下任何文件。",
        "sources": "\n来源：选哪些？（* 为默认）",
        "which": "编号或名称，用空格隔开，也可写 2-5 或 ndrc/*；回车：带 * 的",
        "no source": "列表中没有“{typed}”：请输入 1 到 {last} 的编号，或列表中的名称",
        "channel": "\n渠道：消息发到哪里？",
        "console": "本终端",
        "mail": "邮件",
        "wecom": "企业微信群机器人",
        "dingtalk": "钉钉群机器人",
        "feishu": "飞书或 Lark 群机器人",
        "url": "其他：Telegram、Slack、ntfy、webhook 等，用 Apprise URL（https://appriseit.com/services/）",
        "number": "编号或名称",
        "no channel": "没有“{typed}”这一项：请输入 1 到 6 的编号，或列表中的名称",
        "robot": "机器人的 webhook 地址，或其中的密钥（输入时不显示）",
        "is set": "回车：用已设置的 ${name}",
        "needed": "没有输入：此项必填；按 Ctrl-C 退出，不写任何文件",
        "unprintable": "内容含有控制字符：请重新输入，只能一行",
        "not robot": "这不是该机器人的地址：请从机器人的设置页复制，或另选渠道",
        "secret": "机器人的加签密钥（输入时不显示；回车：没有）",
        "keyword": "机器人的关键词（回车：没有）",
        "address": "发件人邮箱地址",
        "no address": "“{typed}”不是邮箱地址：请写成 name@example.org",
        "server": "SMTP 服务器，写主机或主机:端口",
        "no server": "“{typed}”不是服务器：请写成 smtp.example.org 或 smtp.example.org:465",
        "security": "加密方式",
        "login": "登录名（none：不登录）",
        "password": "密码或邮箱授权码（输入时不显示）",
        "to": "收件人，用逗号隔开",
        "apprise": "渠道的 Apprise URL（输入时不显示）",
        "unusable": "这个渠道不能用：{why}。请重新填写：",
        "try": "\n现在发一条测试消息？",
        "failed": "测试消息没有被接收。(t) 再试一次，(e) 重新填写渠道，(g) 继续，以后可能会好",
        "keep": "\n密钥放在哪里？它不会写进 monitor.toml。\n"
        "  1  variable  环境变量 {names}，由你设置\n"
        "  2  file      monitor.toml 旁边的 {file}，只有你能读",
        "no keep": "“{typed}”都不是：请输入 1 或 2",
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Chosen:
    """A channel. `url` is as it goes into the file, with `${VAR}` for what gives access, and `values` what was typed for these;
    `kept` is the whole URL where a file of its own is to hold it; `works` whether a test message was taken."""

    id: str
    url: str = field(repr=False)
    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    kept: str | None = field(default=None, repr=False)
    works: bool = False

    @property
    def target(self) -> str:
        """The URL whole. Raises ValueError naming the variable that is not set."""
        return Secrets({**os.environ, **self.values}, Path.cwd()).expand(self.url, url=True)


@dataclass(frozen=True, slots=True)
class Answers:
    """What the configuration is to hold; `presets` by their names."""

    language: str
    presets: tuple[str, ...]
    channels: tuple[Chosen, ...]


def id_of(url: str) -> str:
    """What a channel is called, by its URL."""
    name = scheme(url) if "://" in url else "channel"
    return IDS.get(name, name)


def language_of(environ: Mapping[str, str]) -> str:
    """zh or en, as the locale says."""
    said = environ.get("LC_ALL") or environ.get("LC_MESSAGES") or environ.get("LANG") or ""
    return "zh" if said.lower().startswith("zh") else "en"


def unusable(target: str) -> str | None:
    """A sentence, without secrets, if a channel's whole URL cannot be used. Opens no connection."""
    from monitor.senders.apprise import check_target
    from monitor.senders.native import native

    return check_target(native(target))


def pick(typed: str, names: Sequence[str], *, numbers: bool = True) -> tuple[str, ...]:
    """The names that were typed: numbers from 1, ranges, names, globs; each once. Raises ValueError(what is none of them)."""
    found: list[str] = []
    for word in re.split(r"[\s,，、;；]+", typed.strip()):
        places = re.fullmatch(r"([0-9]{1,6})(?:-([0-9]{1,6}))?", word) if numbers else None
        if places:
            first, last = int(places[1]), int(places[2] or places[1])
            some = list(names[first - 1 : last]) if 1 <= first <= last <= len(names) else []
        else:
            some = [name for name in names if fnmatchcase(name, word)]
        if not some:
            raise ValueError(word)
        found += some
    return tuple(dict.fromkeys(found))


def dialogue(path: Path, known: Mapping[str, Preset], default: Sequence[str], secret_file: str) -> Answers:
    """Ask at the terminal what the file at `path` is to hold. `default` presets are taken where none is named; `secret_file` is
    the name of the file that may keep a channel's URL. Raises click.Abort at Ctrl-C."""
    language = click.prompt("Language of messages  消息的语言", type=click.Choice(["zh", "en"]), default=language_of(os.environ))
    asked = Dialogue(language)
    asked.say("begin", path=path)
    presets = asked.sources(known, default)
    channel = asked.channel()
    if channel.values:
        channel = asked.kept(channel, secret_file)
    return Answers(language, presets, (channel,))


class Dialogue:
    """The questions in one language."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._words = WORDS[language]

    def say(self, key: str, **named: object) -> None:
        """A sentence. What was typed before is shown with its control characters visible."""
        shown = {name: output.visible(str(value)) if name != "names" else value for name, value in named.items()}
        click.echo(self._words[key].format(**shown))

    def _ask(self, key: str, default: str | None = None) -> str:
        """One line; with an empty default, Enter alone will do."""
        typed: str = click.prompt(self._words[key], default=default, show_default=bool(default))
        return typed.strip()

    def _hidden(self, key: str, name: str = "", *, needed: bool = True) -> str:
        """One line without echo; Enter takes the variable `name` of the environment where it is set."""
        is_set = os.environ.get(name, "").strip() if needed else ""
        label = self._words[key] + (f" [{self._words['is set'].format(name=name)}]" if is_set else "")
        while True:
            typed = str(click.prompt(label, default="", hide_input=True, show_default=False)).strip()
            if not typed.isprintable():
                self.say("unprintable")
            elif typed or is_set or not needed:
                return typed or is_set
            else:
                self.say("needed")

    def sources(self, known: Mapping[str, Preset], default: Sequence[str]) -> tuple[str, ...]:
        """The presets that are looked at."""
        names, width = list(known), max(map(len, known))
        self.say("sources")
        for number, preset in enumerate(known.values(), 1):
            body = preset.body if self._language == "zh" else preset.body_en
            mark = "*" if preset.name in default else " "
            click.echo(f"{number:>4} {mark} {preset.name:<{width}}  {body} · {preset.column}")
        while True:
            typed = self._ask("which", "")
            try:
                return pick(typed, names) if typed else tuple(default)
            except ValueError as error:
                self.say("no source", typed=error, last=len(names))

    def channel(self) -> Chosen:
        """A channel that can be used, tried out unless that was declined."""
        while True:
            chosen = self._channel()
            if chosen is None:
                continue
            try:
                why = unusable(chosen.target)
            except ValueError as error:
                why = str(error)
            if why:
                self.say("unusable", why=why)
                continue
            if chosen.id == "console" or not click.confirm(self._words["try"], default=True):
                return replace(chosen, works=chosen.id == "console")
            if tried := self._tried(chosen):
                return tried

    def _channel(self) -> Chosen | None:
        """A channel as it was entered; None where that came to nothing and was said."""
        self.say("channel")
        for number, name in enumerate(CHANNELS, 1):
            click.echo(f"{number:>4}  {name:<8}  {self._words[name]}")
        while True:
            typed = self._ask("number", "console")
            try:
                (name,) = pick(typed, CHANNELS)
                break
            except ValueError:
                self.say("no channel", typed=typed)
        if name == "console":
            return Chosen("console", "console://")
        if name == "mail":
            return self._mail()
        return self._robot(name) if name in ROBOTS else self._any()

    def _any(self) -> Chosen:
        from monitor.senders.native import native

        url = self._hidden("apprise")
        if refers(url) and not url.startswith("file:"):
            return Chosen(id_of(url), url)
        name = f"{re.sub('[^A-Z0-9]', '_', scheme(url).upper())}_URL" if re.match(r"[A-Za-z][\w+.-]*://", url) else "CHANNEL_URL"
        return Chosen(id_of(native(url)), f"${{{name}}}", {name: url})

    def _robot(self, service: str) -> Chosen | None:
        """A robot by its web address, its Apprise URL or its key alone."""
        from monitor.senders.native import native
        from monitor.senders.robots import parse

        schemes = ROBOTS[service]
        first = next(iter(schemes))
        name = f"{schemes[first]}_{'KEY' if service == 'wecom' else 'TOKEN'}"
        url = native(self._hidden("robot", name))
        url = url if "://" in url else f"{first}://{url}"
        kind = scheme(url)
        if kind not in schemes:
            self.say("not robot")
            return None
        key, given = parse(url)
        before, _, key = key.rpartition("@")
        name = name.replace(schemes[first], schemes[kind])
        if service == "wecom":
            return Chosen(service, f"{kind}://${{{name}}}", {name: key})
        secret = given.get("secret") or before or self._hidden("secret", needed=False)
        keyword = given.get("keyword") or self._ask("keyword", "")
        values, signed, query = {name: key}, "", []
        if secret:
            values[f"{schemes[kind]}_SECRET"] = secret
            reference = f"${{{schemes[kind]}_SECRET}}"
            signed = f"{reference}@" if service == "dingtalk" else ""
            query = [] if signed else [f"secret={reference}"]
        query += [f"keyword={quote(keyword, safe='')}"] if keyword else []
        return Chosen(kind, f"{kind}://{signed}${{{name}}}" + (f"/?{'&'.join(query)}" if query else ""), values)

    def _mail(self) -> Chosen:
        sender = self._addresses("address")
        while True:
            server = self._ask("server", f"smtp.{sender.rpartition('@')[2]}")
            found = re.fullmatch(r"([A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\])(?::([0-9]{1,5}))?", server)
            if found:
                break
            self.say("no server", typed=server)
        port = int(found[2] or 0)
        usual = next((way for way, its in PORTS.items() if its == port), "ssl")
        security = click.prompt(self._words["security"], type=click.Choice(list(PORTS)), default=usual)
        login = self._ask("login", sender)
        values, user = {}, ""
        if login != "none":
            values = {"MAIL_PASSWORD": self._hidden("password", "MAIL_PASSWORD")}
            user = f"{quote(login, safe='')}:${{MAIL_PASSWORD}}@"
        to = self._addresses("to", sender)
        begin, mode = ("mailto", "") if security == "none" else ("mailtos", f"&mode={security}")
        query = f"from={quote(sender, safe='@')}&to={quote(to, safe='@,')}{mode}"
        return Chosen("mail", f"{begin}://{user}{found[1]}:{port or PORTS[security]}?{query}", values)

    def _addresses(self, key: str, default: str | None = None) -> str:
        """One mail address, or several with commas where there is a default; ASCII, as Apprise takes no others."""
        while True:
            typed = self._ask(key, default)
            found = [one for one in re.split(r"[\s,，;；]+", typed) if one]
            wrong = [one for one in found if not re.fullmatch(r"[!-?A-~]+@[!-?A-~]+", one)]
            if found and not wrong and (default or len(found) == 1):
                return ",".join(found)
            self.say("no address", typed=wrong[0] if wrong else typed)

    def _tried(self, chosen: Chosen) -> Chosen | None:
        """The channel after a test message; None where it is to be entered again."""
        while send(chosen, self._language) != DONE:
            choice = click.prompt(self._words["failed"], type=click.Choice(["t", "e", "g"]), default="t")
            if choice == "e":
                return None
            if choice == "g":
                return chosen
        return replace(chosen, works=True)

    def kept(self, chosen: Chosen, secret_file: str) -> Chosen:
        """The channel, its secret to be kept where the person says."""
        self.say("keep", names=", ".join(f"${{{name}}}" for name in chosen.values), file=secret_file)
        while True:
            typed = self._ask("number", "variable")
            try:
                (place,) = pick(typed, ("variable", "file"))
            except ValueError:
                self.say("no keep", typed=typed)
                continue
            return replace(chosen, kept=chosen.target) if place == "file" else chosen


def send(chosen: Chosen, language: str) -> int:
    """Send the message of `monitor test` through a configuration that holds this channel alone and is gone afterwards; the exit
    code. What was typed is in the environment of this process meanwhile, and on no disk."""
    from monitor.cli.upkeep import test

    with tempfile.TemporaryDirectory(prefix="monitor-init-") as folder, _environment(chosen.values):
        path = Path(folder) / "monitor.toml"
        table = f"[[channel]]\nid = {json.dumps(chosen.id)}\nurl = {json.dumps(chosen.url, ensure_ascii=False)}\n"
        path.write_text(f'[monitor]\nlanguage = "{language}"\n{table}', "utf-8")
        path.chmod(0o600)
        try:
            with click.Context(test, info_name="test", obj={"config": str(path), "verbose": False}) as ctx:
                return int(ctx.invoke(test, channel=chosen.id))
        except MonitorError as error:
            output.warn(f"channel {chosen.id}: not sent: {error}")
            return FAILED


@contextlib.contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Variables of this process, set for a while."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
