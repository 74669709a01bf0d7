"""`sync` and `serve`, for `python -m tessera.index` and wherever else the group is mounted."""

import click
import uvicorn
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tessera.chain.deployments import Deployment
from tessera.chain.errors import ChainError, NodeError
from tessera.chain.node import connect
from tessera.index.api import app_of
from tessera.index.index import Index
from tessera.index.syncer import Syncer


class Commands(click.Group):
    """Commands that say in a line what is wrong outside."""

    def invoke(self, context: click.Context):
        try:
            return super().invoke(context)
        except NodeError as error:
            raise click.ClickException(f"the node at {context.params['rpc']} failed: {error}") from error
        except ChainError as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=Commands, help="The event index: what the contracts logged, in a database, and its read API.")
@click.option("--database", default="sqlite:///index.db", show_default=True, help="SQLAlchemy URL, or PostgreSQL's.")
@click.option("--rpc", default="http://127.0.0.1:8545", show_default=True, help="The node.")
@click.option("--record", default="deployments/devnet.json", show_default=True, help="The deployment's record.")
@click.pass_context
def cli(context: click.Context, database: str, rpc: str, record: str):
    context.obj = lambda: _open(database, rpc, record)


@cli.command()
@click.pass_obj
def sync(opened):
    """Read everything up to the newest block."""
    index = opened()
    columns = TextColumn("block"), MofNCompleteColumn(), BarColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("sync", total=None)
        rows = index.sync(lambda block, newest: bar.update(task, completed=block, total=newest))
    head = index.head()
    click.echo(f"{rows} rows read; the index is at {f'block {head.number}' if head else 'its beginning'}")


@cli.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8600, show_default=True)
@click.option("--every", default=4.0, show_default=True, help="Seconds between looks for new blocks.")
@click.option(
    "--requests", default=20.0, show_default=True, help="A second from one address, 0: any number. /health is apart."
)
@click.pass_obj
def serve(opened, host: str, port: int, every: float, requests: float):
    """Read on as blocks come, and answer questions over HTTP, until Ctrl-C."""
    index = opened()
    uvicorn.run(app_of(index, Syncer(index, every), per_second=requests), host=host, port=port)


def _open(database: str, rpc: str, record: str) -> Index:
    return Index(database, connect(rpc), Deployment.load(record))
