"""Deploying: twice, after a crash, onto a chain that is another; and what `differences` finds."""

from dataclasses import replace

import pytest
from web3 import Web3

from tessera.chain import ChainError, Deployment, Reverted, Tessera, Wallet
from tessera.chain.embedded import embedded_web3, known_account
from tessera.deployment import deploy as deploying
from tessera.deployment.artifacts import compiled
from tessera.deployment.deploy import PRODUCTS, deploy, differences, holds, is_done, open_record, rehearse
from tessera.deployment.products import At, Foreign, OwnerOf, Shows

PARAMETERS = {"shortest_window": 60}
NAMES = ["PlayEuro", "Escrow", "LmsrMarkets"]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deployments" / "club.json"


@pytest.fixture
def fresh() -> Wallet:
    """The owner to be, on a chain without contracts."""
    return Wallet(embedded_web3(), known_account(0))


def nonce(wallet: Wallet) -> int:
    return wallet.web3.eth.get_transaction_count(wallet.address)


def run(wallet: Wallet, path, **parameters):
    messages = []
    record = deploy(wallet, "friends", PARAMETERS | parameters, network="club", path=path, report=messages.append)
    return record, messages


def test_a_deployment_is_wired_and_recorded(fresh, path):
    record, messages = run(fresh, path)
    assert Deployment.load(path) == record
    assert (record.network, record.chain_id, record.products) == ("club", 1337, {"friends": PARAMETERS})
    assert list(record.contracts) == NAMES
    for name, entry in record.contracts.items():
        receipt = fresh.web3.eth.get_transaction_receipt(entry.transaction)
        assert (entry.address, entry.block) == (receipt["contractAddress"], receipt["blockNumber"])
        assert entry.deployer == fresh.address
        assert entry.compiler == "vyper 0.4.3"
        assert entry.initcode_hash == Web3.to_hex(Web3.keccak(compiled(name).initcode))
    escrow = record.address_of("Escrow")
    assert record.contracts["LmsrMarkets"].arguments == [escrow, True, 60]
    tessera = Tessera(fresh.web3, record)
    assert tessera.play_euro.escrow() == escrow
    assert tessera.escrow.products(0) == tessera.markets.address
    assert [report.gas > 0 for report in messages] == [True] * 5
    assert differences(fresh.web3, record) == []


@pytest.mark.parametrize("holder", [At("StakingPool"), OwnerOf("StakingPool")], ids=["its address", "its owner"])
def test_nothing_holds_of_a_contract_that_is_still_missing(fresh, holder):
    token = Foreign("USDC", fresh.address, ())
    assert not holds(fresh.web3, Deployment("club", 1337), Shows(token, "balanceOf", (holder,), 0))


def test_a_second_run_sends_nothing(fresh, path):
    record, _ = run(fresh, path)
    sent = nonce(fresh)
    again, messages = run(fresh, path)
    assert again == record
    assert nonce(fresh) == sent
    assert [report.gas for report in messages] == [0] * 5


@pytest.mark.parametrize("allowed", range(5))
def test_a_crash_before_any_transaction_is_sent_loses_and_doubles_nothing(fresh, path, monkeypatch, allowed):
    _crash(fresh, path, monkeypatch, allowed, after_sending=False)
    record, _ = run(fresh, path)
    assert differences(fresh.web3, record) == []
    assert nonce(fresh) == 5


@pytest.mark.parametrize("allowed", range(5))
def test_a_crash_after_any_transaction_is_sent_loses_and_doubles_nothing(fresh, path, monkeypatch, allowed):
    _crash(fresh, path, monkeypatch, allowed, after_sending=True)
    record, _ = run(fresh, path)
    assert differences(fresh.web3, record) == []
    assert nonce(fresh) == 5


