"""`monitor show`, `diff`, `explain`: one notice or change at a time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from monitor.cli import output
from monitor.cli.common import DONE, ID, counted, place, reading
from monitor.cli.output import terminal

if TYPE_CHECKING:
    from monitor.cli.common import Place
    from monitor.model import Version
    from monitor.store.database import Connection


#: Lines of an attachment's text that are shown at a terminal.
AT_TERMINAL = 60


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

    where = place(ctx)
    with reading(where) as store, store.read() as conn:
        found = lists.show(conn, _find(conn, notice))
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
        return DONE
    _show(where, found)
    return DONE


def _show(where: Place, found: dict[str, Any]) -> None:
    def line(name: str, value: object) -> None:
        if value:
            click.echo(f"{click.style(f'{name:<12}', dim=True) if terminal() else f'{name:<12}'}{output.visible(str(value))}")

    click.secho(output.visible(found["title"]), bold=terminal())
    line("id", found["id"])
    line("source", found["source"])
    line("url", found["url"])
    line("published", output.local(found["published"], where.timezone))
    line("state", found["state"])
    line("first seen", output.local(found["first_seen"], where.timezone))
    line("last seen", output.local(found["last_seen"], where.timezone))
    for name, value in found["facts"].items():
        if name != "words":
            line(name, ", ".join(value) if isinstance(value, list) else value)
    files = [file for file in found["attachments"] if file["kind"] == "file"]
    shown = [file for file in found["attachments"] if file["kind"] == "picture"]
    for file in files:
        size = f", {file['bytes']} bytes" if file["bytes"] is not None else ""
        line("attachment", f"{file['name']}{size}  {file['url']}")
    line("pictures", f"{len(shown)}, {sum(bool(one['text']) for one in shown)} of them with words" if shown else "")
    for version in found["versions"]:
        line(f"version {version['seq']}", f"{output.local(version['seen_at'], where.timezone)}  {version['reason']}")
    if found["text"]:
        click.echo()
        for text in found["text"].split("\n"):
            click.echo(output.visible(text))
    for file in [*files, *([_together(shown)] if shown else [])]:
        _show_text(file)
    if len(found["versions"]) > 1:
        output.hint(f"\nmonitor diff {found['id']} shows what changed last")


def _together(shown: list[dict[str, Any]]) -> dict[str, Any]:
    """The pictures of a page as one file: their words in order, and how many have none for which reason."""
    from collections import Counter

    from monitor.render.attached import joined

    problems = Counter(one["problem"] for one in shown if one["problem"] and not one["text"])
    return {
        "name": "pictures",
        "text": joined(one["text"] or "" for one in shown),
        "problem": "; ".join(f"{count} of {len(shown)}: {problem}" for problem, count in problems.most_common()) or None,
    }


def _show_text(file: dict[str, Any]) -> None:
    """What a file says, or why it says nothing; a long text in part, where a person looks at it."""
    if not file["text"] and file["problem"] is None:
        return
    click.echo()
    click.secho(f"[{output.visible(file['name'])}]", bold=terminal())
    lines = (file["text"] or "").split("\n") if file["text"] else []
    shown = lines[:AT_TERMINAL] if terminal() else lines
    for text in shown:
        click.echo(output.visible(text))
    if len(lines) > len(shown):
        output.hint(f"… {len(lines) - len(shown)} more lines: in a pipe, all of them")
    if file["problem"]:
        click.echo(f"({output.visible(file['problem'])})")


@click.command()
@click.argument("notice")
@click.option("--from", "from_", type=int, metavar="N", help="The older version; else the one before the newer.")
@click.option("--to", type=int, metavar="M", help="The newer version; else the newest.")
@click.option("--format", "format_", type=click.Choice(["text", "html", "unified"]), default="text", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object: notice, from, to, diff (unified).")
@click.pass_context
def diff(ctx: click.Context, notice: str, from_: int | None, to: int | None, format_: str, as_json: bool) -> int:
    """Show what changed between two versions of a notice (id or URL)."""
    from monitor.store import files, notices

    where = place(ctx)
    with reading(where) as store, store.read() as conn:
        id_ = _find(conn, notice)
        row = notices.row(conn, id_)
        assert row is not None
        newer = row["seq"] if to is None else to
        older = max(1, newer - 1) if from_ is None else from_
        for number in (older, newer):
            if not 1 <= number <= row["seq"]:
                raise click.UsageError(f"notice {id_} has versions 1 to {row['seq']}, not {number}")
        before, after = (files.version_with_texts(conn, notices.version(conn, id_, number)) for number in (older, newer))
    assert before is not None
    assert after is not None
    if as_json:
        found = {"notice": id_, "from": older, "to": newer, "diff": _unified(before, after)}
        click.echo(json.dumps(found, ensure_ascii=False))
    elif format_ == "unified":
        click.echo(_unified(before, after), nl=False)
    elif format_ == "html":
        click.echo(_compared_html(before, after, where.language))
    elif older == newer:
        click.echo(f"notice {id_}: nothing to compare: {counted(row['seq'], 'version')}, and {older} was asked for on both sides")
    else:
        _compared(before, after, where.language)
    return DONE


def _unified(before: Version, after: Version) -> str:
    """The differences as a patch: of the page's text, then of each file's."""
    from monitor.diff import diff as compare
    from monitor.render import hunks
    from monitor.render.attached import reworded

    said = hunks.unified(f"version {before.seq}", f"version {after.seq}", compare(before.text, after.text))
    for file in reworded(before.attachments, after.attachments):
        old, new = (f"version {one.seq}: {file.name or 'pictures'}" for one in (before, after))
        said += hunks.unified(old, new, compare(file.old, file.new))
    return said


def _compared_html(before: Version, after: Version, language: str) -> str:
    from html import escape

    from monitor.diff import diff as compare
    from monitor.render import hunks
    from monitor.render.attached import reworded

    parts = [hunks.html(compare(before.text, after.text), language=language)]
    for file in reworded(before.attachments, after.attachments):
        shown = hunks.html(compare(file.old, file.new), language=language)
        parts.append(f"<h3>{escape(output.visible(file.name or 'pictures'))}</h3>\n{shown}")
    return "\n".join(part for part in parts if part)


def _compared(before: Version, after: Version, language: str) -> None:
    from monitor.diff import diff as compare
    from monitor.render import hunks
    from monitor.render.attached import reworded

    if before.title != after.title:
        click.echo(f"- {output.visible(before.title)}\n+ {output.visible(after.title)}")
    said = hunks.text(compare(before.text, after.text), colour=terminal(), language=language)
    if said:
        click.echo(said)
    found = reworded(before.attachments, after.attachments)
    for file in found:
        click.echo()
        click.secho(f"[{output.visible(file.name or 'pictures')}]", bold=terminal())
        click.echo(hunks.text(compare(file.old, file.new), colour=terminal(), language=language))
    if not said and not found:
        but = " but for the title" if before.title != after.title else ""
        click.echo(f"versions {before.seq} and {after.seq} say the same{but}")


@click.command()
@click.argument("change", type=ID)
@click.option("--json", "as_json", is_flag=True, help="One JSON object: change, tried, deliveries.")
@click.pass_context
def explain(ctx: click.Context, change: int, as_json: bool) -> int:
    """Say why a change (its id) was or was not told: routes tried, silences, deliveries."""
    from monitor.cli.listing import CHANGES
    from monitor.store import lists

    where = place(ctx)
    with reading(where) as store, store.read() as conn:
        found = lists.explain(conn, change)
    if found is None:
        raise click.UsageError(f"no change {change}: monitor changes lists them")
    if as_json:
        found["change"] = {key: found["change"][key] for key in CHANGES}
        click.echo(json.dumps(found, ensure_ascii=False))
        return DONE
    about = found["change"]
    click.echo(f"change {about['id']}: {about['kind']}, {about['reason']}, {output.local(about['at'], where.timezone)}")
    click.echo(f"  {output.visible(about['title'] or about['detail'] or about['source'] or '')}")
    if about["silence"]:
        click.echo(f"not told: {about['silence']}")
    if found["same_as"]:
        same = found["same_as"]
        click.echo(f"the same document as notice {same['notice']}: {same['reason']} (monitor show {same['notice']})")
    for tried in found["tried"]:
        click.echo(f"{tried['route']}: {'matched' if tried['matched'] else 'not matched'}: {output.visible(tried['reason'])}")
    for one in found["deliveries"]:
        when = f" at {output.local(one['sent_at'], where.timezone)}" if one["sent_at"] else ""
        error = f": {output.visible(one['last_error'])}" if one["last_error"] else ""
        click.echo(f"delivery {one['id']} to {one['channel']} by {one['route']}: {one['state']}{when}{error}")
    return DONE
