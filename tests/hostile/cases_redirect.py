"""Cases of redirects: circles, private addresses in many spellings, moves, and pages that are not the list."""

from __future__ import annotations

from tests.hostile.pages import Row, document, error_page, html_list, rows
from tests.hostile.table import ByHead, Case, Page, Step, calm, fault, good, page, renewed
from tests.hostile_server import answer

PRIVATE = "private address"


def to(target: str, status: str = "302 Found") -> bytes:
    return answer(b"", f"Location: {target}".encode().decode("latin-1"), status=status)  # the bytes as they are


def onward(head: bytes) -> bytes:
    """Each address sends to the next, for ever."""
    path = head.split()[1].decode()
    number = int(path.rpartition("=")[2]) if "=" in path else 0
    return to(f"/list/?hop={number + 1}")


def hops(count: int) -> dict[str, bytes | Page]:
    """`count` hops that end at the good list."""
    found: dict[str, bytes | Page] = {f"/hop/{i}": to(f"/hop/{i + 1}") for i in range(1, count)}
    return found | {f"/hop/{count}": good()}


#: Where a redirect must not lead: {canary} is a port that listens on every local address and must never hear of us.
GUARDED = (
    "http://127.0.0.1:{canary}/",
    "http://127.1:{canary}/",
    "http://127.0.1:{canary}/",
    "http://2130706433:{canary}/",
    "http://0x7f000001:{canary}/",
    "http://0x7f.0.0.1:{canary}/",
    "http://0177.0.0.1:{canary}/",
    "http://017700000001:{canary}/",
    "http://127.255.255.254:{canary}/",
    "http://0.0.0.0:{canary}/",
    "http://0:{canary}/",
    "http://[::1]:{canary}/",
    "http://[0:0:0:0:0:0:0:1]:{canary}/",
    "http://[::]:{canary}/",
    "http://[::ffff:127.0.0.1]:{canary}/",
    "http://[::ffff:7f00:1]:{canary}/",
    "http://[::127.0.0.1]:{canary}/",
    "http://[64:ff9b::7f00:1]:{canary}/",
    "http://[64:ff9b:1::7f00:1]:{canary}/",
    "http://[2002:7f00:1::]:{canary}/",
    "http://[fe80::1]:{canary}/",
    "http://[fe80::1%25lo]:{canary}/",
    "http://[fc00::1]:{canary}/",
    "http://[fd00:ec2::254]/latest/meta-data/",
    "http://[ff02::1]:{canary}/",
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://192.168.1.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://0xa9fea9fe/latest/meta-data/",
    "http://[::ffff:169.254.169.254]/",
    "http://100.100.100.200/latest/meta-data/",
    "http://192.0.0.1/",
    "http://198.18.0.1/",
    "http://224.0.0.1/",
    "http://240.0.0.1/",
    "http://255.255.255.255/",
    "http://localhost:{canary}/",
    "http://LOCALHOST.:{canary}/",
    "http://user:word@127.0.0.1:{canary}/",
    "http://www.gov.cn@127.0.0.1:{canary}/",
    "http://127。0。0。1:{canary}/",
    "http://①②⑦.⓪.⓪.①:{canary}/",
    "http://127%2e0%2e0%2e1:{canary}/",
    "//127.0.0.1:{canary}/",
    "https://127.0.0.1:{canary}/",
)
OTHER = (
    "ftp://127.0.0.1:{canary}/",
    "gopher://127.0.0.1:{canary}/_x",
    "ws://127.0.0.1:{canary}/",
    "javascript:alert(1)",
    "data:text/html,<ul class=l><li><a href=/p/x.html>x</a></li></ul>",
    "http+unix://%2Fvar%2Frun%2Fdocker.sock/",
    "about:blank",
)
LOGIN = document(
    "统一身份认证平台",
    "",
    extra='<form method="post"><input name="user"><input type="password" name="word"><button>登录</button></form>',
).encode()
HOME = html_list([Row(f"h{i}", f"部长出席第{i}次会议", "2026-01-04", f"/news/{i}.html") for i in range(20)]).encode()
HOME_OTHER = HOME.replace(b'class="l"', b'class="news"')


#: Hosts that are percent-encoded: nobody takes them for the address, so that they are names that nobody knows.
UNKNOWN = ("127。0。0。1", "①②⑦")


def refused(number: int, target: str) -> Case:
    """Told at once, refused with the kind of address that it is, and the canary hears nothing."""
    name = "".join(letter if letter.isascii() else f"U+{ord(letter):04X}" for letter in target).replace("{canary}", "PORT")
    fault_ = "private address" if number < 1 else "spellings"
    if any(one in target for one in UNKNOWN):
        return fault(f"to-{number:02d} {name}", "redirect", ("private", fault_), to(target), "name", "name not found", times=2)
    return fault(
        f"to-{number:02d} {name}",
        "redirect",
        ("private", fault_),
        to(target),
        "private",
        " address: refused",
        "redirected",
        times=2,
        at_once=True,
    )


