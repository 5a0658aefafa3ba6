"""Cases of markup and of what stands in rows: heavy documents, dirty characters, dates, links."""

from __future__ import annotations

import json

from tests.hostile.pages import NEW, Row, change, html_list, rows
from tests.hostile.table import Case, Page, Step, fault, page

ALL = rows(20)


def shown(*some: Row, **more: str) -> Page:
    return Page(html_list(some, **more).encode())


def one_more(
    id_: str,
    covers: tuple[str, str],
    row: Row,
    title: str,
    *,
    kind: str = "list",
    never: tuple[str, ...] = (),
    say: Page | None = None,
    **more: object,
) -> Case:
    """A row with something odd in it appears: told once, with `title`; the same again says nothing."""
    shown_ = say or page(kind, row, *ALL)
    return Case(
        id_,
        "html",
        (covers,),
        (Step(shown_, "changed", tells=("new",), text=(title,), never=never), Step(shown_, "unchanged")),
        kind=kind,
        last=page(kind, NEW, row, *ALL) if say is None else None,
        titles=(NEW.title, title),
        **more,  # type: ignore[arg-type]
    )


def dirty(id_: str, fault_: str, junk: str, shown: str = "", meant: str = "") -> tuple[Case, ...]:
    """The junk inside a title, written into the page as it is, and as references. `shown` is what stands for it where it is raw,
    `meant` where it is a reference, by the HTML standard: U+FFFD for what no document may hold, Windows' letters for C1."""
    found = []
    for how, raw, instead in (("raw", junk, shown), ("reference", "".join(f"&#x{ord(c):X};" for c in junk), meant)):
        title = f"关于净化{instead}标题的通知"
        row = Row("x", title, "2026-01-10", raw=f"关于净化{raw}标题的通知")
        body = html_list((row, *ALL)).encode("utf-8", "surrogatepass")
        found.append(
            Case(
                f"{id_}-{how}",
                "html",
                (("characters", fault_),),
                (Step(Page(body), "changed", tells=("new",), text=(title,), never=(junk,)), Step(Page(body), "unchanged")),
                last=Page(html_list((NEW, row, *ALL)).encode("utf-8", "surrogatepass")),
                titles=(NEW.title, title),
            )
        )
    return tuple(found)


def heavy(
    id_: str,
    what: str,
    body: bytes,
    *,
    kind: str = "list",
    media: str = "text/html; charset=utf-8",
    slow: bool = True,
    **more: object,
) -> Case:
    """Bytes that are a burden to parse: one check of them, within the bounds, from which nothing is taken."""
    return fault(id_, "heavy", ("heavy", what), Page(body, media), "heavy", times=1, kind=kind, slow=slow, **more)  # type: ignore[arg-type]


TOP = html_list(ALL).split("<ul")[0].encode()
LAUGHS = '<!DOCTYPE r [<!ENTITY a0 "笑">' + "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 10)) + "]>"
QUADRATIC = '<!DOCTYPE r [<!ENTITY q "' + "x" * 100_000 + '">]>'
XML = "application/rss+xml; charset=utf-8"


def feed_with(doctype: str, title: str) -> bytes:
    head = '<?xml version="1.0" encoding="utf-8"?>'
    return (
        f"{head}{doctype}<rss version='2.0'><channel><title>t</title><item><title>{title}</title><link>http://127.0.0.1/p/a</link>"
        "<guid>a</guid></item></channel></rss>"
    ).encode()


