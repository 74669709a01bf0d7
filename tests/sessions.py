"""Sessions as tests use them: who signs, questions, states, receipts, books and results, and money of one stream."""

from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import boa
from eth_account import Account
from eth_utils import keccak

from tessera.chain.micro_sessions import sign
from tessera.model.sessions import record, states
from tessera.model.sessions.questions import Kind, panel_times
from tessera.model.sessions.typed import (
    Choice,
    Close,
    Domain,
    Offer,
    OpenBet,
    Post,
    Question,
    Quote,
    Receipt,
    State,
)
from tests.logs import events
from tests.panels import Question as Asked
from tests.panels import accounts
from tests.panels import sign as sign_report

ROOT = Path(__file__).parents[1]
EUR = 10**6
HOUR = 3_600
DAY = 86_400
LOCK_CAP = 500  # whole tokens
NO_SIGNATURE = (0, 0)
NO_RECEIPT = (0, 0, bytes(32), NO_SIGNATURE)
NO_BOOK = (bytes(32), [])
NO_POST = (0, NO_SIGNATURE)
NONE, OPEN, EXITING, CLOSED = range(4)


def key(name: str):
    """An account whose key the tests hold."""
    return Account.from_key(keccak(text=name))


def events_of(contract, name: str) -> list[SimpleNamespace]:
    """The events of a name that the last transaction to a contract logged."""
    return [SimpleNamespace(**fields) for _, event_name, fields in events(contract) if event_name == name]


@dataclass
class House:
    """One stream, its house and its observers, over a deployed MicroSessions."""

    micro: object
    panels: object
    stream_id: int
    panel_id: int
    observers: list
    domain: Domain
    operator: object
    house_key: object
    escrow: object
    lock_cap: int

    def offer(self, player: str, session_key: str, **more) -> Offer:
        """An offer that is good now: 20 EUR against 30, an activation cost of 1, caps of 5 and 15."""
        now = boa.env.evm.patch.timestamp
        fields = {
            "stream_id": self.stream_id,
            "deposit": 20 * EUR,
            "activation": 1 * EUR,
            "house_lock": 30 * EUR,
            "stake_cap": 5 * EUR,
            "loss_cap": 15 * EUR,
            "expires_at": now + 86_400,
            "valid_until": now + 120,
        }
        return Offer(player, session_key, self.house_key.address, **fields | more)

    def open(self, offer: Offer) -> bytes:
        """Opens the session; its id."""
        session = self.domain.digest(offer)
        return self.micro.open_session(offer.words, sign(self.operator, session), sender=offer.player)

    def question(self, text="Does the next car turn left?", lock_in=10, due_in=3_600, **more) -> Question:
        """A binary question that locks in so many seconds."""
        lock = (boa.env.evm.patch.timestamp + lock_in) * 1_000
        fields = {
            "kind": Kind.BINARY,
            "stream_id": self.stream_id,
            "text": text,
            "lock": lock,
            "start": lock + 3_000,
            "end": lock + 63_000,
            "report_by": lock + due_in * 1_000,
            "symbols": 0,
            "choices": (Choice(0, 0), Choice(1, 1)),
        }
        return Question(**fields | more)

    def bet(self, question: Question, choice=0, stake=EUR, odds=1_800, number=1) -> OpenBet:
        """A bet on a question at a quote of its own."""
        quote = Quote(
            self.stream_id,
            self.domain.digest(question),
            (odds,) * len(question.choices),
            10**9,
            number,
            question.lock,
        )
        return OpenBet(
            self.domain.digest(question),
            self.domain.digest(quote),
            question.lock,
            question.report_by,
            choice,
            stake,
            states.liability_of(stake, odds),
        )

    def state_hash(self, session: bytes, state: State) -> bytes:
        return self.domain.digest(state, session=session)

    def receipt(self, session: bytes, state: State, n=1, house_key=None, **more) -> tuple:
        """The house's signature of a state, as the contract takes it."""
        found = Receipt(self.state_hash(session, state), self.stream_id, n, 1, keccak(text=f"head {n}"))
        signature = sign(house_key or self.house_key, self.domain.digest(replace(found, **more)))
        return found.n, found.epoch, found.head, signature

    def post(self, account, session: bytes, state: State, valid_until: int) -> tuple:
        """The player's word that somebody else may post a state."""
        post = Post(self.state_hash(session, state), valid_until)
        return valid_until, sign(account, self.domain.digest(post, session=session))

    def close(self, account, session: bytes, net: int, activated: bool, valid_until: int) -> tuple[int, int]:
        """A signature under an agreement to close."""
        return sign(account, self.domain.digest(Close(net, activated, valid_until), session=session))

    def report(self, key: bytes, lock: int, report_by: int, outcome: int, reporters=None) -> None:
        """Observers report an outcome under a key, all at once."""
        asked = Asked(self.micro.address, key, *panel_times(lock, report_by))
        signers = self.observers[:2] if reporters is None else reporters
        chain_id = boa.env.evm.patch.chain_id
        signatures = [sign_report(one, self.panels.address, chain_id, self.panel_id, asked, outcome) for one in signers]
        self.panels.submit_reports(self.panel_id, [(asked, outcome, len(signatures))], signatures)

    def result(self, question: Question, outcome: int) -> None:
        """The panel says which choice won."""
        self.report(self.domain.digest(question), question.lock, question.report_by, outcome)

    def book(self, question: Question, leaves: list[bytes], leaf: bytes) -> tuple:
        """The panel confirms a question's book; the proof of a leaf in it."""
        root = record.book_root(leaves)
        self.report(record.book_key(self.domain.digest(question), root), question.lock, question.report_by, 1)
        return root, record.book_proof(leaves, leaf)


