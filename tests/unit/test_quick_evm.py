"""`tests/quick_evm.py` does what py-evm does: the same stack, memory, gas, next instruction and error."""

from random import Random

import pytest
from eth.vm.code_stream import CodeStream
from eth.vm.forks.paris.computation import ParisComputation
from eth.vm.forks.shanghai.opcodes import SHANGHAI_OPCODES
from eth.vm.gas_meter import GasMeter
from eth.vm.message import Message
from eth.vm.opcode_values import JUMP, JUMPDEST, JUMPI, MLOAD, MSTORE, PUSH32

from tests.quick_evm import quick

NOBODY = b"\x11" * 20
QUICK = quick(SHANGHAI_OPCODES)  # Prague's are quick already; those of Shanghai are py-evm's own
ITEMS = [0, 1, 2, 31, 32, 64, 255, 256, 257, 2**128, 2**255 - 1, 2**255, 2**255 + 1, 2**256 - 2, 2**256 - 1]


class OwnMeter(GasMeter):
    """Any other than py-evm's."""

    def consume_gas(self, amount: int, reason: str) -> None:
        super().consume_gas(2 * amount, reason)


def item(chance: Random):
    number = chance.choice([*ITEMS, chance.randrange(2**256), chance.randrange(100)])
    return number if chance.random() < 0.7 else number.to_bytes(chance.choice([32, (number.bit_length() + 7) // 8]))


def scene(chance: Random, code: int) -> ParisComputation:
    """In the middle of a random program: half of it are places to jump to, some of those within a PUSH."""
    program = bytes(chance.choice([JUMPDEST, JUMPDEST, PUSH32, JUMPDEST - 1, 0]) for _ in range(90))
    message = Message(chance.choice([0, 2, 3, 7, 8, 9, 10_000, 10_000, 10_000]), NOBODY, NOBODY, 0, b"", program)
    made = ParisComputation(None, message, None)
    if chance.random() < 0.1:
        made._gas_meter = OwnMeter(message.gas)
    made.code.program_counter = chance.choice([0, 1, 40, 57, 58, 89, 90])
    made._stack.values.extend([7] * chance.choice([0, 0, 0, 1_000, 1_007]))  # 1,024 are too many
    made._stack.values.extend(item(chance) for _ in range(chance.randrange(18)))
    made._memory._bytes.extend(bytes(chance.randrange(256) for _ in range(32 * chance.randrange(4))))
    if code in (JUMP, JUMPI, MLOAD, MSTORE) and made._stack.values and chance.random() < 0.7:
        made._stack.values[-1] = chance.choice([chance.randrange(100), chance.randrange(100).to_bytes(2)])
    return made


def done(operation, computation: ParisComputation) -> tuple:
    try:
        error = operation(computation=computation)
    except Exception as raised:
        error = (type(raised), str(raised))
    stack = [value if isinstance(value, int) else int.from_bytes(value) for value in computation._stack.values]
    gas, code = computation._gas_meter.gas_remaining, computation.code
    return error, stack, gas, code.program_counter, bytes(computation._memory._bytes)


@pytest.mark.parametrize("code", QUICK, ids=lambda code: SHANGHAI_OPCODES[code].mnemonic)
def test_each_instruction_does_what_py_evm_s_does(code):
    chance, errors = Random(code), 0
    for _ in range(100):
        state = chance.getstate()
        expected = done(SHANGHAI_OPCODES[code], scene(chance, code))
        chance.setstate(state)
        shown = scene(chance, code)
        if chance.random() < 0.5:  # it was jumped to before
            for position in range(90):
                shown.code.is_valid_opcode(position)
        assert done(QUICK[code], shown) == expected
        errors += expected[0] is not None
    assert 0 < errors < 100


class Never:
    """An instruction that nobody may need."""

    gas_cost = 3

    def __call__(self, computation) -> None:
        raise AssertionError("left to py-evm")


def test_the_ordinary_case_is_not_left_to_py_evm():
    for operation in quick(dict.fromkeys(QUICK, Never())).values():
        made = ParisComputation(None, Message(100, NOBODY, NOBODY, 0, b"", bytes([JUMPDEST]) * 40), None)
        assert made.code.is_valid_opcode(17)
        made._stack.values.extend([17] * 17)
        made._memory.extend(0, 64)
        operation(computation=made)
        assert made._gas_meter.gas_remaining == 97


def test_a_code_s_places_to_jump_to_are_looked_up_once():
    program = bytes([PUSH32 - 31, JUMPDEST, JUMPDEST])
    assert [CodeStream(program).is_valid_opcode(position) for position in range(3)] == [True, False, True]
    assert CodeStream(program).valid_positions == {0, 2}
    assert CodeStream(program).invalid_positions == {1}