def _crash(wallet: Wallet, path, monkeypatch, allowed: int, *, after_sending: bool):
    """Runs until the transaction after `allowed` ones, and dies before or after sending it."""
    send, count = wallet.web3.eth.send_raw_transaction, iter(range(9))

    def until_the_crash(raw):
        last = next(count) == allowed
        if not last or after_sending:
            send(raw)
        if last:
            raise KeyboardInterrupt
        return Web3.keccak(raw)

    with monkeypatch.context() as patched:
        patched.setattr(wallet.web3.eth, "send_raw_transaction", until_the_crash)
        with pytest.raises(KeyboardInterrupt):
            run(wallet, path)


def test_other_parameters_are_refused(fresh, path):
    run(fresh, path)
    with pytest.raises(ChainError, match=r"friends was deployed with .*60.*, not with .*61"):
        run(fresh, path, shortest_window=61)


def test_other_code_is_refused(fresh, path, monkeypatch):
    run(fresh, path)
    _edit_source(monkeypatch, "Escrow")
    with pytest.raises(ChainError, match="Escrow: recorded with other code"):
        run(fresh, path)
    assert nonce(fresh) == 5


def _edit_source(monkeypatch, name: str):
    """As if a contract's source had changed since it was deployed."""
    other = replace(compiled(name), initcode=compiled(name).initcode + b"\0")
    monkeypatch.setattr(deploying, "compiled", lambda wanted: other if wanted == name else compiled(wanted))


def test_a_refused_argument_leaves_what_was_done(fresh, path):
    with pytest.raises(Reverted, match="lmsr: bad shortest window"):
        run(fresh, path, shortest_window=24 * 3600 + 1)
    assert list(Deployment.load(path).contracts) == ["PlayEuro", "Escrow"]


def test_a_local_chain_started_anew_gets_a_new_record(fresh, path):
    run(fresh, path)
    other = Wallet(embedded_web3(), known_account(1))
    record, _ = run(other, path)
    assert differences(other.web3, record) == []
    assert {entry.deployer for entry in record.contracts.values()} == {other.address}


def test_elsewhere_a_record_of_contracts_that_are_not_there_is_an_error(fresh, path):
    run(fresh, path)
    record = Deployment.load(path)
    public = embedded_web3(chain_id=5)
    with pytest.raises(ChainError, match="is of chain 1337, the node is on 5"):
        open_record(public, path, "club")
    record.chain_id = 5
    record.save(path)
    with pytest.raises(ChainError, match="is of chain 5, the node is on 1337"):
        open_record(fresh.web3, path, "club")
    with pytest.raises(ChainError, match="knows PlayEuro, Escrow, LmsrMarkets, but there is no code at"):
        open_record(public, path, "club")


def test_a_rehearsal_takes_the_gas_that_deploying_takes(fresh, path):
    messages = rehearse("friends", PARAMETERS, 1337)
    record, done = run(fresh, path)
    assert [report.gas for report in messages] == [report.gas for report in done]
    assert all(is_done(fresh.web3, record, step) for step in PRODUCTS["friends"](**PARAMETERS))
    assert not any(is_done(fresh.web3, Deployment("club", 1337), step) for step in PRODUCTS["friends"](**PARAMETERS))


def test_a_rehearsal_refuses_what_the_chain_would_refuse():
    with pytest.raises(Reverted, match="lmsr: bad shortest window"):
        rehearse("friends", PARAMETERS, chain_id=1)  # a minute is for local chains only


def change(record: Deployment, name: str, **fields) -> Deployment:
    record.contracts[name] = replace(record.contracts[name], **fields)
    return record


