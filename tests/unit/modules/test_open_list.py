"""The packed list behaves like a list whose removed entry is replaced by the last one."""

import boa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.prize_system import load


@pytest.fixture(scope="module")
def open_list(evm):
    return load("contracts/modules/open_list.vy").deploy().internal


@settings(max_examples=15)
@given(actions=st.lists(st.one_of(st.integers(0, 2**32 - 1), st.fractions(0, 1)), max_size=100))
def test_follows_a_list(open_list, actions):
    account, expected = boa.env.generate_address(), []
    for action in actions:
        if isinstance(action, int) and len(expected) < 64:
            assert open_list._append(account, action)
            expected.append(action)
        elif not isinstance(action, int) and expected:
            i = min(int(action * len(expected)), len(expected) - 1)
            open_list._remove(account, i)
            expected[i] = expected[-1]
            expected.pop()
    assert open_list._count(account) == len(expected)
    assert [open_list._entry(account, i) for i in range(len(expected))] == expected


def test_holds_64_and_no_more(open_list):
    account = boa.env.generate_address()
    for number in range(64):
        assert open_list._append(account, 2**32 - 1 - number)
    assert not open_list._append(account, 7)
    assert open_list._count(account) == 64
    assert [open_list._entry(account, i) for i in range(64)] == [2**32 - 1 - number for number in range(64)]
