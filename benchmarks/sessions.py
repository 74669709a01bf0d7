"""The scenario of micro-bets: every external function of MicroSessions once or more."""

from eth_account import Account
from eth_utils import keccak

from benchmarks.chains import Chain
from tessera.chain.micro_sessions import sign
from tessera.model.sessions import record, states
from tessera.model.sessions.questions import Kind, panel_times
from tessera.model.sessions.typed import Choice, Close, Domain, Offer, OpenBet, Question, Receipt, State
from tests.panels import Question as Asked
from tests.panels import accounts
from tests.panels import sign as sign_report

DAY = 86_400
EUR = 10**6
THRESHOLD = 3
NO_SIGNATURE = (0, 0)
NO_BOOK = (bytes(32), [])
NO_POST = (0, NO_SIGNATURE)
BATCH = 50
BETS = 4

# Keys of benchmarks/gas.json: the published names of the actions that peers have too.
TITLE = "micro-bets"
PUBLISHED = {
    "session_open": "MicroSessions.open_session",
    "session_close": "MicroSessions.close",
    "session_close_many": "MicroSessions.close_many (a session of 50)",
    "session_exit": "MicroSessions: exit with 4 open bets, everything landed",
}


def key(name: str):
    """An account of a name."""
    return Account.from_key(keccak(text=name))


OPERATOR, HOUSE_KEY, SESSION_KEY = key("operator"), key("house key"), key("session key")


class Stream:
    """A stream with its bankroll, and what is signed about it."""

    def __init__(self, chain: Chain):
        self.chain = chain
        coin = chain.deploy("TestToken", "Coin", "COIN", 6)
        self.escrow = chain.deploy("Escrow", coin.address, False)
        self.panels = chain.deploy("Panels")
        self.micro = chain.deploy("MicroSessions", self.escrow.address, self.panels.address, DAY, 2 * DAY)
        chain.send(self.escrow, "register_product", self.micro.address, measure=False)
        for person in range(20):
            chain.send(coin, "mint", chain.accounts[person], 10_000 * EUR, by=person, measure=False)
            chain.send(coin, "approve", self.escrow.address, 10_000 * EUR, by=person, measure=False)
            deposit = (5_000 * EUR, chain.accounts[person], 1)
            chain.send(self.escrow, "deposit", *deposit, by=person, measure=False)
        chain.send(self.escrow, "deposit", 4_500 * EUR, OPERATOR.address, 0, measure=False)
        chain.web3.eth.send_transaction(
            {"from": chain.accounts[0], "to": OPERATOR.address, "value": 10**18, "gas": 21_000}
        )
        chain.send_signed(OPERATOR, self.escrow, "set_consent", 1, measure=False)
        self.members = accounts(5)
        members = [one.address for one in self.members]
        chain.send(self.panels, "create_panel", members, THRESHOLD, measure=False)
        self.panel_id = int.from_bytes(keccak(self._abi(members)))
        # The embedded chain tells its contracts another number than web3.
        self.chain_id = self.micro.functions.eip712Domain().call()[3]
        self.domain = Domain(self.chain_id, self.micro.address)
        chain.send(self.micro, "open_stream", self.panel_id, OPERATOR.address, 10_000, measure=False)
        chain.send(self.micro, "open_stream", self.panel_id, OPERATOR.address, 10_000)
        chain.send_signed(OPERATOR, self.micro, "fund_stream", 2, 4_000 * EUR)
        self.salt = 0

    def _abi(self, members: list[str]) -> bytes:
        return self.chain.web3.codec.encode(["address[]", "uint256"], [members, THRESHOLD])

    def offer(self, player: int, seconds: int = 60) -> Offer:
        """An offer of 20 EUR against 30 with an activation cost of 0.5."""
        self.salt += 1
        accounts = self.chain.accounts
        return Offer(
            player=accounts[player],
            session_key=SESSION_KEY.address,
            house_key=HOUSE_KEY.address,
            stream_id=2,
            deposit=20 * EUR,
            activation=EUR // 2,
            house_lock=30 * EUR,
            stake_cap=5 * EUR,
            loss_cap=15 * EUR,
            expires_at=self.chain.now + DAY,
            valid_until=self.chain.now + seconds,
            salt=self.salt,
        )

    def open(self, player: int, case: str = "", measure: bool = True) -> tuple[Offer, bytes, int]:
        """A session of a player: its offer, its id, and the gas of opening it."""
        offer = self.offer(player)
        session = self.domain.digest(offer)
        signature = sign(OPERATOR, session)
        gas = self.chain.send(self.micro, "open_session", offer.words, signature, by=player, case=case, measure=measure)
        return offer, session, gas

    def state_signatures(self, session: bytes, state: State) -> tuple:
        """The player's signature of a state, and the house's receipt."""
        digest = self.domain.digest(state, session=session)
        receipt = Receipt(digest, 2, 1_234, 3, keccak(b"head"))
        signed = (receipt.n, receipt.epoch, receipt.head, sign(HOUSE_KEY, self.domain.digest(receipt)))
        return sign(SESSION_KEY, digest), signed

    def report(self, outcomes: list[tuple[bytes, OpenBet, int]]) -> int:
        """The gas of results, reported by M members in one transaction: key, a bet with its times, outcome."""
        reports, signatures = [], []
        for key, bet, outcome in outcomes:
            asked = Asked(self.micro.address, key, *panel_times(bet.lock, bet.report_by))
            reports.append((asked, outcome, THRESHOLD))
            signatures += [
                sign_report(one, self.panels.address, self.chain_id, self.panel_id, asked, outcome)
                for one in self.members[:THRESHOLD]
            ]
        return self.chain.send(self.panels, "submit_reports", self.panel_id, reports, signatures, measure=False)

    def bets(self, offer: Offer) -> State:
        """A state with four open bets on four questions."""
        lock = (self.chain.now + 30) * 1_000
        state = states.activation(State())
        for number in range(BETS):
            question = Question(
                Kind.BINARY,
                2,
                f"Does car {number} turn left?",
                lock,
                lock + 3_000,
                lock + 63_000,
                lock + 600_000,
                0,
                (Choice(0, 0), Choice(1, 1)),
            )
            digest = self.domain.digest(question)
            bet = OpenBet(digest, keccak(digest), lock, question.report_by, 0, EUR, 800_000)
            state = states.successor(offer, state, bet, {}, state.seq + 1)
        return state


