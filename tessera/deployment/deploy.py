"""Deploying a product's contracts step by step: run it twice, crash anywhere, go on.

A product (tessera.deployment.products) is a list of steps. Each can tell from the record and the chain whether it is
done, so that deploying does what is missing and `differences` says what is not as it should be. Needs the compiler
(dependency group `ops`).
"""

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import rlp
from eth_typing import ChecksumAddress
from web3 import Web3
from web3.exceptions import TransactionNotFound

from tessera.chain.blocks import check_block_numbers
from tessera.chain.contract import ZERO_ADDRESS, address_of
from tessera.chain.deployments import LOCAL_CHAINS, Deployed, Deployment, Tessera
from tessera.chain.embedded import embedded_web3, known_account
from tessera.chain.errors import ChainError, NodeError, calling
from tessera.chain.escrow import Escrow
from tessera.chain.wallet import Wallet
from tessera.deployment.artifacts import ROOT, Artifact, compiled
from tessera.deployment.products import (
    COUNTS_BLOCKS,
    ON_ESCROW,
    PRODUCTS,
    At,
    Call,
    Create,
    Deployer,
    Foreign,
    Later,
    OwnerOf,
    Shows,
    Step,
    Tokens,
    View,
)

FAR_BLOCK = 1_000  # after the last of a rehearsal


@dataclass(frozen=True)
class Report:
    """What became of a step. `gas` is 0 where it was done before."""

    step: Step
    gas: int
    address: str | None = None


def code_of(name: str) -> Artifact:
    """The compiled contract that goes by a name in a product."""
    return compiled(name.partition(":")[0])


def deploy(
    wallet: Wallet,
    product: str,
    parameters: dict[str, Any],
    *,
    network: str = "local",
    path: Path | None = None,
    report: Callable[[Report], None] = lambda _: None,
) -> Deployment:
    """Does what is missing of a product and returns the record; with a `path`, reads and keeps it there.

    Raises ChainError where the record speaks of other code, arguments or parameters than wanted, or of contracts that
    are not on the chain; Reverted where a contract refuses. What was done until then stays in the record.
    OtherBlocksError, before anything is sent, where the product cannot work on the chain.
    """
    check_chain(wallet.web3, product)
    record = open_record(wallet.web3, path, network)
    if record.products.setdefault(product, parameters) != parameters:
        raise ChainError(f"{product} was deployed with {record.products[product]}, not with {parameters}")

    def save():
        if path is not None:
            record.save(path)

    for step in PRODUCTS[product](**parameters):
        if isinstance(step, Create):
            report(_create(wallet, step, record, save))
        elif is_done(wallet.web3, record, step):
            report(Report(step, 0))
        else:
            contract = _contract(wallet.web3, record, step.contract)
            data = contract.encode_abi(step.function, _resolved(wallet.web3, step.arguments, record))
            receipt = wallet.send({"to": contract.address, "data": data}, f"{step.contract}.{step.function}")
            report(Report(step, receipt["gasUsed"]))
    save()
    return record


def check_chain(web3: Web3, product: str) -> None:
    """Raises OtherBlocksError where a product counts blocks, and the chain's contracts see others than its node."""
    if product in COUNTS_BLOCKS:
        check_block_numbers(web3)


def rehearse(product: str, parameters: dict[str, Any], chain_id: int) -> list[Report]:
    """Deploys a product on a chain inside this process that calls itself `chain_id`: what each step takes in gas.

    What was on the chain before has stand-ins there, and calls of it take what those of the stand-ins take.
    Raises Reverted where a contract refuses its arguments.
    """
    outside = parameters.get("outside")
    played = parameters
    if outside is not None:
        begin, end = parameters["mining"]
        played = parameters | {"outside": None, "mining": [FAR_BLOCK, FAR_BLOCK + end - begin]}
    reports: list[Report] = []
    deployer = Wallet(embedded_web3(chain_id), known_account(0))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "rehearsal.json"
        if product in ON_ESCROW:
            friends = deploy(deployer, "friends", {"shortest_window": 12 * 3600}, path=path)
            if "first_index" in played:
                played = played | {"first_index": products_of(deployer.web3, friends)}
        deploy(deployer, product, played, path=path, report=reports.append)
    if outside is None:
        return reports
    gas: dict[str, int] = {}
    for done in reports:
        gas[_kind(done.step)] = max(done.gas, gas.get(_kind(done.step), 0))
    return [Report(step, gas[_kind(step)]) for step in PRODUCTS[product](**parameters)]


def products_of(web3: Web3, record: Deployment) -> int:
    """How many products the Escrow of a record has. Raises ChainError where there is none."""
    return len(Escrow(web3, record.address_of("Escrow")).read_all("products"))


def hosted_parameters(web3: Web3, path: Path) -> dict[str, Any]:
    """With what hosted bets are, or are to be, deployed into a record. Raises ChainError where it has no Escrow."""
    record = _with_escrow(web3, path)
    return record.products.get("hosted") or {"first_index": products_of(web3, record)}