HEAVY_CASES: tuple[Case, ...] = (
    heavy("a-million-tags", "million tags", TOP + b"<b>" * 1_000_000),
    heavy("a-million-empty-rows", "million tags", TOP + b"<ul class='l'>" + b"<li></li>" * 1_000_000 + b"</ul></body></html>"),
    heavy("a-deep-page", "million tags", TOP + b"<div>" * 400_000 + b"</body></html>"),
    heavy(
        "a-hundred-thousand-attributes",
        "many attributes",
        TOP + b"<ul " + b" ".join(b"a%d=1" % i for i in range(100_000)) + b"></ul></body></html>",
        slow=False,
    ),
    heavy(
        "one-attribute-of-8-MB",
        "many attributes",
        TOP + b"<ul class='" + b"l " * 4_000_000 + b"'></ul></body></html>",
        slow=False,
    ),
    heavy("text-of-9-MB", "bomb", TOP + b"<p>" + b"x" * 9_000_000 + b"</p></body></html>", slow=False),
    heavy(
        "deep-xml", "deep xml", b"<?xml version='1.0'?><rss><channel>" + b"<item>" * 300_000, kind="feed", media=XML, slow=False
    ),
    heavy(
        "deep-json",
        "deep json",
        b'{"data":' + b"[" * 500_000 + b"]" * 500_000 + b"}",
        kind="json",
        media="application/json",
        slow=False,
    ),
    heavy(
        "deep-json-objects",
        "deep json",
        b'{"a":' * 200_000 + b"1" + b"}" * 200_000,
        kind="json",
        media="application/json",
        slow=False,
    ),
    heavy(
        "big-integers",
        "big integers",
        b'{"data": [{"id": ' + b"9" * 2_000_000 + b', "title": "x"}]}',
        kind="json",
        media="application/json",
        slow=False,
    ),
    heavy("a-billion-laughs", "entity bomb", feed_with(LAUGHS, "&a9;"), kind="feed", media=XML, slow=False),
    heavy("quadratic-entities", "entity bomb", feed_with(QUADRATIC, "&q;" * 3000), kind="feed", media=XML, slow=False),
    heavy(
        "an-outer-entity-of-a-file",
        "entity bomb",
        feed_with('<!DOCTYPE r [<!ENTITY f SYSTEM "file:///etc/passwd">]>', "&f;"),
        kind="feed",
        media=XML,
        slow=False,
    ),
    heavy(
        "an-outer-entity-of-a-private-address",
        "entity bomb",
        feed_with('<!DOCTYPE r [<!ENTITY % f SYSTEM "http://127.0.0.1:{canary}/"> %f;]>', "x"),
        kind="feed",
        media=XML,
        slow=False,
    ),
    heavy(
        "laughs-in-html",
        "entity bomb",
        (LAUGHS + html_list((Row("x", "x", raw="&a9;"),))).encode(),
        slow=False,
    ),
)

CHARACTERS: tuple[Case, ...] = (
    *dirty("nul", "nul", "\0", meant="\ufffd"),
    *dirty("surrogate", "lone surrogates", "\ud800", "\ufffd" * 3, "\ufffd"),
    *dirty("controls", "controls", "\x01\x08\x1b"),
    *dirty("c1-controls", "controls", "\x85\x9b", " ", "…›"),
    *dirty("bidi-override", "bidi", "\u202e"),
    *dirty("bidi-isolate", "bidi", "\u2066"),
    *dirty("non-characters", "non-characters", "\ufffe\uffff"),
    one_more(
        "json-surrogate",
        ("characters", "lone surrogates"),
        Row("x", "关于净化标题的通知"),
        "关于净化标题的通知",
        kind="json",
        never=("\ud800", "\0"),
        say=Page(
            json.dumps(
                {
                    "data": [{"id": "x", "title": "关于净化\ud800\0标题的通知", "date": "2026-01-10", "url": "/p/x.html"}]
                    + [{"id": row.name, "title": row.title, "date": row.date, "url": row.link} for row in ALL]
                }
            ).encode(),
            "application/json",
        ),
    ),
)


def dated(id_: str, what: str, *dates: str) -> Case:
    """A row whose date is odd, load by load: told as new once, hides nothing, never revised."""
    say = [shown(Row("x", "关于日期的通知", date), *ALL) for date in dates]
    return Case(
        id_,
        "html",
        (("dates", what), *((("clock", "far future date"),) if what == "future" else ())),
        (Step(say[0], "changed", tells=("new",), text=("关于日期的通知",)), *(Step(one, "unchanged") for one in say[1:])),
        last=shown(NEW, Row("x", "关于日期的通知", dates[-1]), *ALL),
        titles=(NEW.title, "关于日期的通知"),
    )


