"""Run a gateway of a stream: players connect to it instead of the engine; it keeps no state: see docs/scale.md.

\b
    ape run live_gateway --stream NUMBER --journal postgresql://... --port 8801
"""

import logging
import sys

import click

from tessera.deployment.operators import in_one_line
from tessera.live.gateway import Gateway
from tessera.live.server import app_of, server_of
from tessera.live.visitors import MOST_CONNECTIONS


@click.command(help=__doc__)
@click.option("--stream", "stream_id", type=click.IntRange(0), required=True, help="Number of the stream.")
@click.option("--journal", required=True, help="The postgresql:// URL that the stream's engines have.")
@click.option("--listen", default="127.0.0.1", show_default=True, help="Address that players connect to.")
@click.option("--port", type=click.IntRange(1, 65535), default=8801, show_default=True)
@click.option(
    "--connections",
    type=click.IntRange(1),
    default=MOST_CONNECTIONS,
    show_default=True,
    help="Of one address, that follow no session.",
)
@in_one_line()
def cli(stream_id: int, journal: str, listen: str, port: int, connections: int):
    from tessera.live.journal.postgres import PostgresJournal, identity_of, owner_of  # wants psycopg

    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", stream=sys.stdout)
    identity = identity_of(journal, stream_id)
    gateway = Gateway(lambda: owner_of(journal, identity), lambda: PostgresJournal(journal, identity))
    click.echo(f"a gateway of {identity}, at ws://{listen}:{port}/ws")
    server_of(app_of(gateway, most_connections=connections), listen, port, "warning").run()
