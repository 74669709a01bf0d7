"""Members taken up again where the database is lost and there is no copy: none forgotten, none funded twice."""

import json
import time

import pytest
from click.testing import CliRunner
from web3.exceptions import TransactionNotFound

from tessera.chain.embedded import known_account
from tessera.chain.errors import ChainError
from tessera.cli.main import cli
from tessera.club.lost import on_chain, take_up
from tessera.club.refusals import RefusedError
from tessera.club.server import doubts
from tests.unit.club.conftest import NODE, refusal

ADDRESS = known_account(NODE).address


@pytest.fixture(autouse=True)
def sleepless(monkeypatch):
    """Nothing rests between two gifts."""
    monkeypatch.setattr("tessera.club.sender.SETTLE_SECONDS", -1)


def lose(world, **gas) -> None:
    """The database is gone, and the node is started again."""
    world.node.sender.stop()
    world.node = world.started(database="new", **gas)
    world.client.app.state.node = world.node


def taken_up(world) -> list[str]:
    return take_up(
        world.node.store, world.tessera, ADDRESS, on_chain(world.tessera, ADDRESS).joined, world.node.settings.gas
    )


def spend(world, phone) -> None:
    """Sends all but the fee away, if there is as much."""
    fee = 21_000 * 2 * world.web3.eth.get_block("latest")["baseFeePerGas"]
    if (rest := world.balance(phone) - fee) > 0:
        world.send(phone, {"to": known_account(0).address, "value": rest}, gas=21_000)


@pytest.fixture
def tomorrow(monkeypatch):
    """Lets the clock on the wall go on to the next day."""

    def go() -> None:
        later = time.time() + 86_400
        monkeypatch.setattr("tessera.club.sender.time.time", lambda: later)

    return go


def test_whom_the_node_invited_and_who_joined_is_a_member_again(world, bettor, tomorrow):
    friend, waiting, [code] = world.member(), world.phone(), world.codes()
    waiting.join(code)
    world.send_all()
    lose(world)
    chain = on_chain(world.tessera, ADDRESS)
    assert (chain.joined, chain.waiting) == ((friend.address,), (waiting.address,))  # not whom the owner invited
    assert refusal(friend.gas()) == (403, "not_a_member")
    assert taken_up(world) == [friend.address]
    assert friend.gas().json()["state"] == "enough"
    spend(world, friend)
    assert friend.gas().json()["state"] == "budget_spent"
    assert world.send_all() == 0
    tomorrow()
    assert world.send_all() == 1
    assert friend.gas().json()["state"] == "enough"


def test_who_was_invited_and_has_not_joined_comes_by_a_new_link_and_is_not_funded_twice(world):
    waiting, [code] = world.phone(), world.codes()
    waiting.join(code)
    world.send_all()
    before = world.balance(waiting)
    lose(world)
    assert taken_up(world) == []
    assert refusal(waiting.join(code)) == (404, "unknown_code")
    assert waiting.join(world.codes()[0]).json()["state"] == "ready"
    assert world.send_all() == 0
    world.enter(waiting)
    assert (waiting.state()["state"], world.balance(waiting) < before) == ("joined", True)


def test_said_again_it_takes_up_who_has_come_since_and_nobody_twice(world, tomorrow):
    friend, late, [code] = world.member(), world.phone(), world.codes()
    late.join(code)
    world.send_all()
    lose(world)
    assert taken_up(world) == [friend.address]
    assert taken_up(world) == []
    world.enter(late)  # with the gas money that was there, and no new link
    tomorrow()
    assert taken_up(world) == [late.address]
    spend(world, late)
    assert world.send_all() == 1  # the day is not counted as spent a second time
    assert len(world.node.store.members()) == 2


def test_nobody_gets_more_than_the_days_budget_by_a_lost_database(world):
    """Members who empty their accounts before and after it, and a friend with a new link."""
    budget = 0.004
    world.node = world.started(database="poor", budget=str(budget), members=2)
    world.client.app.state.node = world.node
    drainer = world.member()
    given = world.balance(drainer) + 0
    for _ in range(4):
        spend(world, drainer)
        before = world.balance(drainer)
        world.send_all()
        given += world.balance(drainer) - before
    lose(world, budget=str(budget), members=2)
    assert taken_up(world) == [drainer.address]
    spend(world, drainer)
    friend, [code] = world.phone(), world.codes()
    friend.join(code)
    world.send_all()
    assert friend.gas().json()["state"] == "budget_spent"
    assert friend.gas().json()["again_at"] % 86_400 == 0
    assert drainer.gas().json()["state"] == "budget_spent"
    assert world.balance(friend) == 0
    assert world.tessera.play_euro.invited(friend.address)  # the invitation itself does not wait


