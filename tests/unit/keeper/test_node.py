"""A node that fails, lags or lies: the round says what is left, and the next one ends in the right state."""

import pytest
from web3 import Web3
from web3._utils.encoding import FriendlyJsonSerde
from web3.middleware import Web3Middleware

from tessera.chain.node import prepared
from tessera.chain.prediction_events import Claimed, EventCreated, EventSettled, Predicted
from tessera.chain.prize_pool import PeriodClosed
from tessera.chain.staking_pool import Staked
from tessera.index import Index
from tessera.index.index import FILL_SECONDS
from tessera.keeper.plan import due
from tessera.keeper.round import run
from tessera.keeper.steps.base import Status
from tessera.keeper.view import View
from tests.habits import FAILURES, within


@pytest.fixture
def between(world):
    """Puts a function between keeper and node: it gets what would ask the node, the method and the parameters."""
    onion, names = world.web3.middleware_onion, []

    def put(answer):
        class Between(Web3Middleware):
            def wrap_make_request(self, make_request):
                return lambda method, params: answer(make_request, method, params)

        names.append(f"between {len(names)}")
        onion.inject(Between, name=names[-1], layer=0)

    def back():
        while names:
            onion.remove(names.pop())

    put.back = back
    yield put
    back()


def fails(after):
    """A connection that breaks for good after so many answers."""
    answers = 0

    def answer(ask, method, params):
        nonlocal answers
        answers += 1
        if answers > after:
            raise ConnectionError("connection refused")
        return ask(method, params)

    return answer


@pytest.mark.parametrize("answers", [30, 60, 100])
def test_a_node_that_goes_away_leaves_the_rest_undone(keeper, keeper_of, world, between, state, undisturbed, answers):
    plan = due(keeper.view)
    between(fails(after=answers))
    done = run(keeper.view, keeper.wallet, plan)
    assert done.exit_code == 3
    assert "connection refused" in done.of(Status.UNDONE)[-1].message
    between.back()
    assert keeper_of().run().exit_code == 0
    assert state() == undisturbed


def test_a_transaction_that_arrives_though_the_node_does_not_say_so_is_not_sent_again(
    keeper, world, between, state, undisturbed
):
    """The answer to every transaction is lost on its way back."""
    sent = []

    def answer(ask, method, params):
        found = ask(method, params)
        if method == "eth_sendRawTransaction":
            sent.append(Web3.to_hex(Web3.keccak(Web3.to_bytes(hexstr=params[0]))))
            raise ConnectionError("reset by peer")
        return found

    between(answer)
    done = keeper.run()
    assert [one.status for one in done.outcomes] == [Status.DONE] * 7  # it waited for the receipt all the same
    assert len(sent) == len(done.outcomes)
    assert state() == undisturbed


def test_a_transaction_that_the_node_swallows_is_left_undone(keeper, world, between):
    """It says that it took it; nothing is ever mined."""

    def answer(ask, method, params):
        if method == "eth_sendRawTransaction":
            raw = Web3.to_bytes(hexstr=params[0])
            return {"jsonrpc": "2.0", "id": 1, "result": Web3.to_hex(Web3.keccak(raw))}
        return ask(method, params)

    keeper.wallet.seconds_per_price = 0
    between(answer)
    done = keeper.run()
    assert done.exit_code == 3
    assert {one.status for one in done.outcomes} == {Status.UNDONE}
    assert "waits to be mined" in done.outcomes[0].message


def test_a_receipt_that_says_failed_of_what_was_done_is_not_believed(keeper, between, state, undisturbed):
    between(receipts(lambda receipt: {**receipt, "status": 0}))
    done = keeper.run()
    assert {one.status for one in done.outcomes} == {Status.OTHERS}
    assert done.exit_code == 0
    assert state() == undisturbed


def test_a_receipt_of_what_never_happened_is_not_believed(keeper, world, between):
    """The node swallows the transactions and shows the receipt of another success."""
    old = world.owner.send({"to": world.owner.address, "value": 1}, "a gift")

    def answer(ask, method, params):
        if method == "eth_sendRawTransaction":
            return {"jsonrpc": "2.0", "id": 1, "result": Web3.to_hex(Web3.keccak(Web3.to_bytes(hexstr=params[0])))}
        if method == "eth_getTransactionReceipt":
            return ask(method, [Web3.to_hex(old["transactionHash"])])
        return ask(method, params)

    between(answer)
    done = keeper.run()
    assert done.exit_code == 3
    assert {one.status for one in done.outcomes} == {Status.UNDONE}
    assert "the chain does not show it" in done.outcomes[0].message


