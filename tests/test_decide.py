"""The rules of a check and a reading, as pure tables: what is known × what was seen → what is told, and what is not."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor import decide
from monitor.decide import Failures, Known, Memory
from monitor.decide.listing import row_how
from monitor.decide.pages import page_print
from monitor.model import Attachment, Document, Kind, Notice, Outcome, Purpose, Source
from tests.shelf import START, Shelf, row, rows, source, told

HOUR, DAY = timedelta(hours=1), timedelta(days=1)

#: A list as the tests write it: one letter a row, newest first.
LIST = "jihgfedcba"


def shelf(keys: str = LIST, of: Source | None = None, **same: object) -> Shelf:
    """A source that was seen once."""
    made = Shelf(of)
    made.see(rows(keys, **same))
    return made


# --- first sight


def test_first_sight_is_stored_and_not_told() -> None:
    made = Shelf()
    assert made.see(rows("cba")) == ["stored c", "stored b", "stored a"]
    assert made.last is not None
    assert made.last.outcome is Outcome.BASELINE


def test_a_baseline_that_broke_off_is_taken_up_where_it_was() -> None:
    made = Shelf()
    made.see(rows("cb"))
    made.memory = Memory("s")
    assert made.see(rows("cba")) == ["stored a"]
    assert made.last is not None
    assert made.last.outcome is Outcome.BASELINE


def test_the_same_list_again_says_nothing() -> None:
    made = shelf()
    assert made.see(rows(LIST)) == []
    assert made.last is not None
    assert made.last.outcome is Outcome.UNCHANGED


# --- what a list says: (the list after the baseline "jihgfedcba", the steps)

LISTS = {
    "a row on top": ("kjihgfedcba", ["new k"]),
    "a row on top while the last rolls off": ("kjihgfedcb", ["new k"]),
    "a row in the middle": ("jihgfxedcba", ["new x"]),
    "a row at the end": ("jihgfedcbax", ["new x"]),
    "several rows": ("mlkjihgfedcba", ["new m", "new l", "new k"]),
    "rows in another order": ("abcdefghij", []),
    "an old row is pinned": ("cjihgfedba", []),
    "the last rows rolled off": ("jihgfed", []),
    "the first rows are missing": ("hgfedcba", []),
    "one row is missing from between": ("jihgedcba", ["miss f", "look f: missing"]),
    "two rows are missing from between": ("jihgdcba", ["miss f", "look f: missing", "miss e", "look e: missing"]),
    "a row twice": ("kkjihgfedcba", ["new k"]),
    "an old row at the end of a list that grew": ("jihgfedcba9", ["new 9"]),
    "an old row that came up where one is gone": ("jihgedcba9", ["stored 9", "miss f", "look f: missing"]),
    "an old row that came up where the last is gone": ("jihgfedcb9", ["stored 9"]),
    "more old rows than rows that are gone": ("jihgedcba98", ["new 9", "new 8", "miss f", "look f: missing"]),
    "a newer row at the end where one is gone": ("jihgedcbax", ["new x", "miss f", "look f: missing"]),
}


@pytest.mark.parametrize(("listed", "said"), LISTS.values(), ids=list(LISTS))
def test_what_a_list_says(listed: str, said: list[str]) -> None:
    assert shelf().see(rows(listed)) == said


# --- pinned rows

PINNED = {
    "none in a list that runs newest first": ("fedcba", "fedcba", ""),
    "a row above a newer one": ("fedcba", "bfedca", "b"),
    "two rows above newer ones": ("fedcba", "bafedc", "ba"),
    "an unknown old row above newer ones": ("fedc", "afedc", "a"),
    "kept its place while others moved": ("zfedcba", "zgfedcba", "z"),
    "kept its place while nothing moved": ("fedcba", "fedcba", ""),
    "an old row that is not at the head": ("febdca", "febdca", ""),
    "one wrong date at the end": ("fedcba", "fedcbaz", ""),
    "all rows of one day": ("111", "111", ""),
}


@pytest.mark.parametrize(("before", "listed", "pinned"), PINNED.values(), ids=list(PINNED))
def test_pinned_is_what_stands_above_a_newer_row_or_kept_its_place_while_others_moved(
    before: str, listed: str, pinned: str
) -> None:
    made = Shelf()
    made.see(rows(before))
    known = {k.key: k for k in made.known.values()}
    assert decide.pinned_keys(rows(listed), known, made.memory) == set(pinned)


def test_undated_rows_are_pinned_only_by_their_place() -> None:
    made = shelf("zfedcba", day=None)
    known = {k.key: k for k in made.known.values()}
    assert decide.pinned_keys(rows("zgfedcb", day=None), known, made.memory) == {"z"}
    assert decide.pinned_keys(rows("zfedcba", day=None), known, made.memory) == set()


# --- when the next page is asked

PAGES = {
    "the last three rows and others are known": ("jih", "kjih", False),
    "the last row is unknown": ("jih", "jihx", True),
    "the last but two is unknown": ("jih", "jxih", True),
    "only the last but three is unknown": ("jih", "xjih", False),
    "nothing is known": ("jih", "zyx", True),
    "only a pinned row is known above unknown ones": ("ajih", "azyx", True),
    "no row at all": ("jih", "", False),
}


@pytest.mark.parametrize(("before", "listed", "asked"), PAGES.values(), ids=list(PAGES))
def test_the_next_page_is_asked_while_the_list_does_not_reach_what_is_known(before: str, listed: str, asked: bool) -> None:
    memory = Memory("s", baseline=True)
    seen = rows(listed)
    pinned = decide.pinned_keys(seen, {}, memory)
    assert decide.wants_more(seen, set(before), memory, pinned) is asked


def test_the_next_page_is_asked_where_the_last_three_are_known_and_all_pinned() -> None:
    memory = Memory("s", baseline=True)
    assert decide.wants_more(rows("xba"), {"b", "a", "x"}, memory, {"x", "b", "a"})


@pytest.mark.parametrize(
    ("listed", "ordered"),
    [
        (rows("cba"), "abc"),
        (rows("abc"), "abc"),
        (rows("bca"), "abc"),
        (rows("xyz", day=None), "zyx"),
        (rows("xyz", day=3), "zyx"),
        ([*rows("a", day=None), *rows("cb")], "bca"),
    ],
    ids=["newest first", "oldest first", "a pinned row", "no dates", "one day", "a date is missing"],
)
def test_what_was_published_later_is_stored_later(listed: list[Notice], ordered: str) -> None:
    assert "".join(row.key for row in decide.oldest_first(listed)) == ordered


def test_a_baseline_asks_for_no_further_page() -> None:
    assert not decide.wants_more(rows("cba"), set(), Memory("s"), set())


# --- gaps: (what was known, what is seen, more wanted, a second page had, what is told of the source)

GAPS = {
    "no overlap, without pages": ("jih", "zyx", True, False, ["gap no overlap"]),
    "no overlap over all pages": ("jih", "zyxwvu", True, True, ["gap no overlap"]),
    "only a pinned row overlaps": ("ajih", "azyx", True, False, ["gap no overlap"]),
    "overlap, and the last row unknown, without pages": ("jha", "kjb", True, False, []),
    "overlap, and the limit came first": ("jha", "zjb", True, True, ["gap more pages"]),
    "nothing unknown in another order": ("abdce", "dabec", False, False, []),
    "overlap was reached on a further page": ("jih", "zyxjih", False, True, []),
    "overlap by the last row alone": ("jih", "zyxwj", False, False, []),
}


@pytest.mark.parametrize(("before", "listed", "more", "paged", "said"), GAPS.values(), ids=list(GAPS))
def test_a_gap_is_told_where_notices_may_have_come_and_gone(
    before: str, listed: str, more: bool, paged: bool, said: list[str]
) -> None:
    steps = shelf(before).see(rows(listed), more=more, paged=paged)
    assert [step for step in steps if step.startswith("gap")] == said
    assert [step for step in steps if step.startswith("new")] == [f"new {key}" for key in listed if key not in before]


@pytest.mark.parametrize("of", [source(allow_empty=True), source(complete=True)], ids=["allow_empty", "complete"])
def test_a_window_and_a_whole_catalogue_have_no_gaps(of: Source) -> None:
    steps = shelf("jih", of).see(rows("zyx"), more=True)
    assert not [step for step in steps if step.startswith("gap")]


# --- empty and short lists

SHORT = {
    "as long as ever": ({"counts": (20,) * 10}, 20, None, None),
    "longer": ({"counts": (20,) * 10}, 40, None, None),
    "just 60 %": ({"counts": (20,) * 10}, 12, None, None),
    "just 60 % of an odd number": ({"counts": (15,) * 10}, 9, None, None),
    "just under 60 %": ({"counts": (20,) * 10}, 11, "11 rows, usually 20", None),
    "one row": ({"counts": (20,)}, 1, "1 rows, usually 20", None),
    "the median counts, not the longest": ({"counts": (10, 10, 10, 100, 100)}, 6, None, None),
    "empty": ({"counts": (20,)}, 0, "list empty, usually 20 rows", None),
    "empty at first sight": ({}, 0, "list without a single row: no baseline yet", None),
    "anything but empty at first sight": ({}, 1, None, None),
    "short for the second time, a day later": ({"counts": (20,), "short": (-25, 1)}, 5, "5 rows, usually 20", None),
    "short for the third time, within a day": ({"counts": (20,), "short": (-23, 2)}, 5, "5 rows, usually 20", None),
    "short for the third time, a day later": ({"counts": (20,), "short": (-24, 2)}, 5, None, "accepted"),
    "another short list": ({"counts": (20,), "short": (-25, 2), "other": True}, 5, "5 rows, usually 20", None),
    "short, and a person says it is right": ({"counts": (20,), "accept": True}, 5, None, "accepted"),
    "empty, and a person says it is right": ({"counts": (20,), "accept": True}, 0, None, "accepted"),
    "as ever, and a person says it is right": ({"counts": (20,), "accept": True}, 20, None, None),
    "empty again after a person said it was right": ({"counts": (0,)}, 0, None, None),
    "empty for a fourth time over days": ({"counts": (20,), "short": (-72, 3)}, 0, "list empty, usually 20 rows", None),
}


@pytest.mark.parametrize(("given_", "count", "why", "said"), SHORT.values(), ids=list(SHORT))
def test_an_empty_or_far_shorter_list_is_not_believed(
    given_: dict[str, object], count: int, why: str | None, said: str | None
) -> None:
    whole = decide.list_print(rows("abcdefghijklmnopqrstuvwxyz"[:count]))
    short = given_.get("short")
    memory = Memory(
        "s",
        baseline=bool(given_),
        counts=given_.get("counts", ()),  # type: ignore[arg-type]  # as the table says
        accept=bool(given_.get("accept")),
        short=("another" if given_.get("other") else whole, START + HOUR * short[0], short[1]) if short else None,  # type: ignore[index]  # as the table says
    )
    doubt, accepted = decide.too_short(source(), memory, count, whole, START)
    assert doubt == why
    assert (accepted.reason if accepted else None) == said


def test_a_source_that_may_be_empty_is_believed_when_it_is() -> None:
    memory = Memory("s", baseline=True, counts=(20,) * 10)
    assert decide.too_short(source(allow_empty=True), memory, 0, "", START) == (None, None)
    assert decide.too_short(source(allow_empty=True), Memory("s"), 0, "", START) == (None, None)
    assert shelf(of=source(allow_empty=True)).see([]) == []


def test_the_same_short_list_is_known_in_any_order() -> None:
    assert decide.list_print(rows("abc")) == decide.list_print(rows("cab")) != decide.list_print(rows("abd"))


def test_an_accepted_short_list_is_the_new_measure() -> None:
    made = shelf()
    accepted = decide.Say(Kind.NOTE, "accepted", (("rows", 3), ("usual", "10")))
    assert made.see(rows("jih"), accepted=accepted) == ["note accepted"]
    assert made.memory.counts == (3,)


def test_the_usual_number_is_of_the_last_ten_lists() -> None:
    made = shelf("jih")
    for _ in range(12):
        made.see(rows("kjih"))
    assert made.memory.counts == (4,) * 10


# --- withdrawn and restored


def test_a_row_with_a_page_is_never_withdrawn_by_its_list() -> None:
    made = shelf()
    assert made.see(rows("jihgedcba")) == ["miss f", "look f: missing"]
    for _ in range(4):
        assert made.see(rows("jihgedcba")) == []


def test_a_row_that_flickers_causes_a_look_each_time_and_is_not_told() -> None:
    made = shelf()
    for _ in range(3):
        assert made.see(rows("jihgedcba")) == ["miss f", "look f: missing"]
        assert made.see(rows(LIST)) == []


def test_a_row_without_a_page_is_withdrawn_when_it_is_missing_in_two_checks() -> None:
    made = shelf(page=False)
    assert made.see(rows("jihgedcba", page=False)) == ["miss f"]
    assert made.see(rows("jihgedcba", page=False)) == ["withdraw f"]
    assert made.see(rows("jihgedcba", page=False)) == []
    assert made.see(rows(LIST, page=False)) == ["restore f"]
    assert made.see(rows(LIST, page=False)) == []


def test_two_checks_in_a_row_are_meant() -> None:
    made = shelf(page=False)
    for _ in range(3):
        assert made.see(rows("jihgedcba", page=False)) == ["miss f"]
        assert made.see(rows(LIST, page=False)) == []


def test_neighbours_that_are_missing_together_are_withdrawn_together() -> None:
    made = shelf(page=False)
    assert made.see(rows("jihgcba", page=False)) == ["miss f", "miss e", "miss d"]
    assert made.see(rows("kjihgcba", page=False)) == ["new k", "withdraw f", "withdraw e", "withdraw d"]


@pytest.mark.parametrize("page", [True, False], ids=["with pages", "without pages"])
def test_rolled_off_the_end_is_not_withdrawn(page: bool) -> None:
    made = shelf(page=page)
    for length in range(9, 2, -1):
        assert made.see(rows(LIST[:length], page=page)) == []
    assert made.see(rows(LIST, page=page)) == []


def test_a_row_between_a_pinned_one_and_its_neighbour_is_missed() -> None:
    made = Shelf()
    made.see(rows("ajihgfedc", page=False))
    assert made.see(rows("aihgfedc", page=False)) == ["miss j"]
    assert made.see(rows("aihgfedc", page=False)) == ["withdraw j"]


def test_a_pinned_row_that_is_unpinned_is_not_missing() -> None:
    made = Shelf()
    made.see(rows("ajihgfedc", page=False))
    assert made.see(rows("jihgfedc", page=False)) == []
    assert made.see(rows("jihgfedc", page=False)) == []


@pytest.mark.parametrize("page", [True, False], ids=["with pages", "without pages"])
@pytest.mark.parametrize("gone", ["jihgfedcb", "ihgfedcba", "jihgedcba"], ids=["last", "first", "middle"])
def test_what_is_missing_from_a_whole_catalogue_in_two_checks_is_withdrawn(gone: str, page: bool) -> None:
    key = (set(LIST) - set(gone)).pop()
    made = shelf(of=source(complete=True), page=page)
    assert made.see(rows(gone, page=page)) == [f"miss {key}"]
    assert made.see(rows(gone, page=page)) == [f"withdraw {key}"]
    assert made.see(rows(gone, page=page)) == []
    assert made.see(rows(LIST, page=page)) == [f"restore {key}"]


def test_a_notice_that_is_gone_by_its_page_is_looked_at_again_when_it_is_listed_again() -> None:
    made = shelf()
    made.see(rows("jihgedcba"))
    made.become("f", state="withdrawn", gone_by="page", missing=0)
    assert made.see(rows("jihgedcba")) == []
    assert made.see(rows(LIST)) == ["look f: recheck"]
    assert made.see(rows(LIST)) == []


def test_a_notice_that_is_gone_by_its_page_and_still_listed_says_nothing() -> None:
    made = shelf()
    made.become("f", state="withdrawn", gone_by="page")
    assert made.see(rows(LIST)) == []


# --- revised rows


def with_(listed: str, **of: Notice) -> list[Notice]:
    """The list with some rows as given."""
    return [of.get(key, row(key)) for key in listed]


REVISED = {
    "another title": (row("f", title="关于f事项的通知（修订）"), ["revised f: title"]),
    "another day and title": (row("f", title="关于f事项的通知（修订）", day=17), ["revised f: title"]),
    "no day any more": (row("f", day=None), []),
    "an hour of the same day": (row("f", day=datetime(2026, 1, 6, 9, tzinfo=UTC)), []),
    "white space and zero-width characters": (row("f", title=" 关于f事项的\u200b通知 "), []),
}


@pytest.mark.parametrize(("changed", "said"), REVISED.values(), ids=list(REVISED))
def test_what_counts_as_a_revised_row(changed: Notice, said: list[str]) -> None:
    made = shelf()
    assert made.see(with_(LIST, f=changed)) == said
    assert made.see(with_(LIST, f=changed)) == []


def test_another_day_must_stand_to_be_revised() -> None:
    made = shelf()
    changed = with_(LIST, f=row("f", day=17))
    assert [made.see(changed) for _ in range(3)] == [["doubt f"], ["revised f: date"], []]


def test_a_text_that_the_list_carries_is_compared() -> None:
    made = Shelf()
    made.see(with_("cba", b=row("b", text="一切照旧。")))
    assert made.see(with_("cba", b=row("b", text="一切都变了。"))) == ["revised b: text"]


def test_where_pages_are_followed_the_row_is_compared_by_its_title_alone() -> None:
    made = Shelf(source(follow=True))
    made.see(with_("cba", b=row("b", text="摘要一。")))
    assert made.see(with_("cba", b=row("b", text="摘要二。"))) == []
    assert made.see(with_("cba", b=row("b", title="新标题"))) == ["revised b: title"]


# --- states that must stand


def test_a_former_state_is_told_only_when_it_stands() -> None:
    made = shelf()
    edited = with_(LIST, f=row("f", title="改过的通知"))
    assert made.see(edited) == ["revised f: title"]
    assert made.see(rows(LIST)) == ["doubt f"]
    assert made.see(edited) == ["settle f"]
    assert made.see(rows(LIST)) == ["doubt f"]
    assert made.see(rows(LIST)) == ["revised f: title"]
    assert made.see(rows(LIST)) == []


def test_servers_that_answer_in_turn_tell_an_edit_once() -> None:
    made = shelf()
    states = itertools.cycle([with_(LIST, f=row("f", title="改过的通知")), rows(LIST)])
    said = [word for _ in range(10) for word in told(made.see(next(states)))]
    assert said == ["revised f: title"]


TEXT = "关于本事项的全部内容，一共有二十多个字在这里。"
LOST = {
    "all": ("", ["doubt f"]),
    "more than half": (TEXT[: len(TEXT) // 2 - 1], ["doubt f"]),
    "less than half": (TEXT[: len(TEXT) // 2 + 1], ["revised f: text"]),
    "nothing, it grew": (TEXT * 2, ["revised f: text"]),
}


@pytest.mark.parametrize(("left", "said"), LOST.values(), ids=list(LOST))
def test_a_row_that_loses_most_of_its_text_must_stand(left: str, said: list[str]) -> None:
    made = Shelf()
    made.see(with_(LIST, f=row("f", text=TEXT)))
    assert made.see(with_(LIST, f=row("f", text=left))) == said


def test_a_lost_text_that_stands_is_told_and_one_that_is_back_is_not() -> None:
    whole, lost = with_(LIST, f=row("f", text=TEXT)), with_(LIST, f=row("f", text="载入中"))
    made = Shelf()
    made.see(whole)
    assert [made.see(lost), made.see(whole)] == [["doubt f"], ["settle f"]]
    assert [made.see(lost), made.see(lost)] == [["doubt f"], ["revised f: text"]]


def test_a_third_state_is_told_while_another_is_in_doubt() -> None:
    made = shelf()
    made.see(with_(LIST, f=row("f", title="二")))
    assert made.see(rows(LIST)) == ["doubt f"]
    assert made.see(with_(LIST, f=row("f", title="三"))) == ["revised f: title"]
    assert made.at("f").doubts == {}


# --- flapping


def test_the_seventh_revision_of_a_day_is_told_as_flapping_and_no_further_one_is_told() -> None:
    made = shelf()
    said = [made.see(with_(LIST, f=row("f", title=f"第{turn}版"))) for turn in range(9)]
    assert said[:6] == [["revised f: title"]] * 6
    assert said[6] == ["note flapping f", "revised f: flapping (flapping)"]
    assert said[7:] == [["revised f: flapping (flapping)"]] * 2


def test_a_day_later_it_is_told_again() -> None:
    made = shelf()
    for turn in range(9):
        made.see(with_(LIST, f=row("f", title=f"第{turn}版")))
    made.become("f", revised_today=0)
    assert made.see(with_(LIST, f=row("f", title="最后一版"))) == ["revised f: title"]


def test_a_date_that_flips_without_end_is_not_told() -> None:
    """Two servers answer in turn, and one of them has the date of yesterday."""
    made = shelf()
    for turn in range(12):
        assert told(made.see(with_(LIST, f=row("f", day=17)) if turn % 2 else rows(LIST))) == []


def test_dates_that_flip_together_are_not_told() -> None:
    made = shelf()
    for turn in range(12):
        assert told(made.see([row(key, day=40 + turn % 2) for key in LIST])) == []


def test_a_date_that_is_another_each_time_is_told_within_a_day() -> None:
    made = shelf()
    assert told(made.see(with_(LIST, f=row("f", day=17)))) == []
    made.become("f", waited={"date": DAY})
    assert told(made.see(with_(LIST, f=row("f", day=18)))) == ["revised f: date"]


# --- dates of many rows

REFRESHED = {
    "one of ten": (1, ["revised j: date"]),
    "half of them": (5, [f"revised {key}: date" for key in "jihgf"]),
    "over half": (6, [*[f"redate {key}" for key in "jihgfe"], "note dates"]),
    "all": (10, [*[f"redate {key}" for key in LIST], "note dates"]),
}


@pytest.mark.parametrize(("count", "said"), REFRESHED.values(), ids=list(REFRESHED))
def test_dates_of_over_half_the_rows_together_are_one_note(count: int, said: list[str]) -> None:
    made = shelf()
    refreshed = [row(key, day=40) for key in LIST[:count]] + rows(LIST[count:])
    assert told(made.see(refreshed)) == []  # it may be another server's list
    assert made.see(refreshed) == said
    assert made.see(refreshed) == []


def test_a_date_that_changed_with_the_others_and_was_out_of_sight_is_told_with_them() -> None:
    made = shelf()
    refreshed = [row(key, day=40) for key in LIST]
    assert told(made.see(refreshed)) == []
    assert told(made.see(refreshed[:9])) == ["note dates"]
    assert made.see(refreshed) == ["redate a"]


def test_a_date_that_is_known_at_last_is_no_change() -> None:
    made = shelf(day=None)
    assert made.see([row(key, day=None if key != "f" else -1) for key in LIST]) == ["redate f"]


# --- new addresses


def moved(listed: str, of: str) -> list[Notice]:
    """The list with the rows of `of` under other keys and addresses."""
    return [
        Notice("s", f"{key}2", f"https://example.org/new/{key}", row(key).title, row(key).published) if key in of else row(key)
        for key in listed
    ]


def test_addresses_of_over_half_the_rows_together_are_one_note() -> None:
    made = shelf()
    changed = moved(LIST, LIST[:6])
    assert made.see(changed) == [*[f"readdress {key}" for key in LIST[:6]], "note readdressed"]
    assert made.see(changed) == []


def test_a_new_row_among_many_new_addresses_is_new() -> None:
    assert told(shelf().see([row("k"), *moved(LIST, LIST)])) == ["new k", "note readdressed"]


def test_a_burst_above_many_new_addresses_is_new_and_nothing_else_is() -> None:
    steps = shelf("cba").see([*rows("zyxwvu"), *moved("cba", "cba")], paged=True)
    assert told(steps) == [*[f"new {key}" for key in "zyxwvu"], "note readdressed"]


def test_rows_at_the_end_that_are_known_under_other_keys_are_no_gap() -> None:
    assert told(shelf().see([row("k"), *moved(LIST, LIST)], more=True, paged=True)) == ["new k", "note readdressed"]


def test_a_title_that_comes_again_after_its_notice_left_the_list_is_new_by_its_day() -> None:
    made = shelf()
    made.see(rows("kjihgfedcb"))
    again = Notice("s", "a2", "https://example.org/new/a", row("a").title, row("l").published)
    assert told(made.see([again, *moved("kjihgfedcb", "kjihgfedcb")])) == ["new a2", "note readdressed"]


def test_new_addresses_are_told_though_a_row_out_of_sight_was_read_differently() -> None:
    made = shelf()
    other_how(made)
    made.see(rows(LIST[:9]))
    assert told(made.see(moved(LIST[:9], LIST[:9]))) == ["note readdressed"]


def test_titles_that_several_notices_have_match_none_of_them() -> None:
    made = shelf("cba", title="公示")
    steps = made.see([Notice("s", f"n{i}", f"https://example.org/n{i}", "公示") for i in range(3)])
    assert [step for step in steps if step.startswith("new")] == ["new n0", "new n1", "new n2"]


def test_over_half_of_the_rows_may_be_new() -> None:
    assert shelf("cba").see(rows("hgfedcba")) == ["new h", "new g", "new f", "new e", "new d"]


# --- back after a change of address, a pause or an absence


def test_a_source_that_is_back_goes_on_where_it_overlaps() -> None:
    made = shelf()
    made.memory = _rejoining(made.memory)
    assert made.see(rows("lkjihgfedc")) == ["new l", "new k"]


def test_a_source_that_is_back_without_overlap_gets_a_new_baseline_and_one_note() -> None:
    made = shelf()
    made.memory = _rejoining(made.memory)
    assert made.see(rows("zyxw"), more=True) == ["note rebaselined", "stored z", "stored y", "stored x", "stored w"]
    assert made.last is not None
    assert made.last.outcome is Outcome.BASELINE
    assert made.memory.counts == (4,), "what was usual before says nothing about this list"
    assert made.see(rows("zyxw")) == []


def _rejoining(memory: Memory) -> Memory:
    return Memory(memory.source, baseline=True, order=memory.order, counts=memory.counts, rejoin=True)


# --- read differently


def other_how(made: Shelf) -> None:
    made.source = Source("s", "list", "https://example.org/list/", how="list/1:0b", follow=made.source.follow)


def test_rows_that_are_read_differently_are_never_told() -> None:
    made = shelf()
    other_how(made)
    changed = rows(LIST, text="现在也读正文。")
    assert made.see(changed) == [f"reread {key}" for key in LIST]
    assert made.see(changed) == []
    assert made.see(with_(LIST, f=row("f", title="真的改了"))) != []


def test_a_date_in_doubt_is_taken_with_what_is_read_differently_and_a_later_one_is_told() -> None:
    made = shelf()
    made.see([row(key, day=40) for key in LIST])
    other_how(made)
    assert told(made.see([row(key, day=40) for key in LIST])) == []
    assert not any(k.doubts for k in made.known.values())
    later = [row(key, day=50 if key == "f" else 40) for key in LIST]
    assert told(made.see(later)) == []
    assert told(made.see(later)) == ["revised f: date"]


def test_dates_that_change_with_those_of_rows_read_differently_are_none_s_own_change() -> None:
    made = shelf()
    for key in LIST[:6]:
        made.become(key, row_how="list/1:0c")
    refreshed = [row(key, day=40) for key in LIST]
    assert told(made.see(refreshed)) == []
    assert told(made.see(refreshed)) == []
    assert {k.row_published for k in made.known.values()} == {refreshed[0].published}


def test_a_withdrawn_row_that_is_back_and_read_differently_is_restored() -> None:
    made = shelf()
    made.become("f", state="withdrawn", gone_by="row")
    other_how(made)
    assert told(made.see(rows(LIST))) == ["restore f"]


def test_rows_whose_key_changed_are_matched_by_address_then_by_title_before_anything_is_new() -> None:
    made = shelf("dcba")
    other_how(made)
    by_address = Notice("s", "1", row("d").url, "标题也变了", row("d").published)
    by_title = Notice("s", "2", "https://example.org/elsewhere", row("c").title, row("c").published)
    steps = made.see([Notice("s", "3", "https://example.org/n", "新通知"), by_address, by_title, row("b"), row("a")])
    assert steps == ["new 3", "reread d", "reread c", "reread b", "reread a"]
    assert {k.key for k in made.known.values()} == {"1", "2", "3", "a", "b"}


def test_following_pages_from_now_on_is_reading_differently() -> None:
    made = shelf()
    made.source = source(follow=True)
    assert row_how(source()) != row_how(source(follow=True))
    assert told(made.see(rows(LIST, text="摘要"))) == []


# --- a page


def page(
    text: str = TEXT, title: str = "通知", reader: str = "html/1", gone: str | None = None, files: tuple[str, ...] = ()
) -> Document:
    return Document(title, text, reader, gone=gone, attachments=tuple(Attachment(url, "附件") for url in files))


def read_once(text: str = TEXT, **more: object) -> Known:
    """A notice whose page was read as `page(text)`."""
    facts: dict[str, object] = {
        "page_print": page_print(page(text)),
        "page_how": "html/1:0a",
        "text": text,
        "page_title": "通知",
    } | more
    return Known(1, "f", "https://example.org/p/f.html", "通知", "1:row", "list/1:0a+follow", **facts)  # type: ignore[arg-type]  # fields of Known


LONGER = TEXT + "另有一段。"
JUDGED = {
    "the first reading": (Known(1, "f", None, "通知", "1:row", "list/1:0a"), page(), "enrich"),
    "the first reading of an old, often revised notice": (
        Known(
            1, "f", None, "通知", "1:row", "list/1:0a", text="文" * 900, revised_today=9, former=frozenset({page_print(page())})
        ),
        page(),
        "enrich",
    ),
    "as it was": (read_once(), page(), "same"),
    "as it was, by another reader": (read_once(), page(reader="html/2"), "same"),
    "another text": (read_once(), page(LONGER), "revise"),
    "another title": (read_once(), page(title="通知（更正）"), "revise"),
    "other files alone": (read_once(), page(files=("https://example.org/f/b.pdf",)), "doubt"),
    "other files alone, twice": (
        read_once(doubts={"page": page_print(page(files=("https://example.org/f/b.pdf",)))}),
        page(files=("https://example.org/f/b.pdf",)),
        "revise",
    ),
    "another text by another reader": (read_once(), page(LONGER, reader="html/2"), "reread"),
    "no text by another reader": (read_once(), page("", reader="html/2"), "reread"),
    "most of the text is lost": (read_once(), page("载入中"), "doubt"),
    "most of the text is lost, twice": (read_once(doubts={"page": page_print(page("载入中"))}), page("载入中"), "revise"),
    "lost in another way than before": (read_once(doubts={"page": page_print(page("载入中"))}), page("出错"), "doubt"),
    "a former state": (read_once(former=frozenset({page_print(page(LONGER))})), page(LONGER), "doubt"),
    "a former state, twice": (
        read_once(former=frozenset({page_print(page(LONGER))}), doubts={"page": page_print(page(LONGER))}),
        page(LONGER),
        "revise",
    ),
    "a former title, which the page itself never had": (
        read_once(titles=frozenset({"通知（一）"})),
        page(title="通知（一）"),
        "doubt",
    ),
    "the title that its row has had since": (
        read_once(titles=frozenset({"通知（一）"}), shown="通知（一）"),
        page(title="通知（一）"),
        "reread",
    ),
    "the doubt has gone": (read_once(doubts={"page": page_print(page("载入中"))}), page(), "settle"),
}


@pytest.mark.parametrize(("known", "document", "act"), JUDGED.values(), ids=list(JUDGED))
def test_what_a_reading_means(known: Known, document: Document, act: str) -> None:
    assert decide.judge_page(source(follow=True), known, document).act == act


def test_a_date_on_a_page_never_enters_its_fingerprint() -> None:
    again = Document("通知", TEXT, "html/1", published=date(2026, 3, 1), issuer="某部", images=("https://example.org/1.png?2",))
    assert page_print(again) == page_print(page())


@pytest.mark.parametrize(
    ("revised", "last", "silence", "flapping"),
    [(5, "text", None, False), (6, "text", "flapping", True), (7, "flapping", "flapping", False)],
)
def test_a_page_that_is_revised_again_and_again_is_told_once(
    revised: int, last: str, silence: str | None, flapping: bool
) -> None:
    verdict = decide.judge_page(source(follow=True), read_once(revised_today=revised, last_reason=last), page(LONGER))
    assert (verdict.act, verdict.silence, verdict.flapping) == ("revise", silence, flapping)


# --- which pages are read, and when again


def test_pages_of_new_rows_are_wanted_at_once() -> None:
    found = decide.wanted(source(follow=True), rows("cba"), START, baseline=False)
    assert list(found) == list("cba")
    assert {(want.due_at, want.purpose, want.why) for want in found.values()} == {(START, Purpose.DOCUMENT, "first")}


def test_pages_of_a_baseline_are_wanted_newest_first_slowly_and_at_most_backfill() -> None:
    for listed in ("jihgfedcba", "abcdefghij", "ajihgfedcb", "cjaibhdgef"):
        found = decide.wanted(source(follow=True, backfill=4), rows(listed), START, baseline=True)
        assert sorted(found, key=lambda key: found[key].due_at) == list("jihg"), listed
        times = sorted(want.due_at for want in found.values())
        assert times[0] >= START
        assert all(b - a >= timedelta(seconds=1) for a, b in itertools.pairwise(times))


def test_undated_rows_of_a_baseline_are_wanted_in_the_order_of_the_list() -> None:
    found = decide.wanted(source(follow=True, backfill=2), rows("xyz", day=None), START, baseline=True)
    assert sorted(found, key=lambda key: found[key].due_at) == ["x", "y"]


@pytest.mark.parametrize("baseline", [True, False])
def test_nothing_is_wanted_of_rows_without_a_page_or_where_pages_are_not_followed(baseline: bool) -> None:
    assert decide.wanted(source(follow=True), rows("cba", page=False), START, baseline=baseline) == {}
    assert decide.wanted(source(), rows("cba"), START, baseline=baseline) == {}


PLAN = tuple(HOUR * hours for hours in (1, 6, 24, 72, 168, 720))


def test_an_old_notice_is_looked_at_again_ever_more_seldom() -> None:
    of, now, looks = source(follow=True, recheck=PLAN), START, []
    while (due := decide.next_look(of, START, now)) is not None:
        looks.append(due - START)
        now = due
    assert tuple(looks) == PLAN


@pytest.mark.parametrize(
    ("age", "due"),
    [(2, 6), (30, 72), (6, 24), (721, None)],
    ids=["in time", "late by some looks", "on the minute", "after the last"],
)
def test_looks_that_were_missed_are_not_made_up_for(age: int, due: int | None) -> None:
    found = decide.next_look(source(follow=True, recheck=PLAN), START, START + HOUR * age)
    assert found == (START + HOUR * due if due else None)


def test_an_empty_plan_never_looks_again() -> None:
    assert decide.next_look(source(follow=True), START, START) is None


# --- failed checks

FAILING = {
    "first failure": (1, 0, "timeout", 6, False),
    "third, at once": (3, 0, "timeout", 6, False),
    "third, six hours on": (3, 6, "timeout", 6, True),
    "second, six hours on": (2, 6, "timeout", 6, False),
    "many, before six hours": (40, 5.9, "timeout", 6, False),
    "second, with no time to wait": (2, 0, "timeout", 0, False),
    "third, with no time to wait": (3, 0, "timeout", 0, True),
    "a certificate": (1, 0, "tls", 6, True),
    "the guard": (1, 0, "forbidden", 6, True),
    "a shield page": (1, 0, "challenge", 6, False),
    "an empty list": (2, 24, "empty", 6, False),
}


@pytest.mark.parametrize(("count", "hours", "reason", "after", "due"), FAILING.values(), ids=list(FAILING))
def test_a_failing_source_is_told_after_three_checks_and_its_time(
    count: int, hours: float, reason: str, after: int, due: bool
) -> None:
    of = source(failing_after=HOUR * after)
    assert decide.tell_failing(of, Failures(count, START - HOUR * hours, reason), START) is due
    assert not decide.tell_failing(of, Failures(count, START - HOUR * hours, reason, told=7), START)


# --- whatever the lists

KEYS = "abcdefghijklmnopqrst"
lists = st.lists(st.sampled_from(KEYS), min_size=1, max_size=12, unique=True)
histories = st.lists(lists, min_size=1, max_size=8)


@given(lists, st.randoms(use_true_random=False))
def test_rows_in_another_order_never_tell_anything(listed: list[str], random: object) -> None:
    made = Shelf()
    made.see([row(key) for key in listed])
    shuffled = listed[:]
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # a random.Random
    assert told(made.see([row(key) for key in shuffled])) == []


@given(histories, st.booleans())
def test_the_same_list_again_tells_nothing(history: list[list[str]], page: bool) -> None:
    made = Shelf()
    for listed in history:
        made.see([row(key, page=page) for key in listed])
    last = [row(key, page=page) for key in history[-1]]
    again = told(made.see(last))
    assert all(word.startswith("withdraw") and not page for word in again)
    assert made.see(last) == []


@given(histories, st.booleans())
def test_every_row_that_is_unknown_after_the_baseline_is_told_exactly_once(history: list[list[str]], dated: bool) -> None:
    made = Shelf()
    said = [f"stored {key}" for key in history[0]]
    made.see([row(key, day=-1 if dated else None) for key in history[0]])
    for listed in history[1:]:
        ends = [made.known[mark.notice].key for mark in made.memory.order]
        steps = made.see([row(key, day=-1 if dated else None) for key in listed])
        said += [word for word in steps if word.startswith(("new", "stored"))]
        came_up = [word[-1] for word in steps if word.startswith("stored")]
        assert all(dated and listed.index(key) > max(map(listed.index, set(ends) & set(listed))) for key in came_up)
        assert len(came_up) <= len(set(ends) - set(listed))
    assert sorted(word[-1] for word in said) == sorted({key for listed in history for key in listed})


@given(st.integers(1, 10), st.lists(st.integers(0, 6), max_size=10), st.booleans())
def test_rolling_off_never_withdraws(length: int, bursts: list[int], page: bool) -> None:
    made, top = Shelf(), length
    whole = [row(f"{number:03d}", day=number, page=page) for number in range(100)]
    made.see(whole[top - length : top][::-1])
    for burst in bursts:
        top += burst
        steps = made.see(whole[top - length : top][::-1])
        assert not [step for step in steps if step.startswith(("withdraw", "miss", "look"))]


def rewritten(listed: Sequence[str], changes: Sequence[tuple[int, int]]) -> list[Notice]:
    return [
        row(key, title=f"标题{changes[place][0]}", day=changes[place][1]) if place < len(changes) else row(key)
        for place, key in enumerate(listed)
    ]


@settings(max_examples=150)
@given(
    st.lists(st.tuples(lists, st.lists(st.tuples(st.integers(0, 3), st.integers(0, 30)), max_size=12)), min_size=1, max_size=6)
)
def test_a_row_is_never_both_new_and_revised_nor_revised_twice(
    history: list[tuple[list[str], list[tuple[int, int]]]],
) -> None:
    made = Shelf()
    for listed, changes in history:
        made.see(rewritten(listed, changes))
        assert made.last is not None
        added = [step.notice.key for step in made.last.steps if isinstance(step, decide.Add)]
        revised = [step.notice.key for step in made.last.steps if isinstance(step, decide.Revise)]
        assert len(set(added)) == len(added)
        assert len(set(revised)) == len(revised)
        assert not set(added) & set(revised)


@given(histories)
def test_the_list_that_is_remembered_holds_every_row_once(history: list[list[str]]) -> None:
    made = Shelf()
    for listed in history:
        made.see([row(key, page=False) for key in listed])
        ids = [mark.notice for mark in made.memory.order]
        assert len(set(ids)) == len(ids)
        assert {made.at(key).id for key in listed} <= set(ids)