def test_accounts_that_a_thief_of_the_key_invited_get_nothing_where_they_are_taken_out_before_midnight(
    world, bettor, tomorrow
):
    """They look like members: the list shows them, and `revoke` takes them out before there is gas money again."""
    friend, thieves = world.member(), [world.phone() for _ in range(2)]
    wallet = world.node.sender.wallet
    world.tessera.play_euro.invite(wallet, [thief.address for thief in thieves])
    for thief in thieves:
        wallet.send({"to": thief.address, "value": 10**16}, "theft")
        world.enter(thief)
    lose(world)
    assert set(taken_up(world)) == {friend.address, *(thief.address for thief in thieves)}
    for member in world.node.store.members():
        if member.account != friend.address:
            world.node.store.revoke(member.code)
    for phone in (friend, *thieves):
        spend(world, phone)
    before = {thief.address: world.balance(thief) for thief in thieves}
    tomorrow()
    assert world.send_all() == 1
    assert {thief.address: world.balance(thief) for thief in thieves} == before
    assert [refusal(thief.gas()) for thief in thieves] == [(403, "replaced_account")] * 2
    assert friend.gas().json()["state"] == "enough"


def test_who_was_invited_by_another_contract_which_the_node_called_is_not_the_nodes(world, owner):
    """The owner made a contract an inviter, which passes what it is called with on to PlayEuro."""
    euro, wallet = world.tessera.play_euro, world.node.sender.wallet
    friend, mule = world.member(), world.phone()
    passes_on = bytes.fromhex(f"36600060003760006000366000600073{euro.address[2:]}5af15000")
    made = owner.send(
        {"data": bytes.fromhex(f"60{len(passes_on):02x}600c60003960{len(passes_on):02x}6000f3") + passes_on}, ""
    )
    lookalike = made["contractAddress"]
    euro.set_inviter(owner, lookalike, True)
    wallet.send({"to": lookalike, "data": euro.calldata("invite", [mule.address])}, "lookalike.invite")
    wallet.send({"to": mule.address, "value": 10**16}, "gas")
    world.enter(mule)
    lose(world)
    assert on_chain(world.tessera, ADDRESS).joined == (friend.address,)
    assert taken_up(world) == [friend.address]
    assert refusal(mule.gas()) == (403, "not_a_member")


def test_a_chains_node_that_has_forgotten_transactions_is_said_to_be_the_reason(world, monkeypatch):
    # Some keep two months of them and all logs: it was an error of the program's, which named nobody to ask instead.
    world.member()

    def forgotten(transaction):
        raise TransactionNotFound(f"no {transaction}")

    monkeypatch.setattr(world.web3.eth, "get_transaction", forgotten)
    with pytest.raises(ChainError, match=r"does not know transaction 0x.* name a node that keeps all"):
        on_chain(world.tessera, ADDRESS)


def test_waits_for_what_is_under_way_and_for_room(world, monkeypatch):
    first, second = world.member(), world.member()
    lose(world, members=1)
    with pytest.raises(RefusedError, match=r"2 members, and gas\.members is 1"):
        taken_up(world)
    assert world.node.store.members() == []
    count = world.web3.eth.get_transaction_count
    with monkeypatch.context() as patched:
        patched.setattr(
            world.web3.eth, "get_transaction_count", lambda account, block: count(account) + (block == "pending")
        )
        with pytest.raises(ChainError, match=r"1 transactions of .* are still under way"):
            taken_up(world)
    lose(world, members=2)
    assert taken_up(world) == [first.address, second.address]


def test_a_node_with_a_new_database_and_an_old_account_says_what_to_do(world):
    assert not any("tessera club restore" in doubt for doubt in doubts(world.node))
    world.member()
    lose(world)
    assert any("tessera club restore" in doubt for doubt in doubts(world.node))
    taken_up(world)
    assert not any("tessera club restore" in doubt for doubt in doubts(world.node))


def test_the_command_shows_whom_it_takes_up_and_does_it(world, monkeypatch):
    friend = world.member()
    lose(world)
    config = world.folder / "club.toml"
    config.write_text(
        'name = "Friday club"\nurl = "https://club.example"\nrpc = "https://rpc.example"\nrecord = "club.json"\n'
        f'page = "page"\ndevnet_account = {NODE}\ndatabase = "sqlite:///new.db"\n[gas]\nbudget = 10\n'
    )
    world.tessera.deployment.save(world.folder / "club.json")
    monkeypatch.setattr("tessera.chain.node.connect", lambda url: world.web3)

    def run(*options: str, said: str | None = None) -> str:
        done = CliRunner().invoke(cli, [*options, "club", "restore", "--config", str(config)], input=said)
        assert done.exit_code == 0 if said != "n\n" else done.exit_code != 0, done.output
        return done.stdout

    shown = run("--json", "--dry-run")
    assert json.loads(shown[shown.index("{") :])["taken up again"] == [friend.address]
    assert friend.address in run(said="n\n")
    assert world.node.store.members() == []
    assert "1" in run(said="y\n")
    assert [member.account for member in world.node.store.members()] == [friend.address]
    assert "nobody" in run()
