"""A deployed contract as a Python object: its ABI, calls, and its events as rows."""

import json
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import IntFlag
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, ClassVar

from eth_abi.codec import ABICodec
from eth_abi.decoding import StringDecoder
from eth_abi.encoding import TextStringEncoder
from eth_abi.exceptions import DecodingError
from eth_abi.grammar import parse
from eth_abi.registry import BaseEquals, registry
from eth_typing import ChecksumAddress
from eth_utils.abi import collapse_if_tuple, event_abi_to_log_topic
from eth_utils.address import to_checksum_address
from web3 import Web3
from web3.types import TxReceipt

from tessera.chain.blocks import BlockName
from tessera.chain.errors import ArgumentError, ChainError, Reverted, calling
from tessera.chain.node import batched, prepared
from tessera.chain.wallet import Planned, Wallet
from tessera.model.units import EUR, WAD

E = typing.TypeVar("E", bound="EventLog")

ZERO_ADDRESS = "0x" + "00" * 20
WAD_PER_UNIT = WAD // EUR  # shares in one unit of money


@cache
def abi_of(name: str) -> list[Any]:
    """The ABI of a contract by name; one file serves this package and front ends (`frontend-abi/json`)."""
    return json.loads((files("tessera.chain") / "abi" / f"{name}.json").read_text(encoding="utf-8"))


@dataclass(frozen=True, kw_only=True)
class EventLog:
    """One event log. Subclasses add the event's own fields, in its names and order."""

    contract: str
    block: int
    log_index: int
    transaction: str

    def as_mapping(self) -> dict[str, Any]:
        """The row as a flat mapping with its "event" name."""
        return {"event": type(self).__name__, **asdict(self)}


@dataclass(frozen=True, kw_only=True)
class OwnershipTransferStarted(EventLog):
    previous_owner: str
    new_owner: str


@dataclass(frozen=True, kw_only=True)
class OwnershipTransferred(EventLog):
    previous_owner: str
    new_owner: str


@dataclass(frozen=True)
class Receipt:
    """A transaction that succeeded; `events` are those of Tessera's contracts in it, in order."""

    transaction: str
    block: int
    gas_used: int
    events: tuple[EventLog, ...]

    def event(self, kind: type[E]) -> E:
        """The one event of a kind, e.g. `receipt.event(BetPlaced).shares`. Raises ChainError unless it is one."""
        events = [row for row in self.events if isinstance(row, kind)]
        if len(events) != 1:
            raise ChainError(f"{len(events)} events {kind.__name__} in {self.transaction}, not 1")
        return events[0]


class Contract:
    """Typed calls to one contract. Subclasses name it, list its events, and write each call out.

    `KNOWN` are the contracts of this repository: those that list events.
    """

    NAME: ClassVar[str]
    EVENTS: ClassVar[tuple[type[EventLog], ...]] = ()
    KNOWN: ClassVar[list[type["Contract"]]] = []

    def __init_subclass__(cls):
        if "EVENTS" in vars(cls):
            Contract.KNOWN.append(cls)

    def __init__(self, web3: Web3, address: str):
        """Raises ChainError where there is no code (a call to nothing would succeed), ArgumentError for what is no
        address."""
        self.web3 = prepared(web3)
        self.address = address_of(address)
        if not self.web3.eth.get_code(self.address):
            raise ChainError(f"no {self.NAME} at {self.address}: is the record of this chain?")
        self._contract = self.web3.eth.contract(address=self.address, abi=abi_of(self.NAME))

    def read(self, function: str, *arguments, block: BlockName = "latest"):
        """What a view returns, as the ABI decoder gives it.

        Raises Reverted, ArgumentError for values that the ABI does not take, NodeError.
        """
        with calling(f"{self.NAME}.{function}"):
            return self._contract.functions[function](*map(_plain, arguments)).call(block_identifier=block)

    def read_each(self, function: str, arguments: Sequence) -> list:
        """What a view of one argument returns for each of these, in their order; its one value has a simple type.

        Raises what `read` raises.
        """
        if not arguments:
            return []
        abi = self._contract.get_function_by_name(function).abi
        [argument_type], [output] = [part["type"] for part in abi["inputs"]], abi["outputs"]
        selector = self.calldata(function, arguments[0])[:4]
        with calling(f"{self.NAME}.{function}"):
            data = [selector + _codec().encode([argument_type], [argument]) for argument in arguments]
        calls = [[{"to": self.address, "data": Web3.to_hex(each)}, "latest"] for each in data]
        answers = zip(arguments, batched(self.web3, "eth_call", calls), strict=True)
        return [self._decoded(function, argument, output["type"], answer) for argument, answer in answers]

    def _decoded(self, function: str, argument: Any, abi_type: str, answer: str | None) -> Any:
        """An answer's value; that of a call alone where there is no answer, or none of its kind."""
        try:
            if answer is not None:
                return _value(abi_type, _codec().decode([abi_type], bytes.fromhex(answer[2:]))[0])
        except DecodingError:
            pass
        return self.read(function, argument)

    def read_all(self, function: str) -> list:
        """All of a list, whose getter takes an index and reverts without a reason past the end."""
        items: list = []
        try:
            while True:
                items.append(self.read(function, len(items)))
        except Reverted as end:
            if end.reason:
                raise
            return items

    def calldata(self, function: str, *arguments) -> bytes:
        """What a transaction that calls a function carries. Raises ArgumentError."""
        with calling(f"{self.NAME}.{function}"):
            data = self._contract.encode_abi(function, [_plain(argument) for argument in arguments])
        return Web3.to_bytes(hexstr=data)

    def write(self, sender: Wallet, function: str, *arguments) -> Receipt:
        """Sends a call and waits for it. Raises Reverted before anything is sent, if it would fail."""
        data = self.calldata(function, *arguments)
        receipt = sender.send({"to": self.address, "data": Web3.to_hex(data)}, f"{self.NAME}.{function}")
        return receipt_of(receipt)

    def plan(self, sender: Wallet, function: str, *arguments) -> Planned:
        """A call to be sent together with others (`Wallet.submit_all`). Raises Reverted where it would fail now."""
        data = self.calldata(function, *arguments)
        return sender.plan({"to": self.address, "data": Web3.to_hex(data)}, f"{self.NAME}.{function}")


