"""`monitor init`, `validate`, `presets`: the configuration. What `init` asks at a terminal is in `asking`."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from importlib.resources import files
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli import output
from monitor.cli.common import DONE, FAILED, ID, USAGE, browserless, counted, load, unknown
from monitor.cli.output import Column, terminal

if TYPE_CHECKING:
    from monitor.cli import asking

PRESETS = ("name", "body", "column", "kind", "url", "verified", "user_agent", "note")
#: What `init` says when it has written.
NEXT = {
    "en": {
        "written": "{path} written: {sources}, told on {ids}.",
        "secret file": "{path} written: it holds the channel's URL with its secret; only you can read it.",
        "variable": "channel {id} needs {name}, which is in no file: set it in the shell that starts monitor, "
        "or for its service:\n"
        "  read -rs {name} && export {name}      type it and press Enter: nothing is shown",
        "absent": "channel {id} needs the file {path}, which is not there: put the channel's URL into it, on one line",
        "next": "Next:",
        "test": "send a test message",
        "check": "look once: stores the baseline",
        "run": "go on looking",
    },
    "zh": {
        "written": "已写入 {path}：{n} 个来源，消息发到 {ids}。",
        "secret file": "已写入 {path}：其中是渠道的 URL 和密钥，只有你能读。",
        "variable": "渠道 {id} 需要 {name}，它不在任何文件里：请在启动 monitor 的 shell（或其服务）中设置：\n"
        "  read -rs {name} && export {name}      输入后回车，不会显示",
        "absent": "渠道 {id} 需要文件 {path}，它还不存在：请把渠道的 URL 写进去，只占一行",
        "next": "下一步：",
        "test": "发一条测试消息",
        "check": "看一次：现有内容存为基线",
        "run": "持续运行",
    },
}


def template() -> str:
    """The default monitor.toml: beside the presets in an installed package, in `config/` of a checkout."""
    packaged = files("monitor") / "presets" / "monitor.toml"
    if packaged.is_file():
        return packaged.read_text("utf-8")
    return (Path(__file__).parents[2] / "config" / "monitor.toml").read_text("utf-8")


@click.command()
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path), default=".")
@click.option("--language", type=click.Choice(["zh", "en"]), help="Words of messages.")
@click.option("--source", "sources", multiple=True, metavar="PRESET", help="A source of `monitor presets`; repeats; ndrc/* too.")
@click.option("--channel", "channels", multiple=True, metavar="URL", help="A channel, as an Apprise URL; repeats; ${VAR} in it.")
@click.option("--yes", is_flag=True, help="Ask nothing: defaults for what is not named.")
def init(directory: Path, language: str | None, sources: tuple[str, ...], channels: tuple[str, ...], yes: bool) -> int:
    """Write a commented monitor.toml into DIRECTORY (here, if none is named); never overwrites.

    At a terminal and without options it asks for language, sources and a channel, and tries the channel out.
    """
    path = directory / "monitor.toml"
    if said := _in_the_way(path):
        output.warn(said)
        return FAILED
    page = template().replace("#:schema ./monitor.schema.json\n", "")
    if yes or language or sources or channels or not _at_terminal():
        answers = _given(page, language, sources, channels, directory)
    else:
        from monitor.cli import asking
        from monitor.config import presets

        answers = asking.dialogue(path, presets(), list(_tables(page, "source")), _free(directory).name)
        language = answers.language
    answers, secret_files = _secret_files(answers, directory)
    directory.mkdir(parents=True, exist_ok=True)
    write({**secret_files, path: compose(page, answers)})
    _written(path, answers, list(secret_files), language or "en")
    return DONE


def _at_terminal() -> bool:
    """Whether a person can read questions and answer them."""
    return terminal() and sys.stdin is not None and sys.stdin.isatty()


def _in_the_way(path: Path) -> str | None:
    """Why the file cannot be written, before anything is asked; None if it can."""
    if path.exists() or path.is_symlink():
        return f"{path} exists already and is not overwritten: name another folder, or move that file away"
    there = next(place for place in path.absolute().parents if place.exists())
    if not there.is_dir():
        return f"{there} is a file, so {path} cannot be written: name another folder"
    if not os.access(there, os.W_OK | os.X_OK):
        return f"{there} is not yours to write in, so {path} cannot be written: name another folder, or ask for the right to"
    return None


def _given(page: str, language: str | None, sources: Sequence[str], channels: Sequence[str], directory: Path) -> asking.Answers:
    """The answers of options, those of the default page where one is absent. Raises a usage error for what cannot be used."""
    from monitor.cli import asking
    from monitor.config import presets
    from monitor.senders.native import native

    known = list(presets())
    names = list(_tables(page, "source"))
    try:
        names = [name for one in sources for name in asking.pick(one, known, numbers=False)] if sources else names
    except ValueError as error:
        raise unknown("preset", str(error), known) from None
    chosen: list[asking.Chosen] = []
    for url in channels or _tables(page, "channel"):
        taken = {one.id for one in chosen}
        name = asking.id_of(native(url))
        free = next(id_ for id_ in chain([name], (f"{name}-{number}" for number in count(2))) if id_ not in taken)
        chosen.append(_channel(url, free, directory))
    return asking.Answers(language or "", tuple(dict.fromkeys(names)), tuple(chosen))


def _channel(url: str, id_: str, directory: Path) -> asking.Chosen:
    """The channel of an option. A URL that holds its secret itself is kept in a file of its own; one that refers to what is not
    there yet is taken as it is, and said afterwards. Raises a usage error for a URL that cannot be used; it is not repeated."""
    from monitor.cli import asking
    from monitor.config.secrets import Secrets, refers

    if not url.isprintable():
        raise click.UsageError("--channel: the URL holds line ends or control characters: give it on one line")
    absent = _absent(url)
    try:
        target = Secrets({**os.environ, **dict.fromkeys(absent, "x")}, directory).expand(url, url=True)
    except ValueError as error:
        if url.startswith("file:") and (absent or not (directory / url.removeprefix("file:")).exists()):
            return asking.Chosen(id_, url)
        raise click.UsageError(f"--channel: {error}") from None
    # Of a URL whose secrets are not known yet, only the service can be judged.
    judged = not absent or not re.match(r"\$\{|[A-Za-z][A-Za-z0-9+.-]*://", url)
    if judged and (why := asking.unusable(target)):
        raise click.UsageError(f"--channel: {why}")
    return asking.Chosen(id_, url, kept=None if refers(url) or id_.partition("-")[0] == "console" else target)


def _absent(url: str) -> list[str]:
    """The variables that a URL refers to and that are not set here."""
    names = dict.fromkeys(re.findall(r"(?<!\$)\$\{([A-Za-z_]\w*)\}", url))
    return [name for name in names if not os.environ.get(name, "").strip()]


def _tables(page: str, name: str) -> dict[str, str]:
    """The [[source]] or [[channel]] paragraphs of the default page, as written, by their preset or URL."""
    found = {}
    for paragraph in page.split("\n\n"):
        if paragraph.startswith(f"[[{name}]]"):
            (table,) = tomllib.loads(paragraph)[name]
            found[str(table["preset" if name == "source" else "url"])] = paragraph
    return found


def compose(page: str, answers: asking.Answers) -> str:
    """The default page with its sources, channels and language replaced; comments stay, and what stays is as it was."""
    from monitor.config import presets

    known, usual = presets(), {name: _tables(page, name) for name in ("source", "channel")}
    sources = [
        usual["source"].get(name) or f"[[source]]\n{f'preset = {json.dumps(name)}':<30} # {known[name].body} {known[name].column}"
        for name in answers.presets
    ]
    channels = [usual["channel"].get(one.url) or _table_of(one) for one in answers.channels]
    paragraphs: list[str] = []
    for paragraph in page.split("\n\n"):
        first = paragraph.partition("\n")[0]
        if first in ("[[source]]", "[[channel]]"):
            ours = sources if first == "[[source]]" else channels
            paragraphs += ours
            ours.clear()
        else:
            paragraphs.append(paragraph)
    text = "\n\n".join(paragraphs)
    if answers.language:
        text = re.sub(r'^language = "\w+"', f'language = "{answers.language}"', text, flags=re.MULTILINE)
    return text


def _table_of(channel: asking.Chosen) -> str:
    names = re.findall(r"\$\{(\w+)\}", channel.url)
    note = ""
    if channel.url.startswith("file:"):
        note = "# 完整的 URL 在这个文件里，只有你能读  the whole URL is in that file, readable by you alone\n"
    elif names:
        note = f"# 密钥由环境变量给出  the secret comes from the environment: {', '.join(names)}\n"
    return f"[[channel]]\n{note}id  = {json.dumps(channel.id)}\nurl = {json.dumps(channel.url, ensure_ascii=False)}"


def _free(directory: Path, taken: Collection[Path] = ()) -> Path:
    """The first name of a secret's file that is not there yet."""
    names = ("channel.secret", *(f"channel-{number}.secret" for number in range(2, 1000)))
    return next(place for place in (directory / name for name in names) if place not in taken and not os.path.lexists(place))


