"""Every error that this package raises on purpose. `code` is stable: programs compare it, people read the text."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError
from web3.exceptions import BadFunctionCallOutput, ContractLogicError, Web3Exception, Web3RPCError

from tessera.chain.reasons import advice

ERROR_STRING = "0x08c379a0"  # selector of Error(string)
NO_REASON = ("", "no data", "b''", "None")  # how nodes word a revert without data


class ChainError(Exception):
    """Anything that tessera says no to."""

    code: ClassVar[str] = "error"

    @property
    def explained(self) -> str:
        """What it says, and what to do about it where that says more."""
        return str(self)


class Reverted(ChainError):
    """A contract refused. `str(error)` is its reason, word for word.

    The reason is empty where the contract gave none: an argument that the ABI decoder refuses (a text that is too
    long), an overflow, too little gas. `transaction` is None where the refusal was seen before anything was sent.
    """

    code = "reverted"

    def __init__(self, reason: str, function: str, transaction: str | None = None):
        super().__init__(reason or f"{function} reverted without a reason")
        self.reason = reason
        self.function = function
        self.transaction = transaction

    @property
    def advice(self) -> str:
        """What to do about it, for people; empty where the reason says all."""
        return advice(self.reason)

    @property
    def explained(self) -> str:
        return f"{self}. {self.advice}" if self.advice else str(self)


class ArgumentError(ChainError):
    """A value of the caller's that no contract or node can take: a wrong type, an address that is none, too great."""

    code = "argument"


class RecordError(ChainError):
    """A file (a deployment's record, parameters) that is missing, damaged, or of something else."""

    code = "record"


class NotFoundError(ChainError):
    """There is nothing of this number or name."""

    code = "not_found"


class OtherBlocksError(ChainError):
    """Contracts of this chain see another block number than its node gives: staked tickets do not work there."""

    code = "other_blocks"

    def __init__(self, chain: str):
        super().__init__(
            f"contracts on {chain} see another block number than the node gives: staked tickets are not for such a "
            "chain; use one whose contracts count its own blocks"
        )


class NodeError(ChainError):
    """The node failed, or the way to it: no connection, no JSON, an answer that makes no sense. The only such error.

    A read was tried again before this is raised. `may_be_sent` is True where the request was a transaction: it may
    have arrived all the same. `connected` is False where nothing listens at the node's address.
    """

    code = "node"

    def __init__(self, text: str, method: str, *, may_be_sent: bool = False, connected: bool = True):
        super().__init__(text)
        self.method = method
        self.may_be_sent = may_be_sent
        self.connected = connected


class NodeRefusedError(NodeError):
    """The node answered with an error of its own: `rpc_code` and `rpc_message` are JSON-RPC's. Nothing was sent."""

    code = "node_refused"

    def __init__(self, rpc_message: str, method: str, rpc_code: int):
        super().__init__(f"the node refuses {method}: {rpc_message} ({rpc_code})", method)
        self.rpc_message = rpc_message
        self.rpc_code = rpc_code


class TooDearError(ChainError):
    """Gas costs more than may be paid. Nothing was sent."""

    code = "too_dear"


class NoGasMoneyError(ChainError):
    """The account, or what may be spent, does not cover the gas. Nothing was sent."""

    code = "no_gas_money"


class NonceTakenError(ChainError):
    """Another transaction has the nonce that was named. Nothing was sent."""

    code = "nonce_taken"


class NotMinedError(ChainError):
    """A transaction was sent, or may have been, and was not mined in time."""

    code = "not_mined"


def reason_of(refusal: Exception) -> str:
    """The text that a contract reverted with, "" if there is none."""
    data = getattr(refusal, "data", None)
    if isinstance(data, str) and data.startswith(ERROR_STRING):
        try:
            return decode(["string"], bytes.fromhex(data.removeprefix(ERROR_STRING)))[0]
        except (DecodingError, ValueError):
            return ""
    text = str(refusal.args[0] if refusal.args else "").removeprefix("execution reverted").removeprefix(": ")
    return "" if text in NO_REASON else text


@contextmanager
def calling(function: str) -> Iterator[None]:
    """Around whatever asks a contract through web3: all that web3 raises becomes a ChainError.

    Raises Reverted where the contract refuses, ArgumentError where a value does not fit the ABI, NodeError where the
    node fails, ChainError where the answer is not the function's: another contract is at the address, or none.
    """
    try:
        yield
    except ChainError:
        raise
    except ContractLogicError as error:
        raise Reverted(reason_of(error), function) from None
    except BadFunctionCallOutput:
        raise ChainError(
            f"{function} gave no answer of its kind: another contract, or none, is at the address"
        ) from None
    except Web3RPCError as error:
        answer = (error.rpc_response or {}).get("error") or {}
        raise NodeRefusedError(answer.get("message") or _first_lines(error), function, answer.get("code", 0)) from None
    except (Web3Exception, ValueError, TypeError, OverflowError) as error:
        raise ArgumentError(f"{function}: {_first_lines(error)}") from None
    except Exception as error:
        if not _is_embedded_refusal(error):
            raise
        raise Reverted(reason_of(error), function) from None


def _is_embedded_refusal(error: Exception) -> bool:
    # Not imported for its sake: that takes as long as all the rest of this package.
    embedded = sys.modules.get("eth_tester.exceptions")
    return embedded is not None and isinstance(error, embedded.TransactionFailed)


def _first_lines(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