def test_a_node_that_shows_receipts_late_is_waited_for(patient, between, state, undisturbed):
    asked = {}

    def answer(ask, method, params):
        if method == "eth_getTransactionReceipt":
            asked[params[0]] = asked.get(params[0], 0) + 1
            if asked[params[0]] < 2:
                return {"jsonrpc": "2.0", "id": 1, "result": None}
        return ask(method, params)

    between(answer)
    assert patient.run().exit_code == 0
    assert len(asked) == 7
    assert state() == undisturbed


def test_a_state_that_lags_behind_the_receipt_is_waited_for(patient, between, state, undisturbed):
    """Two machines behind one address: the second answers calls from a block earlier for a moment."""
    behind = 0

    def answer(ask, method, params):
        nonlocal behind
        if method == "eth_getTransactionReceipt":
            behind = 2
        elif method == "eth_call" and behind:
            behind -= 1
            number = ask("eth_blockNumber", [])["result"]  # an integer on this chain
            return ask(method, [params[0], hex(number - 1)])
        return ask(method, params)

    between(answer)
    done = patient.run()
    assert [one.status for one in done.outcomes] == [Status.DONE] * 7
    assert state() == undisturbed


def test_logs_that_lag_behind_the_state_pay_nobody_and_it_says_so(
    keeper, keeper_of, between, state, undisturbed, monkeypatch
):
    """Two machines behind one address: the one that is asked for logs stands still in the middle of the round."""
    stands_at = None

    def answer(ask, method, params):
        nonlocal stands_at
        if method == "eth_sendRawTransaction" and stands_at is None:
            stands_at = ask("eth_blockNumber", [])["result"]
        if method == "eth_blockNumber" and stands_at is not None:
            return {"jsonrpc": "2.0", "id": 1, "result": stands_at}
        return ask(method, params)

    plan = due(keeper.view)
    monkeypatch.setattr("tessera.keeper.steps.pay.LAG_SECONDS", 0)
    # It looks at the other machine until its head is there: here that would be for ever.
    keeper.wallet._receipt = lambda sent, _: keeper.wallet._receipt_of(sent[-1])
    between(answer)
    done = run(keeper.view, keeper.wallet, plan)
    ends = {one.step.key: (one.status, one.message) for one in done.outcomes}
    assert ends["settle 1"][0] == Status.DONE
    assert ends["pay 1 4"] == (
        Status.UNDONE,
        "the logs lag behind the state: they do not show that event 1 is settled",
    )
    assert done.exit_code == 3
    between.back()
    assert keeper_of().run().exit_code == 0
    assert state() == undisturbed


def test_a_node_that_leaves_logs_out_is_found_out_by_what_is_not_paid(keeper, between, monkeypatch):
    """Of six predictions it shows five; the contract says that something is left."""
    monkeypatch.setattr("tessera.keeper.steps.pay.LAG_SECONDS", 0)
    between(without_logs_of(keeper.rows(Predicted)[0].block))
    afresh = afresh_of(keeper)
    done = run(afresh, keeper.wallet, due(afresh))
    (pay,) = (one for one in done.outcomes if one.step.kind == "pay")
    assert len(pay.sent) == 1
    assert pay.status == Status.UNDONE
    assert "the logs do not show all winners of event 1" in pay.message
    assert done.exit_code == 3
    # Nobody is left whom the logs know; that is no reason to say that all is done.
    (again,) = run(afresh, keeper.wallet, due(afresh)).outcomes
    assert (again.step.what, again.status, again.sent) == ("pay 0 winners of event 1", Status.UNDONE, ())


def test_winners_whom_the_node_shows_later_are_paid_in_the_same_round(keeper, monkeypatch, state, undisturbed):
    monkeypatch.setattr("tessera.keeper.steps.pay.LAG_SECONDS", 0)
    block = keeper.rows(Predicted)[0].block
    with within(keeper.view.web3, leaves_out=[block]) as node:
        afresh = afresh_of(keeper)
        plan = due(afresh)
        fill = afresh.history.fill
        monkeypatch.setattr(afresh.history, "fill", lambda: setattr(node, "leaves_out", []) or fill())
        done = run(afresh, keeper.wallet, plan)
    (pay,) = (one for one in done.outcomes if one.step.kind == "pay")
    assert (pay.status, len(pay.sent)) == (Status.DONE, 2)
    assert state() == undisturbed