DATES: tuple[Case, ...] = (
    dated("the-30th-of-february", "invalid", "2026-02-30"),
    dated("the-year-0", "invalid", "0000-00-00"),
    dated("no-date-at-all", "invalid", "待定"),
    dated("a-date-in-2099", "future", "2099-01-01"),
    dated("a-date-in-9999", "future", "9999-12-31"),
    dated("date-missing", "missing", ""),
    dated("three-days-ago", "relative", "3天前", "4天前"),
    dated("minutes-ago", "relative", "5分钟前", "20分钟前", "35分钟前"),
    dated("yesterday", "relative", "昨天 10:00"),
    dated("hours-ago", "relative", "11小时前", "15小时前"),
    Case(
        "a-future-date-does-not-hide-what-comes-after",
        "html",
        (("dates", "future"),),
        (Step(shown(*change(ALL, n20=Row("n20", ALL[0].title, "2098-01-01"))), "unchanged|changed"),),
        first=shown(*change(ALL, n20=Row("n20", ALL[0].title, "2098-01-01"))),
        last=shown(NEW, *change(ALL, n20=Row("n20", ALL[0].title, "2098-01-01"))),
    ),
    Case(
        "an-old-date-is-new-all-the-same",
        "html",
        (("dates", "invalid"),),
        (Step(shown(Row("x", "关于补发旧文的通知", "1999-01-01"), *ALL), "changed", tells=("new",)),),
        last=shown(NEW, Row("x", "关于补发旧文的通知", "1999-01-01"), *ALL),
        titles=(NEW.title, "关于补发旧文的通知"),
    ),
    one_more(
        "a-feed-with-a-broken-date",
        ("dates", "invalid"),
        Row("x", "关于日期的通知", "Thu, 99 Foo 2026"),
        "关于日期的通知",
        kind="feed",
    ),
    one_more(
        "a-json-date-beyond-time",
        ("dates", "future"),
        Row("x", "关于日期的通知", "99999999999999999999"),
        "关于日期的通知",
        kind="json",
    ),
)


def linked(id_: str, what: str, href: str, *never: str, head: str = "") -> Case:
    """A row with an odd link is told; its address is absolute http(s), or none."""
    row = Row("x", "关于链接的通知", "2026-01-10", href)
    say = shown(row, *ALL, head=head)
    return Case(
        id_,
        "html",
        (("links", what),),
        (Step(say, "changed", tells=("new",), text=("关于链接的通知",), never=never), Step(say, "unchanged")),
        last=shown(NEW, row, *ALL, head=head),
        titles=(NEW.title, "关于链接的通知"),
    )


LINKS: tuple[Case, ...] = (
    linked("two-dots", "relative", "../../p/x.html"),
    linked("no-scheme", "relative", "//www.example.org/p/x.html"),
    linked("only-a-query", "relative", "?id=3"),
    linked("backslashes", "relative", "\\p\\x.html"),
    linked("spaces-around", "relative", " \n/p/x.html\t "),
    linked("base", "base", "/p/x.html", head='<base href="http://127.0.0.1:{site}/">'),
    linked("base-of-another-scheme", "base", "/p/x.html", "javascript:", head='<base href="javascript:alert(1)//">'),
    linked("base-to-a-file", "base", "/p/x.html", "file:", head='<base href="file:///etc/">'),
    linked("javascript", "javascript", "javascript:alert(1)", "javascript:"),
    linked("javascript-with-a-tab", "javascript", "java\tscript:alert(1)", "script:"),
    linked("javascript-in-capitals", "javascript", " JaVaScRiPt:alert(1)", "alert"),
    linked("vbscript", "javascript", "vbscript:msgbox(1)", "vbscript"),
    linked("data", "data", "data:text/html;base64,PHNjcmlwdD4=", "data:"),
    linked("a-local-file", "data", "file:///etc/passwd", "passwd"),
    linked("credentials", "credentials", "http://admin:geheim@www.example.org/p/x.html", "geheim", "admin"),
)

CASES = HEAVY_CASES + CHARACTERS + DATES + LINKS
