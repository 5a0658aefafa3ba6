# ruff: noqa: E501 - pages in one line each
"""Shields: recognised by what they are, told with what a person can do, never content; an article about them is an article."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.shields import recognise
from tests.house import House, Row, Site

SHIELDS = {
    "加速乐": [
        (521, ("__jsluid_s",), "<script>document.cookie=('_')+('_')+('jsl_clearance_s=1770')+';max-age=3600;path=/';location.href=location.pathname+location.search</script>"),
        (200, (), '<html><head><script>var _0x1=["a"];;go({"bts":["1770107754.409|0|4IR","v6Y%3D"],"chars":"FASII","ct":"685369aa","ha":"md5","is":true,"tn":"__jsl_clearance_s","vt":"3600","wt":"1500"})</script></head><body></body></html>'),
        (521, (), "<html><body><script>eval(String.fromCharCode(1,2))</script></body></html>"),
    ],
    "知道创宇 创宇盾": [(200, (), '<!DOCTYPE html><html><head><meta charset="utf-8"></head><body><div id="notice-jiasule">创宇盾提示您：您访问频率太高，请稍候再试。</div></body></html>')],
    "瑞数": [
        (412, (), '<!DOCTYPE html><html><head><script type="text/javascript" r="m">$_ts=window["$_ts"];if(!$_ts)$_ts={};</script></head><body></body></html>'),
        (412, (), '<html><head><meta charset="utf-8"><script src="/4QbVtADbnLVIc/d.FxJzG50F.a95ce.js"></script></head></html>'),
    ],
    "360 网站卫士 (wzws)": [(200, (), "<html><head><script>document.cookie='wzws_cid=1;path=/';location.replace('/WZWSREL2luZGV4Lmh0bWw=?wzwschallenge=V1pXU18=')</script></head><body></body></html>")],
    "阿里云 WAF": [(200, (), "<html><script>var arg1='3D4A1F9C7B2E5D8A6C0F1E2D3C4B5A6978877665';var _0x4818=['a'];setCookie('acw_sc__v2', x)</script></html>")],
    "电信云 WAF": [(405, (), "<html><head><title>405</title></head><body><h1>很抱歉，您的访问被阻断</h1><p>网站防火墙</p></body></html>")],
    "Cloudflare": [
        (403, ("__cf_bm",), "<!DOCTYPE html><html><head><title>Just a moment...</title></head><body><script>window._cf_chl_opt={}</script><noscript>Enable JavaScript</noscript></body></html>"),
        (403, (), '<!DOCTYPE html><html><head><title>Attention</title></head><body><div id="cf-error-details">Sorry, you have been blocked. Cloudflare Ray ID: 8</div></body></html>'),
    ],
    "Akamai": [(403, (), "<HTML><HEAD><TITLE>Access Denied</TITLE></HEAD><BODY><H1>Access Denied</H1>You don't have permission to access this server.<P>Reference&#32;&#35;18&#46;c5b</BODY></HTML>")],
    "宝塔防火墙": [(403, (), "<html><body><h1>宝塔网站防火墙</h1>您的请求带有不合法参数，已被网站管理员设置拦截！</body></html>")],
    "安全验证": [(200, (), "<html><head><title>安全验证 - 请完成滑块</title></head><body><div id='slider'></div><script src='/c.js'></script></body></html>")],
}  # fmt: skip
LONG = "漏洞分析：攻击者绕过加速乐与瑞数，文中引用 __jsl_clearance_s= 与 $_ts= 以及 acw_sc__v2=。" * 30
PAGES = [
    pytest.param(
        200,
        f"<html><head><title>绕过安全验证的分析</title></head><body><article>{LONG}</article></body></html>",
        id="an article that quotes their code",
    ),
    pytest.param(
        200,
        "<html><head><title>登录</title></head><body><form><input name='captcha'><img src='/captcha.jpg'>验证码</form></body></html>",
        id="a login form with a captcha",
    ),
    pytest.param(
        200,
        "<html><head><title>通知公告</title><script src='/cdn-cgi/challenge-platform/scripts/jsd/main.js'></script></head><body><ul>"
        + "<li><a href='/1.html'>关于开展某项工作的通知</a><span>2026-01-05</span></li>" * 20
        + "</ul></body></html>",
        id="a list behind Cloudflare that answers",
    ),
    pytest.param(
        403,
        "<html><head><title>403 Forbidden</title></head><body><center><h1>403 Forbidden</h1></center><hr>nginx</body></html>",
        id="a bare refusal",
    ),
    pytest.param(503, "<html><body><h1>系统维护中</h1><p>请稍后再试</p></body></html>", id="maintenance"),
    pytest.param(404, "<html><body><h1>404</h1></body></html>", id="not found"),
    pytest.param(200, '{"bts": "__jsl_clearance_s=", "tn": "__jsl_clearance_s"}', id="JSON"),
    pytest.param(200, "<?xml version='1.0'?><rss><channel><title>创宇盾提示</title></channel></rss>", id="a feed"),
    pytest.param(200, "", id="nothing"),
]


@pytest.mark.parametrize(
    ("name", "status", "cookies", "page"), [(name, *each) for name, pages in SHIELDS.items() for each in pages]
)
def test_a_shield_is_recognised_with_its_name_and_what_to_do(name: str, status: int, cookies: tuple[str, ...], page: str) -> None:
    found = recognise(status, cookies, page.encode())
    assert found is not None
    assert found.name == name
    assert found.sign
    assert any(word in found.hint for word in ("browser", "network"))


@pytest.mark.parametrize(("status", "page"), PAGES)
def test_an_ordinary_page_is_none(status: int, page: str) -> None:
    assert recognise(status, ("JSESSIONID", "__cf_bm"), page.encode()) is None


@given(st.sampled_from([200, 403, 412, 521]), st.binary(max_size=3000))
def test_any_bytes_are_looked_at(status: int, body: bytes) -> None:
    recognise(status, (), body)
    recognise(status, (), b"<html>" + body)


@pytest.mark.parametrize(
    "body",
    [
        b"<html>" + b"<" * 10_000_000,
        b"<html><script>" * 100_000,
        b"<html>" + b"document.cookie=" * 100_000,
        b"<html><title>access denied</title>" + b"reference " * 200_000,
        b"<html><title>access denied</title>reference" + b" " * 64_000,
        b"<!-- -->" * 8_000 + b"<ul>",
        b" " * 64_000 + b"<ul>",
    ],
)
def test_a_hostile_page_costs_little(body: bytes) -> None:
    started = time.process_time()
    recognise(521, (), body)
    assert time.process_time() - started < 2


# --- the whole way


@pytest.fixture
def site() -> Iterator[Site]:
    opened = Site([Row(f"n{n}", f"第{n}号通知") for n in range(6, 0, -1)])
    yield opened
    opened.close()


def _shielded(site: Site, path: str, page: str, status: int) -> None:
    site.bodies[path], site.types[path] = page.encode(), "text/html; charset=utf-8"
    site.status[path] = status


@pytest.mark.parametrize("status", [200, 521])
def test_a_list_behind_a_shield_fails_is_told_and_recovers_and_nothing_is_revised(
    tmp_path: Path, site: Site, status: int
) -> None:
    house = House(tmp_path, site, monitor='failing_after = "0s"\n')
    try:
        house.check()
        page = SHIELDS["加速乐"][1][2] if status == 200 else SHIELDS["加速乐"][0][2]
        _shielded(site, "/list/", page, status)
        for _ in range(3):
            report = house.check()["a"]
        assert "anti-bot page: 加速乐" in str(report.error)
        assert "browser" in report.hint
        (failing,) = [c for c in house.changes() if c["kind"] == "failing"]
        assert failing["reason"] == "challenge"
        assert failing["detail"].count("browser") >= 1
        del site.bodies["/list/"], site.status["/list/"]
        site.rows.insert(0, Row("fresh", "恢复后的通知"))
        house.check()
        assert [kind for kind, _ in house.told()] == ["failing", "new", "recovered"] or [kind for kind, _ in house.told()] == [
            "failing",
            "recovered",
            "new",
        ]
    finally:
        house.close()


def test_a_page_behind_a_shield_is_a_failed_reading_and_never_its_text(tmp_path: Path, site: Site) -> None:
    house = House(tmp_path, site, source='follow = true\nrecheck = ["1h"]\n')
    try:
        house.check()
        (before,) = [n for n in house.notices() if n["key"].endswith("n6.html")]
        assert before["versions"] == 2
        _shielded(site, "/p/n6.html", SHIELDS["知道创宇 创宇盾"][0][2], 200)
        house.clock.on(hours=2)
        house.check()
        assert next(n for n in house.notices() if n["id"] == before["id"])["versions"] == 2
        assert ("/p/n6.html", 200) in site.asked[-20:]
        assert house.told() == []
    finally:
        house.close()


def test_the_mirror_is_asked_where_the_source_is_shielded(tmp_path: Path, site: Site) -> None:
    house = House(tmp_path, site, source='fallback = ["{url}/list/mirror.html"]\n')
    try:
        house.check()
        _shielded(site, "/list/", SHIELDS["Akamai"][0][2], 403)
        site.rows.insert(0, Row("fresh", "镜像里的通知"))
        assert house.check()["a"].outcome == "changed"
        assert house.told()[-1] == ("new", "镜像里的通知")
        assert house.source()["served"].endswith("/list/mirror.html")
    finally:
        house.close()