CASES: tuple[Case, ...] = (
    # --- circles
    fault("to-itself", "redirect", ("circle", "loop"), to("/list/"), "circle", "/list/", asks=6),
    fault("there-and-back", "redirect", ("circle", "loop"), to("/b"), "circle", "/b", paths={"/b": to("/list/")}, asks=6),
    fault("always-further", "redirect", ("circle", "endless"), ByHead(onward), "circle", "more than 5 redirects", asks=6),
    fault("six-hops", "redirect", ("circle", "endless"), to("/hop/1"), "circle", paths=hops(6), asks=6),
    Case(
        "five-hops-are-fine",
        "redirect",
        (("circle", "endless"),),
        (Step(to("/hop/1"), "unchanged", paths=hops(5)),),
    ),
    fault("to-nowhere", "redirect", ("circle", "no target"), answer(b"", status="302 Found"), "circle"),
    fault("to-an-empty-address", "redirect", ("circle", "no target"), to(""), "circle"),
    fault("to-half-an-address", "redirect", ("circle", "no target"), to("http://"), "scheme"),
    fault("to-a-broken-address", "redirect", ("circle", "no target"), to("http://[::1"), "scheme"),
    # --- private addresses
    *(refused(number, target) for number, target in enumerate(GUARDED)),
    fault("to-a-file", "redirect", ("private", "file"), to("file:///etc/passwd"), "scheme", times=2, at_once=True),
    *(
        fault(
            f"to-other-{target.partition(':')[0]}",
            "redirect",
            ("private", "other scheme"),
            to(target),
            "scheme",
            times=2,
            at_once=True,
        )
        for target in OTHER
    ),
    fault(
        "permanently-to-a-private-address",
        "redirect",
        ("private", "private address"),
        to("http://127.0.0.1:{canary}/", "301 Moved Permanently"),
        "private",
        "refused",
        times=2,
        at_once=True,
    ),
    fault(
        "to-a-private-address-by-a-second-hop",
        "redirect",
        ("private", "private address"),
        to("http://127.0.0.1:{other}/hop"),
        "private",
        "refused",
        times=2,
        at_once=True,
        paths={"other:/hop": to("http://127.0.0.1:{canary}/")},
    ),
    fault(
        "to-a-name-of-a-private-address",
        "redirect",
        ("private", "spellings"),
        to("http://inside.test:{canary}/"),
        "private",
        "refused",
        times=2,
        at_once=True,
    ),
    fault(
        "to-a-name-of-two-addresses-one-private",
        "redirect",
        ("private", "spellings"),
        to("http://mixed.test:{canary}/"),
        "private",
        times=2,
        at_once=True,
    ),
    Case(
        "rows-that-link-to-private-addresses",
        "redirect",
        (("private", "links in lists and pages"),),
        (
            Step(
                page("list", Row("x", "关于内部地址的通知", "2026-01-10", "http://127.0.0.1:{canary}/p/x.html"), *rows(6)),
                "changed",
                tells=("new",),
            ),
        ),
        options="follow = true\n",
        rows=6,
        last=page(
            "list",
            Row("after", "关于恢复之后首个事项的通知", "2026-01-11"),
            Row("x", "关于内部地址的通知", "2026-01-10", "http://127.0.0.1:{canary}/p/x.html"),
            *rows(6),
        ),
    ),
    Case(
        "attachments-at-private-addresses",
        "redirect",
        (("private", "links in lists and pages"),),
        (
            Step(
                page("list", Row("x", "关于附件的通知", "2026-01-10"), *rows(6)),
                "changed",
                tells=("new",),
                paths={
                    "/p/x.html": Page(
                        document(
                            "关于附件的通知", "见附件。", extra="<a href='http://127.0.0.1:{canary}/f/a.pdf'>附件：名单.pdf</a>"
                        ).encode()
                    )
                },
            ),
        ),
        options="follow = true\n",
        rows=6,
        last=page(
            "list", Row("after", "关于恢复之后首个事项的通知", "2026-01-11"), Row("x", "关于附件的通知", "2026-01-10"), *rows(6)
        ),
    ),
    # --- moved
    *(
        Case(
            f"moved-{status[:3]}",
            "redirect",
            (("moved", "permanent redirect"),),
            (
                Step(to("/new/", status), "unchanged|changed", tells=("note",), paths={"/new/": good()}, text=("/new/",)),
                Step(to("/new/", status), "unchanged", paths={"/new/": good()}),
                Step(to("/new/", status), "unchanged", paths={"/new/": good()}),
            ),
            last=to("/new/", status),
            paths={"/new/": renewed()},
        )
        for status in ("301 Moved Permanently", "308 Permanent Redirect")
    ),
    *(
        Case(
            f"elsewhere-for-now-{status[:3]}",
            "redirect",
            (("moved", "permanent redirect"),),
            (Step(to("/new/", status), "unchanged", paths={"/new/": good()}),),
        )
        for status in ("302 Found", "303 See Other", "307 Temporary Redirect")
    ),
    # --- not the list
    fault(
        "to-the-login",
        "redirect",
        ("not the list", "login"),
        to("/login?from=list"),
        "elsewhere",
        paths={"/login?from=list": Page(LOGIN)},
    ),
    fault("the-login-itself", "redirect", ("not the list", "login"), Page(LOGIN), "elsewhere"),
    fault(
        "to-a-portal",
        "redirect",
        ("not the list", "portal"),
        to("http://127.0.0.1:{other}/portal?url=list"),
        "elsewhere",
        paths={"other:/portal?url=list": Page(error_page("无线网络登录", "请输入手机号，完成上网认证"))},
    ),
    fault("to-the-home-page", "redirect", ("not the list", "home"), to("/"), "elsewhere", paths={"/": Page(HOME_OTHER)}),
    fault("to-a-home-page-with-such-rows", "redirect", ("not the list", "home"), to("/"), "elsewhere", paths={"/": Page(HOME)}),
    calm(
        "a-query-that-comes-and-goes",
        "redirect",
        ("not the list", "home"),
        good(),
        to("/list/?v=2"),
        paths={"/list/?v=2": good()},
    ),
)