@pytest.mark.parametrize(
    ("kind", "hole"),
    [
        (EventCreated, "3 events, the logs show 2"),
        (Staked, "1e-6 USD of stake, the logs show"),
        (PeriodClosed, "2 closed weeks, the logs show 1"),
        (EventSettled, "event 1 is settled, the logs do not show it"),
        (Claimed, "event 1 has 0 units unpaid, by the logs"),
    ],
    ids=lambda kind: getattr(kind, "__name__", None),
)
def test_nobody_acts_on_a_history_with_holes(keeper, kind, hole):
    """Nor spends gas on what was done: the payments here, that were looked for by every round."""
    keeper.run()
    with within(keeper.view.web3, leaves_out=[keeper.rows(kind)[0].block]):
        afresh = afresh_of(keeper)
        plan = due(afresh)
        assert hole in plan.hole
        assert plan.hole.startswith("the node leaves logs out (")
        assert plan.hole.endswith("): ask another node, the index reads again from it by itself")
        assert {step.kind for step in plan.steps} <= {"harvest", "close", "poke", "buy back", "note loss"}
        assert run(afresh, keeper.wallet, plan).exit_code == 3
    afresh.history._index._filled = -FILL_SECONDS
    assert due(afresh).hole == ""
    with afresh.history._index.snapshot() as again, keeper.index.snapshot() as whole:
        assert list(again.rows(kind)) == list(whole.rows(kind)) != []


def test_an_answer_that_is_no_json_leaves_the_rest_undone(keeper, between):
    """As of a proxy or a login page on the way to the node."""
    plan = due(keeper.view)

    def answer(ask, method, params):
        if method == "eth_call":
            FriendlyJsonSerde().json_decode("<html>Sign in</html>")
        return ask(method, params)

    between(answer)
    done = run(keeper.view, keeper.wallet, plan)
    assert {one.status for one in done.outcomes} == {Status.UNDONE}
    assert done.outcomes[0].message.startswith("the node failed: what answers eth_call is no JSON: Could not")


def afresh_of(keeper):
    """What the keeper sees that deleted its index."""
    view = keeper.view
    return View(view.tessera, Index("sqlite://", view.web3, view.tessera.deployment), view.account)


def without_logs_of(block):
    """A node that has lost what was logged in a block."""

    def answer(ask, method, params):
        found = ask(method, params)
        if method == "eth_getLogs":
            found = {**found, "result": [log for log in found["result"] if log["blockNumber"] != block]}
        return found

    return answer


def receipts(change):
    """Receipts are not what they were."""

    def answer(ask, method, params):
        found = ask(method, params)
        if method == "eth_getTransactionReceipt" and found.get("result"):
            found = {**found, "result": change(dict(found["result"]))}
        return found

    return answer


@pytest.mark.parametrize("failure", FAILURES)
def test_one_round_gets_through_a_node_that_fails_one_request_in_twenty(patient, world, state, undisturbed, failure):
    """One failed read of some 400 ended it."""
    prepared(world.web3, patience=20)
    try:
        with within(world.web3, rate=0.05, failures=(failure,), seed=2) as node:
            done = patient.run()
    finally:
        prepared(world.web3, patience=0)
    assert node.failed[failure] > 5
    assert done.exit_code == 0, [outcome.message for outcome in done.outcomes]
    assert len({row.account for row in patient.rows(Claimed)}) == len(patient.rows(Claimed)) == 4
    assert state() == undisturbed


def test_one_round_gets_through_a_node_that_fails_in_all_ways(patient, world, state, undisturbed):
    prepared(world.web3, patience=20)
    try:
        with within(world.web3, rate=0.05, seed=5) as node:
            done = patient.run()
    finally:
        prepared(world.web3, patience=0)
    assert sum(node.failed.values()) > 5
    assert done.exit_code == 0, [outcome.message for outcome in done.outcomes]
    assert state() == undisturbed
