"""Web addresses as values: what a link points to (`join`), which document it names (`identity`), whose turn it is (`host`).

Pure text: nothing is resolved, fetched or judged safe to connect to (the fetching room's guard does that), and nothing is
learnt from answers. Follows RFC 3986 and, where browsers are more forgiving, the WHATWG URL Standard. Nothing here raises on
any text.
"""

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple
from urllib.parse import quote_from_bytes, unquote_to_bytes, urljoin

import idna

#: Longer links are data or a trap, not an address of a document.
MAX_LENGTH = 8192

_PORTS = {"http": 80, "https": 443}
_EDGES = "".join(map(chr, range(0x21))) + "\x7f\x85\xa0\u2028\u2029\u3000\u200b\ufeff"
_DROPPED = re.compile("[\t\n\r\ud800-\udfff]")
_SCHEME = re.compile(r"([a-z][a-z0-9+.\-]*):", re.IGNORECASE)
_ABSOLUTE = re.compile(r"(https?):(/*)", re.IGNORECASE)
_PARTS = re.compile(r"([^/?#]*)([^?#]*)(?:\?([^#]*))?(?:#(.*))?", re.DOTALL)
_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?:\.(?!-)[a-z0-9_-]{1,63})*")
#: A colon that ends a host, not a scheme: "example.org:8080/…".
_HOST_AND_PORT = re.compile(r"[a-z0-9._\-]+:[0-9]+(?=[/?#]|$)", re.IGNORECASE)

_ESCAPE = re.compile(r"%(?![0-9a-fA-F]{2})")
_PATH_SAFE = "/!$&'()*+,;=:@~"
_QUERY_SAFE = "/?:@!$'()*,;~"

#: Where a reader came from, who shared the link, which visit it was: never which document it is.
_TRACKING = re.compile(
    r"utm_.*|share_.*|sharer_.*|hm(?:sr|pl|cu|kw|ci)|spm|scm|spm_id_from|vd_source|bd_vid|chksm|"
    r"gclid|gclsrc|dclid|gbraid|wbraid|fbclid|msclkid|yclid|twclid|igshid|mc_[ce]id|_ga|_gl|_hsenc|_hsmi|"
    r"nsukey|isappinstalled|wxshare_count|weixin_share_id|wzws_cid|"
    r"jsessionid|phpsessid|sessionid|sessid|asp\.net_sessionid|aspsessionid.*|cfid|cftoken|zenid",
    re.IGNORECASE,
)
#: The same of WeChat's own pages; elsewhere these names may mean something.
_WECHAT_TRACKING = re.compile(
    r"scene|subscene|ascene|clicktime|enterid|session_id|nettype|devicetype|version|lang|exportkey|pass_ticket|wx_header|"
    r"uin|key|poc_token|click_id|fontgear|mpshare|srcid|abtest_cookie|reprint_ticket|finder_biz_enter_id|winzoom",
    re.IGNORECASE,
)
_WECHAT = "mp.weixin.qq.com"
_ARTICLE = re.compile(re.escape(_WECHAT) + r"/s(?:/[\w-]+|\?__biz=[^&]+&mid=[^&]+&idx=[^&]+)")
_SESSION_SEGMENT = re.compile(r";(?:jsessionid|phpsessid|sessionid)=[^/;]*", re.IGNORECASE)
_COOKIELESS = re.compile(r"/\([A-Z]\([A-Za-z0-9_\-]+\)\)(?=/)")  # ASP.NET: /(S(…))/page.aspx


class _Url(NamedTuple):
    """A valid http(s) address in parts; `port` is None where it is the scheme's own, `query` where there is no `?`."""

    scheme: str
    host: str
    port: int | None
    path: str
    query: str | None
    fragment: str

    @property
    def authority(self) -> str:
        return self.host if self.port is None else f"{self.host}:{self.port}"


