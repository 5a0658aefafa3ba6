"""Cases of statuses: conditional requests, Retry-After, shields, and error pages that say 200."""

from __future__ import annotations

import json
from datetime import timedelta

from tests.hostile.pages import Row, error_page, html_list, rows
from tests.hostile.table import ByHead, Case, Page, Step, calm, fault, page, renewed
from tests.hostile_server import answer

HTML = "Content-Type: text/html; charset=utf-8"
BODY = html_list(rows(20)).encode()
LATER = timedelta(hours=25)

NO_TAG = Page(BODY, etag=False)


def busy(value: str | None, status: str = "429 Too Many Requests") -> bytes:
    return answer(error_page("Too Many Requests"), HTML, *([f"Retry-After: {value}"] if value is not None else []), status=status)


def says(status: str, body: bytes, *fields: str) -> bytes:
    return answer(body, HTML, *fields, status=status)


def frozen(head: bytes) -> bytes:
    """Not modified, whatever has changed, to everybody who asks conditionally."""
    conditional = b"if-none-match" in head.lower() or b"if-modified-since" in head.lower()
    if conditional:
        return answer(b"", status="304 Not Modified", length=False)
    return answer(renewed().body, HTML, 'ETag: "frozen"')


FOR_EVER = ByHead(frozen)


JSL = (
    b"<script>document.cookie=('_')+('_')+('j')+('s')+('l')+('_')+('c')+('l')+('e')+('a')+('r')+('a')+('n')+('c')+('e')+('_')+('s')+('=')"
    b"+(+!+[]+'')+('7|-1|')+';Max-age=3600;Path=/';location.href=location.pathname+location.search</script>"
)
RUISHU = (
    b'<!DOCTYPE html><html><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8" />'
    b'<meta id="9DhefwqGPrzGxEp9hPaoag" content="{qYT;k0ABqDh" r="m"><script type="text/javascript" charset="utf-8" '
    b'src="/4QbVtADbnLVIc/d.FxJzG50F.dfe1675.js" r="m"></script><script type="text/javascript" r="m">(function(){var _$$_=0;'
    b"$_ts=window['$_ts'];if(!$_ts)$_ts={};$_ts.nsd=43961;$_ts.cd=\"qErqcqArqqqr\";if($_ts.lcd)$_ts.lcd();})();</script></head><body></body></html>"
)
CLOUD = (
    b"<!DOCTYPE html><html lang='en-US'><head><title>Just a moment...</title></head>"
    b"<body><div class='main-wrapper'><h1>www.example.org</h1>"
    b"<noscript>Enable JavaScript and cookies to continue</noscript></div><script>(function(){"
    b"window._cf_chl_opt={cvId:'3',cType:'managed'};"
    b"var a=document.createElement('script');a.src='/cdn-cgi/challenge-platform/h/b/orchestrate/chl_page/v1?ray=8';"
    b"})();</script></body></html>"
)
ALIYUN = (
    "<!doctypehtml><html lang=zh-cn><head><meta charset=utf-8><title>405</title></head>"
    "<body><div><img src='//errors.aliyun.com/images/a.png'>"
    "<p>很抱歉，由于您访问的URL有可能对网站造成安全威胁，您的访问被阻断。</p>"
    "<p>您的请求ID是：<strong>76b20f4417</strong></p></div></body></html>"
).encode()
AKAMAI = (
    b"<HTML><HEAD><TITLE>Access Denied</TITLE></HEAD><BODY><H1>Access Denied</H1>"
    b"You don't have permission to access \"http&#58;&#47;&#47;www&#46;"
    b'example&#46;org&#47;" on this server.<P>'
    b"Reference&#32;&#35;18&#46;7d2e1bb8&#46;1700000000&#46;1234abcd</BODY></HTML>"
)
WAF = error_page(
    "访问被拦截", "您的请求带有不合法参数，已被网站管理员设置拦截！可能原因：您提交的内容包含危险的攻击请求。事件ID：8837452"
)
CAPTCHA = error_page("安全验证", '为了保证您的正常访问，请输入验证码 <img src="/captcha.jpg"><input name="vcode">')
SHIELD = "anti-bot"