def _secret_files(answers: asking.Answers, directory: Path) -> tuple[asking.Answers, dict[Path, str]]:
    """The answers with `file:` for each URL that is to be kept, and these files with what they hold."""
    kept: dict[Path, str] = {}
    channels = []
    for channel in answers.channels:
        if channel.kept is None:
            channels.append(channel)
            continue
        place = _free(directory, kept)
        kept[place] = channel.kept + "\n"
        channels.append(replace(channel, url=f"file:{place.name}", values={}, kept=None))
    return replace(answers, channels=tuple(channels)), kept


def write(contents: Mapping[Path, str]) -> None:
    """New files, mode 0600: all of them whole, or none. Raises OSError, also where one exists by now."""
    made: list[Path] = []
    try:
        for path, text in contents.items():
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            made.append(path)
            with os.fdopen(descriptor, "w", encoding="utf-8") as out:
                out.write(text)
    except BaseException:
        for path in made:
            path.unlink(missing_ok=True)
        raise


def _written(path: Path, answers: asking.Answers, secret_files: Sequence[Path], language: str) -> None:
    """Say what was written, what has to be set, and the next commands."""
    words = NEXT[language]
    ids = ", ".join(channel.id for channel in answers.channels)
    click.echo(
        words["written"].format(path=path, sources=counted(len(answers.presets), "source"), n=len(answers.presets), ids=ids)
    )
    for place in secret_files:
        click.echo(words["secret file"].format(path=place))
    config = "" if path.parent == Path() else f"--config {shlex.quote(str(path))} "
    steps = [(f"monitor {config}check", words["check"]), (f"monitor {config}run", words["run"])]
    for channel in answers.channels:
        absent = _absent(channel.url)
        for name in absent:
            click.echo(words["variable"].format(id=channel.id, name=name))
        if channel.url.startswith("file:") and not (path.parent / channel.url.removeprefix("file:")).is_file() and not absent:
            click.echo(words["absent"].format(id=channel.id, path=path.parent / channel.url.removeprefix("file:")))
        if not channel.works and channel.url != "console://":
            steps.insert(len(steps) - 2, (f"monitor {config}test {shlex.quote(channel.id)}", words["test"]))
    click.echo(words["next"])
    width = max(len(command) for command, _ in steps)
    for command, said in steps:
        click.echo(f"  {command:<{width}}   {said}")


