"""What monitor itself says in a message, in Chinese and English. Nothing from outside is in here, and nothing is escaped."""

from __future__ import annotations

from monitor.model import Kind

_ZH = {
    "marker.new": "【新】",
    "marker.revised": "【改】",
    "marker.withdrawn": "【撤】",
    "marker.restored": "【复】",
    "marker.gap": "【漏？】",
    "marker.failing": "【障】",
    "marker.recovered": "【好】",
    "marker.note": "【注】",
    "marker.reminder": "【提醒】",
    "by": "{who}：{title}",
    "fact": "{name}：{value}",
    "and": "、",
    "source": "来源",
    "published": "日期",
    "label.author": "作者",
    "label.category": "类别",
    "label.number": "文号",
    "label.severity": "等级",
    "label.cve": "CVE",
    "label.deadline": "截止",
    "label.effective": "施行",
    "also": "另见",
    "attachments": "附件",
    "changed": "变动",
    "versions": "第 {before} 版 → 第 {after} 版",
    "version": "第 {seq} 版",
    "old_title": "旧标题",
    "new_title": "新标题",
    "was_now": "{was} → {now}",
    "unknown": "未知",
    "added": "新增附件",
    "removed": "删去附件",
    "replaced": "附件内容变了",
    "withdrawn_at": "撤下",
    "restored_at": "恢复",
    "withdrawn": "原文已经看不到了。下面是我们存的副本",
    "copy": "副本",
    "taken": "{version}，取于 {at}",
    "link": "原文",
    "house_link": "网址",
    "at": "时间",
    "reason": "原因",
    "reason.title": "标题",
    "reason.text": "正文",
    "reason.date": "日期",
    "reason.attachments": "附件",
    "reason.attachment": "附件",
    "reason.summary": "摘要",
    "reason.labels": "标注",
    "gap": "可能有遗漏：{name}",
    "failing": "看不到了：{name}",
    "failing.offline": "本机连不上网，所有来源都看不到",
    "recovered": "恢复正常：{name}",
    "recovered.online": "本机恢复联网",
    "note": "说明：{name}",
    "note.moved": "网址永久改变：{name}",
    "note.accepted": "已接受变短的列表：{name}",
    "note.readdressed": "通知换了网址：{name}",
    "note.rebaselined": "重新建立基线：{name}",
    "note.dates": "日期成批改动：{name}",
    "note.channel": "发送通道有变",
    "note.alive": "monitor 运行正常",
    "note.flapping": "改动频繁，此后只汇总：{name}",
    "updates": "{n} 条更新",
    "digest": "汇总：{n} 条更新",
    "and_others": "{source} 等",
    "machine": "monitor",
}
_EN = {
    "marker.new": "[new] ",
    "marker.revised": "[revised] ",
    "marker.withdrawn": "[withdrawn] ",
    "marker.restored": "[restored] ",
    "marker.gap": "[gap] ",
    "marker.failing": "[failing] ",
    "marker.recovered": "[recovered] ",
    "marker.note": "[note] ",
    "marker.reminder": "[reminder] ",
    "by": "{who}: {title}",
    "fact": "{name}: {value}",
    "and": ", ",
    "source": "Source",
    "published": "Date",
    "label.author": "Author",
    "label.category": "Category",
    "label.number": "Number",
    "label.severity": "Severity",
    "label.cve": "CVE",
    "label.deadline": "Deadline",
    "label.effective": "Effective",
    "also": "Also seen at",
    "attachments": "Attachments",
    "changed": "Changed",
    "versions": "version {before} → {after}",
    "version": "version {seq}",
    "old_title": "Old title",
    "new_title": "New title",
    "was_now": "{was} → {now}",
    "unknown": "unknown",
    "added": "Attachment added",
    "removed": "Attachment removed",
    "replaced": "Attachment has other content",
    "withdrawn_at": "Withdrawn",
    "restored_at": "Restored",
    "withdrawn": "The original can no longer be seen. Our copy says",
    "copy": "Our copy",
    "taken": "{version}, taken {at}",
    "link": "Original",
    "house_link": "Address",
    "at": "At",
    "reason": "Reason",
    "reason.title": "title",
    "reason.text": "text",
    "reason.date": "date",
    "reason.attachments": "attachments",
    "reason.attachment": "attachment",
    "reason.summary": "summary",
    "reason.labels": "labels",
    "gap": "possible gap: {name}",
    "failing": "cannot be seen any more: {name}",
    "failing.offline": "this machine is offline: no source can be seen",
    "recovered": "well again: {name}",
    "recovered.online": "this machine is online again",
    "note": "note: {name}",
    "note.moved": "moved for good: {name}",
    "note.accepted": "the shorter list is accepted: {name}",
    "note.readdressed": "notices have new addresses: {name}",
    "note.rebaselined": "a new baseline: {name}",
    "note.dates": "many dates changed together: {name}",
    "note.channel": "about a channel",
    "note.alive": "monitor is running",
    "note.flapping": "changes often, only summarised from here on: {name}",
    "updates": "{n} updates",
    "digest": "Digest: {n} updates",
    "and_others": "{source} and others",
    "machine": "monitor",
}


class Words:
    """The words of one language: "zh…" or "en…"; Chinese for what is neither."""

    def __init__(self, language: str) -> None:
        self.language = "en" if language.lower().startswith("en") else "zh"
        self._table = _EN if self.language == "en" else _ZH

    def __call__(self, key: str, **values: object) -> str:
        """The phrase of a key, with its values put in. Raises KeyError for a key that is none."""
        return self._table[key].format(**values)

    def fact(self, key: str, value: str) -> str:
        """ "name: value" with one of monitor's own names."""
        return self("fact", name=self._table[key], value=value)

    def label(self, name: str, value: str) -> str:
        """ "name: value" with a source's name, in this language where it is a usual one."""
        return self("fact", name=self._table.get(f"label.{name}", name), value=value)

    def listed(self, values: list[str]) -> str:
        return self("and").join(values)

    def marker(self, kind: Kind) -> str:
        return self(f"marker.{kind}")

    def reason(self, reason: str) -> str:
        """A revision's reason ("title, text") in words; a part that is not known stays as it is."""
        parts = [part for part in reason.replace("+", ",").replace("/", ",").split(",") if part.strip()]
        return self.listed([self._table.get(f"reason.{part.strip()}", part.strip()) for part in parts])

    def house(self, kind: Kind, reason: str, name: str) -> str:
        """The title of a change about a source, a channel or this machine."""
        key = f"{kind}.{reason}"
        return self(key if key in self._table else str(kind), name=name or self("machine"))
