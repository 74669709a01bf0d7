"""What gas may cost, what was sent, and what counts as done when blocks can be replaced."""

import re

import pytest
from web3 import Web3

from tessera.chain import Wallet, waiting
from tessera.chain.embedded import embedded_web3, known_account
from tessera.chain.errors import ChainError, NodeError, NodeRefusedError, NoGasMoneyError, NotMinedError, TooDearError
from tessera.chain.fees import GWEI, GasPrice, gas_price
from tessera.chain.wallet import HandIn, with_margin
from tests.habits import within


class Clock:
    """Stands in for `time`: what a test wants to happen while a wallet waits, one callable a wait."""

    def __init__(self, *happenings):
        self.happenings = list(happenings)

    def monotonic(self) -> float:
        return 0

    def sleep(self, seconds: float) -> None:
        self.happenings.pop(0)()


@pytest.fixture
def web3() -> Web3:
    return embedded_web3()


def mine(web3: Web3) -> None:
    web3.provider.ethereum_tester.mine_block()


def test_waits_for_confirmations(web3, monkeypatch):
    clock = Clock(lambda: mine(web3), lambda: mine(web3))
    monkeypatch.setattr(waiting, "time", clock)
    sender = Wallet(web3, known_account(0), confirmations=2)
    receipt = sender.send({"to": sender.address, "data": "0x"}, "nothing")
    assert web3.eth.block_number == receipt["blockNumber"] + 2
    assert clock.happenings == []


def test_a_receipt_of_a_replaced_block_does_not_count(web3, monkeypatch):
    tester = web3.provider.ethereum_tester
    sender = Wallet(web3, known_account(0), confirmations=1)
    raw = sender.signed({"to": sender.address, "data": "0x"}, "nothing").raw_transaction
    before = tester.take_snapshot()

    def reorg():
        tester.revert_to_snapshot(before)
        mine(web3)  # a block without it, then one with it
        web3.eth.send_raw_transaction(raw)

    clock = Clock(reorg, lambda: mine(web3))
    monkeypatch.setattr(waiting, "time", clock)
    first = web3.eth.block_number + 1
    receipt = sender.wait(web3.eth.send_raw_transaction(raw), "nothing")
    assert receipt["blockNumber"] == first + 1
    assert web3.eth.get_transaction_receipt(receipt["transactionHash"])["blockHash"] == receipt["blockHash"]
    assert clock.happenings == []


NOTHING = ({"to": "0x" + "51" * 20, "value": 1}, "a gift")


@pytest.fixture
def impatient(web3, monkeypatch) -> Wallet:
    monkeypatch.setattr(waiting, "POLL_SECONDS", 0.01)
    monkeypatch.setattr("tessera.chain.wallet.time.sleep", lambda _: None)
    return Wallet(web3, known_account(0), seconds_per_price=0.05)


class History:
    """A chain whose last blocks paid what a test says."""

    def __init__(self, base: int, advice: int, bases=(), tips=(), ratios=None):
        self.base, self.max_priority_fee, self.bases, self.tips = base, advice, bases, tips
        self.ratios = ratios or [0.5] * len(tips)
        self.eth = self

    def get_block(self, _):
        return {"baseFeePerGas": self.base}

    def fee_history(self, count, newest, percentiles):
        assert (count, newest, percentiles) == (20, "latest", [50])
        return {
            "baseFeePerGas": [*self.bases, self.base],
            "gasUsedRatio": self.ratios,
            "reward": [[tip] for tip in self.tips],
        }


def test_advice_is_believed_up_to_twice_the_usual_tip():
    calm = History(10 * GWEI, 60 * GWEI, [10 * GWEI] * 3, [GWEI, 3 * GWEI, 3 * GWEI])
    assert gas_price(calm) == GasPrice(10 * GWEI, 6 * GWEI, 36 * GWEI)
    calm.max_priority_fee = 4 * GWEI
    assert gas_price(calm).tip == 4 * GWEI


def test_blocks_without_transactions_show_no_tips():
    idle = History(GWEI, 60 * GWEI, [GWEI] * 3, [0, 0, 30 * GWEI], [0, 0, 0.1])
    assert gas_price(idle).tip == 60 * GWEI
    idle.ratios = [0, 0, 0]
    assert gas_price(idle).tip == 2 * GWEI


def test_the_usual_ceiling_follows_the_last_blocks_and_not_the_newest():
    spike = History(90 * GWEI, GWEI, [10 * GWEI, 10 * GWEI, 80 * GWEI], [GWEI] * 3)
    price = gas_price(spike)
    assert price.ceiling == 3 * 10 * GWEI + 2 * GWEI
    assert price.total > price.ceiling
    assert gas_price(spike, 100 * GWEI).ceiling == 100 * GWEI