def join(base: str, href: str) -> str | None:
    """The absolute http(s) address that a link leads to, ready to be requested; None where it leads to no other page.

    White space around and line breaks within `href` are dropped, backslashes read as slashes, dot segments resolved, what
    is not ASCII percent-encoded as UTF-8. Credentials are dropped, and so is the fragment, unless it is a route
    (`#/…`, `#!…`). None for an empty link, a mere `#…` anchor, another scheme (`javascript:`, `data:`, `mailto:` …), an
    invalid host or port, a relative link on a base that is not http(s), and links over `MAX_LENGTH` characters.
    """
    link = _tidy(href)
    if not link or len(link) > MAX_LENGTH or (link.startswith("#") and not _is_route(link[1:])):
        return None
    absolute = _absolute(_tidy(base), link)
    url = _parse(absolute) if absolute else None
    if url is None:
        return None
    query = "" if url.query is None else f"?{_encode(url.query, _QUERY_SAFE + '&=+')}"
    fragment = f"#{_encode(url.fragment, _QUERY_SAFE + '&=+')}" if url.fragment else ""
    joined = f"{url.scheme}://{url.authority}{_without_dots(_encode(url.path, _PATH_SAFE))}{query}{fragment}"
    return joined if len(joined) <= MAX_LENGTH else None


def identity(url: str) -> str:
    """The canonical name of the document behind an absolute address: equal for spellings that mean the same one. Idempotent.

    Folded away: http or https, credentials, host case and IDNA, default port, dot segments, needless or lower-case percent
    encoding, tracking parameters, session ids, an empty query and the fragment (routes `#/…` and `#!…` stay). The other
    parameters keep their order, which means something to some sites. A WeChat article
    (`mp.weixin.qq.com/s?__biz=…&mid=…&idx=…`) is named by these three parameters alone; its short form `/s/…` stays.

    Example: "http://WWW.miit.gov.cn:80/art/./1.html?id=3&utm_source=x#top" → "www.miit.gov.cn/art/1.html?id=3".
    What is no http(s) address comes back as it is, stripped.
    """
    tidy = _tidy(url)
    parsed = _parse(tidy)
    if parsed is None:
        return tidy
    path = _canonical_path(parsed.path)
    query = _canonical_query(parsed.host, path, parsed.query or "")
    if parsed.host == _WECHAT and path == "/s/" and query:
        path = "/s"
    fragment = f"#{_encode(parsed.fragment, _QUERY_SAFE + '&=+')}" if parsed.fragment else ""
    return parsed.authority + path + (f"?{query}" if query else "") + fragment


def article(url: str) -> str | None:
    """The identity of the WeChat article that an address leads to; None for all other addresses. It names that article for
    certain: two rows with one such address are one notice, whatever else they say."""
    if _WECHAT not in url.lower():
        return None
    found = identity(url)
    return found if _ARTICLE.fullmatch(found) else None


def host(url: str) -> str:
    """`name`, or `name:port` where the port is not the scheme's own, in lower case; `""` for what is no http(s) address."""
    parsed = _parse(_tidy(url))
    return parsed.authority if parsed else ""


def _tidy(url: str) -> str:
    """Without white space around it, line breaks, tabs and lone surrogates."""
    return _DROPPED.sub("", url).strip(_EDGES)


def _is_route(fragment: str) -> bool:
    """Whether a fragment names a page of a one-page application."""
    return fragment[:1] in ("/", "!")


def _absolute(base: str, link: str) -> str | None:
    """`link` as seen from `base`, as a browser sees it: absolute, not yet checked; None if it is of another scheme."""
    link = _slashes(link)
    found = _ABSOLUTE.match(link)
    if found:
        rest = link[found.end() :]
        if len(found[2]) >= 2 or not base.lower().startswith(f"{found[1].lower()}:"):
            return f"{found[1]}://{rest}"
        link = found[2] + rest  # "http:page.html" is relative on an http page
    elif _SCHEME.match(link):
        return None
    start = _parse(base)
    if start is None or not _ABSOLUTE.match(base):
        return None
    if link.startswith("//"):
        return f"{start.scheme}://{link.lstrip('/')}"
    query = "" if start.query is None else f"?{start.query}"
    try:
        return urljoin(f"{start.scheme}://{start.authority}{start.path}{query}", link)
    except ValueError:  # brackets that are no IPv6 address
        return None


def _slashes(url: str) -> str:
    """Backslashes before the query read as slashes, as browsers do."""
    end = min((at for at in (url.find("?"), url.find("#")) if at >= 0), default=len(url))
    return url[:end].replace("\\", "/") + url[end:]


