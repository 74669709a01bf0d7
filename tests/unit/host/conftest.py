"""A club with hosted bets on the embedded chain, a host, players and a panel; each test is undone."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from tessera.chain import Tessera, Wallet
from tessera.chain.embedded import embedded_web3, known_account
from tessera.chain.hosted_bets import Bet
from tessera.chain.panels import PanelCreated, ascending
from tessera.deployment.deploy import deploy
from tessera.host.bets_file import read_bets
from tessera.host.node import Node
from tessera.host.server import app_of
from tessera.host.store import SignedBet, Store
from tessera.index import Index
from tests.undo import undone

EUR = 10**6
DAY = 86_400
DOMAIN = "bets.example"
PLAYERS, HOST, PANEL = range(1, 5), 5, (11, 12, 13)
BARE = (Path(__file__).with_name("bare.ini")).read_text()
ODDS = "[bets:0]\ndesc = A wins on B\npredictions = [win,loss]\nrange = [1, 40]\nodds = 80%, 110%\n"


@pytest.fixture(scope="session")
def deployed(tmp_path_factory) -> Tessera:
    web3 = embedded_web3()
    # Ahead of the clock on the wall: then the chain's time is the only time.
    web3.provider.ethereum_tester.time_travel(web3.eth.get_block("latest")["timestamp"] + 10 * DAY)
    path = tmp_path_factory.mktemp("deployed") / "club.json"
    owner = Wallet(web3, known_account(0))
    deploy(owner, "friends", {"shortest_window": 60}, path=path)
    tessera = Tessera(web3, deploy(owner, "hosted", {"first_index": 1}, path=path))
    people = [Wallet(web3, known_account(index)) for index in (*PLAYERS, HOST)]
    tessera.play_euro.invite(owner, [person.address for person in people])
    for person in people:
        tessera.play_euro.join(person, consent=0b111)
    return tessera


@pytest.fixture(scope="session")
def panel_id(deployed: Tessera) -> int:
    members = ascending(known_account(index).address for index in PANEL)
    made = deployed.panels.create_panel(Wallet(deployed.web3, known_account(0)), members, 2)
    return made.event(PanelCreated).panel_id


class World:
    """The chain, and host nodes on it."""

    def __init__(self, tessera: Tessera, panel_id: int, folder: Path):
        self.tessera, self.web3, self.panel_id, self.folder = tessera, tessera.web3, panel_id, folder
        self.host = known_account(HOST)
        self.players = [known_account(index) for index in PLAYERS]
        self.told: list[tuple[str, str, str]] = []
        self.nonce = 0

    @property
    def now(self) -> int:
        return self.web3.eth.get_block("latest")["timestamp"]

    def travel(self, time: int) -> None:
        self.web3.provider.ethereum_tester.time_travel(time)
        self.web3.provider.ethereum_tester.mine_block()

    def node(self, text: str, *, store: str = "host", index: str = "index", **options) -> Node:
        """A node that reads this file; with the same names of store and index it is the same one, started again."""
        file = self.folder / "bets.ini"
        file.write_text(text)
        bets = read_bets(file, decimals=6, defaults={"panel": str(self.panel_id)})
        node = Node(
            self.tessera,
            Index(f"sqlite:///{self.folder / index}.db", self.web3, self.tessera.deployment),
            Store(f"sqlite:///{self.folder / store}.db", self.host.address),
            Wallet(self.web3, self.host),
            bets,
            decimals=6,
            **options,
        )
        node.tell = lambda account, code, text, nonce=None: self.told.append((account, code, text))
        return node

    def sign(self, node: Node, number: int, player: int, prediction: int, amount: int, **changes) -> SignedBet:
        """A bet that a player signs for a node, good for a minute."""
        offered = next(one for one in node.catalogue.offered if one.bet.number == number)
        self.nonce += 1
        account = self.players[player]
        bet = Bet(account.address, prediction, amount, 0, self.nonce, self.now + 60)._replace(**changes)
        signature = offered.contract.signer().bet(account, offered.bet_id, bet, self.host.address)
        return SignedBet(offered.contract.address, offered.bet_id, bet, signature)

    def decide(self, node: Node, number: int, outcome: int) -> None:
        """Lets betting end, and two of the panel say what happened."""
        offered = next(one for one in node.catalogue.offered if one.bet.number == number)
        self.travel(max(self.now, offered.listing.closes_at) + 1)
        question = offered.listing.question(offered.contract.address)
        members = self.tessera.panels.members_of(self.panel_id)
        wallets = {Wallet(self.web3, known_account(index)).address: known_account(index) for index in PANEL}
        for address in members[:2]:
            self.tessera.panels.report(Wallet(self.web3, wallets[address]), self.panel_id, question, outcome)

    def balance(self, player: int) -> int:
        return self.tessera.escrow.balance_of(self.players[player].address)

    def sent(self) -> int:
        """Transactions of the host until now."""
        return self.web3.eth.get_transaction_count(self.host.address)

    def stakes(self, node: Node, player: int) -> list[tuple[int, int, str]]:
        """A player's stakes as the node shows them: prediction, amount, status."""
        mine = node.view.stakes.get(self.players[player].address, ())
        return [(stake.prediction, stake.amount, stake.status) for stake in mine]


@pytest.fixture
def world(deployed: Tessera, panel_id: int, tmp_path: Path):
    with undone(deployed.web3):
        yield World(deployed, panel_id, tmp_path)


@pytest.fixture
def door(world: World):
    """Serves a node, and gives what opens a client's connection to it."""
    with ExitStack() as opened:

        def serve(node: Node) -> Callable:
            http = opened.enter_context(TestClient(app_of(node, DOMAIN, world.web3.eth.chain_id)))
            return lambda: opened.enter_context(http.websocket_connect("/"))

        yield serve


@pytest.fixture
def dying(world: World, monkeypatch) -> Callable:
    """Kills whatever runs inside before or after the host's transaction of that number, from 0."""
    send = world.web3.eth.send_raw_transaction

    def arrange(transaction: int, *, after: bool):
        left = [transaction]

        def until_then(raw):
            left[0] -= 1
            if left[0] >= 0:
                return send(raw)
            monkeypatch.setattr(world.web3.eth, "send_raw_transaction", send)
            if after:
                send(raw)
            raise KeyboardInterrupt

        monkeypatch.setattr(world.web3.eth, "send_raw_transaction", until_then)

    return arrange
