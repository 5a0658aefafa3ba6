"""What a person can do about a look that failed, by its reason; docs/operations.md says more of it. It looks at nothing."""

from __future__ import annotations

from monitor.errors import Challenge, ParseError, SourceError

_SITE = "look at the address in a browser; if the site was rebuilt, correct the source: monitor preview URL finds lists and feeds"
_WAIT = "wait: it is looked at again by itself"
_ADDRESS = "find the list on the site's own pages, then: monitor preview URL; put its address into `url`"
STEPS = {
    "http 401": "the site keeps programs out: `headers` with a key that it gave you, or another address",
    "http 403": "the site keeps programs out: ask less often, set `user_agent`, or try from another network",
    "http 404": _ADDRESS,
    "http 410": _ADDRESS,
    "http 412": "the site keeps programs out: ask less often, set `user_agent`, or try from another network",
    "http 429": "ask less often: raise `every` of this source, or `delay` of [http]",
    "busy": "ask less often: raise `every` of this source",
    "timeout": "wait; if it stays, raise `deadline` of this source",
    "dns": "check the name in `url`, and this machine's name server",
    "refused": "check the address and this machine's network; else wait",
    "unreachable": "check this machine's network; else wait",
    "connect": "check this machine's network; else wait",
    "tls": "look at the site in a browser; `verify_tls = false` accepts that anybody on the way can change what it says",
    "handshake": "look at the site in a browser; passing, mostly",
    "proxy": "check `proxy`, and that the proxy may reach this site",
    "forbidden": "if a private address is meant: name it in `allow_private` of [http]",
    "redirect": "put the address at which the redirects end into `url`",
    "bad address": "correct `url`",
    "bad header": "correct `headers`",
    "too large": "raise `max_bytes` if the answer is right; else watch a smaller page",
    "too deep": _SITE,
    "nesting": _SITE,
    "too slow": _SITE,
    "crashed": _SITE,
    "challenge": "ask less often, or from another network",
    "no browser": "install what is missing; docs/configuration.md says how",
    "browser": "look at the page in a browser; passing, mostly",
    "select": "the site was rebuilt: correct `select`",
    "pattern": "write the pattern of `ignore_text` without nested repetition",
    "no text": "watch the page that links to the files, as a list",
    "unavailable": "look at the article in a browser; it may pass",
    "gone": "correct the address, or remove the source",
    "empty": "if no rows is right: monitor accept {source}, or allow_empty = true; if it was rebuilt, correct the selectors",
    "short": "if the list is right as it is: monitor accept {source}; if the site was rebuilt, correct the selectors",
    "incomplete": "wait: the page broke off; if it is whole in a browser: monitor accept {source}",
    "elsewhere": "if that is the list now: put its address into `url`, or monitor accept {source}",
    "damaged": _WAIT + "; if it stays, set `encoding`, or tell the site",
    "truncated": _WAIT,
    "protocol": _WAIT,
    "empty answer": _WAIT,
    "not asked": _WAIT,
    "fault": "a fault in monitor itself: the traceback is in the log; please report it",
}


def step_for(error: SourceError, source: str) -> str:
    """The next step: what the error itself advises, else what its reason asks for."""
    own = error.hint if isinstance(error, ParseError | Challenge) else ""
    if own:
        return own
    if error.reason.startswith("http 5"):
        return _WAIT
    return STEPS.get(error.reason, _SITE).format(source=source)
