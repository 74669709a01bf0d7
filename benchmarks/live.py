"""The live engine: how long a bet, a result and a recovery take, on SQLite and on PostgreSQL, and how many bets fit.

The clocks of the engines stand while something is measured, and players have signed before: their work is not the
engine's. A bet is measured from the text of its message to the text of its receipt, with its commit between.
`--write` keeps the best of all runs in benchmarks/live.json, and the machine's load meanwhile: what other programs take
of it makes times longer and rates smaller.
"""

import asyncio
import gc
import json
import os
import signal
import socket
import time
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import orjson
from rich.console import Console
from rich.progress import track
from rich.table import Table

import tests.live
from benchmarks.figures import percentile_ms
from tessera.deployment.artifacts import ROOT
from tessera.live.commands import COMMANDS, parsed
from tessera.live.journal.postgres import PostgresJournal
from tessera.live.journal.sqlite import SqliteJournal
from tessera.live.wire import encode, text_of
from tessera.model.sessions import states
from tessera.model.sessions.states import MAX_OPEN
from tessera.model.sessions.typed import State
from tests.live import EUR, OBSERVERS, Player, Stage
from tests.live_processes import FolderChain, Process, Someone, observe
from tests.postgres import PROGRAMS, Cluster, cluster

PUBLISHED, PICTURE = ROOT / "benchmarks" / "live.json", ROOT / "benchmarks" / "live.svg"
PLAYERS, STREAMS, PROCESSES, PLAYERS_OF_STREAM = 100, 10, 4, 50
BATCH, SMALL_BATCH = 16, 4  # bets of a stream that come at once, where many streams are measured
JOURNALLED = 100_000
MEASURED = 200  # sessions, whose memory is counted
# What is wanted, all p99: below a time, above a rate.
GOALS = {
    "balance_check_ms_p99": 1.0,
    "place_ms_p99": 5.0,
    "place_1_player_ms_p99": 5.0,
    "results_1000_bets_ms_p99": 100.0,
    "update_ms_p99": 10.0,
    "bets_per_second": 3_000,
    "postgres_place_ms_p99": 20.0,
    "postgres_bets_per_second": 5_000,
    "takeover_s": 2.0,
}


