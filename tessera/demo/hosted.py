"""An evening at a host's: six people bet over WebSocket on the last matches, on a chain of their own in the process."""

import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from web3 import Web3

from tessera.chain import EUR, Tessera, Wallet
from tessera.chain.blocks import block_at
from tessera.chain.embedded import embedded_web3, known_account
from tessera.chain.panels import PanelCreated
from tessera.demo.audit import AuditError
from tessera.demo.hosted_audit import audit
from tessera.demo.hosted_record import EveningPlayed
from tessera.demo.play import Watcher
from tessera.deployment.deploy import deploy
from tessera.host.bets_file import read_bets
from tessera.host.client import Client
from tessera.host.node import Node
from tessera.host.server import served
from tessera.host.store import Store
from tessera.index import Index
from tessera.observe.matches import Match, ahead

HOST, VALIDATORS = "Wanda", ("Xenia", "Yann", "Zora")
PLAYERS = ("Anouk", "Bela", "Cosmo", "Dina", "Edda", "Falk")
THRESHOLD = 2
TAKEN_SECONDS = 20  # for a host to have taken what was signed
SILENT = 4  # the bet that the panel says nothing about


class Move(NamedTuple):
    """A stake in EUR; `own` by a transaction of the player's own, which the host is told."""

    player: str
    bet: int
    prediction: int
    stake: int
    own: bool = False


ROUNDS = (
    (
        Move("Anouk", 0, 0, 10), Move("Bela", 0, 2, 8), Move("Cosmo", 0, 0, 5), Move("Dina", 0, 1, 3),
        Move("Anouk", 1, 2, 10), Move("Bela", 1, 0, 5),
        Move("Edda", 2, 0, 12, own=True),
        Move("Cosmo", 3, 0, 20),
        Move("Falk", 4, 0, 4), Move("Edda", 4, 1, 6),
    ),
    (Move("Dina", 3, 1, 17), Move("Falk", 2, 2, 9), Move("Bela", 2, 1, 4)),
)  # fmt: skip


def bets_file(matches: list[Match], panel_id: int) -> str:
    """The host's bets.ini on two semi-finals and the final."""
    first, second, final = matches
    leads = "who leads after 90 minutes?"
    sections = (
        (first, leads, _names(first)),
        (second, leads, _names(second), "odds = 130%, 150%, 140%", "bankroll = 30"),
        (final, leads, _names(final)),
        (final, "does anybody lead after 90 minutes?", "predictions = [yes,no]", "odds = 80%, 110%"),
        (final, "was it a fine match?", "predictions = [yes,no]"),
    )
    texts = [f"[bets]\npanel = {panel_id}\nrange = [1, 20]"]
    for number, (match, question, *lines) in enumerate(sections):
        kickoff = time.strftime("%Y-%m-%dT%H:%M", time.gmtime(match.kickoff))
        about = f"desc = {match.home} – {match.away}: {question}"
        texts.append("\n".join([f"[bets:{number}]", about, *lines, f"time_lapse = {kickoff}"]))
    return "\n".join(texts) + "\n"


def _names(match: Match) -> str:
    return f"predictions = [{match.home},draw,{match.away}]"


def truth(number: int, matches: list[Match]) -> tuple[Match, int]:
    """The match that a bet is on, and the prediction that came true."""
    match = matches[min(number, 2)]
    lead = match.lead(match.home, match.full_time)
    outcome = 0 if lead > 0 else 1 if lead == 0 else 2
    return match, int(lead == 0) if number == 3 else outcome


