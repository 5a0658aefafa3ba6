"""What can go wrong, row by row: network, content, storage, channels. Each named fault must have a case, or a test elsewhere.

`ELSEWHERE` names the tests that cover a fault outside the tables; that they exist is tested too.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One row: its name, and the faults that it lists."""

    id: str
    faults: tuple[str, ...]


NETWORK = (
    Row("slow", ("slow loris", "slow body", "hang", "1xx flood", "name server hangs")),
    Row("broken off", ("reset", "end of connection", "shorter than its length", "chunks that lie", "hostile lengths")),
    Row("cut without length", ("no end tag", "rows missing")),
    Row("compression", ("cut", "bad checksum", "mislabelled", "stacked", "bomb")),
    Row("flood", ("declared 200 MB", "endless", "header flood")),
    Row("circle", ("loop", "endless", "no target")),
    Row("private", ("private address", "file", "other scheme", "spellings", "links in lists and pages")),
    Row("moved", ("permanent redirect",)),
    Row("not the list", ("login", "portal", "home")),
    Row("unreachable", ("name failure", "refused", "all sources together")),
    Row("tls", ("expired", "self-signed", "wrong name", "hang", "plain", "not verified by wish")),
    Row("conditional", ("304 unasked", "304 for ever", "304 other etag", "304 with body", "validators of errors")),
    Row("retry-after", ("seconds", "date", "garbage", "negative", "1,000 years")),
    Row("challenge", ("521", "412", "403", "405", "418", "page with 200", "captcha")),
    Row("error page", ("soft 404", "maintenance", "database error", "json error", "pdf", "portal")),
    Row("short list", ("empty", "half", "skeleton", "redesign", "accepted by a person", "accepted by repetition")),
    Row("first load", ("bad first load",)),
    Row("rolled over", ("no overlap",)),
)

CONTENT = (
    Row(
        "charset",
        (
            "gbk labelled otherwise",
            "gb18030 labelled otherwise",
            "late meta",
            "false meta",
            "byte order mark",
            "utf-16",
            "big5",
            "forbidden codecs",
            "damaged characters",
        ),
    ),
    Row("heavy", ("bomb", "million tags", "many attributes", "deep xml", "deep json", "big integers", "entity bomb")),
    Row("characters", ("nul", "lone surrogates", "controls", "bidi", "non-characters")),
    Row("dates", ("invalid", "future", "missing", "relative")),
    Row("guids", ("duplicate", "reuse", "none")),
    Row("addresses", ("session ids", "tracking", "learnt parameter", "scheme flip", "host case", "raw and encoded path")),
    Row("noise", ("reorder", "rotate", "pinned", "new icon", "counters", "clocks")),
    Row("silent edit", ("text", "title")),
    Row("withdrawn", ("withdrawn", "restored", "missing once", "rolled off")),
    Row("flapping", ("back ends", "stale copy", "page between two states")),
    Row("mass change", ("addresses", "dates")),
    Row("links", ("relative", "base", "javascript", "data", "credentials")),
    Row("wechat", ("verify page", "deleted", "violation", "parameter error", "short-lived links")),
)

STORAGE = (
    Row("kill", ("kill -9",)),
    Row("power loss", ("commit before the first send",)),
    Row("disk full", ("checks paused", "nothing lost")),
    Row("not writable", ("read-only", "wrong owner")),
    Row("locked", ("by another program",)),
    Row("damaged", ("quick_check's word", "newest sound backup", "never overwritten")),
    Row("two daemons", ("already running",)),
    Row("clock", ("back", "forward", "daylight saving", "suspend", "far future date")),
    Row("large", ("a million notices",)),
    Row("schema", ("newer than the program", "upgrade with backup", "killed in an upgrade")),
)

CHANNELS = (
    Row("smtp down", ("refused for hours", "other channels told", "digest afterwards", "longer than give_up", "back-off")),
    Row("broken channel", ("4xx permanent", "told once on others", "retry releases")),
    Row("error in the body", ("wecom", "dingtalk", "feishu", "serverchan", "pushdeer")),
    Row("one of several", ("only that one waits",)),
    Row("slow hook", ("hang",)),
    Row("rate", ("dingtalk", "wecom", "feishu", "telegram", "survives a restart")),
    Row("too long", ("wecom", "dingtalk", "feishu", "telegram", "discord", "pushover")),
    Row("markup", ("title markup", "everyone", "at all", "mail header")),
    Row("crash after send", ("answer lost", "stable id")),
    Row("poison", ("alone, then plain, then told",)),
    Row("burst", ("500",)),
    Row("long silence", ("sign of life", "dead-man ping")),
)

ROWS = NETWORK + CONTENT + STORAGE + CHANNELS

#: (row, fault) → the test that covers it outside the tables of cases, as file::function.
ELSEWHERE: dict[tuple[str, str], str] = {
    ("kill", "kill -9"): "test_crash.py::test_nothing_is_lost_however_often_it_is_killed",
    (
        "power loss",
        "commit before the first send",
    ): "hostile/test_storage.py::test_what_is_told_is_committed_and_on_the_disk_before_the_first_byte_is_sent",
    ("disk full", "checks paused"): "test_disk.py::test_checks_pause_on_a_full_disk_and_go_on_when_there_is_room",
    ("disk full", "nothing lost"): "test_disk.py::test_the_reserve_is_given_back_when_a_write_finds_no_room",
    (
        "large",
        "a million notices",
    ): "hostile/test_storage.py::test_no_statement_of_a_check_looks_through_a_whole_table_that_grows",
    ("schema", "upgrade with backup"): "hostile/test_storage.py::test_each_former_schema_is_upgraded_and_a_copy_of_it_kept",
    (
        "schema",
        "killed in an upgrade",
    ): "hostile/test_storage.py::test_an_upgrade_that_is_killed_at_any_statement_is_done_by_the_next_start",
    ("crash after send", "stable id"): "test_deliver.py::test_a_mail_that_is_sent_again_has_the_same_id",
    ("rate", "telegram"): "hostile/test_limits.py::test_what_a_service_takes_is_known",
    ("too long", "telegram"): "hostile/test_limits.py::test_what_a_service_takes_is_known",
    ("too long", "discord"): "hostile/test_limits.py::test_what_a_service_takes_is_known",
    ("too long", "pushover"): "hostile/test_limits.py::test_what_a_service_takes_is_known",
    ("long silence", "sign of life"): "test_silence.py::test_a_sign_of_life_comes_where_nothing_was_told_for_long",
    ("long silence", "dead-man ping"): "test_end_to_end.py::test_the_heartbeat_is_asked_while_the_loops_tick",
}