def micro_parameters(web3: Web3, path: Path, windows: dict[str, int]) -> dict[str, Any]:
    """The same for micro-bets of these windows, in seconds, whatever products were registered before."""
    record = _with_escrow(web3, path)
    known = record.products.get("micro")
    if known is None:
        return windows | {"first_index": products_of(web3, record)}
    return known | windows


def _with_escrow(web3: Web3, path: Path) -> Deployment:
    record = open_record(web3, path, path.stem)
    if "Escrow" not in record.addresses:
        raise ChainError(f"{path} has no Escrow: deploy `friends` first")
    return record


def _kind(step: Step) -> str:
    return step.name if isinstance(step, Create) else step.like or f"{step.contract}.{step.function}"


def is_done(web3: Web3, record: Deployment, step: Step) -> bool:
    """Whether a step needs no transaction any more."""
    if isinstance(step, Create):
        return step.name in record.addresses
    return (
        holds(web3, record, step.shows)
        or (step.later != () and all(holds(web3, record, expected) for expected in step.later))
        or _is_retired(web3, record, step)
    )


def open_record(web3: Web3, path: Path | None, network: str) -> Deployment:
    """The record at `path`, or a new one where there is none, or where a local chain was started anew.

    Raises ChainError where the record is of another chain, or the chain lacks a contract that the record knows.
    """
    chain_id = web3.eth.chain_id
    new = Deployment(network, chain_id)
    if path is None or not path.exists():
        return new
    record = Deployment.load(path)
    gone = [name for name, address in record.addresses.items() if not web3.eth.get_code(address)]
    if record.chain_id == chain_id and not gone:
        return record
    if chain_id in LOCAL_CHAINS and record.chain_id in LOCAL_CHAINS:
        return new
    if record.chain_id != chain_id:
        raise ChainError(f"{path} is of chain {record.chain_id}, the node is on {chain_id}")
    raise ChainError(f"{path} knows {', '.join(gone)}, but there is no code at {record.addresses[gone[0]]}")


def differences(web3: Web3, record: Deployment, *, owner: str | None = None) -> list[str]:
    """In what the chain differs from the record, this repository's code, and the wiring of the products.

    `owner` is who should own what is owned; None: whoever deployed it. An empty list: no difference.
    """
    if web3.eth.chain_id != record.chain_id:
        return [f"the node is on chain {web3.eth.chain_id}, the record on {record.chain_id}"]
    steps = [step for name, parameters in record.products.items() for step in PRODUCTS[name](**parameters)]
    created = {step.name for step in steps if isinstance(step, Create)}
    faults = [f"{name}: in the record, but in none of its products" for name in record.contracts if name not in created]
    for step in steps:
        if isinstance(step, Create):
            faults += [f"{step.name}: {fault}" for fault in _faults(web3, step, record)]
        elif _is_retired(web3, record, step):
            continue
        shows = step.shows if isinstance(step, Create) else step.later or (step.shows,)
        for expected in shows:
            if _is_there(record, expected.contract):
                faults += _shown_otherwise(web3, record, expected, owner)
    return faults


def holds(web3: Web3, record: Deployment, expected: Shows) -> bool:
    """Whether a view shows what it should; not, where its contract, or one that it is asked about, is still missing."""
    named = [value.name for value in expected.arguments if isinstance(value, At | OwnerOf)]
    there = all(_is_there(record, contract) for contract in (expected.contract, *named))
    return there and not _shown_otherwise(web3, record, expected, None)


def _is_retired(web3: Web3, record: Deployment, step: Call) -> bool:
    """Whether a step is about an asset that the owner has taken off the list again."""
    if step.asset is None or not _is_there(record, "StakingPool"):
        return False
    (asset,) = _resolved(web3, [step.asset], record)
    staking = Tessera(web3, record).staking
    try:
        return staking.vault_of(asset) != ZERO_ADDRESS and asset not in staking.assets()
    except NodeError:
        raise
    except ChainError:
        return False  # what is at that address is no StakingPool


def _create(wallet: Wallet, step: Create, record: Deployment, save: Callable[[], None]) -> Report:
    artifact = code_of(step.name)
    known = record.contracts.get(step.name)
    arguments = _arguments(wallet.web3, step, record, wallet.address)
    if known is not None and _was_sent(wallet.web3, known):
        if known.address is not None:
            faults = _faults(wallet.web3, step, record)
            if faults:
                raise ChainError(f"{step.name}: {faults[0]}")
            return Report(step, 0, known.address)
        if (known.initcode_hash, known.arguments) != (artifact.initcode_hash, arguments):
            raise ChainError(f"{step.name}: other code or arguments are waiting to be mined in {known.transaction}")
    else:
        signed = wallet.signed({"data": artifact.creation_data(arguments)}, step.name)
        known = Deployed(
            address=None,
            block=None,
            arguments=arguments,
            transaction=Web3.to_hex(signed.hash),
            deployer=wallet.address,
            compiler=artifact.compiler,
            initcode_hash=artifact.initcode_hash,
            commit=current_commit(),
        )
        # The record knows of the transaction before the node does: a crash in between cannot deploy twice.
        record.contracts[step.name] = known
        save()
        wallet.web3.eth.send_raw_transaction(signed.raw_transaction)
    receipt = wallet.wait(Web3.to_bytes(hexstr=known.transaction), step.name)
    record.contracts[step.name] = replace(known, address=receipt["contractAddress"], block=receipt["blockNumber"])
    save()
    return Report(step, receipt["gasUsed"], receipt["contractAddress"])