def test_differences_of_chain_and_record(fresh, path):
    record, _ = run(fresh, path)
    web3 = fresh.web3

    def load():
        return Deployment.load(path)

    escrow, play_euro, markets = (record.contracts[name] for name in ("Escrow", "PlayEuro", "LmsrMarkets"))
    nowhere = known_account(9).address
    assert differences(web3, change(load(), "LmsrMarkets", address=nowhere))[0] == f"LmsrMarkets: no code at {nowhere}"
    swapped = change(load(), "LmsrMarkets", address=escrow.address)
    assert f"LmsrMarkets: the code at {escrow.address} is not what this source compiles to" in differences(
        web3, swapped
    )
    other = change(load(), "LmsrMarkets", arguments=[escrow.address, False, 60])
    assert differences(web3, other) == [
        f"LmsrMarkets: recorded with the arguments {[escrow.address, False, 60]}, not {[escrow.address, True, 60]}"
    ]
    moved = change(load(), "LmsrMarkets", transaction=play_euro.transaction)
    assert differences(web3, moved) == [
        f"LmsrMarkets: {play_euro.transaction} created {play_euro.address} in block {play_euro.block}"
    ]
    late = change(load(), "LmsrMarkets", block=99)
    assert differences(web3, late) == [
        f"LmsrMarkets: {markets.transaction} created {markets.address} in block {markets.block}"
    ]
    unknown = change(load(), "Escrow", transaction="0x" + "11" * 32)
    assert differences(web3, unknown) == ["Escrow: no transaction 0x" + "11" * 32]
    longer = load()
    longer.products["friends"] = {"shortest_window": 61}
    assert differences(web3, longer) == [
        f"LmsrMarkets: recorded with the arguments {markets.arguments}, not {[escrow.address, True, 61]}",
        "LmsrMarkets.SHORTEST_WINDOW() is 60, not 61",
    ]
    extra = load()
    extra.contracts["Other"] = escrow
    assert differences(web3, extra) == ["Other: in the record, but in none of its products"]
    less = load()
    del less.contracts["LmsrMarkets"]
    assert differences(web3, less) == [
        "LmsrMarkets: not deployed",
        "Escrow.products(0): LmsrMarkets is not deployed on club",
    ]
    assert differences(embedded_web3(chain_id=5), load()) == ["the node is on chain 5, the record on 1337"]


def test_differences_of_code(fresh, path, monkeypatch):
    record, _ = run(fresh, path)
    _edit_source(monkeypatch, "PlayEuro")
    (entry,) = differences(fresh.web3, record)
    assert entry.startswith("PlayEuro: recorded with other code (vyper 0.4.3, commit ")
    forged = change(Deployment.load(path), "PlayEuro", initcode_hash=deploying.compiled("PlayEuro").initcode_hash)
    assert differences(fresh.web3, forged) == [
        f"PlayEuro: {record.contracts['PlayEuro'].transaction} carries other code or arguments"
    ]


def test_differences_of_owner_and_wiring(fresh, path):
    record, _ = run(fresh, path)
    heir = Wallet(fresh.web3, known_account(1))
    escrow = record.address_of("Escrow")
    _owner_call(fresh, escrow, "transfer_ownership", heir.address)
    assert differences(fresh.web3, record) == [
        f"Escrow.pending_owner() is {heir.address}, not 0x0000000000000000000000000000000000000000"
    ]
    _owner_call(heir, escrow, "accept_ownership")
    assert differences(fresh.web3, record) == [f"Escrow.owner() is {heir.address}, not {fresh.address}"]
    assert differences(fresh.web3, record, owner=heir.address) == [
        f"PlayEuro.owner() is {fresh.address}, not {heir.address}"
    ]


def _owner_call(sender: Wallet, escrow: str, function: str, *arguments):
    contract = sender.web3.eth.contract(address=escrow, abi=compiled("Escrow").abi)
    sender.send({"to": escrow, "data": contract.encode_abi(function, arguments)}, function)


def test_a_product_that_is_not_registered_is_a_difference(fresh, path, monkeypatch):
    _crash(fresh, path, monkeypatch, allowed=4, after_sending=False)
    record = Deployment.load(path)
    (entry,) = differences(fresh.web3, record)
    assert entry == f"Escrow.products(0) is no answer, not {record.address_of('LmsrMarkets')}"
