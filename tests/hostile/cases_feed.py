"""Cases of feeds: guids that are shared, used again or missing, and damaged XML."""

from __future__ import annotations

from dataclasses import replace

from tests.hostile.pages import NEW, Row, change, each, error_page, feed, rows
from tests.hostile.table import Case, Page, Step, calm, fault, good, page

ALL = rows(20)
XML = "application/rss+xml; charset=utf-8"
DUPLICATE = Row("x", "关于同号的通知", "2026-01-10", guid="n20")
REUSED = replace(ALL[0], title="关于另一事项的通知", href="/p/other.html", guid="n20")


def shown(*some: Row, **more: object) -> Page:
    return Page(feed(some, **more).encode(), XML)  # type: ignore[arg-type]


def series(id_: str, fault_: str, *steps: Step, **more: object) -> Case:
    return Case(id_, "feed", (("guids", fault_),), steps, kind="feed", **more)  # type: ignore[arg-type]


WHOLE = feed(ALL).encode()
NEWS = tuple(row for row in each(ALL, guid=""))

CASES: tuple[Case, ...] = (
    series(
        "a-new-item-with-the-guid-of-another",
        "duplicate",
        Step(shown(DUPLICATE, *ALL), "changed", tells=("new",), text=(DUPLICATE.title,)),
        Step(shown(DUPLICATE, *ALL), "unchanged"),
        last=shown(NEW, DUPLICATE, *ALL),
        titles=(NEW.title, DUPLICATE.title),
    ),
    series(
        "one-guid-for-all",
        "duplicate",
        Step(shown(*each(ALL, guid="same")), "unchanged"),
        first=shown(*each(ALL, guid="same")),
        last=shown(replace(NEW, guid="same"), *each(ALL, guid="same")),
    ),
    series(
        "every-item-twice",
        "duplicate",
        Step(shown(*(row for row in ALL for _ in range(2))), "unchanged"),
        last=shown(NEW, NEW, *(row for row in ALL for _ in range(2))),
    ),
    series(
        "a-guid-used-again",
        "reuse",
        Step(shown(*change(ALL, n20=REUSED)), "changed", tells=("revised",), text=(REUSED.title,)),
        Step(shown(*change(ALL, n20=REUSED)), "unchanged"),
        last=shown(NEW, *change(ALL, n20=REUSED)),
    ),
    series(
        "no-guids",
        "none",
        Step(shown(*ALL, guids=False), "unchanged"),
        first=shown(*ALL, guids=False),
        last=shown(NEW, *ALL, guids=False),
    ),
    series("guids-go", "none", Step(shown(*ALL, guids=False), "unchanged"), Step(good("feed"), "unchanged")),
    series(
        "neither-guid-nor-link",
        "none",
        Step(shown(*each(ALL, href="", guid="")), "unchanged"),
        first=shown(*each(ALL, href="", guid="")),
        last=shown(replace(NEW, href="", guid=""), *each(ALL, href="", guid="")),
    ),
    calm(
        "another-build-date",
        "feed",
        ("noise", "clocks"),
        *(shown(*ALL, doctype=f"<!-- built {n} -->") for n in range(3)),
        kind="feed",
    ),
    calm(
        "reordered-attributes-and-spaces",
        "feed",
        ("noise", "reorder"),
        Page(WHOLE.replace(b"<item>", b"<item  >\n"), XML),
        kind="feed",
    ),
    calm("called-plain-text", "feed", ("charset", "false meta"), Page(WHOLE, "text/plain"), kind="feed"),
    calm("called-html", "feed", ("charset", "false meta"), Page(WHOLE, "text/html; charset=utf-8"), kind="feed"),
    calm(
        "mark-and-blank-lines-before", "feed", ("charset", "byte order mark"), Page(b"\xef\xbb\xbf\n\n" + WHOLE, XML), kind="feed"
    ),
    fault("feed-cut", "feed", ("cut without length", "no end tag"), Page(WHOLE[: len(WHOLE) // 2], XML), "feed", kind="feed"),
    fault(
        "feed-without-its-end",
        "feed",
        ("cut without length", "no end tag"),
        Page(WHOLE[: WHOLE.rindex(b"</channel>")], XML),
        "feed",
        kind="feed",
    ),
    fault("page-for-a-feed", "feed", ("error page", "soft 404"), Page(error_page("首页")), "feed", kind="feed"),
    fault(
        "another-xml",
        "feed",
        ("error page", "portal"),
        Page(b"<?xml version='1.0'?><note><to>a</to></note>", "text/xml"),
        "feed",
        kind="feed",
    ),
    calm(
        "an-unknown-entity",
        "feed",
        ("heavy", "entity bomb"),
        shown(*change(ALL, n5=replace(ALL[15], extra="<description>a&nbsp;b &copy; c</description>"))),
        first=shown(*change(ALL, n5=replace(ALL[15], extra="<description>a&#160;b &#169; c</description>"))),
        last=shown(NEW, *change(ALL, n5=replace(ALL[15], extra="<description>a&#160;b &#169; c</description>"))),
        kind="feed",
    ),
    Case(
        "a-description-in-capitals-of-markup",
        "feed",
        (("markup", "title markup"),),
        (
            Step(
                shown(Row("x", "关于<script>alert(1)</script>的通知", "2026-01-10"), *ALL),
                "changed",
                tells=("new",),
                never=("<script>",),
            ),
        ),
        kind="feed",
        last=page("feed", NEW, Row("x", "关于<script>alert(1)</script>的通知", "2026-01-10"), *ALL),
    ),
)
