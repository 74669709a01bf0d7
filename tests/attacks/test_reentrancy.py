"""Attempts to get in a second time: the prize token calls one of the contracts in the middle of each transfer."""

import boa
import pytest

from tests.prize_system import ALL, USD, block_number, deployed, load


@pytest.fixture(scope="module")
def hostile_contracts(evm):
    """The staking contracts over a prize token that calls whom it is told."""
    return deployed(usdc=load("tests/mocks/HostileToken.vy").deploy())


@pytest.fixture
def hostile(evm_clock, hostile_contracts):
    """Two winners of a settled event, `paid`; another event, `open`, is decided and can be settled; there is yield,
    and a week is over.
    """
    system = hostile_contracts
    system.resume()
    system.winners = [boa.env.generate_address() for _ in range(2)]
    for account in system.winners:
        system.stake(account, 1_000)
    system.paid, system.open = system.create_event(), system.create_event()
    for account in system.winners:
        for event in (system.paid, system.open):
            system.events.predict(event, 0, sender=account)
    system.revenue(1_000 * USD)
    system.finish(system.paid, 0)
    system.report(system.open, 0)
    system.wait_until(boa.env.timestamp + 7 * 86_400)
    system.earn(system.usdc, 10 * USD)
    system.fund(system.winners[0], system.usdc, USD)
    return system


# What somebody does, and what the token calls meanwhile.
OUTER = {
    "stake": lambda s: s.pool.stake(s.usdc, USD, sender=s.winners[0]),
    "withdraw": lambda s: s.pool.withdraw(s.usdc, 500 * USD, 0, sender=s.winners[0]),
    "harvest": lambda s: s.pool.harvest(s.usdc, ALL),
    "settle": lambda s: s.events.settle(s.open),
    "claim": lambda s: s.events.claim(s.paid, s.winners[0]),
    "claim_many": lambda s: s.events.claim_many(s.paid, s.winners[:1]),
}
INNER = {
    "harvest": lambda s: (s.pool, s.pool.harvest.prepare_calldata(s.usdc, ALL)),
    "rewards": lambda s: (s.pool, s.pool.claim_rewards.prepare_calldata(s.winners[1])),
    "settle": lambda s: (s.events, s.events.settle.prepare_calldata(s.open)),
    "claim": lambda s: (s.events, s.events.claim.prepare_calldata(s.paid, s.winners[1])),
    "poke": lambda s: (s.prizes, s.prizes.poke.prepare_calldata()),
    "prize_per_weight_wad": lambda s: (s.prizes, s.prizes.prize_per_weight_wad.prepare_calldata()),
}


@pytest.mark.parametrize(
    ("outer", "inner"),
    [
        ("stake", "harvest"),
        ("stake", "rewards"),
        ("withdraw", "rewards"),
        ("harvest", "harvest"),
        ("harvest", "rewards"),
        ("settle", "claim"),
        ("settle", "poke"),
        ("settle", "prize_per_weight_wad"),
        ("claim", "claim"),
        ("claim", "settle"),
        ("claim_many", "claim"),
        ("claim_many", "settle"),
    ],
)
def test_prize_token_that_calls_back_finds_the_door_locked(hostile, outer, inner):
    """Each call would succeed if it came by itself. In the middle of another it does nothing."""
    system = hostile
    target, call = INNER[inner](system)
    with boa.env.anchor():
        assert boa.env.raw_call(target.address, sender=system.usdc.address, data=call).is_success
    with boa.env.anchor():
        OUTER[outer](system)
        expected = state(system)
    system.usdc.set_hook(target, call)
    contract = system.pool if outer in ("stake", "withdraw", "harvest") else system.events
    OUTER[outer](system)
    hooks = [log.succeeded for log in contract.get_logs() if type(log).__name__ == "HookCalled"]
    assert hooks
    assert not any(hooks)
    assert state(system) == expected


def state(system):
    """All that one of the calls above could change."""
    token, accounts = system.usdc, [*system.winners, system.pool, system.events, system.prizes]
    return (
        [token.balanceOf(account) for account in accounts],
        [system.bet.balanceOf(account) for account in accounts],
        [system.pool.principal_of(account, token) for account in system.winners],
        [system.events.prize_of(system.paid, account) for account in system.winners],
        system.events.result_of(system.open),
        system.pool.asset_state(token),
        system.prizes.pool(),
    )


def test_principal_taken_in_the_middle_of_a_claim_leaves_and_gains_nothing(hostile):
    """The events are locked and cannot be told: the withdrawal succeeds, and what was open then is forfeited."""
    system, thief = hostile, hostile.usdc.address  # the token itself has a stake
    system.stake(thief, 1_000)
    system.close()
    event = system.create_event()
    for account in (thief, system.winners[1]):
        system.events.predict(event, 0, sender=account)
    system.mine(24 * system.blocks_per_hour)
    honest = system.events.tickets(event, system.winners[1])[1]
    assert system.events.tickets(event, thief)[1] == honest > 0
    call = system.pool.withdraw.prepare_calldata(system.usdc, 1_000 * USD, 0)
    system.usdc.set_hook(system.pool, call)
    held, due = system.usdc.balanceOf(thief), system.events.prize_of(system.paid, system.winners[0])
    system.events.claim(system.paid, system.winners[0], gas=8_000_000)
    system.usdc.set_hook("0x" + "00" * 20, b"")
    assert system.usdc.balanceOf(system.winners[0]) == due + USD
    assert (system.usdc.balanceOf(thief) - held, system.pool.principal_of(thief, system.usdc)) == (1_000 * USD, 0)
    assert system.pool.forfeited_at(thief, 0) == block_number()
    assert system.events.tickets(event, thief)[1] == 0
    system.events.purge(event, thief)
    assert system.events.outcome_tickets(event, 0) == honest