def fund(coin, escrow, owner, account: str, amount: int) -> None:
    """Gives an account money in Escrow, and has it consent to the product registered last."""
    coin.mint(account, amount, sender=owner)
    coin.approve(escrow, amount, sender=account)
    escrow.deposit(amount, account, 1 << _products(escrow) - 1, sender=account)


def _products(escrow) -> int:
    """How many products an Escrow has."""
    count = 0
    with suppress(boa.BoaError):
        while True:
            escrow.products(count)
            count += 1
    return count


def houses(load, coin, escrow, owner, short: int, long: int, streams: int = 1) -> list[House]:
    """Streams of one MicroSessions on an Escrow, with a bankroll of 1,000 EUR each and a panel of two of three."""
    panels = load("Panels").deploy()
    micro = load("MicroSessions").deploy(escrow, panels, short, long)
    escrow.register_product(micro, sender=owner)
    observers = accounts(3)
    panel_id = panels.create_panel([one.address for one in observers], 2)
    domain = Domain(boa.env.evm.patch.chain_id, micro.address)
    made = []
    for number in range(streams):
        operator = key(f"operator {number}")
        fund(coin, escrow, owner, operator.address, 2_000 * EUR)
        stream_id = micro.open_stream(panel_id, operator.address, LOCK_CAP)
        micro.fund_stream(stream_id, 1_000 * EUR, sender=operator.address)
        made.append(
            House(
                micro,
                panels,
                stream_id,
                panel_id,
                observers,
                domain,
                operator,
                key(f"house key {number}"),
                escrow,
                LOCK_CAP,
            )
        )
    return made


def deployed_house(players: list, purse: int, streams: int, micro: Path | None = None) -> list[House]:
    """The same on a coin and an Escrow of their own, where players have money. `micro`: another contract's source."""

    def load(name):
        path = micro if micro and name == "MicroSessions" else ROOT / "contracts" / f"{name}.vy"
        return boa.load_partial(str(path if path.exists() else ROOT / "tests" / "mocks" / f"{name}.vy"))

    owner = boa.env.generate_address("owner")
    coin = load("Coin").deploy(sender=owner)
    escrow = load("Escrow").deploy(coin, False, sender=owner)
    made = houses(load, coin, escrow, owner, HOUR, DAY, streams)
    for player in players:
        fund(coin, escrow, owner, player.address, purse)
    return made
