"""`monitor demo`: the main job on a bundled replay, through the real fetch, store and deliver, over loopback. Nothing stays."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.common import DONE, FAILED, terminal

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
id = "ministry/tz"
kind = "list"
url = "{url}/tz/"
items = "ul.u-list > li"
date = "span"
follow = true
recheck = ["1s", "2s", "3s", "4s", "5s", "6s", "8s", "10s", "15s", "20s", "30s"]
[[source]]
id = "feed"
kind = "feed"
url = "{url}/feed.xml"
[[channel]]
id = "console"
url = "console://"
"""

WORDS = {
    "en": [
        "First sight: what is there is stored as the baseline, and nothing is told.",
        "Nothing changed: nothing is told.",
        "The ministry publishes a notice. It is told once, with its text.",
        "The notice's page is quietly edited; the list does not show it. The difference is told.",
        "The feed breaks. Told once: at the third failed check.",
        "The feed is well again. Told once.",
    ],
    "zh": [
        "首次查看：已有内容存为基线，不发消息。",
        "没有变化：不发消息。",
        "部委发布新通知：只发一条消息，附正文。",
        "通知正文被悄悄修改，列表看不出来：发出修改之处。",
        "订阅源出错：第三次失败时发一条消息。",
        "订阅源恢复：发一条消息。",
    ],
}
NEXT = {
    "en": "Next: `monitor init` writes a monitor.toml with official sources, `monitor check` looks once, `monitor run` goes on.",
    "zh": "下一步：`monitor init` 写出含官方来源的 monitor.toml，`monitor check` 查看一次，`monitor run` 持续运行。",
}


@click.command()
@click.option("--language", type=click.Choice(["zh", "en"]), help="Words of the demo; else by $LANG.")
def demo(language: str | None) -> int:
    """See the main job on a bundled replay of a ministry's list and a feed: about ten seconds, nothing stays."""
    import logging

    from monitor import config
    from monitor.cli.replay import Site
    from monitor.daemon import Loops

    logging.getLogger("monitor").addHandler(logging.NullHandler())  # the scenes themselves say what happens
    language = language or ("zh" if os.environ.get("LC_ALL", os.environ.get("LANG", "")).startswith("zh") else "en")
    with tempfile.TemporaryDirectory(prefix="monitor-demo-") as folder, Site() as site:
        path = Path(folder) / "monitor.toml"
        path.write_text(CONFIG.format(url=site.url, language=language), "utf-8")
        loops = Loops(config.load(path, {}))
        try:
            well = _play(loops, site, language)
        finally:
            loops.close()
    click.echo()
    click.echo(NEXT[language])
    return DONE if well else FAILED


def _play(loops: Loops, site: Site, language: str) -> bool:
    """Every scene; whether each told what it had to."""
    scenes: list[tuple[Callable[[], None], int, str | None]] = [
        (lambda: None, 1, None),
        (lambda: None, 1, None),
        (site.publish, 1, "new"),
        (site.edit, 1, "revised"),
        (lambda: setattr(site, "broken", True), 3, "failing"),
        (lambda: setattr(site, "broken", False), 1, "recovered"),
    ]
    well = True
    for number, (act, checks, expected) in enumerate(scenes):
        click.echo()
        click.secho(f"{number + 1}. {WORDS[language][number]}", bold=terminal())
        act()
        before = _kinds(loops)
        for _ in range(checks):
            time.sleep(1.1)  # the pages' own plan: one look a second
            for report in loops.check_now(["ministry/tz", "feed"]).reports:
                failed = f": {report.error}" if report.error else ""
                click.echo(f"   {report.source}: {report.outcome}{failed}")
        well = well and _kinds(loops)[len(before) :] == ([expected] if expected else [])
    return well


def _kinds(loops: Loops) -> list[str]:
    """The kinds of all changes so far, in their order."""
    from monitor.store import lists

    with loops.store.read() as conn:
        return [row["kind"] for row in lists.change_rows(conn, lists.Filter(after=0))]
