"""`monitor test`, `retry`, `accept`, `pause`, `resume`, `forget`, `backup`: what a person does to a running monitor.

Each asks the daemon on this database; without one it takes the database's lock itself.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli import output
from monitor.cli.common import DONE, FAILED, ID, ask, counted, is_free, load, reading, source_ids, unknown
from monitor.cli.look import accepted
from monitor.cli.look import check as check_command

if TYPE_CHECKING:
    from monitor.config import Config


@click.command()
@click.argument("channel")
@click.pass_context
def test(ctx: click.Context, channel: str) -> int:
    """Send a test message to a channel and show its own answer."""
    from monitor.errors import DeliveryError
    from monitor.model import Message
    from monitor.senders import sender

    config = load(ctx)
    if channel not in config.channels:
        raise unknown("channel", channel, list(config.channels))
    to = config.channels[channel]
    words = {
        "zh": ("monitor 测试消息", "这是一条测试消息：渠道可以使用。"),
        "en": ("monitor: a test message", "This is a test message: the channel works."),
    }
    title, body = words[to.language if to.language in words else "en"]
    now = datetime.now(UTC)
    message = Message(title, body, "text", body, f"test-{now:%Y%m%d%H%M%S%f}", at=now)
    try:
        post = sender(to.target)
        traits = post.traits(to)
        receipt = post.send(to, message)
    except DeliveryError as error:
        output.warn(f"channel {channel}: not sent: {config.mask(error.detail)}")
        output.warn(
            "mend the channel's url in the configuration"
            if error.permanent
            else "this may pass: try again, or look at the service"
        )
        return FAILED
    answer = f": {config.mask(receipt.detail)}" if receipt.detail else ""
    click.echo(f"channel {channel}: sent{answer}")
    if not traits.verified:
        click.echo("  this service's answer does not tell whether it accepted the message: look whether it arrived")
    return DONE


@click.command()
@click.argument("deliveries", nargs=-1, type=ID, metavar="[DELIVERY]...")
@click.pass_context
def retry(ctx: click.Context, deliveries: tuple[int, ...]) -> int:
    """Put refused and expired deliveries back, to be sent again; without ids: all of them."""
    from monitor.store import Store, outbox

    config = load(ctx)
    with reading(config) as store, store.read() as conn:
        absent = outbox.missing(conn, deliveries)
        homeless = outbox.homeless(conn, deliveries, config.channels)
    if absent:
        raise click.UsageError(f"no delivery {', '.join(map(str, absent))}: monitor deliveries lists them")
    answer = ask(config, command="retry", deliveries=list(deliveries))
    if answer is not None:
        ids = answer["deliveries"]
    else:
        with Store(config.database) as store, store.write() as conn:
            ids = outbox.retry(conn, deliveries, datetime.now(UTC), config.channels)
    left = [id_ for id_ in homeless if id_ not in ids]
    for id_ in left if deliveries else ():
        output.warn(f"delivery {id_}: its channel is not in the configuration")
    if left and not deliveries:
        output.warn(f"{len(left)} left as they are: their channel is not in the configuration")
    for id_ in deliveries:
        if id_ not in ids and id_ not in left:
            output.warn(f"delivery {id_} is neither refused nor expired: nothing to put back")
    sends = "the daemon sends them" if answer is not None else "monitor run or monitor check sends them"
    click.echo(f"{len(ids)} put back; {sends}" if ids else "nothing to put back")
    return FAILED if deliveries and not ids else DONE


def _one(config: Config, source: str) -> str:
    return source_ids(config, (source,))[0]


@click.command()
@click.argument("source")
@click.pass_context
def accept(ctx: click.Context, source: str) -> int:
    """Accept the list of a source as it is now, however short, and check it at once."""
    from monitor.store import Store, lists, sources

    config = load(ctx)
    _one(config, source)
    answer = ask(config, command="accept", source=source)
    if answer is not None:
        code = accepted(config, answer["ticket"])
    else:
        with reading(config):
            pass
        with Store(config.database) as store, store.write() as conn:
            sources.set_accept(conn, source, datetime.now(UTC))
        code = int(ctx.invoke(check_command, sources=(source,), as_json=False) or 0)
    with reading(config) as store, store.read() as conn:
        waits = any(row["id"] == source and row["outcome"] == "failed" for row in lists.sources(conn, lists.Filter()))
    if waits:
        output.warn(f"{source}: the next list that it shows is taken as it is, however short")
    else:
        click.echo(f"{source}: its list is taken for right as it is now")
    return code


@click.command()
@click.argument("source")
@click.pass_context
def pause(ctx: click.Context, source: str) -> int:
    """Look at a source no more, until monitor resume."""
    return _paused(load(ctx), source, True)


@click.command()
@click.argument("source")
@click.pass_context
def resume(ctx: click.Context, source: str) -> int:
    """Look at a paused source again."""
    return _paused(load(ctx), source, False)


def _paused(config: Config, source: str, paused: bool) -> int:
    from monitor.store import Store, lists, sources

    _one(config, source)
    with reading(config) as store, store.read() as conn:
        seen = source in lists.source_ids(conn)
    if not seen:
        output.warn(f"{source}: not looked at so far; `enabled = false` in {config.path} keeps it so")
        return FAILED
    answer = ask(config, command="pause" if paused else "resume", source=source)
    if answer is None:
        with Store(config.database) as store, store.write() as conn:
            changed = sources.set_paused(conn, source, paused, datetime.now(UTC))
    else:
        changed = answer["changed"]
    looks = "the daemon looks at it now" if answer is not None else "the next monitor check, or monitor run, looks at it"
    if paused:
        already = "" if changed else "was already "
        click.echo(f"{source}: {already}paused: it is not looked at until: monitor resume {source}")
    elif changed:
        click.echo(f"{source}: resumed: {looks}")
    else:
        click.echo(f"{source}: was not paused: nothing to do")
    return DONE


@click.command()
@click.argument("source")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_context
def forget(ctx: click.Context, source: str, yes: bool) -> int:
    """Delete the whole history of a source: notices, versions, changes. It starts anew with a baseline."""
    from monitor.store import Store, lists, sources

    config = load(ctx)
    with reading(config) as store, store.read() as conn:
        stored = lists.source_ids(conn)
        count = lists.notices_of(conn, source)
    if source not in stored:
        if source in config.sources:
            click.echo(f"{source}: has no history: nothing to delete")
            return DONE
        raise unknown("source", source, [*config.sources, *stored])
    if not yes and not _agreed(f"Delete {counted(count, 'notice')} of {source} with all their versions? This cannot be undone."):
        output.warn(f"{source}: nothing was deleted")
        return FAILED
    answer = ask(config, command="forget", source=source)
    if answer is None:
        with Store(config.database) as store, store.write() as conn:
            sources.forget(conn, source, datetime.now(UTC))
    anew = ": it begins anew with a baseline" if source in config.sources else ""
    click.echo(f"{source}: {counted(count, 'notice')} deleted{anew}" if count else f"{source}: had no notices{anew}")
    return DONE


def _agreed(question: str) -> bool:
    """A person's yes. Raises a usage error where nobody is there to answer."""
    try:
        return click.confirm(question, err=True)
    except click.Abort:
        if sys.stdin.isatty():
            raise  # Ctrl-C
        raise click.UsageError("nobody answered, so nothing was deleted: give --yes") from None
    finally:
        if not sys.stdin.isatty():
            click.echo(err=True)  # nobody pressed Enter


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.pass_context
def backup(ctx: click.Context, file: Path) -> int:
    """Copy the database to FILE while monitor runs; never overwrites."""
    from monitor.errors import Damaged
    from monitor.store import damage

    config = load(ctx)
    if not is_free(file):
        return FAILED
    if (found := damage.find(config.database, damage.THEN)) is not None:  # a copy of it would push sound ones out
        raise Damaged(damage.advice(config.database, found))
    with reading(config) as store:
        size = store.backup(file)
    click.echo(f"{config.database} copied to {file}: {size / 1_048_576:.1f} MiB")
    return DONE