def test_below_5_gwei_there_is_no_usual_ceiling():
    assert gas_price(History(4 * GWEI, GWEI, [GWEI // 100] * 3, [0] * 3)).ceiling == 5 * GWEI


def test_a_chain_without_a_base_fee_is_refused_by_name():
    class Old(History):
        chain_id = 61

        def get_block(self, _):
            return {"gasLimit": 8_000_000}

    with pytest.raises(ChainError, match=r"chain 61 has no base fee \(EIP-1559\)"):
        gas_price(Old(0, GWEI))


def test_a_node_without_a_history_of_fees_is_asked_for_none(web3):
    class Silent(History):
        def fee_history(self, *_):
            raise NodeRefusedError("the method eth_feeHistory does not exist", "eth_sendRawTransaction", -32000)

    assert gas_price(Silent(10 * GWEI, 60 * GWEI)) == GasPrice(10 * GWEI, 2 * GWEI, 32 * GWEI)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("nonce too low: address 0x33, tx: 8089 state: 8090", HandIn.NONCE),  # geth
        ("Transaction nonce is too low. Try incrementing the nonce.", HandIn.NONCE),  # openethereum
        ("OldNonce, Current nonce: 22, nonce of rejected tx: 17", HandIn.NONCE),  # Nethermind
        ("replacement transaction underpriced", HandIn.OUTBID),  # geth
        ("FeeTooLow, MaxFeePerGas too low. MaxFeePerGas: 50, BaseFee: 100", HandIn.PRICE),  # Nethermind
        ("max fee per gas less than block base fee: address 0x33", HandIn.PRICE),  # geth
        ("already known", HandIn.TAKEN),  # geth
        ("AlreadyKnown", HandIn.TAKEN),  # Nethermind
        ("Known transaction", HandIn.TAKEN),  # Besu
        ("INTERNAL_ERROR: existing tx with same hash", HandIn.TAKEN),  # Erigon
        ("{'code': -32005, 'message': 'rate limited'}", HandIn.UNKNOWN),
    ],
)
def test_what_nodes_mean(impatient, monkeypatch, text, meaning):
    def refuse(_):
        raise NodeRefusedError(text, "eth_sendRawTransaction", -32000)

    monkeypatch.setattr(impatient.web3.eth, "send_raw_transaction", refuse)
    assert impatient._hand_in(b"") == meaning


def test_what_is_none_of_these_is_the_nodes_error(impatient, monkeypatch):
    def refuse(_):
        raise NodeRefusedError("insufficient funds for gas * price + value", "eth_sendRawTransaction", -32000)

    monkeypatch.setattr(impatient.web3.eth, "send_raw_transaction", refuse)
    with pytest.raises(NodeRefusedError, match="insufficient funds"):
        impatient.send(*NOTHING)


@pytest.mark.parametrize("failure", ["page", "null", "truncated", "refusal", "drop"])
def test_a_transaction_reaches_a_node_that_fails_at_first(web3, impatient, failure):
    before = web3.eth.get_balance("0x" + "51" * 20)
    with within(web3, methods=("eth_sendRawTransaction",), failures=(failure,), rate=0.5, seed=3) as node:
        for _ in range(5):
            impatient.send(*NOTHING)
    assert node.failed[failure] > 0
    assert web3.eth.get_balance("0x" + "51" * 20) == before + 5


GIFTS = [({"to": f"0x{number:040x}", "value": number}, "a gift") for number in range(0x5101, 0x5104)]


def test_several_calls_are_under_way_at_once_and_happen_in_their_order(web3, impatient, monkeypatch):
    """All are handed in before the first is waited for."""
    raws, hand_in = [], impatient._hand_in
    monkeypatch.setattr(impatient, "_hand_in", lambda raw: raws.append(raw) or hand_in(raw))
    receipt, handed_in = impatient._receipt, []
    monkeypatch.setattr(impatient, "_receipt", lambda *asked: handed_in.append(len(raws)) or receipt(*asked))
    impatient.budget = 10**18
    receipts = impatient.submit_all([impatient.plan(*gift) for gift in GIFTS])
    assert handed_in == [3, 3, 3]
    nonces = [web3.eth.get_transaction(receipt["transactionHash"])["nonce"] for receipt in receipts]
    assert nonces == [0, 1, 2]
    assert [web3.eth.get_balance(call["to"]) for call, _ in GIFTS] == [0x5101, 0x5102, 0x5103]
    spent = sum(receipt["gasUsed"] * receipt["effectiveGasPrice"] for receipt in receipts)
    assert impatient.budget == 10**18 - spent


@pytest.mark.parametrize("answer", [HandIn.OUTBID, HandIn.NONCE, HandIn.PRICE, None])
def test_what_a_node_does_not_take_after_the_first_is_not_sent(impatient, monkeypatch, answer):
    answers, hand_in = iter([None, None, answer]), impatient._hand_in

    def refuse(raw):
        if next(answers) is None and len(sent) < 2:
            sent.append(raw)
            return hand_in(raw)
        if answer is None:
            raise NodeRefusedError("txpool is full", "eth_sendRawTransaction", -32000)
        return answer

    sent = []
    monkeypatch.setattr(impatient, "_hand_in", refuse)
    assert len(impatient.submit_all([impatient.plan(*gift) for gift in GIFTS])) == 2


def test_each_of_several_is_offered_again_for_more(web3, impatient, monkeypatch):
    """The second is lost by the node: it is offered at 3 gwei, and then for a quarter more."""
    impatient.gas_price = lambda: GasPrice(GWEI, GWEI, 8 * GWEI)
    offers, answers, hand_in = [], iter([True, False, True]), impatient._hand_in
    sign = impatient._sign
    monkeypatch.setattr(
        impatient,
        "_sign",
        lambda call, gas, nonce, most, tip: offers.append((nonce, most)) or sign(call, gas, nonce, most, tip),
    )
    monkeypatch.setattr(impatient, "_hand_in", lambda raw: hand_in(raw) if next(answers) else HandIn.TAKEN)
    receipts = impatient.submit_all([impatient.plan(*gift) for gift in GIFTS[:2]])
    assert [receipt["status"] for receipt in receipts] == [1, 1]
    assert offers == [(0, 3 * GWEI), (1, 3 * GWEI), (1, 3_750_000_000)]


def test_where_money_does_not_last_for_all_the_first_half_is_sent(impatient):
    planned = [impatient.plan(*gift) for gift in GIFTS]
    impatient.budget = planned[0].gas * impatient.gas_price().total * 3 // 2
    assert len(impatient.submit_all(planned)) == 1
    impatient.budget = 1
    with pytest.raises(NoGasMoneyError):
        impatient.submit_all(planned)


def test_what_may_have_been_sent_is_said_to_wait(web3, impatient):
    """No answer says anything: it may be there, at the price of the last offer."""
    message = r"a gift with nonce 0 was sent and waits to be mined at \d+\.\d+ gwei"
    fails = within(web3, methods=("eth_sendRawTransaction",), failures=("page",), rate=1)
    with fails, pytest.raises(NotMinedError, match=message):
        impatient.send(*NOTHING)


def test_a_price_that_is_refused_is_read_anew_after_a_wait_and_nothing_is_said_to_be_sent(web3, impatient, monkeypatch):
    """In a spike, three offers went within milliseconds on one base fee, and a refused one "waits to be mined"."""
    bases, offers, waits = iter([10 * GWEI, 20 * GWEI, 40 * GWEI]), [], []
    impatient.gas_price = lambda: GasPrice(next(bases), GWEI, 10**12)

    def refuse(raw):
        raise NodeRefusedError("max fee per gas less than block base fee", "eth_sendRawTransaction", -32000)

    receipt = impatient._receipt
    monkeypatch.setattr(impatient, "_receipt", lambda sent, seconds: waits.append(seconds) or receipt(sent, 0))
    sign = impatient._sign
    monkeypatch.setattr(
        impatient, "_sign", lambda call, gas, nonce, most, tip: offers.append(most) or sign(call, gas, nonce, most, tip)
    )
    monkeypatch.setattr(web3.eth, "send_raw_transaction", refuse)
    impatient.seconds_per_price = 90
    with pytest.raises(TooDearError, match=r"the node refuses a gift at 81\.000 gwei as too little: nothing was sent"):
        impatient.send(*NOTHING)
    assert offers == [21 * GWEI, 41 * GWEI, 81 * GWEI]
    assert waits == [12, 12, 12]  # a block each, before the price is read again


def test_what_waits_is_offered_for_a_quarter_more_and_the_ceiling_ends_that(web3, impatient, monkeypatch):
    impatient.gas_price = lambda: GasPrice(GWEI, GWEI, 4 * GWEI)
    monkeypatch.setattr(web3.eth, "send_raw_transaction", lambda raw: offers.append(raw))
    offers = []
    with pytest.raises(NotMinedError, match=re.escape("waits to be mined at 3.750 gwei")):
        impatient.send(*NOTHING)
    assert len(offers) == 2  # 3 and 3.75 gwei; 4.69 would be above


def test_a_spike_after_the_first_offer_says_that_it_waits(web3, impatient, monkeypatch):
    prices = iter([GasPrice(GWEI, GWEI, 4 * GWEI), GasPrice(9 * GWEI, GWEI, 4 * GWEI)])
    impatient.gas_price = lambda: next(prices)
    monkeypatch.setattr(web3.eth, "send_raw_transaction", lambda raw: None)
    message = r"was sent and waits to be mined at 3\.000 gwei \(gas costs 10\.000 gwei, the ceiling is 4\.000 gwei\)"
    with pytest.raises(NotMinedError, match=message):
        impatient.send(*NOTHING)


def test_a_nonce_that_lags_is_read_again(web3, impatient, monkeypatch):
    """A machine that is three blocks behind says a nonce that was used: the node refuses it, and nothing was sent."""
    impatient.send(*NOTHING)
    nonces, answers, hand_in = iter([0, 1]), iter([HandIn.NONCE]), impatient._hand_in
    monkeypatch.setattr(impatient, "nonce", lambda: next(nonces))
    monkeypatch.setattr(impatient, "_hand_in", lambda raw: next(answers, None) or hand_in(raw))
    assert impatient.send(*NOTHING)["status"] == 1
    assert web3.eth.get_transaction_count(impatient.address) == 2


def test_a_nonce_that_somebody_else_took_meanwhile_is_not_used_again(web3, impatient, monkeypatch):
    """The first offer waits, then another transaction of the account is mined: the call may have been made by it."""
    answers = iter([HandIn.TAKEN, HandIn.NONCE])
    monkeypatch.setattr(impatient, "_hand_in", lambda raw: next(answers))
    with pytest.raises(NotMinedError, match="nonce 0 was taken by another transaction of"):
        impatient.send(*NOTHING)


def test_money_ends_before_anything_is_sent(web3, impatient):
    impatient.balance = lambda: 10**12
    with pytest.raises(NoGasMoneyError, match=r"has 0\.000001 ETH left, not enough for a gift"):
        impatient.send(*NOTHING)
    assert web3.eth.block_number == 0


def test_a_budget_is_what_is_left_of_it(web3, impatient):
    impatient.budget = 10**18
    receipt = impatient.send(*NOTHING)
    assert impatient.budget == 10**18 - receipt["gasUsed"] * receipt["effectiveGasPrice"]
    impatient.budget = 10**12
    with pytest.raises(NoGasMoneyError, match=r"0\.000001 ETH of the budget are left, not enough for a gift"):
        impatient.send(*NOTHING)


def test_a_price_at_the_ceiling_is_paid_and_one_above_it_is_not(web3, impatient, monkeypatch):
    monkeypatch.setattr(impatient, "gas_price", lambda: GasPrice(base=GWEI, tip=GWEI, ceiling=2 * GWEI))
    assert impatient.send(*NOTHING)["status"] == 1
    monkeypatch.setattr(impatient, "gas_price", lambda: GasPrice(base=GWEI, tip=GWEI + 1, ceiling=2 * GWEI))
    with pytest.raises(TooDearError, match=r"gas costs 2\.000 gwei, the ceiling is 2\.000 gwei"):
        impatient.send(*NOTHING)


def test_a_budget_that_is_overspent_is_said_to_be_empty(impatient):
    impatient.budget = -(10**15)
    with pytest.raises(NoGasMoneyError, match=r"^0\.000000 ETH of the budget are left"):
        impatient.send(*NOTHING)


def test_what_is_signed_and_kept_may_cost_twice_the_base_fee(web3, impatient, monkeypatch):
    monkeypatch.setattr(impatient, "gas_price", lambda: GasPrice(base=GWEI, tip=5, ceiling=9 * GWEI))
    sent = web3.eth.get_transaction(web3.eth.send_raw_transaction(impatient.signed(*NOTHING).raw_transaction))
    assert (sent["maxFeePerGas"], sent["maxPriorityFeePerGas"]) == (2 * GWEI + 5, 5)


def test_more_gas_is_offered_than_was_estimated():
    assert with_margin(100_000) == 120_000 + 44_200


def test_a_node_that_fails_gets_a_transaction_four_times_after_longer_and_longer_waits(impatient, monkeypatch):
    waits, tries = [], []

    def fail(raw):
        tries.append(raw)
        raise NodeError("no answer", "eth_sendRawTransaction")

    monkeypatch.setattr("tessera.chain.wallet.time.sleep", waits.append)
    monkeypatch.setattr(impatient.web3.eth, "send_raw_transaction", fail)
    assert impatient._hand_in(b"raw") == HandIn.UNKNOWN
    assert (waits, tries) == ([0.5, 1, 2], [b"raw"] * 4)


def test_an_account_of_its_own_replaces_what_waits(web3, monkeypatch):
    asked = []
    monkeypatch.setattr(web3.eth, "get_transaction_count", lambda _, block: asked.append(block) or 0)
    Wallet(web3, known_account(0), alone=True).signed(*NOTHING)
    Wallet(web3, known_account(0)).signed(*NOTHING)
    assert asked == ["latest", "pending"]
