"""`monitor demo`: the main job on a bundled replay, through the real fetch, store and deliver, over loopback. Nothing stays."""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitor.cli.common import DONE, FAILED
from monitor.cli.output import terminal

if TYPE_CHECKING:
    from monitor.cli.replay import Site
    from monitor.daemon import Loops

CONFIG = """
[monitor]
every = "1s"
hold = "10s"
failing_after = "0s"
language = "{language}"
[http]
delay = "0s"
allow_private = ["127.0.0.0/8"]
[[source]]
preset = "miit/tz"
url = "{url}{column}"
recheck = ["1s", "2s", "3s", "4s", "5s", "6s", "8s", "10s", "15s", "20s", "30s"]
[[source]]
preset = "doonsec"
url = "{url}/rss.xml"
[[channel]]
id = "console"
url = "console://"
"""
SOURCES = ("miit/tz", "doonsec")

WORDS = {
    "en": {
        "opening": "On this machine, three sites are played for about ten seconds: a column of the Ministry of Industry and"
        " Information Technology (MIIT), a feed of WeChat articles, and WeChat. monitor watches them as it would the real ones.",
        "baseline": "First sight: what is there is stored as the baseline, and nothing is told.",
        "unchanged": "Nothing changed: nothing is told.",
        "new": "The ministry publishes a notice. Its list is loaded by a script, as on the real site. The notice is told once,"
        " with its issuers, number and day of signing, and with the text of its page.",
        "reprint": "A WeChat account reprints it under another headline. The article's page is read, without the advertisements,"
        " QR codes and buttons around it: it is the same document, and one message is enough.",
        "copy": "{title}: stored, not told: the same document as notice {notice}, where it is listed as also seen at {url}",
        "edit": "The page of an older notice is edited; the list does not show it. What changed is told, character by character.",
        "broken": "The feed breaks. Told once: at the third failed check.",
        "well": "The feed is well again. Told once.",
        "outcomes": "baseline, {rows} stored|list unchanged|list changed|failed, {error}",
        "next": "Next: `monitor init` writes a monitor.toml with official sources, `monitor check` looks once, `monitor run`"
        " goes on.",
    },
    "zh": {
        "opening": "接下来大约十秒，本机模拟三个网站：工业和信息化部的“通知”栏目、汇集公众号文章的订阅源、微信。"
        "monitor 像看真网站一样看它们。",
        "baseline": "首次查看：已有内容存为基线，不发消息。",
        "unchanged": "没有变化：不发消息。",
        "new": "工信部发布一条通知。和真网站一样，它的列表要靠脚本加载。只发一条消息，写明发文机关、文号、成文日期，附网页正文。",
        "reprint": "公众号换个标题转载了它。读取文章网页，周围的广告、二维码、按钮都不要：是同一份文件，不再发第二条消息。",
        "copy": "{title}：已保存，不另发：与公告 {notice} 是同一份文件，在那里列为“另见” {url}",
        "edit": "一条旧通知的网页被改了，列表看不出来。发出改动，精确到字。",
        "broken": "订阅源出错：第三次失败时发一条消息。",
        "well": "订阅源恢复：发一条消息。",
        "outcomes": "存为基线 {rows} 条|列表没有变化|列表有变化|失败，{error}",
        "next": "下一步：`monitor init` 写出含官方来源的 monitor.toml，`monitor check` 查看一次，`monitor run` 持续运行。",
    },
}


@dataclass(frozen=True, slots=True)
class Scene:
    """What happens (`act`), what is said of it (a key of the words), how often is looked, and the kinds of change that it must
    tell; `waits`: it is seen only when a page's own plan has come, a second later."""

    said: str
    tells: tuple[str, ...] = ()
    act: Callable[[Site], None] = lambda site: None
    checks: int = 1
    waits: bool = False


SCENES = (
    Scene("baseline"),
    Scene("unchanged"),
    Scene("new", ("new",), lambda site: site.publish()),
    Scene("reprint", ("new",), lambda site: site.reprint()),
    Scene("edit", ("revised",), lambda site: site.edit(), waits=True),
    Scene("broken", ("failing",), lambda site: setattr(site, "broken", True), checks=3),
    Scene("well", ("recovered",), lambda site: setattr(site, "broken", False)),
)


