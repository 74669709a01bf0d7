"""A node behind its port."""

from contextlib import suppress
from typing import Any

import uvicorn

from tessera.club.app import app_of
from tessera.club.connections import bounded
from tessera.club.node import Node
from tessera.club.settings import BET_GAS, ENTRY_GAS, Settings

CLOSING_SECONDS = 5  # that requests get to end in
# That a connection may be idle: longer than a proxy keeps one (Caddy: two minutes), which answers 502 where it sends on
# a connection at the moment in which this side ends it.
IDLE_SECONDS = 150
MOST_CONNECTIONS = 4_000  # of all visitors; what one address may have is `limits`'


def run(node: Node) -> None:
    """Serves a node until SIGTERM or Ctrl-C; a transaction that is under way ends first. Raises ChainError."""
    settings = node.settings
    _allow_connections()
    uvicorn.run(
        app_of(node),
        host=settings.listen,
        port=settings.port,
        log_level="warning",
        server_header=False,
        **behind_proxies(settings),
        ws="none",
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=CLOSING_SECONDS,
        timeout_keep_alive=IDLE_SECONDS,
    )


def behind_proxies(settings: Settings) -> dict[str, Any]:
    """What uvicorn is to know of the proxies before a node: their word on a visitor's address is taken, and their own
    connections are not counted."""
    trusted = settings.trusted
    return {
        "forwarded_allow_ips": list(map(str, trusted)),
        "http": bounded(settings.limits.connections, trusted),
    }


def _allow_connections() -> None:
    """As many open files as the system lets this process have: each connection is one."""
    with suppress(ImportError, ValueError, OSError):  # Windows has no such limit
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def doubts(node: Node) -> list[str]:
    """What would keep a node from doing its work, in sentences that say what to do."""
    wallet, gas, euro = node.sender.wallet, node.settings.gas, node.tessera.play_euro
    sentences = []
    if not euro.is_inviter(wallet.address) and euro.read("owner") != wallet.address:
        sentences.append(
            f"{wallet.address} may not invite, so friends who open a link wait: the owner runs "
            f"`tessera members inviter {wallet.address}`"
        )
    if node.store.is_new() and wallet.nonce() > 0:
        sentences.append(
            "its database is new, and its account has sent transactions before: where the database was lost, put the "
            "copy of it in its place, or run `tessera club restore`; nobody is a member here until then"
        )
    price = wallet.gas_price()
    if (needed := (ENTRY_GAS + BET_GAS) * price.offered) > gas.quota:
        sentences.append(
            f"at present prices a friend needs {needed / 1e18:.6f} ETH to join and bet, and gets at most "
            f"{gas.quota / 1e18:.6f} a day: raise gas.budget, or lower gas.members"
        )
    if wallet.balance() < gas.budget + gas.own:
        sentences.append(
            f"{wallet.address} has {wallet.balance() / 1e18:.6f} ETH, less than it may spend in a day: refill it"
        )
    return sentences
