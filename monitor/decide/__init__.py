"""What is known × what was seen → what is to be stored and told, each with its reason. Pure; it writes nothing.

The rules of the two loops live here: `listing` for a check, `pages` for a reading, `failures` for failed checks, `doubt` for
states that must stand before they count; `nouns` has what goes in and the steps that come out.
"""

from monitor.decide.doubt import flapping, something_else
from monitor.decide.failures import Failures, tell_failing
from monitor.decide.files import Bytes, FileVerdict, judge_file, pictures, scanty
from monitor.decide.listing import (
    decide,
    from_below,
    list_end,
    list_print,
    oldest_first,
    pinned_keys,
    row_print,
    too_short,
    wants_more,
)
from monitor.decide.nouns import (
    ELSEWHERE,
    Add,
    Decision,
    Doubt,
    Known,
    Look,
    Mark,
    Memory,
    Miss,
    Readdress,
    Redate,
    Reread,
    Restore,
    Revise,
    Say,
    Seen,
    Settle,
    Step,
    Withdraw,
)
from monitor.decide.pages import Verdict, Wanted, is_other, judge_page, next_look, read_alike, shown_title, wanted
from monitor.decide.quiet import longest_pause

__all__ = [
    "ELSEWHERE",
    "Add",
    "Bytes",
    "Decision",
    "Doubt",
    "Failures",
    "FileVerdict",
    "Known",
    "Look",
    "Mark",
    "Memory",
    "Miss",
    "Readdress",
    "Redate",
    "Reread",
    "Restore",
    "Revise",
    "Say",
    "Seen",
    "Settle",
    "Step",
    "Verdict",
    "Wanted",
    "Withdraw",
    "decide",
    "flapping",
    "from_below",
    "is_other",
    "judge_file",
    "judge_page",
    "list_end",
    "list_print",
    "longest_pause",
    "next_look",
    "oldest_first",
    "pictures",
    "pinned_keys",
    "read_alike",
    "row_print",
    "scanty",
    "shown_title",
    "something_else",
    "tell_failing",
    "too_short",
    "wanted",
    "wants_more",
]
