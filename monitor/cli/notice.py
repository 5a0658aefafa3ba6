"""`monitor show`, `diff`, `explain`, `export`: one notice or change at a time, and all of them out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitor.cli import output
from monitor.cli.common import DONE, FAILED, ID, counted, is_free, load, reading, terminal

if TYPE_CHECKING:
    from monitor.config import Config
    from monitor.store.notices import Connection


def _find(conn: Connection, named: str) -> int:
    from monitor.store import lists

    found = lists.find_notice(conn, named) if not named.isdigit() or (named.isascii() and len(named) < 19) else None
    if found is None:
        raise click.UsageError(f'no notice "{named}": give an id or the address of one; monitor notices lists them')
    return found


@click.command()
@click.argument("notice")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_context
def show(ctx: click.Context, notice: str, as_json: bool) -> int:
    """Show one notice (id or URL): what it says, where it was, its versions."""
    from monitor.store import lists

    config = load(ctx)
    with reading(config) as store, store.read() as conn:
        found = lists.show(conn, _find(conn, notice))
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
        return DONE
    _show(config, found)
    return DONE


def _show(config: Config, found: dict[str, Any]) -> None:
    def line(name: str, value: object) -> None:
        if value:
            click.echo(f"{click.style(f'{name:<12}', dim=True) if terminal() else f'{name:<12}'}{output.visible(str(value))}")

    click.secho(output.visible(found["title"]), bold=terminal())
    line("id", found["id"])
    line("source", found["source"])
    line("url", found["url"])
    line("published", output.local(found["published"], config.timezone))
    line("state", found["state"])
    line("first seen", output.local(found["first_seen"], config.timezone))
    line("last seen", output.local(found["last_seen"], config.timezone))
    for name in ("number", "issuers", "signed", "cves"):
        line(name, ", ".join(found[name]) if isinstance(found[name], list) else found[name])
    for attachment in found["attachments"]:
        size = f", {attachment['bytes']} bytes" if attachment["bytes"] is not None else ""
        line("attachment", f"{attachment['name']}{size}  {attachment['url']}")
    for version in found["versions"]:
        line(f"version {version['seq']}", f"{output.local(version['seen_at'], config.timezone)}  {version['reason']}")
    if found["text"]:
        click.echo()
        for text in found["text"].split("\n"):
            click.echo(output.visible(text))
    if len(found["versions"]) > 1:
        output.hint(f"\nmonitor diff {found['id']} shows what changed last")


@click.command()
@click.argument("notice")
@click.option("--from", "from_", type=int, metavar="N", help="The older version; else the one before the newer.")
@click.option("--to", type=int, metavar="M", help="The newer version; else the newest.")
@click.option("--format", "format_", type=click.Choice(["text", "html", "unified"]), default="text", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object: notice, from, to, diff (unified).")
@click.pass_context
def diff(ctx: click.Context, notice: str, from_: int | None, to: int | None, format_: str, as_json: bool) -> int:
    """Show what changed between two versions of a notice (id or URL)."""
    from monitor.diff import diff as compare
    from monitor.render import hunks
    from monitor.store import notices

    config = load(ctx)
    with reading(config) as store, store.read() as conn:
        id_ = _find(conn, notice)
        row = notices.row(conn, id_)
        assert row is not None
        newer = row["seq"] if to is None else to
        older = max(1, newer - 1) if from_ is None else from_
        for number in (older, newer):
            if not 1 <= number <= row["seq"]:
                raise click.UsageError(f"notice {id_} has versions 1 to {row['seq']}, not {number}")
        before, after = notices.version(conn, id_, older), notices.version(conn, id_, newer)
    assert before is not None
    assert after is not None
    found = compare(before.text, after.text)
    unified = hunks.unified(f"version {older}", f"version {newer}", found)
    if as_json:
        click.echo(json.dumps({"notice": id_, "from": older, "to": newer, "diff": unified}, ensure_ascii=False))
        return DONE
    if format_ == "unified":
        click.echo(unified, nl=False)
        return DONE
    if format_ == "html":
        click.echo(hunks.html(found, language=config.language))
        return DONE
    if before.title != after.title:
        click.echo(f"- {output.visible(before.title)}\n+ {output.visible(after.title)}")
    if older == newer:
        click.echo(f"notice {id_}: nothing to compare: {counted(row['seq'], 'version')}, and {older} was asked for on both sides")
        return DONE
    said = hunks.text(found, colour=terminal(), language=config.language)
    click.echo(
        said or f"versions {older} and {newer} say the same" + (" but for the title" if before.title != after.title else "")
    )
    return DONE


@click.command()
@click.argument("change", type=ID)
@click.option("--json", "as_json", is_flag=True, help="One JSON object: change, tried, deliveries.")
@click.pass_context
def explain(ctx: click.Context, change: int, as_json: bool) -> int:
    """Say why a change (its id) was or was not told: routes tried, silences, deliveries."""
    from monitor.cli.listing import CHANGES
    from monitor.store import lists

    config = load(ctx)
    with reading(config) as store, store.read() as conn:
        found = lists.explain(conn, change)
    if found is None:
        raise click.UsageError(f"no change {change}: monitor changes lists them")
    if as_json:
        found["change"] = {key: found["change"][key] for key in CHANGES}
        click.echo(json.dumps(found, ensure_ascii=False))
        return DONE
    about = found["change"]
    click.echo(f"change {about['id']}: {about['kind']}, {about['reason']}, {output.local(about['at'], config.timezone)}")
    click.echo(f"  {output.visible(about['title'] or about['detail'] or about['source'] or '')}")
    if about["silence"]:
        click.echo(f"not told: {about['silence']}")
    for tried in found["tried"]:
        click.echo(f"{tried['route']}: {'matched' if tried['matched'] else 'not matched'}: {output.visible(tried['reason'])}")
    for one in found["deliveries"]:
        when = f"at {output.local(one['sent_at'], config.timezone)}" if one["sent_at"] else ""
        error = f": {output.visible(one['last_error'])}" if one["last_error"] else ""
        click.echo(f"delivery {one['id']} to {one['channel']} by {one['route']}: {one['state']} {when}{error}".rstrip())
    return DONE


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), default="-")
@click.option("--source", "sources", multiple=True, metavar="GLOB", help="Only these sources. Repeats.")
@click.option("--since", "since_", metavar="WHEN", help="First seen from a time, a date or an age on.")
@click.pass_context
def export(ctx: click.Context, file: Path, sources: tuple[str, ...], since_: str | None) -> int:
    """Write notices with the text of all their versions as JSON lines to FILE ("-": standard output); never overwrites."""
    from datetime import UTC, datetime

    from monitor.cli.listing import known_or_stored, since
    from monitor.store import lists, notices

    config = load(ctx)
    moment = since(since_, config.timezone, datetime.now(UTC)) if since_ else None
    for name in sources:
        known_or_stored(config, name)
    if str(file) != "-" and not is_free(file):
        return FAILED
    with reading(config) as store, store.read() as conn, click.open_file(str(file), "w", encoding="utf-8") as out:
        ids = lists.export(conn, lists.Filter(sources, since=moment))
        for id_ in ids:
            found = lists.show(conn, id_)
            for version in found["versions"]:
                version["text"] = notices.text_of(conn, id_, version["seq"])
            out.write(json.dumps(found, ensure_ascii=False) + "\n")
    if str(file) != "-":
        click.echo(f"{counted(len(ids), 'notice')} written to {file}")
    return DONE