def _parse(url: str) -> _Url | None:
    """The parts of an absolute http(s) address, or of an identity: no scheme, a path, and no default port."""
    url = _slashes(url)
    found = _ABSOLUTE.match(url)
    if found and not _HOST_AND_PORT.match(url):
        scheme, rest = found[1].lower(), url[found.end() :]
    elif _SCHEME.match(url) and not _HOST_AND_PORT.match(url):
        return None
    else:
        scheme, rest = "", url
    parts = _PARTS.fullmatch(rest)
    if parts is None:
        return None
    authority = parts[1].rpartition("@")[2]
    name, port = _split_port(authority, _PORTS.get(scheme))
    name = _canonical_host(name)
    if not name or port == -1 or not (scheme or parts[2].startswith("/")):
        return None
    fragment = parts[4] or ""
    return _Url(scheme or "http", name, port, parts[2] or "/", parts[3], fragment if _is_route(fragment) else "")


def _split_port(authority: str, default: int | None) -> tuple[str, int | None]:
    """Name and port, which is None if absent or the default and -1 if it is none."""
    name, colon, digits = authority.rpartition(":")
    if not colon or digits.endswith("]"):
        return authority, None
    if not digits:
        return name, None
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 8 and 0 < int(digits) < 65536):
        return name, -1
    return name, None if int(digits) == default else int(digits)


def _canonical_host(name: str) -> str:
    """Lower case, IDNA 2008 (UTS 46) as A-labels, IPv6 compressed, without the final dot; `""` if it can be no host."""
    if name.startswith("["):
        try:
            return f"[{ipaddress.IPv6Address(name[1:-1].partition('%')[0]).compressed}]" if name.endswith("]") else ""
        except ValueError:
            return ""
    if "%" in name:
        name = unquote_to_bytes(name).decode("utf-8", "replace")
    name = name.lower().removesuffix(".")
    if not name.isascii() and len(name) <= 253:
        try:
            name = idna.encode(name, uts46=True, transitional=False).decode("ascii").removesuffix(".")
        except idna.IDNAError:
            return ""
    return name if len(name) <= 253 and _NAME.fullmatch(name) else ""


def _encode(text: str, safe: str) -> str:
    """What may not stand in an address percent-encoded; what is encoded already stays as it is."""
    return quote_from_bytes(_ESCAPE.sub("%25", text).encode(), safe + "%")


def _recode(text: str, safe: str) -> str:
    """The one spelling: decoded, then only what must be encoded is, in capitals. Bytes need not be UTF-8."""
    return quote_from_bytes(unquote_to_bytes(text), safe)


def _without_dots(path: str) -> str:
    """RFC 3986, section 5.2.4, for a path that starts with a slash."""
    kept: list[str] = []
    segments = path.split("/")[1:]
    for place, segment in enumerate(segments):
        plain = segment.lower().replace("%2e", ".")
        last = place == len(segments) - 1
        if plain == "..":
            del kept[-1:]
        elif plain != ".":
            kept.append(segment)
        if last and plain in (".", ".."):
            kept.append("")
    return "/" + "/".join(kept)


def _canonical_path(path: str) -> str:
    safe = _PATH_SAFE.replace("/", "")
    path = "/".join(_recode(segment, safe) for segment in path.split("/"))
    path = _SESSION_SEGMENT.sub("", path)
    return _without_dots(_COOKIELESS.sub("", path))


def _canonical_query(name: str, path: str, query: str) -> str:
    pairs: list[tuple[str, str]] = []
    for part in query.split("&"):
        key, equals, value = part.replace("+", "%20").partition("=")
        key = key.removeprefix("amp;") if name == _WECHAT else key  # links that were escaped twice
        key, value = _recode(key, _QUERY_SAFE), _recode(value, _QUERY_SAFE + "=")
        if part and not _is_noise(key, value) and not (name == _WECHAT and _WECHAT_TRACKING.fullmatch(key)):
            pairs.append((key, equals + value))
    if name == _WECHAT and path.rstrip("/") == "/s":
        known = {key: value for key, value in reversed(pairs) if len(value) > 1}
        if {"__biz", "mid", "idx"} <= known.keys():
            return "&".join(f"{key}{known[key]}" for key in ("__biz", "mid", "idx"))
    return "&".join(key + value for key, value in pairs)


def _is_noise(key: str, value: str) -> bool:
    """Whether a parameter says nothing of the document. `from` with a number is a position or a date, not an origin; `_`
    with a long number is what scripts add against caches."""
    if key == "from":
        return not value[:1].isdigit()
    if key == "_":
        return len(value) >= 10 and value.isdigit()
    return _TRACKING.fullmatch(key) is not None