CASES: tuple[Case, ...] = (
    # --- conditional requests
    fault(
        "304-unasked",
        "status",
        ("conditional", "304 unasked"),
        answer(b"", status="304 Not Modified", length=False),
        "not asked",
        first=NO_TAG,
        last=Page(renewed().body, etag=False),
    ),
    Case(
        "304-for-ever",
        "status",
        (("conditional", "304 for ever"),),
        (
            Step(FOR_EVER, "unchanged"),
            Step(FOR_EVER, "unchanged"),
            Step(FOR_EVER, "changed", tells=("new",), after=LATER),
        ),
        ends=(),
    ),
    calm(
        "304-with-another-etag",
        "status",
        ("conditional", "304 other etag"),
        answer(b"", 'ETag: "other"', status="304 Not Modified", length=False),
    ),
    calm(
        "304-with-a-body",
        "status",
        ("conditional", "304 with body"),
        answer(error_page("x"), HTML, status="304 Not Modified", length=False),
    ),
    calm(
        "304-with-a-long-length",
        "status",
        ("conditional", "304 with body"),
        answer(b"", "Content-Length: 99999", status="304 Not Modified", length=False),
    ),
    fault(
        "503-with-an-etag",
        "status",
        ("conditional", "validators of errors"),
        says("503 Unavailable", b"x", 'ETag: "bad"'),
        "wait",
    ),
    fault(
        "404-with-last-modified",
        "status",
        ("conditional", "validators of errors"),
        says("404 Not Found", b"x", "Last-Modified: x"),
        "status",
    ),
    fault(
        "soft-error-with-an-etag",
        "status",
        ("conditional", "validators of errors"),
        says("200 OK", error_page("出错"), 'ETag: "bad"'),
        "elsewhere",
    ),
    fault("nothing-with-an-etag", "status", ("conditional", "validators of errors"), says("200 OK", b"", 'ETag: "bad"'), ""),
    fault(
        "206-unasked",
        "status",
        ("conditional", "validators of errors"),
        says("206 Partial Content", BODY[:2000], 'ETag: "part"'),
        "",
    ),
    fault(
        "204",
        "status",
        ("conditional", "validators of errors"),
        answer(b"", 'ETag: "no"', status="204 No Content", length=False),
        "",
    ),
    calm(
        "another-etag-at-each-load",
        "status",
        ("conditional", "304 other etag"),
        *(answer(BODY, HTML, f'ETag: "{i}"') for i in range(3)),
    ),
    calm(
        "a-broken-last-modified", "status", ("conditional", "304 other etag"), answer(BODY, HTML, "Last-Modified: yesterday\x80")
    ),
    # --- Retry-After
    fault(
        "429-in-120-seconds",
        "status",
        ("retry-after", "seconds"),
        busy("120"),
        "wait",
        "asks to wait 120 s",
        due=(120, 1000),  # never sooner than the interval
    ),
    fault(
        "503-in-3600-seconds",
        "status",
        ("retry-after", "seconds"),
        busy("3600", "503 Unavailable"),
        "wait",
        "asks to wait 3600 s",
        due=(3600, 3800),
    ),
    fault(
        "429-at-a-date",
        "status",
        ("retry-after", "date"),
        busy("Mon, 12 Jan 2026 04:00:00 GMT"),
        "wait",
        "asks to wait",
        due=(6100, 6600),
    ),
    fault("429-at-a-past-date", "status", ("retry-after", "date"), busy("Mon, 12 Jan 2015 04:00:00 GMT"), "wait", due=(1, 1100)),
    fault("429-soon", "status", ("retry-after", "garbage"), busy("soon"), "wait", due=(600, 1100)),
    fault("429-with-a-number-of-400-digits", "status", ("retry-after", "garbage"), busy("9" * 400), "wait", due=(600, 87000)),
    fault("429-with-a-fraction", "status", ("retry-after", "garbage"), busy("1e9"), "wait", due=(600, 87000)),
    fault("429-without", "status", ("retry-after", "garbage"), busy(None), "wait", due=(60, 1100)),
    fault("429-negative", "status", ("retry-after", "negative"), busy("-5"), "wait", due=(1, 1100)),
    fault("429-in-1,000-years", "status", ("retry-after", "1,000 years"), busy("31536000000"), "wait", due=(86000, 87000)),
    fault(
        "429-in-the-year-3026",
        "status",
        ("retry-after", "1,000 years"),
        busy("Fri, 12 Jan 3026 04:00:00 GMT"),
        "wait",
        due=(86000, 87000),
    ),
    # --- shields
    fault(
        "521-jsl",
        "status",
        ("challenge", "521"),
        says("521 ", JSL, "Set-Cookie: __jsluid_s=1a2b; max-age=9"),
        "challenge",
        SHIELD,
        "521",
        "加速乐",
        asks=1,
    ),
    fault(
        "412-ruishu", "status", ("challenge", "412"), says("412 Precondition Failed", RUISHU), "challenge", SHIELD, "412", asks=1
    ),
    fault("202-ruishu", "status", ("challenge", "412"), says("202 Accepted", RUISHU), "challenge", SHIELD, asks=1),
    fault(
        "403-akamai",
        "status",
        ("challenge", "403"),
        says("403 Forbidden", AKAMAI, "Server: AkamaiGHost"),
        "challenge",
        SHIELD,
        "403",
        asks=1,
    ),
    fault(
        "403-cloudflare",
        "status",
        ("challenge", "403"),
        says("403 Forbidden", CLOUD, "cf-mitigated: challenge"),
        "challenge",
        SHIELD,
        asks=1,
    ),
    fault("403-bare", "status", ("challenge", "403"), says("403 Forbidden", error_page("403 Forbidden")), "", "403", asks=1),
    fault("405-aliyun", "status", ("challenge", "405"), says("405 Not Allowed", ALIYUN), "challenge", SHIELD, "405", asks=1),
    fault("418", "status", ("challenge", "418"), says("418 I'm a teapot", error_page("418")), "", "418", asks=1),
    fault("waf-page-with-200", "status", ("challenge", "page with 200"), says("200 OK", WAF), "challenge", SHIELD, asks=1),
    fault("cloudflare-with-200", "status", ("challenge", "page with 200"), says("200 OK", CLOUD), "challenge", SHIELD, asks=1),
    fault("captcha", "status", ("challenge", "captcha"), says("200 OK", CAPTCHA), "challenge", SHIELD, asks=1),
    calm(
        "a-list-that-speaks-of-shields",
        "status",
        ("challenge", "captcha"),
        page("list", Row("n20", "关于防范验证码攻击和加速乐 521 拦截页面的通知", "2026-01-09"), *rows(19)),
        first=page("list", Row("n20", "关于防范验证码攻击和加速乐 521 拦截页面的通知", "2026-01-09"), *rows(19)),
        last=page(
            "list",
            Row("after", "关于恢复之后首个事项的通知", "2026-01-11"),
            Row("n20", "关于防范验证码攻击和加速乐 521 拦截页面的通知", "2026-01-09"),
            *rows(19),
        ),
    ),
    # --- error pages
    fault(
        "soft-404",
        "status",
        ("error page", "soft 404"),
        Page(error_page("404 页面不存在", "您访问的页面不存在")),
        "elsewhere",
        "404 页面不存在",
    ),
    fault("404", "status", ("error page", "soft 404"), says("404 Not Found", error_page("404 未找到")), "status", "404"),
    fault("410", "status", ("error page", "soft 404"), says("410 Gone", error_page("已移除")), "status", "410"),
    fault(
        "maintenance",
        "status",
        ("error page", "maintenance"),
        Page(error_page("系统维护中", "预计恢复时间 18:00")),
        "elsewhere",
        "系统维护中",
    ),
    fault(
        "maintenance-503",
        "status",
        ("error page", "maintenance"),
        says("503 Unavailable", error_page("系统维护中")),
        "wait",
        "503",
    ),
    fault(
        "502", "status", ("error page", "maintenance"), says("502 Bad Gateway", error_page("502 Bad Gateway")), "status", "502"
    ),
    fault(
        "database-error",
        "status",
        ("error page", "database error"),
        Page(error_page("Error establishing a database connection", "ORA-12541: TNS:no listener")),
        "elsewhere",
        "Error establishing a database connection",
    ),
    fault(
        "500",
        "status",
        ("error page", "database error"),
        says("500 Internal Server Error", error_page("数据库错误")),
        "status",
        "500",
    ),
    fault(
        "json-error",
        "status",
        ("error page", "json error"),
        Page(json.dumps({"code": 500, "msg": "system error"}).encode(), "application/json"),
        "elsewhere",
    ),
    fault(
        "pdf",
        "status",
        ("error page", "pdf"),
        Page(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<</Type/Catalog>>\nendobj\n", "application/pdf"),
        "",
    ),
    fault(
        "pdf-called-html",
        "status",
        ("error page", "pdf"),
        Page(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<</Type/Catalog>>\n" * 40),
        "",
    ),
    fault("picture", "status", ("error page", "pdf"), Page(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8, "image/png"), ""),
    fault(
        "captive-portal",
        "status",
        ("error page", "portal"),
        Page(error_page("WiFi 登录", "请先登录后上网"), etag=False),
        "elsewhere",
        "WiFi 登录",
    ),
    fault("one-word", "status", ("error page", "portal"), Page(b"ok", "text/plain"), ""),
)


def kinds_of_error(kind: str) -> tuple[Case, ...]:
    """The commonest error pages for the other kinds of source."""
    return tuple(
        fault(f"{kind}-{name}", "status", covers, say, "", kind=kind)
        for name, covers, say in (
            ("soft-404", ("error page", "soft 404"), Page(error_page("404 页面不存在"))),
            ("maintenance", ("error page", "maintenance"), Page(error_page("系统维护中", "预计恢复时间 18:00"))),
            ("json-error", ("error page", "json error"), Page(b'{"code": 500, "msg": "system error"}', "application/json")),
            ("jsl", ("challenge", "521"), says("521 ", JSL)),
            ("waf", ("challenge", "page with 200"), says("200 OK", WAF)),
            ("pdf", ("error page", "pdf"), Page(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n", "application/pdf")),
            ("nothing", ("error page", "portal"), says("200 OK", b"")),
        )
    )


CASES += kinds_of_error("feed") + kinds_of_error("json")
CASES += tuple(
    fault(f"page-{name}", "status", covers, say, "", kind="page", ends=("revised",), titles=())
    for name, covers, say in (
        ("jsl", ("challenge", "521"), says("521 ", JSL)),
        ("waf", ("challenge", "page with 200"), says("200 OK", WAF)),
        ("500", ("error page", "database error"), says("500 Internal Server Error", error_page("数据库错误"))),
        ("soft-404", ("error page", "soft 404"), Page(error_page("404 页面不存在", "您访问的页面不存在"))),
        ("maintenance", ("error page", "maintenance"), Page(error_page("系统维护中", "预计恢复时间 18:00"))),
        ("nothing", ("error page", "portal"), says("200 OK", b"")),
    )
)
