"""`monitor preview URL`: find a feed or a list at an address, show its rows, print a [[source]] to paste; store nothing."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from monitor import discover, urls
from monitor.cli import output, robots
from monitor.cli.common import DONE, FAILED
from monitor.cli.finding import BROWSER, confirmed, fetched_somehow
from monitor.cli.output import terminal
from monitor.cli.showing import add_routes, rows_of, say_routes, show, show_rows
from monitor.cli.steps import step_for
from monitor.errors import FetchError, SourceError
from monitor.readers import wechat

if TYPE_CHECKING:
    from monitor.config import Config
    from monitor.config.catalogue import Preset
    from monitor.discover import Suggestion
    from monitor.model import Fetched, FetchPolicy

NOTHING = (
    "no feed and no list of notices was found on it: if it is one notice, watch it with"
    ' kind = "page"; if its rows are made by a script, look for the address that the script asks'
)
ARTICLE = "an article of WeChat's is one notice, not a list; an account's own list cannot be read without login"
ACCOUNTS = """
# A feed that carries the account's articles is followed instead. Security accounts: Doonsec's;
# a [[route]] with match = 'author:"{account}"' takes this account's alone.
[[source]]
preset = "doonsec"

# Any account: an RSS bridge of your own (we-mp-rss, wewe-rss), then its feed's address.
# [[source]]
# preset = "wechat/bridge"
# url = "http://127.0.0.1:8001/feed/…\""""


def preview_address(url: str, config: Config | None, *, as_json: bool, routes: bool = False) -> int:
    """Look at an address and say what it could be a source of; `routes`: and what those of the config would do with its rows.
    Exit 1 where nothing is found or the address does not answer."""
    from monitor.model import FetchPolicy

    policy = FetchPolicy(allow_private=config.allow_private, proxy=config.proxy) if config else FetchPolicy()
    if (preset := preset_at(url)) is not None:
        return _of_preset(preset, config, as_json=as_json, routes=routes)
    try:
        got, policy = _answer(url, policy)
        if _is_wechats(got):
            return _of_wechat(got, as_json=as_json)
        found, said = _suggested(got, policy)
    except SourceError as error:
        found, said = confirmed(discover.by_address(url), policy), _refused(error)
        if urlsplit(url).hostname == wechat.HOST:
            said.append(ARTICLE)
    best = discover.best(found)
    if best is None or best.listing is None:
        _say(url, said)
        return FAILED
    rows = rows_of(best.listing.notices)
    if routes and config is not None:
        add_routes(rows, best.listing.notices, config, discover.id_of(best, config.sources))
    show_rows(rows, config.timezone if config else "Asia/Shanghai", as_json=as_json)
    for problem in best.listing.problems:
        output.warn(problem)
    if not as_json:
        say_routes(rows)
        _paste(best, [one for one in found if one is not best and one.rows], config)
        robots.say(best.url, policy)
    return DONE


def _answer(url: str, policy: FetchPolicy) -> tuple[Fetched, FetchPolicy]:
    """What the address answers, and the policy by which it does; of a later page of a list, page 1."""
    from monitor.model import Request

    got, policy = fetched_somehow(Request(url), policy)
    if (first := discover.first_page(got)) is not None:
        output.warn(f"{url} is a later page of a list: page 1 is {first}")
        got, policy = fetched_somehow(Request(first), policy)
    return got, policy


def _suggested(got: Fetched, policy: FetchPolicy) -> tuple[list[Suggestion], list[str]]:
    """What an answer suggests, with its rows; and why there are none, if there are none."""
    found = confirmed(discover.suggest(got), policy)
    said = "a feed, but it has no rows now" if found else discover.nothing(got) or NOTHING
    if policy.user_agent == BROWSER:
        why = "; it refuses (HTTP 403) who does not call itself a browser"
        found = [replace(one, why=one.why + why, keys={**one.keys, "user_agent": BROWSER}) for one in found]
    return found, [said]


def _refused(error: SourceError) -> list[str]:
    """The error in all the words that are known of it."""
    shown, hint = getattr(error, "page", ""), getattr(error, "hint", "")
    step = hint or (step_for(error, "") if isinstance(error, FetchError) else "")
    return [error.message + (f"; the page that came is titled “{shown}”" if shown else ""), *([step] if step else [])]


def _say(url: str, sentences: list[str]) -> None:
    output.warn(f"{url}: {sentences[0]}")
    for sentence in sentences[1:]:
        output.warn(sentence)


# --- presets


def preset_at(url: str) -> Preset | None:
    """The preset whose list is at an address."""
    from monitor.config import presets

    wanted = _folded(url)
    for preset in presets().values():
        if wanted in map(_folded, (preset.url, *preset.keys.get("fallback", ()))):
            return preset
    return None


def _folded(url: str) -> str:
    """An address without what makes no difference to which list it is."""
    return re.sub(r"(?:/index\.s?html?|/)$", "", urls.identity(url))


def _of_preset(preset: Preset, config: Config | None, *, as_json: bool, routes: bool) -> int:
    from monitor import config as configs

    code = show(configs.source_of({"preset": preset.name}, config, os.environ), config, as_json=as_json, routes=routes)
    if not as_json:
        click.echo()
        _paste_preset(preset)
    return code


def _paste_preset(preset: Preset) -> None:
    _dimmed(f"# there is a preset for it: {preset.body}, {preset.column} (checked: {preset.verified})")
    if preset.note:
        _dimmed(f"# {preset.note}")
    click.echo(f'[[source]]\npreset = "{preset.name}"')


# --- WeChat


def _is_wechats(got: Fetched) -> bool:
    return wechat.Wechat().reads(got)


def _of_wechat(got: Fetched, *, as_json: bool) -> int:
    """An article is no list: say so, whose it is, and how an account is followed."""
    from monitor.model import ReadPolicy

    account = "…"
    try:
        document = wechat.Wechat().read(got, ReadPolicy())
        account = next((value for name, value in document.labels if name == "account"), account)
        said = [f"it says: {document.gone}" if document.gone else f"“{document.title}”, of the account {account}"]
    except SourceError as error:
        said = _refused(error)
    _say(got.url, [*said, ARTICLE])
    if not as_json:
        click.echo(ACCOUNTS.lstrip("\n").format(account=account))
    return FAILED


# --- what is printed


def _paste(best: Suggestion, others: list[Suggestion], config: Config | None) -> None:
    taken = frozenset(config.sources) if config else frozenset()
    preset = preset_at(best.url)
    _dimmed(f"\n# {best.why}")
    if preset is not None:
        _paste_preset(preset)
    else:
        click.echo(discover.toml(best, taken))
    for one in others:
        click.echo(f"\n# also here: {one.why}")
        click.echo("\n".join(f"# {line}" for line in discover.toml(one, taken).split("\n")))
    output.hint("\npaste this into monitor.toml, then: monitor check")


def _dimmed(text: str) -> None:
    click.secho(text, dim=True) if terminal() else click.echo(text)
