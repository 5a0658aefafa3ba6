"""Cases of lists that change: short and rebuilt ones, first loads, rolled over, noise, mass changes, stale copies, addresses."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from tests.hostile.pages import NEW, Row, change, each, html_list, rows
from tests.hostile.table import DOWN, Case, Page, Say, Step, calm, fault, good, page, renewed
from tests.hostile_server import answer, cut

ALL = rows(20)
HOURS = timedelta(hours=13)


def shown(*some: Row, **more: str) -> Page:
    return Page(html_list(some, **more).encode())


def series(id_: str, covers: tuple[str, str], *steps: Step, **more: object) -> Case:
    return Case(id_, "list", (covers,), steps, **more)  # type: ignore[arg-type]


def seen(say: Say, *tells: str, **more: object) -> Step:
    """An accepted check that tells these kinds."""
    return Step(say, "changed" if tells else "unchanged", tells=tells, **more)  # type: ignore[arg-type]


EMPTY = shown()
HALF = shown(*ALL[:9])
SKELETON = shown(before='<div id="app"></div>').body.replace(
    b'<ul class="l">\n', b'<ul class="l"><li class="loading"></li><li class="loading"></li>'
)
REDESIGN = (
    "<!DOCTYPE html><html><head><meta charset='utf-8'><title>通知公告</title></head><body><main>"
    + "".join(f"<article><h3><a href='{row.link}'>{row.title}</a></h3><time>{row.date}</time></article>" for row in ALL)
    + "</main></body></html>"
).encode()
FRESH = tuple(Row(f"f{i}", f"关于第{i}项新任务的通知", "2026-01-11") for i in range(25, 0, -1))

SHORT: tuple[Case, ...] = (
    fault(
        "empty-list", "list", ("short list", "empty"), EMPTY, "short", "list empty, usually 20 rows", "the page titled “通知公告”"
    ),
    fault("empty-feed", "list", ("short list", "empty"), page("feed"), "short", "list empty, usually 20 rows", kind="feed"),
    fault("empty-json", "list", ("short list", "empty"), page("json"), "short", "list empty, usually 20 rows", kind="json"),
    calm("empty-and-allowed", "list", ("short list", "empty"), EMPTY, EMPTY, good(), options="allow_empty = true\n"),
    fault("half-list", "list", ("short list", "half"), HALF, "short", "9", "20", times=6),
    fault("half-feed", "list", ("short list", "half"), page("feed", *ALL[:9]), "short", kind="feed"),
    fault("half-json", "list", ("short list", "half"), page("json", *ALL[:9]), "short", kind="json"),
    fault("lower-half", "list", ("short list", "half"), shown(*ALL[11:]), "short"),
    calm("thirteen-of-twenty", "list", ("short list", "half"), shown(*ALL[:13]), good()),
    fault("skeleton", "list", ("short list", "skeleton"), Page(SKELETON), "short"),
    fault("redesign", "list", ("short list", "redesign"), Page(REDESIGN), "short", "list empty, usually 20 rows"),
    series(
        "redesign-accepted-as-a-short-list",
        ("short list", "accepted by a person"),
        Step(HALF, why="short"),
        Step(HALF, "unchanged|changed", act="accept", tells=("note",)),
        seen(HALF),
        last=shown(NEW, *ALL[:9]),
    ),
    series(
        "short-for-a-day",
        ("short list", "accepted by repetition"),
        Step(HALF, why="short"),
        Step(HALF, why="short", after=HOURS),
        Step(HALF, "unchanged|changed", after=HOURS, tells=("note",)),
        seen(HALF),
        last=shown(NEW, *ALL[:9]),
    ),
    series(
        "short-thrice-within-a-day",
        ("short list", "accepted by repetition"),
        Step(HALF, why="short"),
        Step(HALF, why="short"),
        Step(HALF, why="short", tells=("failing",)),
    ),
    series(
        "short-otherwise-each-time",
        ("short list", "accepted by repetition"),
        Step(HALF, why="short"),
        Step(shown(*ALL[4:10]), why="short", after=HOURS),
        Step(shown(*ALL[8:16]), why="short", after=HOURS, tells=("failing",)),
        Step(shown(*ALL[:5]), why="short", after=HOURS),
    ),
)

FIRST: tuple[Case, ...] = tuple(
    Case(
        f"first-load-{name}",
        "list",
        (("first load", "bad first load"),),
        (
            Step(say),
            Step(say),
            Step(say, tells=("failing",), text=("No baseline yet",)),
            Step(good(), "baseline", tells=("recovered",)),
            Step(good(), "unchanged"),
        ),
        baseline=False,
    )
    for name, say in (
        ("empty", EMPTY),
        ("500", answer(b"x", status="500 Internal Server Error")),
        ("cut", cut(b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + HALF.body[:-60])),
        ("nobody", DOWN),
        ("soft-404", Page("<html><head><meta charset='utf-8'><title>404</title></head><body>页面不存在</body></html>".encode())),
        ("not-modified", answer(b"", status="304 Not Modified", length=False)),
    )
)

PAGES = 'next = "/list/{page}"\nfirst_next = 2\n'
ROLLED: tuple[Case, ...] = (
    series(
        "rolled-over",
        ("rolled over", "no overlap"),
        seen(shown(*FRESH[:20]), "gap", *["new"] * 20, text=("none of the 20 rows was known",)),
        last=shown(NEW, *FRESH[:19]),
        titles=(NEW.title, *(row.title for row in FRESH[:20])),
    ),
    series(
        "rolled-over-feed",
        ("rolled over", "no overlap"),
        seen(page("feed", *FRESH[:20]), "gap", *["new"] * 20),
        kind="feed",
        last=page("feed", NEW, *FRESH[:19]),
        titles=(NEW.title, *(row.title for row in FRESH[:20])),
    ),
    series(
        "rolled-over-and-the-next-page-knows",
        ("rolled over", "no overlap"),
        seen(shown(*FRESH[:20]), *["new"] * 25, paths={"/list/2": shown(*FRESH[20:], *ALL[:15])}),
        options=PAGES,
        last=shown(NEW, *FRESH[:19]),
        titles=(NEW.title, *(row.title for row in FRESH)),
    ),
    series(
        "rolled-over-beyond-the-last-page",
        ("rolled over", "no overlap"),
        seen(shown(*FRESH[:10]), "gap", *["new"] * 25, paths={"/list/2": shown(*FRESH[10:20]), "/list/3": shown(*FRESH[20:])}),
        options=PAGES + "pages = 3\n",
        rows=10,
        last=shown(NEW, *FRESH[:9]),
        titles=(NEW.title, *(row.title for row in FRESH)),
    ),
    series(
        "the-next-page-fails",
        ("rolled over", "no overlap"),
        Step(shown(*FRESH[:20]), "failed", paths={"/list/2": answer(b"x", status="500 Internal Server Error")}),
        seen(shown(*FRESH[:20]), *["new"] * 25, paths={"/list/2": shown(*FRESH[20:], *ALL[:15])}),
        options=PAGES,
        last=shown(NEW, *FRESH[:19]),
        titles=(NEW.title, *(row.title for row in FRESH)),
    ),
)

PIN = ALL[15]
NOISE: tuple[Case, ...] = (
    calm("reordered", "list", ("noise", "reorder"), shown(*reversed(ALL)), shown(*ALL[10:], *ALL[:10]), good()),
    calm(
        "reordered-feed",
        "list",
        ("noise", "reorder"),
        page("feed", *reversed(ALL)),
        page("feed", *ALL[10:], *ALL[:10]),
        kind="feed",
    ),
    calm(
        "reordered-json",
        "list",
        ("noise", "reorder"),
        page("json", *reversed(ALL)),
        page("json", *ALL[10:], *ALL[:10]),
        kind="json",
    ),
    calm(
        "rotated", "list", ("noise", "rotate"), shown(*ALL[3:], *ALL[:3]), shown(*ALL[7:], *ALL[:7]), shown(*ALL[18:], *ALL[:18])
    ),
    calm(
        "an-old-row-pinned",
        "list",
        ("noise", "pinned"),
        shown(PIN, *(row for row in ALL if row != PIN)),
        shown(PIN, *ALL),
        good(),
        last=shown(PIN, NEW, *ALL),
    ),
    calm(
        "a-row-pinned-for-long",
        "list",
        ("noise", "pinned"),
        shown(PIN, *ALL[:19]),
        first=shown(PIN, *ALL[:19]),
        last=shown(PIN, NEW, *ALL[:18]),
    ),
    calm(
        "new-icons",
        "list",
        ("noise", "new icon"),
        shown(*each(ALL, extra="<img src='/new.gif' alt='new'><em class='new'>NEW</em>")),
        good(),
    ),
    calm(
        "new-icons-in-the-link",
        "list",
        ("noise", "new icon"),
        shown(*(replace(row, raw=f"{row.title}<img src='/new.gif' alt='new'>") for row in ALL)),
        good(),
    ),
    calm(
        "counters",
        "list",
        ("noise", "counters"),
        *(
            shown(*each(ALL, extra=f"<i>点击：{n}</i>"), after=f"<p>今日访问量：{n}，在线人数：{n + 3}</p>")
            for n in (107, 108, 2911)
        ),
    ),
    calm(
        "clocks",
        "list",
        ("noise", "clocks"),
        *(shown(*ALL, before=f"<p>现在是2026年1月12日 10:{m}:07</p>") for m in (15, 30, 45)),
    ),
    calm(
        "advertisements", "list", ("noise", "rotate"), *(shown(*ALL, before=f"<a href='/ad/{n}'>广告{n}</a>") for n in range(3))
    ),
    calm(
        "a-nonce-in-the-page",
        "list",
        ("noise", "clocks"),
        *(shown(*ALL, head=f"<script nonce='{n}'>var t={n};</script>") for n in (1, 2)),
    ),
)

MASS: tuple[Case, ...] = (
    series(
        "all-addresses-moved",
        ("mass change", "addresses"),
        seen(shown(*each(ALL, href="/archive/2026/{name}.shtml")), "note"),
        seen(shown(*each(ALL, href="/archive/2026/{name}.shtml"))),
        last=shown(NEW, *each(ALL, href="/archive/2026/{name}.shtml")),
    ),
    series(
        "all-addresses-moved-in-a-feed",
        ("mass change", "addresses"),
        seen(page("feed", *each(ALL, href="/archive/{name}.shtml", guid="urn:{name}")), "note"),
        seen(page("feed", *each(ALL, href="/archive/{name}.shtml", guid="urn:{name}"))),
        kind="feed",
        last=page("feed", NEW, *each(ALL, href="/archive/{name}.shtml", guid="urn:{name}")),
    ),
    series(
        "all-dates-refreshed",
        ("mass change", "dates"),
        seen(shown(*each(ALL, date="2026-01-12"))),  # it may be another server's list
        seen(shown(*each(ALL, date="2026-01-12")), "note"),
        seen(shown(*each(ALL, date="2026-01-12"))),
        last=shown(NEW, *each(ALL, date="2026-01-12")),
    ),
    series(
        "all-dates-refreshed-in-a-feed",
        ("mass change", "dates"),
        seen(page("feed", *each(ALL, date="2026-01-12"))),
        seen(page("feed", *each(ALL, date="2026-01-12")), "note"),
        kind="feed",
        last=page("feed", NEW, *each(ALL, date="2026-01-12")),
    ),
)

OLD = good()
FLAPPING: tuple[Case, ...] = (
    series(
        "two-back-ends",
        ("flapping", "back ends"),
        seen(shown(FRESH[0], *ALL[:19]), "new"),
        seen(OLD),
        seen(shown(FRESH[0], *ALL[:19])),
        seen(OLD),
        seen(shown(FRESH[0], *ALL[:19])),
        last=shown(NEW, FRESH[0], *ALL[:18]),
        titles=(NEW.title, FRESH[0].title),
    ),
    series(
        "a-stale-copy-for-hours",
        ("flapping", "stale copy"),
        seen(shown(FRESH[0], *ALL[:19]), "new"),
        *(seen(OLD, after=timedelta(hours=2)) for _ in range(4)),
        seen(shown(FRESH[0], *ALL[:19])),
        last=shown(NEW, FRESH[0], *ALL[:18]),
        titles=(NEW.title, FRESH[0].title),
    ),
    series(
        "a-title-between-two-states",
        ("flapping", "page between two states"),
        seen(shown(*change(ALL, n18=replace(ALL[2], title="关于第18项工作的通知（更正）"))), "revised"),
        *(seen(say) for say in (OLD, shown(*change(ALL, n18=replace(ALL[2], title="关于第18项工作的通知（更正）")))) * 3),
        last=shown(NEW, *change(ALL, n18=replace(ALL[2], title="关于第18项工作的通知（更正）"))),
    ),
)

BARE = each(ALL, href="")
GONE: tuple[Case, ...] = (
    series(
        "a-row-missing-once",
        ("withdrawn", "missing once"),
        seen(shown(*ALL[:5], *ALL[6:])),
        seen(good()),
        last=renewed(),
    ),
    series(
        "a-bare-row-missing-once",
        ("withdrawn", "missing once"),
        seen(shown(*BARE[:5], *BARE[6:])),
        seen(shown(*BARE)),
        first=shown(*BARE),
        last=shown(NEW, *BARE),
    ),
    series(
        "a-bare-row-missing-twice",
        ("withdrawn", "withdrawn"),
        seen(shown(*BARE[:5], *BARE[6:])),
        seen(shown(*BARE[:5], *BARE[6:]), "withdrawn", text=(BARE[5].title,)),
        seen(shown(*BARE[:5], *BARE[6:])),
        first=shown(*BARE),
        last=shown(NEW, *BARE[:5], *BARE[6:]),
    ),
    series(
        "a-bare-row-that-comes-back",
        ("withdrawn", "restored"),
        seen(shown(*BARE[:5], *BARE[6:])),
        seen(shown(*BARE[:5], *BARE[6:]), "withdrawn"),
        seen(shown(*BARE), "restored", text=(BARE[5].title,)),
        seen(shown(*BARE)),
        first=shown(*BARE),
        last=shown(NEW, *BARE),
    ),
    series(
        "rolled-off-the-end",
        ("withdrawn", "rolled off"),
        seen(shown(*ALL[:18])),
        seen(shown(*ALL[:17])),
        seen(shown(*ALL[:17])),
        last=shown(NEW, *ALL[:17]),
    ),
    series(
        "bare-rows-rolled-off-the-end",
        ("withdrawn", "rolled off"),
        seen(shown(*BARE[:18])),
        seen(shown(*BARE[:18])),
        seen(shown(*BARE[:18])),
        first=shown(*BARE),
        last=shown(NEW, *BARE[:17]),
    ),
    series(
        "missing-from-a-whole-catalogue",
        ("withdrawn", "withdrawn"),
        seen(page("json", *ALL[:-1])),
        seen(page("json", *ALL[:-1]), "withdrawn", text=(ALL[-1].title,)),
        seen(page("json", *ALL), "restored"),
        kind="json",
        options="complete = true\n",
    ),
    series(
        "missing-once-from-a-whole-catalogue",
        ("withdrawn", "missing once"),
        seen(page("json", *ALL[:-1])),
        seen(page("json", *ALL)),
        seen(page("json", *ALL[:-1])),
        seen(page("json", *ALL)),
        kind="json",
        options="complete = true\n",
    ),
    series(
        "a-title-edited",
        ("silent edit", "title"),
        seen(
            shown(*change(ALL, n18=replace(ALL[2], title="关于第18项工作的补充通知"))),
            "revised",
            text=("关于第18项工作的补充通知", "补充"),
        ),
        seen(shown(*change(ALL, n18=replace(ALL[2], title="关于第18项工作的补充通知")))),
        last=shown(NEW, *change(ALL, n18=replace(ALL[2], title="关于第18项工作的补充通知"))),
    ),
)


def hrefs(*templates: str) -> tuple[Page, ...]:
    return tuple(shown(*each(ALL, href=template)) for template in templates)


def addresses(id_: str, fault_: str, *templates: str) -> Case:
    """The same rows under other spellings of their addresses, load by load."""
    first, *others = hrefs(*templates)
    return calm(id_, "list", ("addresses", fault_), *others, first=first, last=shown(NEW, *each(ALL, href=templates[-1])))


ADDRESSES: tuple[Case, ...] = (
    addresses("session-in-the-path", "session ids", *(f"/p/{{name}}.html;jsessionid=A{n}FF09" for n in (1, 2, 3))),
    addresses("session-in-the-query", "session ids", *(f"/p/{{name}}.html?PHPSESSID=9f{n}e&id=1" for n in (1, 2, 3))),
    addresses("session-appears", "session ids", "/p/{name}.html", "/p/{name}.html;jsessionid=77", "/p/{name}.html"),
    addresses(
        "campaigns",
        "tracking",
        "/p/{name}.html",
        "/p/{name}.html?utm_source=a&utm_medium=b",
        "/p/{name}.html?utm_campaign=c",
        "/p/{name}.html?spm=1.2.3",
    ),
    addresses("a-time-in-the-query", "learnt parameter", *(f"/p/{{name}}.html?t=17000000{n}" for n in (11, 22, 33, 44))),
    addresses("a-token-in-the-query", "learnt parameter", *(f"/show?id={{name}}&tk=x{n}y" for n in (7, 8, 9))),
    addresses(
        "http-and-https", "scheme flip", *(f"{s}://www.example.org/p/{{name}}.html" for s in ("http", "https", "http", "https"))
    ),
    addresses(
        "capital-hosts",
        "host case",
        *(
            f"http://{h}/p/{{name}}.html"
            for h in ("www.example.org", "WWW.Example.ORG", "www.example.org:80", "www.example.org.")
        ),
    ),
    addresses(
        "raw-and-encoded",
        "raw and encoded path",
        "/通知/{name}.html",
        "/%E9%80%9A%E7%9F%A5/{name}.html",
        "/%e9%80%9a%e7%9f%a5/{name}.html",
    ),
    addresses(
        "dots-and-fragments",
        "raw and encoded path",
        "/p/{name}.html",
        "/x/../p/{name}.html",
        "./../p/{name}.html#top",
        "/p/{name}.html#",
    ),
    addresses(
        "short-lived-wechat-links",
        "tracking",
        *(
            f"https://mp.weixin.qq.com/s?__biz=MzA4&mid=26500&idx=1&sn=ab{{name}}&chksm=c{n}&scene=27&timestamp=17{n}&signature=s{n}#rd"
            for n in (1, 2, 3)
        ),
    ),
)
ADDRESSES = (*ADDRESSES[:-1], replace(ADDRESSES[-1], covers=(("wechat", "short-lived links"), ("addresses", "tracking"))))

CASES = SHORT + FIRST + ROLLED + NOISE + MASS + FLAPPING + GONE + ADDRESSES
