"""The final on a live stream: four people bet between two signatures while it is replayed, on a chain of their own in
the process. Two close together with the house; one player and, later, the house want to end by an old state."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack, closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from web3 import Web3

from tessera.chain import EUR, Tessera, Wallet
from tessera.chain.blocks import block_at
from tessera.chain.embedded import embedded_web3, known_account
from tessera.chain.micro_sessions import Stage, StreamOpened
from tessera.chain.panels import PanelCreated, ascending
from tessera.demo.audit import AuditError
from tessera.demo.live_audit import audit
from tessera.demo.live_record import ReplayPlayed, choice_text, costs_of
from tessera.demo.play import Watcher
from tessera.deployment.deploy import deploy
from tessera.live.chain import Watch
from tessera.live.client import Connection, Notebook, Observer, Player
from tessera.live.clock import Guard
from tessera.live.engine import Engine
from tessera.live.journal import Entry, owned
from tessera.live.journal.sqlite import SqliteJournal
from tessera.live.keys import Key
from tessera.live.panel import Panel
from tessera.live.runner import Runner
from tessera.live.server import served
from tessera.live.terms import Terms
from tessera.model.loss.expected import PPM
from tessera.model.sessions.questions import LOCK_AHEAD_MS, NEVER, Kind, pattern
from tessera.model.sessions.typed import Choice, Question, State
from tessera.observe import football
from tessera.observe.matches import ahead
from tessera.observe.witness import SETTLE_MS, Witness

PLAYERS = ("Malik", "Nils", "Olga", "Priya")
LIAR, VICTIM = "Olga", "Priya"  # who posts an old state, and to whom the house posts one
HOUSE, OBSERVERS = "the house", ("Renz", "Suna", "Timo")
STREAM = "the final"
THRESHOLD = 2
BLIND = 2  # the observer who never sees anything
SPEED = 30.0  # times as fast as the match was
DEPOSIT, BANKROLL = 8 * EUR, 48 * EUR
HOUR_MS = 3_600_000
REPORTS_MS = 3 * HOUR_MS  # for results, after a question's end
BETWEEN_MS = 1_000  # two bets of the evening
PATIENCE_SECONDS = 60.0
TERMS = Terms(
    activation=EUR // 2,
    least_deposit=EUR,
    greatest_deposit=100 * EUR,
    least_stake=EUR // 10,
    greatest_stake=2 * EUR,
    greatest_liability=6 * EUR,
    between_ms=0,
    picture_delay_ms=2_000,
)


class Asked(NamedTuple):
    """A question of the evening: seconds of the replay at which it is asked and its window begins and ends, its
    choices with their chances in per cent, and who bets on which of them how many hundredths of a EUR."""

    kind: Kind
    text: str
    at: int
    start: int
    end: int
    choices: tuple[Choice, ...]
    chances: tuple[int, ...]
    bets: tuple[tuple[str, int, int], ...]

    def question(self, stream_id: int, begin: int) -> Question:
        """The question, where the replay begins at unix milliseconds."""
        start, end = begin + self.start * 1_000, begin + self.end * 1_000
        symbols = int(self.kind is Kind.PATTERN)
        times = (start - LOCK_AHEAD_MS, start, end, end + REPORTS_MS)
        return Question(self.kind, stream_id, self.text, *times, symbols, self.choices)


def _side(symbol: str) -> Choice:
    return Choice(pattern(symbol.encode()), pattern(symbol.encode()))


# At thirty times the speed a minute is two seconds, half time from 90 to 126.
QUESTIONS = (
    Asked(
        Kind.QUANTITY, "How many goals fall from minute 8 to half time?", 0, 15, 90,
        (Choice(0, 0), Choice(1, 1), Choice(2, 99)), (40, 35, 25),
        (("Malik", 0, 80), ("Nils", 1, 60), ("Olga", 2, 150), ("Priya", 0, 120), ("Malik", 1, 50), ("Olga", 1, 100)),
    ),
    Asked(
        Kind.TIMING, "When does the first goal of the second half fall?", 112, 126, 156,
        (Choice(0, 9_999), Choice(10_000, 30_000), Choice(NEVER, NEVER)), (25, 40, 35),
        (("Nils", 0, 70), ("Olga", 2, 100), ("Priya", 0, 100), ("Malik", 1, 50), ("Nils", 1, 40), ("Olga", 1, 50)),
    ),
    Asked(
        Kind.BINARY, "Does anybody score a goal from minute 67 to 77?", 157, 170, 190,
        (Choice(0, 0), Choice(1, 1)), (70, 30),
        (("Olga", 0, 80), ("Priya", 1, 100), ("Malik", 1, 40), ("Nils", 0, 50), ("Malik", 0, 30)),
    ),
    Asked(
        Kind.PATTERN, "Who scores the next goal, H or A?", 191, 202, 226,
        (_side("H"), _side("A")), (45, 35),
        (("Priya", 0, 100), ("Malik", 1, 60), ("Nils", 0, 60), ("Olga", 1, 60), ("Priya", 1, 50)),
    ),
)  # fmt: skip


class Replay:
    """The stream with its engine, and a clock for it, the chain and everybody, which goes when it is told to."""

    def __init__(self, web3: Web3, folder: Path, watcher: Watcher):
        self.web3, self.folder, self.watcher, self._file = web3, folder, watcher, folder / "stream.db"
        owner, self.operator = Wallet(web3, known_account(0)), Wallet(web3, known_account(5))
        self.wallets = {name: Wallet(web3, known_account(index)) for index, name in enumerate(PLAYERS, 1)}
        self.observers = [_key(index) for index, _ in enumerate(OBSERVERS, 6)]
        record = folder / "record.json"
        deploy(owner, "friends", {"shortest_window": 60}, path=record)
        windows = {"short_window": 3_600, "long_window": 86_400}
        self.tessera = tessera = Tessera(web3, deploy(owner, "micro", windows, path=record))
        joining = [*self.wallets.values(), self.operator]
        tessera.play_euro.invite(owner, [wallet.address for wallet in joining])
        for wallet in joining:
            tessera.play_euro.join(wallet, consent=0b10)
        members = ascending(key.address for key in self.observers)
        panel_id = tessera.panels.create_panel(owner, members, THRESHOLD).event(PanelCreated).panel_id
        opened = tessera.sessions.open_stream(self.operator, panel_id, self.operator.address, BANKROLL // EUR)
        self.stream_id = opened.event(StreamOpened).stream_id
        tessera.sessions.fund_stream(self.operator, self.stream_id, BANKROLL)
        self.ms = block_at(web3).timestamp * 1_000
        domain = tessera.sessions.domain
        panel = Panel(panel_id, tessera.panels.address, tuple(members), THRESHOLD, domain)
        self.journal = owned(SqliteJournal(self._file, STREAM))
        keys = _key(9), _key(5)
        self.engine = Engine(domain, self.stream_id, panel, TERMS, *keys, self.journal, Guard(lambda: self.ms))
        self.runner = Runner(self.engine, Watch(tessera), self.operator, every=0.2, is_inline=True)
        names: dict[str, str] = {wallet.address: name for name, wallet in self.wallets.items()}
        names[self.operator.address] = HOUSE
        match = ahead(1, block_at(web3).timestamp)[-1]
        self.played = ReplayPlayed(tessera, self.stream_id, match, SPEED, names)

    def _wait(self, until: int) -> None:
        """The clock goes on to unix milliseconds, and the chain with it, whose newest block is never ahead of it."""
        provider: Any = self.web3.provider
        self.ms = max(until, (block_at(self.web3).timestamp + 1) * 1_000)
        provider.ethereum_tester.time_travel(self.ms // 1_000)
        provider.ethereum_tester.mine_block()
        self.ms = max(self.ms, block_at(self.web3).timestamp * 1_000)

    async def _go(self, until: int) -> None:
        """The same while the engine runs, which looks at the chain."""
        self._wait(until)
        await self.runner.look()

    def entries(self) -> list[Entry]:
        """All that is in the engine's journal."""
        with closing(SqliteJournal(self._file, STREAM)) as reader:
            return [*reader.unread()]

    async def play(self) -> None:
        """The whole evening."""
        players: dict[str, Player] = {}
        async with served(self.runner) as url, AsyncExitStack() as stack:
            for name, wallet in self.wallets.items():
                connection = await stack.enter_async_context(Connection(url, self.tessera))
                notebook = Notebook(self.folder / f"{name}.jsonl")
                index = 10 + PLAYERS.index(name)
                players[name] = Player(connection, wallet, _key(index), notebook, lambda: self.ms)
                await players[name].open(DEPOSIT, TERMS.activation)
                self.watcher.tell(f"{name} opens a session of {DEPOSIT / EUR:.2f} EUR")
            begin = self.played.begin = (block_at(self.web3).timestamp + 5) * 1_000
            sightings = football.replay(self.played.match, begin, SPEED)
            async with AsyncExitStack() as watching:
                for index, key in enumerate(self.observers):
                    seen = [] if index == BLIND else sightings
                    connection = await watching.enter_async_context(Connection(url, self.tessera))
                    witness = Witness(football.TOPICS, seen, lambda: self.ms)
                    observer = Observer(connection, key, witness, lambda: self.ms)
                    task = asyncio.create_task(observer.run(0.02))
                    watching.push_async_callback(_ended, task)
                for asked in QUESTIONS:
                    await self._ask(asked, begin, players)
            for name, player in players.items():
                if name not in (LIAR, VICTIM):
                    agreement = await player.close()
                    self.watcher.tell(f"{name} and the house sign {agreement.net / EUR:+.2f} EUR")
                    await self._until(lambda player=player: self._is_over(player))
            await self._player_lies(players[LIAR])
        self._house_lies(players[VICTIM])
        sessions = self.tessera.sessions
        sessions.withdraw_bankroll(self.operator, self.stream_id, sessions.stream(self.stream_id).free)

    async def _ask(self, asked: Asked, begin: int, players: dict[str, Player]) -> None:
        """A question from its asking to its result, which all players know then."""
        await self._go(begin + asked.at * 1_000)
        question = asked.question(self.stream_id, begin)
        digest = self.engine.domain.digest(question)
        self.engine.ask(question, tuple(chance * PPM // 100 for chance in asked.chances))
        for name, choice, cents in asked.bets:
            player = players[name]
            await self._known(player, lambda known: digest in known.quotes and self._is_good(known.quotes[digest][1]))
            await player.bet(digest, choice, cents * EUR // 100)
            self.watcher.tell(f"{name}: {cents / 100:.2f} EUR on {choice_text(question, choice)}")
            await self._go(self.ms + BETWEEN_MS)
        await self._go(question.lock)
        for player in players.values():
            await self._known(player, lambda known: digest in known.confirmed)
        await self._go(question.end + SETTLE_MS)
        for player in players.values():
            await self._known(player, lambda known: digest in known.results)
        outcome = players[PLAYERS[0]].connection.results[digest]
        self.watcher.tell(
            f"{asked.text} → {choice_text(question, outcome)}, say {THRESHOLD} of {len(OBSERVERS)} observers"
        )

    def _is_good(self, quote: Any) -> bool:
        return quote.valid_until > self.ms

    async def _known(self, player: Player, is_so: Callable[[Connection], bool]) -> None:
        await player.connection.until(lambda: is_so(player.connection), PATIENCE_SECONDS)

    async def _player_lies(self, player: Player) -> None:
        """A player wants to end as if nothing had been bet; the engine answers by itself."""
        sessions, session = self.tessera.sessions, player.session
        assert player.offer is not None
        sessions.start_exit(player.wallet, player.offer, State())
        self.watcher.tell(f"{LIAR} wants all money back, as if she had bet nothing")
        await self._until(lambda: sessions.session(session).proven)
        self.watcher.tell("the engine shows the newest state, lands the result, and proves the last bet")
        await self._go(self.ms + REPORTS_MS + HOUR_MS)
        await self._until(lambda: self._is_over(player))

    def _house_lies(self, player: Player) -> None:
        """The engine is gone, and the house wants to end a session as if nothing had been won; the player answers."""
        assert player.offer is not None
        self.tessera.sessions.start_exit(self.operator, player.offer, State())
        self.watcher.tell(f"the house stops its engine, and wants to pay {VICTIM} back what she began with")
        for _ in range(20):
            if self._is_over(player):
                return
            if (done := player.watch()) is None:
                self._wait(self.ms + 6 * HOUR_MS)
            else:
                self.watcher.tell(f"{VICTIM}'s client {done}")
        raise AuditError(f"{VICTIM}'s session never ended")

    def _is_over(self, player: Player) -> bool:
        return self.tessera.sessions.session(player.session).stage not in (Stage.OPEN, Stage.EXITING)

    async def _until(self, is_so: Callable[[], bool]) -> None:
        """Waits for what the engine does by itself."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not is_so():
                await asyncio.sleep(0.05)


def play(web3: Web3 | None = None, watcher: Watcher | None = None) -> ReplayPlayed:
    """Deploy micro-bets, let four people bet on a replay by a live engine, end their sessions, and audit it.

    Raises AuditError or LedgerError where anything does not add up.
    """
    watcher = watcher or Watcher()
    watcher.stage("Micro-bets: compiling and deploying the contracts")
    with TemporaryDirectory() as folder:
        replay = Replay(web3 or embedded_web3(), Path(folder), watcher)
        watcher.stage(f"{len(PLAYERS)} people bet on the replay of a match, between two transactions each")
        try:
            asyncio.run(replay.play())
            played = replay.played
            played.entries = replay.entries()
        finally:
            replay.journal.close()
        played.rows = list(replay.tessera.log_reader().read())
        played.costs = costs_of(replay.tessera, played.rows)
    watcher.stage("Reading logs and journal back and auditing micro-bets")
    played.findings = audit(played)
    return played


def _key(index: int) -> Key:
    return Key(bytes(known_account(index).key))


async def _ended(task: asyncio.Task) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