class Evening:
    """The people, their clients and the clock."""

    def __init__(self, web3: Web3, folder: Path, watcher: Watcher):
        self.web3, self.watcher = web3, watcher
        owner = Wallet(web3, known_account(0))
        record = folder / "record.json"
        deploy(owner, "friends", {"shortest_window": 60}, path=record)
        self.tessera = tessera = Tessera(web3, deploy(owner, "hosted", {"first_index": 1}, path=record))
        self.wallets = {name: Wallet(web3, known_account(index)) for index, name in enumerate((*PLAYERS, HOST), 1)}
        self.validators = sorted(
            (known_account(index) for index, _ in enumerate(VALIDATORS, 11)),
            key=lambda account: int(account.address, 16),
        )
        tessera.play_euro.invite(owner, [wallet.address for wallet in self.wallets.values()])
        for wallet in self.wallets.values():
            tessera.play_euro.join(wallet, consent=0b111)
        made = tessera.panels.create_panel(owner, [validator.address for validator in self.validators], THRESHOLD)
        self.panel_id, self.owner = made.event(PanelCreated).panel_id, owner
        self.matches = ahead(3, block_at(web3).timestamp)[-3:]
        names: dict[str, str] = {wallet.address: name for name, wallet in self.wallets.items()}
        names |= {known_account(index).address: name for index, name in enumerate(VALIDATORS, 11)}
        self.played = EveningPlayed(tessera, bets_file(self.matches, self.panel_id), names)
        file = folder / "bets.ini"
        file.write_text(self.played.file, encoding="utf-8")
        self.node = Node(
            tessera,
            Index(f"sqlite:///{folder / 'index.db'}", web3, tessera.deployment),
            Store(f"sqlite:///{folder / 'host.db'}", self.wallets[HOST].address),
            self.wallets[HOST],
            read_bets(file, decimals=6),
            decimals=6,
        )
        self.node.step()

    def play(self, url: str, stack: ExitStack) -> None:
        """Everybody signs in, bets, and watches until all is paid."""
        clients = {name: stack.enter_context(Client(url, self.tessera)) for name in PLAYERS}
        for name, client in clients.items():
            client.sign_in(self.wallets[name].account)
        for number, moves in enumerate(ROUNDS, 1):
            for move in moves:
                self._bet(clients[move.player], move)
            self._wait_until_taken(sum(not move.own for move in moves))
            self.node.step()
            self._note(f"after {'the first bets' if number == 1 else 'the other bets'}", clients)
        for number, match in enumerate(self.matches):
            self._go(match.kickoff + 7_200)
            self._report(number)
        self._go(self.node.catalogue.offered[SILENT].listing.result_deadline + 1)
        self.node.step()
        self._note("in the end", clients)

    def _bet(self, client: Client, move: Move) -> None:
        bet = next(offered for offered in client.open_bets() if offered.number == move.bet)
        name = bet.listing.predictions[move.prediction]
        how = "by a transaction of one's own" if move.own else "signed, for the host to land"
        if move.own:
            wallet = self.wallets[move.player]
            done = self.tessera.prorata.list_and_place(
                wallet, bet.listing, bet.offer, move.prediction, move.stake * EUR
            )
            client.tell(done.transaction)
        else:
            client.bet([(bet, move.prediction, move.stake * EUR)])
        self.watcher.tell(f"{move.player}: {move.stake} EUR on {name} in bet {move.bet}, {how}")

    def _wait_until_taken(self, count: int) -> None:
        until = time.monotonic() + TAKEN_SECONDS
        while (taken := sum(signed.key not in self.node.lander.landed for signed in self.node.store.signed())) < count:
            if time.monotonic() > until:
                raise AuditError(f"the host took {taken} of {count} signed bets")
            time.sleep(0.02)

    def _note(self, when: str, clients: dict[str, Client]) -> None:
        """Keeps what the players' clients show, once it is what the host knows by now."""
        counted: Counter = Counter()
        for name, client in clients.items():
            wanted = Counter(stake.status for stake in self.node.view.stakes.get(self.wallets[name].address, ()))
            if not client.until(lambda _, stake=client, wanted=wanted: _statuses(stake) == wanted):
                raise AuditError(f"{name} is shown {_statuses(client)}, not {wanted}")
            counted += wanted
        self.played.shown.append((when, counted))
        self.watcher.tell(f"{when}, players see: {', '.join(f'{count} {status}' for status, count in counted.items())}")

    def _report(self, number: int) -> None:
        """Two of three validators sign what happened in the bets on a match, anybody submits; the host pays."""
        panels = self.tessera.panels
        for offered in self.node.catalogue.offered:
            match, outcome = truth(offered.bet.number, self.matches)
            if match != self.matches[number] or offered.bet.number == SILENT:
                continue
            question = offered.listing.question(offered.contract.address)
            signed = [
                panels.sign(validator, self.panel_id, question, outcome) for validator in self.validators[:THRESHOLD]
            ]
            panels.submit_reports(self.owner, self.panel_id, question, outcome, signed)
            self.watcher.tell(f"bet {offered.bet.number}: {offered.listing.predictions[outcome]}, say two validators")
        self.node.step()

    def _go(self, at: int) -> None:
        provider: Any = self.web3.provider
        provider.ethereum_tester.time_travel(at)
        provider.ethereum_tester.mine_block()


def play(web3: Web3 | None = None, watcher: Watcher | None = None) -> EveningPlayed:
    """Deploy hosted bets, let a host's node serve six players over WebSocket until everybody is paid, and audit it.

    Raises AuditError or LedgerError where anything does not add up.
    """
    watcher = watcher or Watcher()
    watcher.stage("Hosted bets: compiling and deploying the contracts")
    with TemporaryDirectory() as folder, ExitStack() as stack:
        evening = Evening(web3 or embedded_web3(), Path(folder), watcher)
        watcher.stage(f"{len(PLAYERS)} people bet with a host over WebSocket")
        url = stack.enter_context(served(evening.node, evening.web3.eth.chain_id))
        with ExitStack() as clients:
            evening.play(url, clients)
        played = evening.played
        played.bets = list(evening.node.view.listed.values())
        played.rows = list(evening.tessera.log_reader().read())
    watcher.stage("Reading the logs back and auditing hosted bets")
    played.findings = audit(played)
    return played


def _statuses(client: Client) -> Counter:
    return Counter(stake["bet_status"] for stake in client.stakes())