def run(chain: Chain) -> None:
    """Measure everything into `chain.gas`."""
    stream = Stream(chain)
    micro = stream.micro
    _together(chain, stream)
    _batch(chain, stream)
    _alone(chain, stream)
    _challenged(chain, stream)
    chain.send_signed(OPERATOR, micro, "withdraw_bankroll", 2, EUR)
    chain.send(micro, "exclude_self", chain.now + DAY, by=19)


def _together(chain: Chain, stream: Stream) -> None:
    def close(player: int) -> tuple:
        offer, session, _ = stream.open(player, measure=player == 9)
        chain.wait(600)
        net, until = 3 * EUR, chain.now + 60
        digest = stream.domain.digest(Close(net, True, until), session=session)
        return offer.words, net, True, until, sign(SESSION_KEY, digest), sign(HOUSE_KEY, digest)

    # The first session of a stream is not what is measured.
    chain.send(stream.micro, "close", *close(10), by=10, case="by both signatures")
    chain.send_signed(OPERATOR, stream.micro, "close", *close(9)[:-1], NO_SIGNATURE)


def _batch(chain: Chain, stream: Stream) -> None:
    items = []
    opened = [stream.open(9 + i % 11, measure=False) for i in range(BATCH)]
    chain.wait(600)
    until = chain.now + 60
    for i, (offer, session, _) in enumerate(opened):
        net = (i - 25) * 100_000
        signature = sign(SESSION_KEY, stream.domain.digest(Close(net, True, until), session=session))
        items.append((offer.words, (net, True, until), signature))
    total = chain.send_signed(OPERATOR, stream.micro, "close_many", 2, items)
    chain.gas["MicroSessions.close_many (a session of 50)"] = total // BATCH


def _alone(chain: Chain, stream: Stream) -> None:
    offer, session, _ = stream.open(9, measure=False)
    chain.send(stream.micro, "top_up", offer.words, EUR, by=9)
    state = stream.bets(offer)
    signature, receipt = stream.state_signatures(session, state)
    arguments = (offer.words, state.fields, signature, receipt, NO_BOOK, NO_POST)
    total = chain.send(stream.micro, "start_exit", *arguments, by=9)
    chain.wait(120)
    total += stream.report([(bet.question, bet, number) for number, bet in enumerate(state.open_bets)])
    chain.wait(DAY)
    total += chain.send(stream.micro, "finalize", offer.words, state.fields, by=9)
    chain.gas["MicroSessions: exit with 4 open bets, everything landed"] = total


def _challenged(chain: Chain, stream: Stream) -> None:
    offer, session, _ = stream.open(9, measure=False)
    empty = State()
    receipt = (0, 0, bytes(32), NO_SIGNATURE)
    chain.send(
        stream.micro,
        "start_exit",
        offer.words,
        empty.fields,
        NO_SIGNATURE,
        receipt,
        NO_BOOK,
        NO_POST,
        by=9,
        case="empty",
    )
    state = stream.bets(offer)
    signature, receipt = stream.state_signatures(session, state)
    chain.send(stream.micro, "challenge", offer.words, state.fields, signature, receipt, NO_BOOK, NO_POST, by=10)
    newest = state.open_bets[-1]
    digest = stream.domain.digest(state, session=session)
    leaves = [keccak(bytes([i])) for i in range(9)] + [digest]
    root = record.book_root(leaves)
    chain.wait(60)
    stream.report([(record.book_key(newest.question, root), newest, 1)])
    chain.send(stream.micro, "prove", offer.words, state.fields, (root, record.book_proof(leaves, digest)), by=10)


__all__ = ["PUBLISHED", "TITLE", "run"]
