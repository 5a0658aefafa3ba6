"""Cases of character sets: what is labelled otherwise is read right, and what is damaged is not taken."""

from __future__ import annotations

from tests.hostile.pages import NEW, Row, each, feed, html_list, rows
from tests.hostile.table import Case, Page, calm, fault

ALL = rows(20)
#: A letter that only GB18030 has, in four bytes.
RARE = Row("after", "关于𠮷𠀀两字规范使用的通知", "2026-01-11")
EURO = Row("after", "关于100€以下捐赠的通知", "2026-01-11")


def shown(encoding: str, media: str = "text/html", meta: str = "", *some: Row, bom: bytes = b"") -> Page:
    return Page(bom + html_list(some or ALL, meta=meta).encode(encoding, "xmlcharrefreplace"), media)


def label(
    id_: str, what: str, encoding: str, media: str = "text/html", meta: str = "", *, bom: bytes = b"", new: Row = NEW
) -> Case:
    """The list, known in UTF-8, comes in `encoding` under these labels: nothing is new; then the new row has its right title."""
    return calm(
        id_,
        "charset",
        ("charset", what),
        shown(encoding, media, meta, bom=bom),
        last=shown(encoding, media, meta, new, *ALL, bom=bom),
        titles=(new.title,),
    )


def declared(name: str) -> str:
    return f'<meta http-equiv="Content-Type" content="text/html; charset={name}">'


LATE = "<!--" + "x" * 3000 + "-->"


def damaged(share: int) -> Page:
    """One letter in `share` has a byte that is none."""
    text = html_list(ALL).encode()
    out = bytearray(text)
    spots = [i for i, byte in enumerate(text) if byte >= 0xE0][::share]
    for spot in spots:
        out[spot] = 0xFF
    return Page(bytes(out), "text/html; charset=utf-8")


CASES: tuple[Case, ...] = (
    label("gbk-called-utf-8", "gbk labelled otherwise", "gbk", "text/html; charset=utf-8"),
    label("gbk-called-iso-8859-1", "gbk labelled otherwise", "gbk", "text/html; charset=iso-8859-1"),
    label("gbk-called-nothing", "gbk labelled otherwise", "gbk"),
    label("gbk-with-meta", "gbk labelled otherwise", "gbk", meta=declared("gb2312")),
    label("gbk-with-a-meta-of-its-own", "gbk labelled otherwise", "gbk", meta='<meta charset="GBK">'),
    label("gb18030-called-gb2312", "gb18030 labelled otherwise", "gb18030", "text/html; charset=gb2312", new=RARE),
    label("gb18030-called-gbk", "gb18030 labelled otherwise", "gb18030", "text/html; charset=gbk", new=RARE),
    label("gb18030-called-utf-8", "gb18030 labelled otherwise", "gb18030", "text/html; charset=utf-8", new=RARE),
    calm(
        "euro-of-gbk",
        "charset",
        ("charset", "gbk labelled otherwise"),
        shown("gbk", "text/html; charset=gbk"),
        last=Page(
            b"".join(b"\x80" if c == "€" else c.encode("gbk") for c in html_list((EURO, *ALL), meta="")), "text/html; charset=gbk"
        ),
        titles=(EURO.title,),
    ),
    label("late-meta", "late meta", "gbk", meta=LATE + declared("gbk")),
    label("late-meta-of-utf-8", "late meta", "utf-8", meta=LATE + declared("utf-8")),
    label("meta-says-utf-8-of-gbk", "false meta", "gbk", meta=declared("utf-8")),
    label("meta-says-gbk-of-utf-8", "false meta", "utf-8", meta=declared("gb2312")),
    label("header-says-gbk-of-utf-8", "false meta", "utf-8", "text/html; charset=GBK", declared("utf-8")),
    label("two-metas", "false meta", "gbk", meta=declared("utf-8") + declared("gbk")),
    label("mark-and-gbk", "byte order mark", "utf-8", "text/html; charset=gbk", bom=b"\xef\xbb\xbf"),
    label("mark-alone", "byte order mark", "utf-8", bom=b"\xef\xbb\xbf"),
    label("utf-16-le", "utf-16", "utf-16-le", bom=b"\xff\xfe"),
    label("utf-16-be", "utf-16", "utf-16-be", bom=b"\xfe\xff"),
    label("utf-16-called-utf-8", "utf-16", "utf-16-le", "text/html; charset=utf-8", declared("utf-8"), bom=b"\xff\xfe"),
    calm(
        "big5",
        "charset",
        ("charset", "big5"),
        shown("big5", "text/html", declared("big5"), *each(ALL, title="關於{name}工作的公告")),
        first=Page(html_list(each(ALL, title="關於{name}工作的公告")).encode()),
        last=shown(
            "big5",
            "text/html",
            declared("big5"),
            Row("after", "關於恢復之後首個事項的公告"),
            *each(ALL, title="關於{name}工作的公告"),
        ),
        titles=("關於恢復之後首個事項的公告",),
    ),
    *(
        label(f"called-{name.replace('/', '-')}", "forbidden codecs", "utf-8", f"text/html; charset={name}", declared(name))
        for name in (
            "utf-7",
            "idna",
            "punycode",
            "rot13",
            "zlib",
            "unicode_escape",
            "../../etc/passwd",
            "x-unknown",
            "utf-8;q=1,*",
        )
    ),
    fault("every-tenth-letter-damaged", "charset", ("charset", "damaged characters"), damaged(10), ""),
    fault(
        "every-hundredth-letter-damaged",
        "charset",
        ("charset", "damaged characters"),
        damaged(100),
        "",
        outcome="failed|unchanged",
    ),
    calm(
        "feed-in-gbk-called-utf-8",
        "charset",
        ("charset", "gbk labelled otherwise"),
        Page(feed(ALL).encode("gbk"), "application/rss+xml; charset=utf-8"),
        kind="feed",
    ),
    calm(
        "feed-in-gbk",
        "charset",
        ("charset", "false meta"),
        Page(feed(ALL, head='<?xml version="1.0" encoding="gb2312"?>').encode("gbk"), "text/xml"),
        kind="feed",
    ),
    calm(
        "feed-in-utf-8-that-says-gbk",
        "charset",
        ("charset", "false meta"),
        Page(feed(ALL, head='<?xml version="1.0" encoding="gbk"?>').encode(), "text/xml; charset=utf-8"),
        kind="feed",
    ),
)
