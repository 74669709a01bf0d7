"""py-evm's plain instructions in one Python function each, where it makes half a dozen calls to add two numbers.

Titanoboa and eth-tester run on py-evm. What an instruction does, costs and refuses stays py-evm's own: whatever is out
of the ordinary (too little gas, an item too few or too many, a jump to where none was before, memory that grows, a
meter that keeps records) is left to the function that was there. `tests/unit/test_quick_evm.py` compares both.
"""

import operator
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

from eth.vm import opcode_values as op
from eth.vm.code_stream import CodeStream
from eth.vm.forks.prague.opcodes import PRAGUE_OPCODES
from eth.vm.gas_meter import GasMeter

MAX = 2**256 - 1
SIGN = 2**255
FULL = 1024  # items on a stack


def _signed(value: int) -> int:
    return value if value < SIGN else value - 2**256


BINARY = {
    op.ADD: lambda left, right: left + right & MAX,
    op.SUB: lambda left, right: left - right & MAX,
    op.MUL: lambda left, right: left * right & MAX,
    op.DIV: lambda left, right: left // right if right else 0,
    op.MOD: lambda left, right: left % right if right else 0,
    op.LT: lambda left, right: 1 if left < right else 0,
    op.GT: lambda left, right: 1 if left > right else 0,
    op.EQ: lambda left, right: 1 if left == right else 0,
    op.SLT: lambda left, right: 1 if _signed(left) < _signed(right) else 0,
    op.SGT: lambda left, right: 1 if _signed(left) > _signed(right) else 0,
    op.AND: operator.and_,
    op.OR: operator.or_,
    op.XOR: operator.xor,
    op.SHL: lambda bits, value: value << bits & MAX if bits < 256 else 0,
    op.SHR: lambda bits, value: value >> bits if bits < 256 else 0,
}
UNARY = {
    op.ISZERO: lambda value: 0 if value else 1,
    op.NOT: lambda value: MAX - value,
}


def _binary(slow: Any, result: Callable[[int, int], int]) -> Callable:
    gas = slow.gas_cost

    def quick(computation: Any) -> None:
        meter, values = computation._gas_meter, computation._stack.values
        if meter.gas_remaining < gas or len(values) < 2 or meter.__class__ is not GasMeter:
            slow(computation)
            return
        meter.gas_remaining -= gas
        left, right = values.pop(), values[-1]
        if left.__class__ is bytes:
            left = int.from_bytes(left)
        if right.__class__ is bytes:
            right = int.from_bytes(right)
        values[-1] = result(left, right)

    return quick


def _unary(slow: Any, result: Callable[[int], int]) -> Callable:
    gas = slow.gas_cost

    def quick(computation: Any) -> None:
        meter, values = computation._gas_meter, computation._stack.values
        if meter.gas_remaining < gas or not values or meter.__class__ is not GasMeter:
            slow(computation)
            return
        meter.gas_remaining -= gas
        value = values[-1]
        values[-1] = result(int.from_bytes(value) if value.__class__ is bytes else value)

    return quick


def _push(slow: Any, size: int) -> Callable:
    gas = slow.gas_cost

    def quick(computation: Any) -> None:
        meter, values, code = computation._gas_meter, computation._stack.values, computation.code
        start = code.program_counter
        raw = code._raw_code_bytes[start : start + size]
        if meter.gas_remaining < gas or len(values) >= FULL or len(raw) < size or meter.__class__ is not GasMeter:
            slow(computation)
            return
        meter.gas_remaining -= gas
        code.program_counter = start + size
        values.append(int.from_bytes(raw))

    return quick


def _dup(slow: Any, position: int) -> Callable:
    gas = slow.gas_cost

    def quick(computation: Any) -> None:
        meter, values = computation._gas_meter, computation._stack.values
        if meter.gas_remaining < gas or not position <= len(values) < FULL or meter.__class__ is not GasMeter:
            slow(computation)
            return
        meter.gas_remaining -= gas
        values.append(values[-position])

    return quick


def _swap(slow: Any, position: int) -> Callable:
    gas, other = slow.gas_cost, -position - 1

    def quick(computation: Any) -> None:
        meter, values = computation._gas_meter, computation._stack.values
        if meter.gas_remaining < gas or len(values) <= position or meter.__class__ is not GasMeter:
            slow(computation)
            return
        meter.gas_remaining -= gas
        values[-1], values[other] = values[other], values[-1]

    return quick


