"""What is deployed where: `deployments/<network>.json`, and the contracts in it."""

import json
from dataclasses import asdict, dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Any

from eth_typing import ChecksumAddress, HexStr
from pydantic import AfterValidator, Field, TypeAdapter, ValidationError
from web3 import Web3

from tessera.chain.accounts import text_of
from tessera.chain.bet_token import BetToken
from tessera.chain.blocks import block_at
from tessera.chain.errors import ChainError, RecordError
from tessera.chain.escrow import Escrow
from tessera.chain.lmsr_markets import LmsrMarkets
from tessera.chain.logs import LogReader
from tessera.chain.micro_sessions import MicroSessions
from tessera.chain.node import prepared
from tessera.chain.odds_bets import OddsBets, OddsLens
from tessera.chain.panels import Panels
from tessera.chain.play_euro import PlayEuro
from tessera.chain.prediction_events import PredictionEvents
from tessera.chain.prize_pool import PrizePool
from tessera.chain.prorata_bets import ProrataBets
from tessera.chain.staking_pool import StakingPool
from tessera.chain.timelock import Timelock

LOCAL_CHAINS = (1337, 31337)  # started anew at will: what a record says of them may be of an earlier run


def _checked_address(text: str) -> ChecksumAddress:
    if not Web3.is_address(text):
        raise ValueError("0x and 40 hexadecimal digits, in lower case or with its checksum")
    return Web3.to_checksum_address(text)


Address = Annotated[ChecksumAddress, AfterValidator(_checked_address)]


@cache
def _record_type() -> "TypeAdapter[Deployment]":
    return TypeAdapter(Deployment)


@dataclass(frozen=True)
class Deployed:
    """One contract of a deployment. `address` and `block` are None while its transaction waits to be mined."""

    address: Address | None
    block: Annotated[int, Field(ge=0)] | None
    arguments: list[Any]
    transaction: HexStr
    deployer: str
    compiler: str
    initcode_hash: str  # keccak-256 of the creation code without its arguments
    commit: str | None


@dataclass
class Deployment:
    """The record of one network: which products of contracts it has, with their parameters, and where."""

    network: str
    chain_id: int
    products: dict[str, dict[str, Any]] = field(default_factory=dict)
    contracts: dict[str, Deployed] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path | str) -> "Deployment":
        """Reads a record. Raises RecordError, with all that is wrong in it, where there is none or it is damaged."""
        if not Path(path).exists():
            raise RecordError(f"no deployment record {path}")
        try:
            return _record_type().validate_json(text_of(path), strict=True)
        except ValidationError as error:
            faults = [
                f"{'.'.join(map(str, fault['loc'])) or 'all of it'}: {fault['msg']}"
                for fault in error.errors(include_url=False)
            ]
            raise RecordError(f"{path} is no record of a deployment: {'; '.join(faults)}") from None

    def save(self, path: Path | str) -> None:
        """Writes the record; a crash leaves the old one or the new one."""
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_suffix(".tmp")
        draft.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")
        draft.replace(target)

    def address_of(self, name: str) -> ChecksumAddress:
        """The address of a contract. Raises ChainError where it is not deployed."""
        contract = self.contracts.get(name)
        if contract is None or contract.address is None:
            raise ChainError(f"{name} is not deployed on {self.network}")
        return contract.address

    @property
    def addresses(self) -> dict[str, ChecksumAddress]:
        """The address of each contract by name."""
        return {name: known.address for name, known in self.contracts.items() if known.address is not None}

    @property
    def first_block(self) -> int:
        """The block from which there can be logs. Raises RecordError where nothing is deployed."""
        blocks = [contract.block for contract in self.contracts.values() if contract.block is not None]
        if not blocks:
            raise RecordError(f"the record of {self.network} has no contract that is deployed")
        return min(blocks)


def history_of(web3: Web3, deployment: Deployment) -> str:
    """A name for what happened to a deployment: on another chain, or a devnet that was started again, it is another."""
    return f"{deployment.chain_id}-{block_at(web3, deployment.first_block).hash[2:14]}"


class Tessera:
    """The contracts of one deployment, ready to call."""

    def __init__(self, web3: Web3, deployment: Deployment):
        """Raises ChainError where the node is on another chain than the record."""
        self.web3 = prepared(web3)
        if self.web3.eth.chain_id != deployment.chain_id:
            raise RecordError(f"the node is on chain {web3.eth.chain_id}, the record on {deployment.chain_id}")
        self.deployment = deployment

    @cached_property
    def play_euro(self) -> PlayEuro:
        return PlayEuro(self.web3, self.deployment.address_of("PlayEuro"))

    @cached_property
    def escrow(self) -> Escrow:
        return Escrow(self.web3, self.deployment.address_of("Escrow"))

    @cached_property
    def markets(self) -> LmsrMarkets:
        return LmsrMarkets(self.web3, self.deployment.address_of("LmsrMarkets"))

    @cached_property
    def panels(self) -> Panels:
        return Panels(self.web3, self.deployment.address_of("Panels"))

    @cached_property
    def sessions(self) -> MicroSessions:
        return MicroSessions(self.web3, self.deployment.address_of("MicroSessions"))

    @cached_property
    def prorata(self) -> ProrataBets:
        return ProrataBets(self.web3, self.deployment.address_of("ProrataBets"))

    @cached_property
    def odds(self) -> OddsBets:
        return OddsBets(self.web3, self.deployment.address_of("OddsBets"))

    @cached_property
    def odds_lens(self) -> OddsLens:
        return OddsLens(self.web3, self.deployment.address_of("OddsLens"))

    @cached_property
    def staking(self) -> StakingPool:
        return StakingPool(self.web3, self.deployment.address_of("StakingPool"))

    @cached_property
    def events(self) -> PredictionEvents:
        return PredictionEvents(self.web3, self.deployment.address_of("PredictionEvents"))

    @cached_property
    def prizes(self) -> PrizePool:
        return PrizePool(self.web3, self.deployment.address_of("PrizePool"))

    @cached_property
    def bet_token(self) -> BetToken:
        return BetToken(self.web3, self.deployment.address_of("BetToken"))

    @cached_property
    def timelock(self) -> Timelock:
        return Timelock(self.web3, self.deployment.address_of("Timelock"))

    def log_reader(self, next_block: int | None = None) -> LogReader:
        """Reads the events of all contracts, from the deployment on if no block is given."""
        start = self.deployment.first_block if next_block is None else next_block
        return LogReader(self.web3, list(self.deployment.addresses.values()), start)
