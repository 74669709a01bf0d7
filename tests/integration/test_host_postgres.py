"""Two hosts at once with one PostgreSQL for index and state: each sees, lands and pays its own bets alone."""

import pytest

from tessera.chain import Wallet
from tessera.chain.embedded import known_account
from tessera.chain.hosted_bets import Bet, BetPlaced
from tessera.host.bets_file import read_bets
from tessera.host.node import Node
from tessera.host.store import SignedBet, Store
from tessera.index import Index
from tests.integration.test_index_postgres import database, pytestmark, server  # noqa: F401
from tests.unit.host.conftest import BARE, EUR, HOST, deployed, panel_id, world  # noqa: F401

OTHER_HOST = 4  # a player, who cannot bet here
WIN, LOSS = 0, 1


@pytest.fixture
def hosting(world, database, tmp_path):  # noqa: F811
    """`hosting(account)`: the node of a host by its account's number, started anew."""
    file = tmp_path / "bets.ini"
    file.write_text(BARE)
    opened = []

    def start(account: int) -> Node:
        host = known_account(account)
        index, store = Index(database, world.web3, world.tessera.deployment), Store(database, host.address)
        opened.extend([index.engine, store.engine])
        bets = read_bets(file, decimals=6, defaults={"panel": str(world.panel_id)})
        return Node(world.tessera, index, store, Wallet(world.web3, host), bets, decimals=6)

    yield start
    for engine in opened:
        engine.dispose()


def signed(world, node: Node, player: int, prediction: int, amount: int) -> SignedBet:  # noqa: F811
    """A bet on the first of a host's bets; every player's nonce is the same with each host."""
    offered, account = node.catalogue.offered[0], world.players[player]
    bet = Bet(account.address, prediction, amount, 0, 1, world.now + 100)
    signature = offered.contract.signer().bet(account, offered.bet_id, bet, node.wallet.address)
    return SignedBet(offered.contract.address, offered.bet_id, bet, signature)


def test_two_hosts_share_a_database_and_neither_touches_what_is_the_others(world, hosting):  # noqa: F811
    first, second = hosting(HOST), hosting(OTHER_HOST)
    assert first.catalogue.offered[0].bet.salt == second.catalogue.offered[0].bet.salt  # the same file
    assert first.catalogue.offered[0].bet_id != second.catalogue.offered[0].bet_id
    first.take([signed(world, first, 0, WIN, 10 * EUR), signed(world, first, 1, LOSS, 5 * EUR)])
    second.take([signed(world, second, 0, WIN, 7 * EUR), signed(world, second, 1, LOSS, 8 * EUR)])
    assert [one.bet.amount for one in first.store.signed()] == [10 * EUR, 5 * EUR]
    assert [one.bet.amount for one in second.store.signed()] == [7 * EUR, 8 * EUR]
    for node in (first, second, first, second):
        node.step()
    assert world.stakes(first, 0) == [(WIN, 10 * EUR, "confirmed")]
    assert world.stakes(second, 0) == [(WIN, 7 * EUR, "confirmed")]
    # Both are started again with what the database has.
    first, second = hosting(HOST), hosting(OTHER_HOST)
    second.step()
    with second.index.snapshot() as snapshot:
        placed = sorted(row.amount for row in snapshot.rows(BetPlaced))
    assert placed == [5 * EUR, 7 * EUR, 8 * EUR, 10 * EUR]
    world.decide(first, 0, WIN)
    world.decide(second, 0, LOSS)
    for node in (second, first):
        node.step()
    for node in (first, second):
        assert world.tessera.escrow.pot_balance(node.catalogue.offered[0].contract.address,
                                                node.catalogue.offered[0].bet_id) == 0  # fmt: skip
    # 5 were lost with one host and 7 with the other, less a tenth.
    assert world.balance(0) == 50 * EUR + 4_500_000 - 7 * EUR
    assert world.balance(1) == 50 * EUR - 5 * EUR + 6_300_000
    assert world.stakes(first, 1) == [(LOSS, 5 * EUR, "settled")]
    assert world.stakes(second, 1) == [(LOSS, 8 * EUR, "settled")]