def _pop(slow: Any) -> Callable:
    gas = slow.gas_cost

    def quick(computation: Any) -> None:
        meter, values = computation._gas_meter, computation._stack.values
        if meter.gas_remaining < gas or not values or meter.__class__ is not GasMeter:
            slow(computation)
            return
        meter.gas_remaining -= gas
        values.pop()

    return quick


def _jump(slow: Any, items: int) -> Callable:
    """JUMP takes one item, JUMPI two."""
    gas = slow.gas_cost

    def quick(computation: Any) -> None:
        meter, values, code = computation._gas_meter, computation._stack.values, computation.code
        if meter.gas_remaining < gas or len(values) < items or meter.__class__ is not GasMeter:
            slow(computation)
            return
        target = values[-1]
        if target.__class__ is bytes:
            target = int.from_bytes(target)
        if items == 2:
            condition = values[-2]
            if not (any(condition) if condition.__class__ is bytes else condition):
                target = code.program_counter
            elif target not in code.valid_positions or code._raw_code_bytes[target] != op.JUMPDEST:
                slow(computation)
                return
        elif target not in code.valid_positions or code._raw_code_bytes[target] != op.JUMPDEST:
            slow(computation)
            return
        meter.gas_remaining -= gas
        del values[-items:]
        code.program_counter = target

    return quick


def _jumpdest(slow: Any) -> Callable:
    gas = slow.gas_cost

    def quick(computation: Any) -> None:
        meter = computation._gas_meter
        if meter.gas_remaining < gas or meter.__class__ is not GasMeter:
            slow(computation)
            return
        meter.gas_remaining -= gas

    return quick


def _mload(slow: Any) -> Callable:
    gas = slow.gas_cost

    def quick(computation: Any) -> None:
        meter, values, memory = computation._gas_meter, computation._stack.values, computation._memory._bytes
        start = values[-1] if values else b""
        if (
            start.__class__ is bytes
            or meter.gas_remaining < gas
            or start + 32 > len(memory)
            or meter.__class__ is not GasMeter
        ):
            slow(computation)
            return
        meter.gas_remaining -= gas
        values[-1] = int.from_bytes(memory[start : start + 32])

    return quick


def _mstore(slow: Any) -> Callable:
    gas = slow.gas_cost

    def quick(computation: Any) -> None:
        meter, values, memory = computation._gas_meter, computation._stack.values, computation._memory._bytes
        if len(values) < 2 or meter.gas_remaining < gas or meter.__class__ is not GasMeter:
            slow(computation)
            return
        start, value = values[-1], values[-2]
        if start.__class__ is bytes or value.__class__ is bytes or start + 32 > len(memory):
            slow(computation)
            return
        meter.gas_remaining -= gas
        del values[-2:]
        memory[start : start + 32] = value.to_bytes(32)

    return quick


def quick(opcodes: dict[int, Any]) -> dict[int, Callable]:
    """The plain ones of these instructions."""
    made = {code: _binary(opcodes[code], result) for code, result in BINARY.items()}
    made |= {code: _unary(opcodes[code], result) for code, result in UNARY.items()}
    made |= {op.PUSH0 + size: _push(opcodes[op.PUSH0 + size], size) for size in range(33)}
    made |= {op.DUP1 + n: _dup(opcodes[op.DUP1 + n], n + 1) for n in range(16)}
    made |= {op.SWAP1 + n: _swap(opcodes[op.SWAP1 + n], n + 1) for n in range(16)}
    made |= {op.JUMP: _jump(opcodes[op.JUMP], 1), op.JUMPI: _jump(opcodes[op.JUMPI], 2)}
    makers = {op.POP: _pop, op.JUMPDEST: _jumpdest, op.MLOAD: _mload, op.MSTORE: _mstore}
    return made | {code: make(opcodes[code]) for code, make in makers.items()}


@lru_cache(512)
def _positions(code: bytes) -> tuple[set[int], set[int]]:
    """Which positions of a code were seen to be data, and which instructions: it is the same code in every call."""
    return set(), set()


_init = CodeStream.__init__


def _remembering(self: CodeStream, code_bytes: bytes) -> None:
    _init(self, code_bytes)
    self.invalid_positions, self.valid_positions = _positions(code_bytes)


@cache
def be_quick() -> None:
    """From now on, in every chain of this process."""
    PRAGUE_OPCODES.update(quick(PRAGUE_OPCODES))
    CodeStream.__init__ = _remembering
