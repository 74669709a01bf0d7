"""`tests/quick_state.py` remembers and undoes what py-evm does, in whatever order snapshots are taken and left."""

from random import Random

import pytest
from eth.db.account import AccountDB
from eth.db.atomic import AtomicDB
from trie import HexaryTrie, hexary

from tests.quick_state import PY_EVMS, _decode_node, decode_node, record

CONTRACTS = [bytes([number]) * 20 for number in range(1, 6)]
STEPS = ["set"] * 8 + ["record"] * 5 + ["discard", "commit"] * 2 + ["delete", "lock", "persist"]
AsItComes = type("AsItComes", (AccountDB,), PY_EVMS)


class Both:
    """Two states to which the same happens; `snapshots` of both can be gone back to."""

    def __init__(self, chance: Random):
        self.states, self.snapshots, self.chance = [AsItComes(AtomicDB()), AccountDB(AtomicDB())], [], chance
        self.deleted = set()  # py-evm undoes one deletion of a contract at a time

    def step(self) -> str:
        chance, contract, what = self.chance, self.chance.choice(CONTRACTS), self.chance.choice(STEPS)
        if what == "set":
            slot, value = chance.randrange(3), chance.choice([0, chance.randrange(2**256)])
            self.each("set_storage", contract, slot, value)
        elif what == "record":
            self.snapshots.append(self.each("record"))
        elif what in ("discard", "commit") and self.snapshots:
            number = chance.randrange(len(self.snapshots))
            for state, snapshot in zip(self.states, self.snapshots[number], strict=True):
                getattr(state, what)(snapshot)
            del self.snapshots[number:]
        elif what == "delete" and contract not in self.deleted:
            self.each("delete_storage", contract)
            self.deleted.add(contract)
        elif what in ("lock", "persist") and not self.snapshots:
            self.each("lock_changes" if what == "lock" else "persist")
            self.deleted.clear()
        return what

    def each(self, name: str, *arguments) -> list:
        return [getattr(state, name)(*arguments) for state in self.states]

    def shown(self) -> list:
        """Every slot of each state, and the root of those that are between two snapshots."""
        slots = [(contract, slot) for contract in CONTRACTS for slot in range(3)]
        return [[state.get_storage(*each) for each in slots] for state in self.states]


@pytest.mark.parametrize("seed", range(30))
def test_both_remember_and_undo_the_same(seed):
    assert AccountDB.record is record
    both = Both(Random(seed))
    for _ in range(300):
        done = both.step()
        slow, quick = both.shown()
        assert quick == slow, done
    while both.snapshots:
        for state, snapshot in zip(both.states, both.snapshots.pop(), strict=True):
            state.discard(snapshot)
        slow, quick = both.shown()
        assert quick == slow
    roots = both.each("make_state_root")
    assert roots[0] == roots[1]


def test_a_snapshot_costs_what_changed_since():
    state = AccountDB(AtomicDB())
    for contract in CONTRACTS:
        state.set_storage(contract, 0, 1)
    outer, inner = state.record(), state.record()
    state.set_storage(CONTRACTS[0], 0, 2)
    journals = [state._account_stores[contract]._journal_storage for contract in CONTRACTS]
    assert [journal.has_checkpoint(inner) for journal in journals] == [True, False, False, False, False]
    state.commit(inner)
    state.discard(outer)
    assert [state.get_storage(contract, 0) for contract in CONTRACTS] == [1] * 5


def test_a_trie_s_nodes_are_decoded_once_and_changed_by_nobody(monkeypatch):
    def roots(decode) -> list[bytes]:
        monkeypatch.setattr(hexary, "decode_node", decode)
        chance, tree, made = Random(1), HexaryTrie({}), []
        for _ in range(400):  # short ones are within their parents, and keys come again
            tree[bytes([chance.randrange(4), chance.randrange(3)])] = bytes(chance.randrange(1, 40))
            if chance.random() < 0.3:
                del tree[bytes([chance.randrange(4), chance.randrange(3)])]
            made.append(tree.root_hash)
        return made

    assert roots(decode_node) == roots(decode_node) == roots(_decode_node)