class Bench(Stage):
    """An engine with players, whose clock stands."""

    def players(self, count: int) -> list[Player]:
        """So many players with open sessions."""
        made = [self.offered(f"player {i}", deposit=1_000 * EUR) for i in range(count)]
        self.learn(*(self.opening(player) for player in made))
        for player in made:
            self.place(player, states.activation(player.state))
        return made

    def text(self, player: Player, quoted: Any, choice: int = 0) -> str:
        """A player's next bet as it comes over the wire; the player goes on from it."""
        net, waiting = states.fold(player.state, self.outcomes(player))
        bet = self.bet(quoted, choice, EUR // 10)
        player.state = State(player.state.seq + 1, player.state.seq, net, True, (*waiting, bet))
        session, state, signature = self.signed(player, player.state)
        return text_of(encode({"session": session, "state": state, "signature": signature}))

    def take(self, text: str) -> Callable[[], str]:
        """What the engine's door does with a bet; what gives its receipt's text once it is committed."""
        command = COMMANDS["place"]
        future, message = command.run(self.engine, parsed(command, orjson.loads(text)))
        return lambda: text_of(message(future.result(timeout=0)))

    def place_text(self, text: str) -> str:
        """A bet alone, to its receipt's text."""
        receipt = self.take(text)
        self.engine.flush()
        return receipt()

    def forget_bets(self, quoted: Any, outcome: int = 1) -> None:
        """Decides a question, so that players have room for bets."""
        self.settle(quoted, outcome)


def timed(call: Callable[..., Any], *arguments: Any) -> float:
    started = time.perf_counter()
    call(*arguments)
    return time.perf_counter() - started


def of_places(bench: Bench, players: int, rounds: int) -> list[float]:
    """Bets alone, of so many players, each with its commit."""
    people, times = bench.players(players), []
    for _ in range(rounds):
        quoted = bench.ask()
        texts = [bench.text(player, quoted) for _ in range(4) for player in people]
        times += [timed(bench.place_text, text) for text in texts]
        bench.forget_bets(quoted)
    return times


def of_results(bench: Bench, people: list[Player], rounds: int) -> list[float]:
    """A result of 1,000 open bets, from the report that decides it to all balances told."""
    times = []
    for number in range(rounds):
        quoted = bench.ask()
        for _ in range(1_000 // len(people)):
            for player in people:
                bench.take(bench.text(player, quoted, number % 2))
            bench.engine.flush()
        bench.lock(quoted)
        bench.pass_time(9_000)
        bench.report(quoted, 0, OBSERVERS[0])

        def decide(quoted=quoted) -> None:
            bench.report(quoted, 0, OBSERVERS[1])
            bench.engine.flush()

        bench.engine.publish = lambda session, message: text_of(message)
        times.append(timed(decide))
    return times


def of_updates(bench: Bench, player: Player, rounds: int) -> list[float]:
    """A result of one bet, from the report that decides it to the balance, committed and told."""
    times = []
    for _ in range(rounds):
        quoted = bench.ask()
        bench.place_text(bench.text(player, quoted))
        bench.lock(quoted)
        bench.pass_time(9_000)
        bench.report(quoted, 0, OBSERVERS[0])
        started = time.perf_counter()
        bench.report(quoted, 0, OBSERVERS[1])
        bench.engine.flush()
        text_of(bench.engine.view(bench.engine.session(player.session)))
        times.append(time.perf_counter() - started)
    return times


def rate_of(bench: Bench, people: list[Player], rounds: int) -> float:
    """Bets in a second of one core's time, where a commit takes what 100 players sent at once.

    Of the core alone: while the disk syncs, the engine takes the next bets.
    """
    spent, bets = 0.0, 0
    for _ in range(rounds):
        quoted = bench.ask()
        for _ in range(8):
            texts = [bench.text(player, quoted) for player in people]
            started = time.process_time()
            receipts = [bench.take(text) for text in texts]
            bench.engine.flush()
            for receipt in receipts:
                receipt()
            spent += time.process_time() - started
            bets += len(texts)
        bench.forget_bets(quoted)
    return bets / spent


def in_memory(folder: Path) -> float:
    """Bytes that a session with four open bets takes in memory, with its bets."""
    bench = Bench(folder)
    bench.players(10)
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    people, quoted = bench.players(MEASURED), bench.ask()
    for _ in range(4):
        for player in people:
            bench.take(bench.text(player, quoted))
        bench.engine.flush()
    people.clear()
    bench.published.clear()
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    bench.journal.close()
    return (after - before) / MEASURED


def recovery(folder: Path) -> float:
    """Seconds in which a journal of 100,000 bets is an engine again."""
    bench = Bench(folder)
    people = bench.players(PLAYERS)
    bench.engine.publish = lambda session, message: None
    for _ in track(range(JOURNALLED // (PLAYERS * 10)), "a journal of 100,000 bets", transient=True):
        quoted = bench.ask()
        for _ in range(10):
            for player in people:
                bench.take(bench.text(player, quoted))
            bench.engine.flush()
        bench.forget_bets(quoted)
    bench.journal.close()
    started = time.perf_counter()
    bench.start()
    spent = time.perf_counter() - started
    bench.journal.close()
    return spent


# Many streams at once.


def stream_of(number: int, where: str) -> Bench:
    """The engine of one of many streams, on SQLite in a folder or on PostgreSQL."""
    folder = Path(where) if not where.startswith("postgresql") else Path("/")

    def open_journal(path: Path) -> Any:
        if where.startswith("postgresql"):
            return PostgresJournal(where, f"stream {number}")
        return SqliteJournal(folder / f"{number}.db", f"stream {number}")

    tests.live.open_journal = open_journal
    return Bench(folder)


def serve_streams(numbers: list[int], where: str, at_once: int, ready: Any, begin: Any, told: Any) -> None:
    """One engine process: its streams place bets that were signed before, so many at once."""
    benches = []
    for number in numbers:
        bench = stream_of(number, where)
        people, quoted = bench.players(PLAYERS_OF_STREAM), bench.ask()
        bench.engine.publish = lambda session, message: None
        texts = [bench.text(player, quoted) for _ in range(MAX_OPEN) for player in people]
        benches.append((bench, texts))
    gc.collect()
    gc.freeze()
    ready.release()
    begin.wait()
    times: list[float] = []

    async def run(bench: Bench, texts: list[str]) -> None:
        disk = ThreadPoolExecutor(1)
        for first in range(0, len(texts), at_once):
            started = time.perf_counter()
            receipts = [bench.take(text) for text in texts[first : first + at_once]]
            batch = bench.engine.take()
            entries = [queued.entry for queued in batch]
            await asyncio.get_running_loop().run_in_executor(disk, bench.journal.commit, entries)
            bench.engine.committed(batch)
            for receipt in receipts:
                receipt()
                times.append(time.perf_counter() - started)

    async def all_of_them() -> None:
        await asyncio.gather(*(run(bench, texts) for bench, texts in benches))

    started, spent = time.time(), time.process_time()
    asyncio.run(all_of_them())
    told.put((started, time.time(), time.process_time() - spent, times))


def many_streams(
    where: str, at_once: int = BATCH, database_spent: Callable[[], float] = lambda: 0.0
) -> tuple[int, float, int]:
    """Ten streams on four processes: bets a second, the p99 of a bet's time in milliseconds, and how many bets a second
    two cores' time is enough for, by what engines and database spent of it."""
    context = get_context("fork")
    ready, begin, told = context.Semaphore(0), context.Event(), context.Queue()
    shares = [[*range(first, STREAMS, PROCESSES)] for first in range(PROCESSES)]
    processes = [
        context.Process(target=serve_streams, args=(share, where, at_once, ready, begin, told), daemon=True)
        for share in shares
    ]
    for process in processes:
        process.start()
    for _ in processes:
        ready.acquire()
    before = database_spent()
    begin.set()
    answers = [told.get() for _ in processes]
    cores = database_spent() - before + sum(spent for _, _, spent, _ in answers)
    for process in processes:
        process.join()
    times = [taken for *_, times in answers for taken in times]
    lasted = max(end for _, end, *_ in answers) - min(start for start, *_ in answers)
    return round(len(times) / lasted), percentile_ms(times, 99, 3), round(2 * len(times) / cores)


def spent_by(server: Cluster) -> float:
    """Seconds of a core that a PostgreSQL has taken."""
    postmaster = (server.data / "postmaster.pid").read_text().split()[0]
    ticks = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended
            fields = path.read_text().rpartition(")")[2].split()
            if postmaster in (path.parent.name, fields[1]):
                ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def takeover(url: str, folder: Path, kills: int) -> float:
    """Seconds without a receipt when the owner of a stream is killed; the longest of so many times."""
    with socket.socket() as one, socket.socket() as two:
        for free in (one, two):
            free.bind(("127.0.0.1", 0))
        ports = [free.getsockname()[1] for free in (one, two)]
    engines = [Process(url, port, folder) for port in ports]
    chain, urls = FolderChain(folder), [engine.address for engine in engines]
    people, gaps = [Someone(f"player {i}", urls, chain, folder) for i in range(8)], []

    def receipts() -> list[float]:
        return sorted(at for person in people for at, *_ in person.receipts)

    async def until(is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not is_so():
                await asyncio.sleep(0.01)

    async def scene() -> None:
        await until(lambda: any(engine.epochs for engine in engines))
        stop = asyncio.Event()
        observing = [asyncio.create_task(observe(urls, FolderChain(folder), index)) for index in (0, 1)]
        # Each bets as often as results make room for.
        playing = [asyncio.create_task(person.play(stop, pause=1.5)) for person in people]
        await until(lambda: len(receipts()) > 2 * len(people))
        for _ in range(kills):
            owner, other = sorted(engines, key=lambda engine: max(engine.epochs, default=0), reverse=True)
            await until(lambda other=other: "waits" in other.log.read_text())
            owner.send(signal.SIGKILL)
            killed = time.monotonic()
            await until(lambda killed=killed: receipts()[-1] > killed + 0.1)
            gaps.append(next(at for at in receipts() if at > killed + 0.1) - killed)
            waits = owner.log.read_text().count("waits")
            owner.start()
            await until(lambda owner=owner, waits=waits: owner.log.read_text().count("waits") > waits)
        stop.set()
        await asyncio.gather(*playing, return_exceptions=True)
        for one in observing:
            one.cancel()
        await asyncio.gather(*observing, return_exceptions=True)

    try:
        asyncio.run(scene())
    finally:
        for engine in engines:
            if engine.process.poll() is None:
                engine.send(signal.SIGKILL)
    return max(gaps)


def measure() -> dict[str, float]:
    """All figures of one run."""
    figures: dict[str, float] = {}
    with TemporaryDirectory() as made:
        folder = Path(made)
        parts = iter(range(100))

        def new() -> Path:
            path = folder / str(next(parts))
            path.mkdir()
            return path

        bench = Bench(new())
        gc.collect()
        for name, players, rounds in (("place_1_player", 1, 250), ("place", PLAYERS, 3)):
            times = of_places(Bench(new()), players, rounds)
            figures |= times_of(name, times)
        people = bench.players(PLAYERS)
        quoted = bench.ask()
        for _ in range(MAX_OPEN):
            for player in people:
                bench.take(bench.text(player, quoted))
            bench.engine.flush()
        sessions = [bench.engine.session(player.session) for player in people] * 10
        checks = [timed(bench.engine.view, session) for session in sessions]
        figures |= times_of("balance_check", checks)
        bench.forget_bets(quoted)
        results = of_results(bench, people, 20)
        figures |= times_of("results_1000_bets", results)
        updates = of_updates(bench, people[0], 200)
        figures |= times_of("update", updates)
        figures["bets_per_second"] = round(rate_of(bench, people, 4))
        figures["session_bytes"] = round(in_memory(new()))
        figures |= named("sqlite", *many_streams(str(new())))
        figures["recovery_s"] = round(recovery(new()), 2)
        if PROGRAMS:
            # What engines and database take is asked of two cores together.
            with cluster("-c max_connections=60") as running:
                for journal, at_once in (("postgres", BATCH), ("postgres_small", SMALL_BATCH)):
                    spent = partial(spent_by, running)
                    figures |= named(journal, *many_streams(running.database(), at_once, spent))
                tests.live.open_journal = partial(_alone, running.database())
                alone = of_places(Bench(new()), 1, 100)
                figures |= times_of("postgres_1_player", alone)
                figures["takeover_s"] = round(takeover(running.database(), new(), 3), 2)
                tests.live.open_journal = lambda path: SqliteJournal(path, "a stream")
    return figures


def times_of(name: str, times: list[float]) -> dict[str, float]:
    """The figures of what took these times, in seconds."""
    return {f"{name}_ms_p{percent}": percentile_ms(times, percent, 3) for percent in (50, 99)}


def named(journal: str, rate: int, p99: float, by_cores: int) -> dict[str, float]:
    """The figures of ten streams."""
    return {
        f"{journal}_bets_per_second": rate,
        f"{journal}_place_ms_p99": p99,
        f"{journal}_cpu_bets_per_second": by_cores,
    }


def _alone(url: str, path: Path) -> PostgresJournal:
    return PostgresJournal(url, "a stream")


def is_higher_better(name: str) -> bool:
    return name.endswith("per_second")


def best(runs: list[dict[str, float]]) -> dict[str, float]:
    """The best of several runs: other programs on the machine can only make a figure worse."""
    return {name: (max if is_higher_better(name) else min)(run[name] for run in runs) for name in runs[0]}


@click.command(help=__doc__)
@click.option("--runs", default=1, show_default=True, type=click.IntRange(1), help="How often; the best counts.")
@click.option("--write", is_flag=True, help="Keep the figures.")
def cli(runs: int, write: bool):
    measured, loads = [], []
    for _ in range(runs):
        loads.append(round(os.getloadavg()[0], 1))
        measured.append(measure())
        loads.append(round(os.getloadavg()[0], 1))
    kept = best(measured) | {"load_least": min(loads), "load_most": max(loads)}
    table = Table("figure", "measured", "goal", title="The live engine")
    for name, value in kept.items():
        goal = GOALS.get(name)
        if goal is None:
            table.add_row(name, f"{value:,}", "")
            continue
        is_met = value >= goal if is_higher_better(name) else value <= goal
        table.add_row(name, f"[{'green' if is_met else 'red'}]{value:,}[/]", f"{goal:,}")
    Console().print(table)
    if write:
        PUBLISHED.write_text(json.dumps(kept, indent=2) + "\n")
        PICTURE.write_text(picture(kept))


def picture(figures: dict[str, float]) -> str:
    """Each figure that has a goal, as a part of it; the goal is the dashed line."""
    row, left, width = 26, 250, 420
    shown = [(name, figures[name], goal) for name, goal in GOALS.items() if name in figures]
    height, rows = row * len(shown) + 70, []
    for number, (name, value, goal) in enumerate(shown):
        # Times are good below the line, rates beyond it.
        part, y = min(value / goal, 2.5), 50 + row * number
        is_met = value >= goal if is_higher_better(name) else value <= goal
        rows.append(
            f'<text x="{left - 10}" y="{y + 13}" text-anchor="end">{name.replace("_", " ")}</text>'
            f'<rect x="{left}" y="{y}" width="{part * width / 2.5:.1f}" height="16" '
            f'fill="{"#1d5fa8" if is_met else "#c2410c"}"/>'
            f'<text x="{left + part * width / 2.5 + 6:.1f}" y="{y + 13}">{value:,} (goal {goal:,})</text>'
        )
    line = left + width / 2.5
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + width + 190} {height}" role="img">'
        "<title>The live engine beside its goals</title><style>text{font:12px system-ui,sans-serif;fill:#333}"
        ".title{font-size:14px;font-weight:600}</style>"
        f'<rect width="100%" height="{height}" fill="#fff"/>'
        f'<text class="title" x="20" y="24">The live engine: times end left of the dashed line, rates beyond it</text>'
        f'{"".join(rows)}<line x1="{line}" x2="{line}" y1="40" y2="{height - 16}" stroke="#333" '
        'stroke-dasharray="5 4"/>'
        "</svg>\n"
    )


if __name__ == "__main__":
    cli()
