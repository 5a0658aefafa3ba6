"""The commands. Each lives in the module named in `COMMANDS`, loaded only when it is asked for: `--help` starts at once."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import click

from monitor import __version__

#: Command → (module, what the overview says of it), in the order of the overview.
COMMANDS = {
    "init": ("setup", "write a commented monitor.toml"),
    "validate": ("setup", "check the configuration: every problem at once"),
    "presets": ("setup", "list the official sources that are known by name"),
    "preview": ("preview", "look once at a source or an address, store nothing"),
    "check": ("look", "check sources now, deliver what is due"),
    "run": ("look", "run the daemon"),
    "demo": ("demo", "see the main job on a bundled replay, over loopback"),
    "sources": ("listing", "list sources: health, last check, next one"),
    "notices": ("listing", "list notices"),
    "changes": ("listing", "list changes: new, revised, withdrawn, failing, …"),
    "deliveries": ("listing", "list deliveries: sent, waiting, refused"),
    "search": ("search", "find notices by their words, Chinese too"),
    "show": ("notice", "show one notice, with its versions"),
    "diff": ("notice", "show what changed between two versions of a notice"),
    "explain": ("notice", "say why a change was or was not told"),
    "export": ("export", "write notices with all their versions as JSON lines, CSV or a folder of files"),
    "calendar": ("calendar", "write deadlines and dates of effect as iCalendar"),
    "test": ("upkeep", "send a test message to a channel, show its answer"),
    "retry": ("upkeep", "put refused and expired deliveries back"),
    "accept": ("upkeep", "the list of a source is right as it is now"),
    "pause": ("upkeep", "look at a source no more"),
    "resume": ("upkeep", "look at a paused source again"),
    "forget": ("upkeep", "delete the history of a source"),
    "backup": ("upkeep", "copy the database while monitor runs"),
    "doctor": ("doctor", "look at everything, try each source and channel, say what to do"),
}


class Commands(click.Group):
    """A group whose commands are imported when they are asked for."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, _config_first(args))

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"monitor.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, 1)
            ctx.fail(f'no command "{args[0]}"' + (f' — did you mean "{near[0]}"?' if near else "; see monitor --help"))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, said) for name, (_, said) in COMMANDS.items()])


def _config_first(args: list[str]) -> list[str]:
    """The same with `--config FILE` in front, where click looks for it: people write it behind the command, too."""
    end = args.index("--") if "--" in args else len(args)
    at = next((n for n, arg in enumerate(args[:end]) if arg == "--config" or arg.startswith("--config=")), None)
    if at is None:
        return args
    width = 1 if "=" in args[at] else 2
    return [*args[at : at + width], *args[:at], *args[at + width :]]


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--config",
    "-c",
    metavar="FILE",
    help="The configuration; else $MONITOR_CONFIG, ./monitor.toml, ./config/monitor.toml, ~/.config/monitor/monitor.toml.",
)
@click.option("--verbose", "-v", is_flag=True, help="Log every check, and Python's traceback where monitor itself is at fault.")
@click.version_option(__version__, prog_name="monitor")
@click.pass_context
def monitor(ctx: click.Context, config: str | None, verbose: bool) -> None:
    """Tells by mail and IM when official announcements appear, are quietly changed, or are withdrawn — and when it cannot see.

    First: monitor demo. Then: monitor init, monitor check, monitor run.
    """
    ctx.obj = {"config": config, "verbose": verbose}


def main(args: list[str] | None = None) -> Any:
    """The entry point: exit 0 done, 1 it did not succeed, 2 config or usage, 3 in use, 4 unusable database, 130 Ctrl-C."""
    from monitor.cli.common import Fault, guarded

    sys.excepthook = Fault(verbose=not {"-v", "--verbose"}.isdisjoint(sys.argv[1:] if args is None else args))
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal that cannot show Chinese shows escapes, not a traceback
    sys.exit(guarded(monitor, args))