@click.command()
@click.pass_context
def validate(ctx: click.Context) -> int:
    """Check the configuration: every problem at once, with file and line."""
    from monitor import config as configs
    from monitor import schedule

    config = load(ctx)
    if unusable := configs.check_channels(config) + browserless(config):
        for said in unusable:
            output.warn(said)
        return USAGE
    numbers = ((len(config.sources), "source"), (len(config.channels), "channel"), (len(config.routes), "route"))
    click.echo(f"{config.path}: good: {', '.join(counted(number, noun) for number, noun in numbers)}")
    now = datetime.now(UTC)
    for source in config.sources.values():
        if source.schedule.cron:
            times = ", ".join(
                output.local(at.isoformat(), config.timezone) for at in schedule.fire_times(source.schedule, now, 3)
            )
            click.echo(f"  {source.id}: cron {source.schedule.cron}: next {times}")
    if not config.sources:
        output.warn("no source: nothing is looked at; add a [[source]], monitor presets lists official ones")
    if not config.channels:
        output.warn("no channel: what changes is stored and told nowhere; add a [[channel]]")
    if terminal():
        output.hint("next: monitor check")
    return DONE


@click.command()
@click.option("--source", "names", multiple=True, metavar="GLOB", help="Only these presets. Repeats.")
@click.option("--kind", "kinds", multiple=True, help="Only these: feed, list, json, jpaas, page. Repeats.")
@click.option("--limit", type=ID, help="At most so many.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def presets(names: tuple[str, ...], kinds: tuple[str, ...], limit: int | None, as_json: bool) -> int:
    """List the official sources that are known by name; use one as `preset = "NAME"` in a [[source]]."""
    from monitor import config
    from monitor.cli.listing import choice_of_kinds

    choice_of_kinds(kinds)
    chosen = [
        preset
        for preset in config.presets().values()
        if (not names or any(fnmatchcase(preset.name, glob) for glob in names)) and (not kinds or preset.kind in kinds)
    ]
    found = [
        {
            "name": preset.name,
            "body": preset.body,
            "column": preset.column,
            "kind": preset.kind,
            "url": preset.url,
            "verified": preset.verified,
            "user_agent": preset.keys.get("user_agent"),
            "note": preset.note or None,
            "named": "of a browser" if "user_agent" in preset.keys else "",
        }
        for preset in chosen[:limit]
    ]
    columns = [
        Column("name", "PRESET"), Column("body", "BODY"), Column("column", "COLUMN"), Column("kind", "KIND"),
        Column("verified", "VERIFIED"), Column("named", "USER AGENT"), Column("url", "URL", wide=True),
    ]  # fmt: skip
    output.rows(found, columns, "UTC", as_json=as_json, keys=PRESETS)
    return DONE
