"""What changes about a source, a channel or this machine say, in Chinese and English. It decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from monitor.config import Config
from monitor.decide import Say

_ZH = {
    "note.accepted": "列表现有 {rows} 行，以前通常 {usual} 行，从现在起以此为准",
    "note.rebaselined": "{rows} 行都没有见过：作为新的基线保存，不逐条发送",
    "note.readdressed": "{rows} 行中有 {count} 行换了网址，内容没有变",
    "note.dates": "{rows} 行中有 {count} 行的日期一起变了",
    "note.flapping": "一天内改动 {count} 次：以后的版本只保存不发送，每天汇总一次",
    "note.quiet": "自 {since} 起 {days} 天没有新公告，以前最长间隔 {longest} 天：请打开网站看看，栏目可能换了地址或停用",
    "note.alive": "自 {since} 起没有要发的消息。{sources} 个来源：{well} 个正常，{failing} 个看不到，{quiet} 个异常安静",
    "note.moved": "网址已永久移到 {url}：请改配置里的 url",
    "gap.no overlap": "{rows} 行都没有见过：两次查看之间可能漏了公告",
    "gap.more pages": "看了 {rows} 行，没有见过的一直排到最后一行：后面可能还有漏掉的公告",
    "failing": "{error}（自 {since} 起，{count} 次检查失败；下次查看：{due}）",
    "failing.first": "还没有成功看到过：没有基线，第一次看到的公告不会逐条发送",
    "failing.hint": "怎么办：{hint}",
    "failing.alike": "同一网站（{host}）的这些来源也一样：{others}",
    "failing.offline": "自 {since} 起，{count} 个来源全都连不上：像是本机断网了；{due} 再试",
    "failing.disk": "数据库所在的磁盘只剩 {free} MiB：暂停查看来源，已有内容都在，待发的消息照常发送。请清理磁盘",
    "recovered.disk": "磁盘又有空间了，继续查看来源",
    "recovered": "从 {since} 起看不到，{count} 次检查失败，现在恢复了",
    "recovered.online": "本机又能连上来源了",
    "channel.broken": "通道“{channel}”拒收所有消息：{error}。欠它的消息都留着，每小时试发一条。"
    "请改正配置里它的 url，然后运行：monitor test {channel}",
    "channel.mended": "通道“{channel}”又能收消息了；它拒收过的 {count} 条重新排队发送",
}
_EN = {
    "note.accepted": "the list has {rows} rows, usually {usual}: from now on this is what is expected",
    "note.rebaselined": "none of the {rows} rows was known: they are stored as a new baseline and not told one by one",
    "note.readdressed": "{count} of {rows} notices stand under new addresses; what they say did not change",
    "note.dates": "the dates of {count} of {rows} rows changed together",
    "note.flapping": "revised {count} times within a day: further versions are stored and summed up once a day",
    "note.quiet": "nothing new since {since} ({days} days; the longest pause so far was {longest}): look at the site, the column"
    " may have moved or ended",
    "note.alive": "nothing to tell since {since}. {sources} sources: {well} well, {failing} failing, {quiet} unusually quiet",
    "note.moved": "the address moved for good to {url}: update `url` in the configuration",
    "gap.no overlap": "none of the {rows} rows was known: notices may have come and gone between two checks",
    "gap.more pages": "unknown rows reach to the last of the {rows} that were looked at: there may be more behind them",
    "failing": "{error} (since {since}, {count} failed check{s}; next look {due})",
    "failing.first": "No baseline yet: it was never seen well, and what it shows first will not be told one by one",
    "failing.hint": "What to do: {hint}",
    "failing.alike": "The same for other sources on {host}: {others}",
    "failing.offline": "none of the {count} sources can be reached since {since}: this machine seems offline; next look {due}",
    "failing.disk": "the database's disk has only {free} MiB left: sources are not looked at, nothing is lost, messages still go"
    " out. Free some space",
    "recovered.disk": "the disk has room again; sources are looked at",
    "recovered": "could not be seen since {since}, {count} failed check{s}; now it can",
    "recovered.online": "this machine reaches its sources again",
    "channel.broken": 'channel "{channel}" refuses every message: {error}. What is owed to it waits; one message is tried each'
    " hour. Mend its url in the configuration, then: monitor test {channel}",
    "channel.mended": 'channel "{channel}" takes messages again; {count} put back that it had refused',
}


class Words:
    """The words of one configuration: its language, its local time."""

    def __init__(self, config: Config) -> None:
        self._table: Mapping[str, str] = _EN if config.language == "en" else _ZH
        self._zone = ZoneInfo(config.timezone)

    def __call__(self, key: str, **facts: object) -> str:
        """A sentence; moments are shown as local time to the minute."""
        shown = {name: self._local(fact) if isinstance(fact, datetime) else fact for name, fact in facts.items()}
        return self._table[key].format(**shown, s="" if facts.get("count") == 1 else "s")

    def _local(self, moment: datetime) -> str:
        return moment.astimezone(self._zone).strftime("%Y-%m-%d %H:%M")

    def say(self, step: Say) -> str:
        """What a decision wants to be said of a source or notice."""
        return self(f"{step.kind}.{step.reason}", **dict(step.facts))