def _was_sent(web3: Web3, known: Deployed) -> bool:
    if known.address is not None:
        return True
    try:
        web3.eth.get_transaction(known.transaction)
    except TransactionNotFound:
        return False  # its nonce is free, or taken by another transaction: it cannot come back beside a new one
    return True


def _faults(web3: Web3, step: Create, record: Deployment) -> list[str]:
    known = record.contracts.get(step.name)
    if known is None or known.address is None:
        return ["not deployed"]
    artifact = code_of(step.name)
    try:
        arguments = _arguments(web3, step, record, address_of(known.deployer))
    except ChainError as missing:
        return [str(missing)]
    if known.arguments != arguments:
        return [f"recorded with the arguments {known.arguments}, not {arguments}"]
    if known.initcode_hash != artifact.initcode_hash:
        return [f"recorded with other code ({known.compiler}, commit {known.commit}) than this source compiles to"]
    code = bytes(web3.eth.get_code(known.address))
    if not code:
        return [f"no code at {known.address}"]
    if code[: len(artifact.runtime)] != artifact.runtime:  # immutables follow it
        return [f"the code at {known.address} is not what this source compiles to"]
    try:
        sent: Any = web3.eth.get_transaction(known.transaction)
        receipt = web3.eth.get_transaction_receipt(known.transaction)
    except TransactionNotFound:
        return [f"no transaction {known.transaction}"]
    if receipt["contractAddress"] != known.address or receipt["blockNumber"] != known.block:
        return [f"{known.transaction} created {receipt['contractAddress']} in block {receipt['blockNumber']}"]
    if bytes(sent["input"]) != artifact.creation_data(arguments):
        return [f"{known.transaction} carries other code or arguments"]
    return []


def _shown_otherwise(web3: Web3, record: Deployment, expected: Shows, owner: str | None) -> list[str]:
    call = str(expected)
    try:
        (value,) = _resolved(web3, [expected.value], record, owner)
        arguments = _resolved(web3, expected.arguments, record)
    except ChainError as missing:
        return [f"{call}: {missing}"]
    view = _contract(web3, record, expected.contract).functions[expected.view]
    try:
        with calling(expected.view):
            shown = view(*arguments).call()
    except NodeError:
        raise
    except ChainError:
        shown = "no answer"
    return [] if shown == value else [f"{call} is {shown}, not {value}"]


def _is_there(record: Deployment, contract: str | Foreign) -> bool:
    return isinstance(contract, Foreign) or contract in record.addresses


def _contract(web3: Web3, record: Deployment, contract: str | Foreign):
    if isinstance(contract, Foreign):
        return web3.eth.contract(address=address_of(contract.address), abi=contract.abi)
    return web3.eth.contract(address=record.address_of(contract), abi=code_of(contract).abi)


def _arguments(web3: Web3, step: Create, record: Deployment, deployer: ChecksumAddress) -> list[Any]:
    """The constructor arguments of a step that `deployer` sent, or else sends next."""
    known = record.contracts.get(step.name)

    def argument(value):
        if isinstance(value, list):
            return [argument(item) for item in value]
        if isinstance(value, Deployer):
            return deployer
        if isinstance(value, Later):
            if known is not None and _was_sent(web3, known):
                sent: Any = web3.eth.get_transaction(known.transaction)
                nonce = sent["nonce"]
            else:
                nonce = web3.eth.get_transaction_count(deployer, "pending")
            return address_of_nonce(deployer, nonce + value.transactions)
        return value

    return _resolved(web3, [argument(value) for value in step.arguments], record)


def address_of_nonce(deployer: str, nonce: int) -> str:
    """The address of the contract that an account creates with a nonce (Ethereum Yellow Paper, section 7)."""
    return Web3.to_checksum_address(Web3.keccak(rlp.encode([bytes.fromhex(deployer[2:]), nonce]))[12:])


def _resolved(web3: Web3, values: Sequence[Any], record: Deployment, owner: str | None = None) -> list[Any]:
    def resolved(value):
        if isinstance(value, View):
            view = _contract(web3, record, value.contract).functions[value.view]
            return view(*_resolved(web3, value.arguments, record)).call()
        if isinstance(value, At):
            return record.address_of(value.name)
        if isinstance(value, Tokens):
            return value.count * 10 ** _contract(web3, record, value.token).functions.decimals().call()
        if isinstance(value, OwnerOf):
            return owner or record.contracts[value.name].deployer
        return value

    return [resolved(value) for value in values]


def current_commit() -> str | None:
    """The commit that is checked out, "-dirty" if files differ from it; None outside a git checkout."""
    git = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return git.stdout.strip() or None
