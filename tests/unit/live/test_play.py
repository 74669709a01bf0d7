"""A player and an engine on the embedded chain, through the engine's own door."""

import asyncio
from dataclasses import replace

import pytest

from tessera.chain import EUR, Tessera, Wallet
from tessera.chain.embedded import known_account
from tessera.chain.errors import ChainError, Reverted
from tessera.chain.micro_sessions import SessionClosed, Stage
from tessera.live.client import Connection, EngineRefused, FrozenError, Player
from tessera.live.refusals import Code, Refused
from tessera.model.sessions.typed import OpenBet, State
from tests.live import TERMS
from tests.live_world import HOUR, OPERATOR, World, deployed_streams
from tests.undo import undone


@pytest.fixture(scope="module")
def deployed(tmp_path_factory) -> Tessera:
    return deployed_streams(tmp_path_factory.mktemp("deployed") / "local.json")


@pytest.fixture
def world(deployed, tmp_path):
    with undone(deployed.web3):
        yield World(deployed, tmp_path)


def play(world: World, scene) -> None:
    """Runs a scene with a served engine."""

    async def all_of_it():
        async with asyncio.timeout(60), world.served() as url, Connection(url, world.tessera) as connection:
            await scene(connection)

    asyncio.run(all_of_it())


async def closed(world: World, session: bytes) -> None:
    while world.tessera.sessions.session(session).stage is not Stage.CLOSED:
        await asyncio.sleep(0.02)