def receipt_of(receipt: TxReceipt) -> Receipt:
    """A node's receipt of a transaction that succeeded."""
    return Receipt(
        transaction=Web3.to_hex(receipt["transactionHash"]),
        block=receipt["blockNumber"],
        gas_used=receipt["gasUsed"],
        events=tuple(decode_logs(receipt["logs"])),
    )


def address_of(text: str) -> ChecksumAddress:
    """An address with its checksum, from one in any case. Raises ArgumentError where it is none."""
    if not isinstance(text, str) or not Web3.is_address(text):
        raise ArgumentError(f"{text!r} is no address: 0x and 40 hexadecimal digits, in lower case or with its checksum")
    return Web3.to_checksum_address(text)


def _plain(argument):
    # web3 takes whatever can be iterated over, flags of Python's included, for a list.
    return int(argument) if isinstance(argument, IntFlag) else argument


class _TextDecoder(StringDecoder):
    """Contracts take any bytes for a text; one that is not UTF-8 must not stop whoever reads logs."""

    def __init__(self):
        super().__init__(handle_string_errors="replace")


@cache
def _codec() -> ABICodec:
    lenient = registry.copy()
    lenient.unregister("string")
    lenient.register(BaseEquals("string"), TextStringEncoder, _TextDecoder, label="string")
    return ABICodec(lenient)


# The same people come again and again, and a checksum is a hash.
_checksummed = lru_cache(maxsize=65_536)(to_checksum_address)


def _value(abi_type: str, value):
    if abi_type == "address":
        return _checksummed(value)
    if abi_type.endswith("[]"):
        return [_value(abi_type.removesuffix("[]"), item) for item in value]
    if abi_type.startswith("("):  # a struct, whose lists are tuples
        values = (_value(part, item) for part, item in zip(_parts(abi_type), value, strict=True))
        return tuple(tuple(item) if isinstance(item, list) else item for item in values)
    return value


@cache
def _parts(struct: str) -> list[str]:
    return [part.to_type_str() for part in parse(struct).components]


class _Decoder:
    """Reads the logs of one event: what web3 does for any ABI, ten times as fast for one that is known."""

    def __init__(self, row: type[EventLog], abi: dict):
        inputs, kinds = abi["inputs"], fields_of(row)
        fields = [(part["name"], collapse_if_tuple(part), kinds[part["name"]]) for part in inputs]
        self.row = row
        self.indexed = [field for field, part in zip(fields, inputs, strict=True) if part["indexed"]]
        self.others = [field for field, part in zip(fields, inputs, strict=True) if not part["indexed"]]
        self.types = [abi_type for _, abi_type, _ in self.others]

    def row_of(self, log: Mapping) -> EventLog | None:
        """None where another contract has an event of this name with other fields indexed."""
        topics = log["topics"][1:]
        if len(topics) != len(self.indexed):
            return None
        codec = _codec()
        indexed = zip(self.indexed, topics, strict=True)
        values = [codec.decode([abi_type], bytes(topic))[0] for (_, abi_type, _), topic in indexed]
        values += codec.decode(self.types, bytes(log["data"]))
        fields = {
            name: typed(kind, _value(abi_type, value))
            for (name, abi_type, kind), value in zip(self.indexed + self.others, values, strict=True)
        }
        return self.row(
            contract=log["address"],
            block=log["blockNumber"],
            log_index=log["logIndex"],
            transaction=Web3.to_hex(log["transactionHash"]),
            **fields,
        )


@cache
def _decoders() -> dict[bytes, _Decoder]:
    decoders = {}
    for known in sorted(Contract.KNOWN, key=lambda known: known.NAME):
        events = {item["name"]: item for item in abi_of(known.NAME) if item["type"] == "event"}
        for row in known.EVENTS:
            # Several contracts log a change of owner.
            abi = events[row.__name__]
            decoders.setdefault(event_abi_to_log_topic(abi), _Decoder(row, abi))
    return decoders


@cache
def fields_of(row: type[EventLog]) -> dict[str, type]:
    """An event's own fields and their types, in its order."""
    return {
        name: kind for name, kind in typing.get_type_hints(row).items() if name not in EventLog.__dataclass_fields__
    }


def typed(kind: type, value):
    """A value as an event's field has it: flags and structs are more than integers and tuples."""
    if issubclass(kind, IntFlag):
        return kind(value)
    if issubclass(kind, tuple):  # a struct as a NamedTuple
        return kind(**value) if isinstance(value, Mapping) else kind(*value)
    return bytes(value) if kind is bytes else value


def decode_logs(logs: Iterable[Mapping]) -> Iterator[EventLog]:
    """The logs that are events of Tessera's contracts, as rows; others are left out."""
    for log in logs:
        decoder = _decoders().get(bytes(log["topics"][0]) if log["topics"] else b"")
        row = decoder and decoder.row_of(log)
        if row is not None:
            yield row