@click.command()
@click.option("--language", type=click.Choice(["zh", "en"]), help="Words of the demo; else by $LANG.")
def demo(language: str | None) -> int:
    """See the main job on a bundled replay of a ministry's list and WeChat articles: about ten seconds, nothing stays."""
    import logging

    from monitor import config
    from monitor.cli.replay import COLUMN, Site
    from monitor.daemon import Loops

    logging.getLogger("monitor").addHandler(logging.NullHandler())  # the scenes themselves say what happens
    language = language or ("zh" if os.environ.get("LC_ALL", os.environ.get("LANG", "")).startswith("zh") else "en")
    with tempfile.TemporaryDirectory(prefix="monitor-demo-") as folder, Site() as site:
        path = Path(folder) / "monitor.toml"
        path.write_text(CONFIG.format(url=site.url, column=COLUMN, language=language), "utf-8")
        loops = Loops(config.load(path, {}))
        try:
            well = _play(loops, site, WORDS[language])
        finally:
            loops.close()
    click.echo()
    _print(WORDS[language]["next"])
    return DONE if well else FAILED


def _play(loops: Loops, site: Site, words: dict[str, str]) -> bool:
    """Every scene; whether each told what it had to."""
    _print(words["opening"])
    well = True
    for number, scene in enumerate(SCENES, 1):
        click.echo()
        _print(f"{number}. {words[scene.said]}", "bold")
        scene.act(site)
        before = _kinds(loops)
        for _ in range(scene.checks):
            time.sleep(1.1 if scene.waits else 0.9 if terminal() else 0.1)  # at a terminal a person reads along
            told = io.StringIO()
            with contextlib.redirect_stdout(told):
                reports = loops.check_now(SOURCES).reports
            _outcomes(reports, words["outcomes"])
            _message(told.getvalue().strip())
        _copies(loops, len(before), words["copy"])
        well = well and tuple(_kinds(loops)[len(before) :]) == scene.tells
    return well


def _copies(loops: Loops, after: int, phrase: str) -> None:
    """What was new and is a copy of what was told."""
    from monitor.store import copies, lists

    with loops.store.read() as conn:
        for row in lists.change_rows(conn, lists.Filter(after=0))[after:]:
            if row["kind"] == "new" and row["silence"] and (same := copies.reason(conn, row["notice"])):
                _print("   " + phrase.format(title=row["title"], notice=same[0], url=row["url"]), "green")


def _outcomes(reports: Sequence[Any], phrases: str) -> None:
    """One line a check: what each source gave."""
    said = dict(zip(("baseline", "unchanged", "changed", "failed"), phrases.split("|"), strict=True))
    shown = [f"{one.source}: {said[one.outcome].format(rows=one.rows, error=one.error)}" for one in reports]
    _print(f"   {' · '.join(shown)}", "dim")


def _print(text: str, style: str = "") -> None:
    """A line of the demo's own; at a terminal wrapped between words."""
    if not terminal():
        click.echo(text)
        return
    from rich.console import Console
    from rich.text import Text

    Console(highlight=False).print(Text(text, style))


def _message(text: str) -> None:
    """A message as the channel printed it: in a frame at a terminal, as it is in a pipe."""
    if not text:
        return
    if not terminal():
        click.echo(f"\n{text}\n")
        return
    from rich.console import Console
    from rich.panel import Panel
    from rich.text import Text

    shown = Text()
    for at, line in enumerate(text.split("\n")):
        sign = line[:2] if line[:2] in ("- ", "+ ") else ""
        style = "bold" if at == 0 else {"- ": "red", "+ ": "green"}.get(sign, "dim" if line.startswith("http://") else "")
        shown.append(("\n" if at else "") + sign.replace(" ", "\xa0") + line[len(sign) :], style)
    console = Console(highlight=False)
    console.print(Panel(shown, width=min(console.width, 100), border_style="cyan"))


def _kinds(loops: Loops) -> list[str]:
    """The kinds of all changes so far, in their order."""
    from monitor.store import lists

    with loops.store.read() as conn:
        return [row["kind"] for row in lists.change_rows(conn, lists.Filter(after=0))]