def test_a_hundred_bets_by_the_client_alone(world):
    async def scene(connection):
        player, before = world.player(connection), world.money()
        session = await player.open(20 * EUR, EUR // 2, loss_cap=15 * EUR)
        expected, bets = 0, 0
        for round_number in range(10):
            question = await world.ask(connection)
            outcome = round_number % 2
            for number in range(10):
                stake = EUR // 10 * (1 + number % 2)
                bet = await player.bet(question, number % 2, stake)
                bets += 1
                expected += bet.liability if number % 2 == outcome else -stake
            await world.decide(connection, question, outcome)
        assert (bets, len(connection.confirmed)) == (100, 10)
        agreement = await player.close()
        assert agreement.net == expected
        await closed(world, session)
        assert world.money() == before - TERMS.activation + expected
        assert connection.broken is None
        heads = connection.heads
        assert heads[max(heads)] == world.engine.published[1]
        with pytest.raises(FrozenError, match="agreement"):
            await player.bet(question, 0, EUR)

    play(world, scene)
    events = list(world.tessera.log_reader().read())
    assert [event.net for event in events if isinstance(event, SessionClosed)] != []


def test_a_house_that_names_a_dearer_activation_than_its_player_takes_gets_nothing(world):
    """It is earned at once and is no part of the deposit: it could be all that the player's escrow has."""

    async def scene(connection):
        player, before = world.player(connection), world.money()
        with pytest.raises(ChainError, match="the activation costs 500000, more than the 499999 that it may"):
            await player.open(20 * EUR, EUR // 2 - 1)
        assert (player.offer, world.money()) == (None, before)
        assert world.engine.memory.sessions == {}

    play(world, scene)


def test_a_refusal_changes_nothing_and_the_player_plays_on(world):
    async def scene(connection):
        player = world.player(connection)
        await player.open(20 * EUR, EUR // 2)
        question = await world.ask(connection)
        state = player.state
        with pytest.raises(EngineRefused, match="the stake is below") as caught:
            await player.bet(question, 0, 1_000)
        assert caught.value.name == "stake"
        assert player.state == state
        bet = await player.bet(question, 0, EUR)
        assert player.state.open_bets == (bet,)
        assert player.view["balance"]

    play(world, scene)


def test_a_session_is_topped_up_as_far_as_it_may_lose(world):
    async def scene(connection):
        player, before = world.player(connection), world.money()
        session = await player.open(5 * EUR, EUR // 2, loss_cap=8 * EUR)
        assert player.room == 3 * EUR
        for amount in (0, 3 * EUR + 1):
            with pytest.raises(ChainError, match="a top-up of 1 to 3000000"):
                player.top_up(amount)
        assert world.money() == before - TERMS.activation - 5 * EUR  # nothing was sent
        player.top_up(3 * EUR)
        assert (player.room, world.tessera.sessions.session(session).top_ups) == (0, 3 * EUR)
        await connection.until(lambda: player.view["balance"] == str(8 * EUR))
        stakes = [20 * EUR // 10, 15 * EUR // 10, EUR, 8 * EUR // 10]  # a quarter of what is left at most
        question, lost = await world.ask(connection), sum(stakes)
        for stake in stakes:
            await player.bet(question, 0, stake)
        await world.decide(connection, question, 1)
        assert (await player.close()).net == -lost
        assert lost > player.offer.deposit
        await closed(world, session)
        assert world.money() == before - TERMS.activation - lost
        with pytest.raises(FrozenError):
            player.top_up(1)

    play(world, scene)


def test_an_activation_that_was_refused_is_tried_again(world):
    """Its seq was used, and the next one was the same: refused as stale for ever, with the deposit locked."""

    async def scene(connection):
        player, facts = world.player(connection), world.engine.facts
        take = world.engine._check_open
        world.engine._check_open = lambda session: (_ for _ in ()).throw(Refused(Code.NOT_OPEN))
        with pytest.raises(EngineRefused, match="not open on chain"):
            await player.open(20 * EUR, EUR // 2)
        world.engine._check_open = take
        assert facts.is_confirmed(player.session)
        await player.begin()
        assert player.state.activated
        await player.bet(await world.ask(connection), 0, EUR)

    play(world, scene)


def test_a_player_that_was_restarted_goes_on_where_its_notebook_ends(world):
    async def scene(connection):
        player = world.player(connection)
        await player.open(20 * EUR, EUR // 2)
        question = await world.ask(connection)
        await player.bet(question, 0, EUR)
        again = world.player(connection)
        assert (again.session, again.state, again.receipt) == (player.session, player.state, player.receipt)
        await world.decide(connection, question, 1)
        second = await world.ask(connection)
        await again.bet(second, 0, EUR)
        assert again.state.net == -EUR
        again.notebook.write("sent", state=replace(again.state, seq=9), signature=again.signature)
        assert world.player(connection).frozen == "a state that was sent has no answer"

    play(world, scene)


def test_the_engine_answers_a_player_who_posts_an_old_state(world):
    async def scene(connection):
        player, before = world.player(connection), world.money()
        session = await player.open(20 * EUR, EUR // 2)
        question = await world.ask(connection)
        await player.bet(question, 0, 2 * EUR)
        await world.decide(connection, question, 1)  # lost
        wallet = player.wallet
        world.tessera.sessions.start_exit(wallet, player.offer, State())  # as if nothing had been bet
        sessions = world.tessera.sessions
        while not sessions.session(session).proven:  # challenged, book landed, newest bet proven
            await asyncio.sleep(0.02)
        assert sessions.session(session).seq == player.state.seq
        world.travel(6 * HOUR * 1_000)
        while sessions.session(session).stage is Stage.EXITING:
            await asyncio.sleep(0.02)
        assert world.money() == before - TERMS.activation - 2 * EUR

    play(world, scene)


def test_the_player_answers_a_house_that_posts_an_old_state(world):
    async def scene(connection):
        player, before = world.player(connection), world.money()
        session = await player.open(20 * EUR, EUR // 2)
        question = await world.ask(connection)
        bet = await player.bet(question, 0, 2 * EUR)
        await world.decide(connection, question, 0)  # won
        world.runner.engine.facts.sessions.clear()  # the engine does not look
        operator, sessions = Wallet(world.web3, known_account(OPERATOR)), world.tessera.sessions
        sessions.start_exit(operator, player.offer, State())
        assert player.watch() == "answered the exit"
        with pytest.raises(FrozenError):
            await player.bet(question, 0, EUR)
        done = []
        while sessions.session(session).stage is Stage.EXITING and len(done) < 20:
            done.append(player.watch())
            if done[-1] is None:
                world.travel(6 * HOUR * 1_000)
        assert "ended the exit" in done
        assert world.money() == before - TERMS.activation + bet.liability

    play(world, scene)


def losing_answers(connection: Connection) -> None:
    """From now on no state of a connection is answered, though the engine takes them."""
    ask = connection.ask

    async def unanswered(name, *more, **body):
        answer = await ask(name, *more, **body)
        if name == "place":
            raise ChainError("the answer was lost")
        return answer

    connection.ask = unanswered


def blind(world: World) -> Wallet:
    """The engine looks at the chain no more; the operator, who may still send."""
    facts = world.engine.facts
    facts.sessions.clear()
    facts.exiting.clear()
    return Wallet(world.web3, known_account(OPERATOR))


def watched(world: World, player: Player) -> list[str | None]:
    """What a player does on chain until its session has ended, looking every six hours."""
    done, session = [], world.tessera.sessions.session
    while session(player.session).stage is Stage.EXITING and len(done) < 20:
        done.append(player.watch())
        if done[-1] is None:
            world.travel(6 * HOUR * 1_000)
    return done


async def booked(world: World, connection: Connection, player: Player) -> OpenBet:
    """A bet without a receipt, which is in its question's book, and was won."""
    question = await world.ask(connection)
    losing_answers(connection)
    betting = asyncio.create_task(player.bet(question, 0, 2 * EUR))
    await connection.until(lambda: question in connection.leaves)
    world.travel(connection.questions[question].lock - world.ms)
    await connection.until(lambda: question in connection.confirmed)
    world.travel(3_000)
    bet = await betting
    world.outcome = 0
    world.travel(6_000)
    await connection.until(lambda: question in connection.results)
    return bet


@pytest.mark.parametrize("begins", ["player", "house"])
def test_a_bet_that_only_the_book_shows_counts_for_a_player_who_was_restarted(world, begins):
    """Observers' signatures of the book were in memory alone, and the book was landed after what relies on it: exit and
    answer were refused as `micro: no such book`, and a house that answered no state kept what the bet had won."""

    async def scene(connection):
        player, before = world.player(connection), world.money()
        await player.open(20 * EUR, EUR // 2)
        bet = await booked(world, connection, player)
        assert (player.receipt, player.book is None) == (None, False)
        operator = blind(world)
        again = world.player(Connection("", world.tessera))  # without an engine
        assert (again.state, again.book) == (player.state, player.book)
        if begins == "house":
            world.tessera.sessions.start_exit(operator, player.offer, State())
        else:
            again.exit()
        done = watched(world, again)
        assert done[-1] == "ended the exit"
        assert world.money() == before - TERMS.activation + bet.liability

    play(world, scene)


def test_a_house_that_ends_an_exit_a_moment_before_its_player_is_no_error(world, monkeypatch):
    async def scene(connection):
        player, before, sessions = world.player(connection), world.money(), world.tessera.sessions
        session = await player.open(20 * EUR, EUR // 2)
        operator, finalize = blind(world), sessions.finalize
        player.exit()

        def refused(wallet, offer, state):
            raise Reverted("micro: another reason", "finalize")

        monkeypatch.setattr(sessions, "finalize", refused)
        with pytest.raises(Reverted, match="another reason"):
            watched(world, player)

        def late(wallet, offer, state):
            finalize(operator, offer, state)
            return finalize(wallet, offer, state)

        monkeypatch.setattr(sessions, "finalize", late)
        assert set(watched(world, player)) == {None}
        assert sessions.session(session).stage is not Stage.EXITING
        assert world.money() == before - TERMS.activation

    play(world, scene)


def test_a_player_ends_an_exit_by_a_state_whose_receipt_came_too_late(world):
    """Its own newest state was an older one: it waited for somebody else to end the exit, for ever."""

    async def scene(connection):
        player, before = world.player(connection), world.money()
        session = await player.open(20 * EUR, EUR // 2)
        question = await world.ask(connection)
        losing_answers(connection)
        betting = asyncio.create_task(player.bet(question, 0, 2 * EUR))
        await connection.until(lambda: question in connection.leaves)
        world.travel(connection.questions[question].lock + 6_000 - world.ms)
        with pytest.raises(FrozenError, match="did not answer in time"):
            await betting
        player.exit()
        sessions = world.tessera.sessions
        while sessions.session(session).seq == player.state.seq:  # the engine answers by the state that it completed
            await asyncio.sleep(0.02)
        blind(world)
        again = world.player(Connection("", world.tessera))
        done = watched(world, again)
        assert done[-1] == "ended the exit"
        assert world.money() == before - TERMS.activation  # a bet that nobody has proven goes back

    play(world, scene)


def test_a_forged_receipt_freezes_the_player_who_exits_alone(world):
    async def scene(connection):
        player = world.player(connection)
        session = await player.open(20 * EUR, EUR // 2)
        question = await world.ask(connection)
        completed, ask = player.state, connection.ask

        async def forged(name, **body):
            answer = await ask(name, **body)
            if name == "place":
                answer["receipt"]["head"] = "0x" + "77" * 32
            return answer

        connection.ask = forged
        with pytest.raises(FrozenError, match="forged"):
            await player.bet(question, 0, EUR)
        with pytest.raises(FrozenError):
            await player.bet(question, 0, EUR)
        assert player.state == completed
        reason = player.frozen
        player.exit()
        assert (player.frozen, reason is None) == (reason, False)
        assert world.tessera.sessions.session(session).stage is Stage.EXITING

    play(world, scene)


def test_a_record_that_does_not_run_on_is_noticed(world):
    async def scene(connection):
        player = world.player(connection)
        await player.open(20 * EUR, EUR // 2)
        question = await world.ask(connection)
        world.runner._publish(None, {"type": "line", **dict.fromkeys(("kind", "epoch"), "1"), "n": "999"} | BENT)
        world.runner._publish(None, {"type": "line", **dict.fromkeys(("kind", "epoch"), "1"), "n": "7777"} | BENT)
        await connection.until(lambda: 7777 in connection.heads)
        with pytest.raises(FrozenError, match="line 999"):  # the first fault, whatever follows from it
            await player.bet(question, 0, EUR)

    play(world, scene)


BENT = dict.fromkeys(("question", "leaf", "head"), "0x" + "11" * 32)
