"""`monitor init`, `validate`, `presets`: the configuration."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import click

from monitor.cli import output
from monitor.cli.common import DONE, FAILED, USAGE, counted, load, terminal
from monitor.cli.output import Column

PRESETS = ("name", "body", "column", "kind", "url", "verified")


def template() -> str:
    """The default monitor.toml: beside the presets in an installed package, in `config/` of a checkout."""
    packaged = files("monitor") / "presets" / "monitor.toml"
    if packaged.is_file():
        return packaged.read_text("utf-8")
    return (Path(__file__).parents[2] / "config" / "monitor.toml").read_text("utf-8")


@click.command()
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path), default=".")
def init(directory: Path) -> int:
    """Write a commented monitor.toml into DIRECTORY (here, if none is named); never overwrites."""
    path = directory / "monitor.toml"
    if path.exists():
        output.warn(f"{path} exists already and is not overwritten: name another folder, or move that file away")
        return FAILED
    directory.mkdir(parents=True, exist_ok=True)
    text = template().replace("#:schema ./monitor.schema.json\n", "")
    with path.open("x", encoding="utf-8") as out:
        out.write(text)
    path.chmod(0o600)
    click.echo(f"{path} written: official sources, told on the console. Next:")
    config = "" if directory == Path() else f"--config {path} "
    click.echo(f"  monitor {config}check      look once: stores the baseline")
    click.echo(f"  monitor {config}run        go on looking")
    return DONE


@click.command()
@click.pass_context
def validate(ctx: click.Context) -> int:
    """Check the configuration: every problem at once, with file and line."""
    from monitor import config as configs
    from monitor import schedule

    config = load(ctx)
    if unusable := configs.check_channels(config):
        for said in unusable:
            output.warn(said)
        return USAGE
    numbers = ((len(config.sources), "source"), (len(config.channels), "channel"), (len(config.routes), "route"))
    click.echo(f"{config.path}: good: {', '.join(counted(number, noun) for number, noun in numbers)}")
    now = datetime.now(UTC)
    for source in config.sources.values():
        if source.schedule.cron:
            times = ", ".join(
                output.local(at.isoformat(), config.timezone) for at in schedule.fire_times(source.schedule, now, 3)
            )
            click.echo(f"  {source.id}: cron {source.schedule.cron}: next {times}")
    if not config.sources:
        output.warn("no source: nothing is looked at; add a [[source]], monitor presets lists official ones")
    if not config.channels:
        output.warn("no channel: what changes is stored and told nowhere; add a [[channel]]")
    if terminal():
        output.hint("next: monitor check")
    return DONE


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def presets(as_json: bool) -> int:
    """List the official sources that are known by name; use one as `preset = "NAME"` in a [[source]]."""
    from monitor import config

    found = [
        {
            "name": preset.name,
            "body": preset.body,
            "column": preset.column,
            "kind": preset.kind,
            "url": preset.url,
            "verified": preset.verified,
        }
        for preset in config.presets().values()
    ]
    columns = [
        Column("name", "PRESET"), Column("body", "BODY"), Column("column", "COLUMN"), Column("kind", "KIND"),
        Column("verified", "VERIFIED"), Column("url", "URL", wide=True),
    ]  # fmt: skip
    output.rows(found, columns, "UTC", as_json=as_json, keys=PRESETS)
    return DONE
