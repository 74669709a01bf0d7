"""py-evm's snapshots, of the contracts alone whose storage changed since; its trie's nodes, each decoded once.

Every call within a transaction takes a snapshot. As py-evm comes, one costs two journals for each contract that was
ever written to in this chain, also for one whose deployment was undone: a test cost more the more had run before it.
`tests/unit/test_quick_state.py` compares both.
"""

from copy import deepcopy
from functools import cache, lru_cache
from typing import Any

from eth.db.account import AccountDB
from trie import hexary

NAMES = ("record", "discard", "commit", "set_storage", "_wipe_storage", "lock_changes", "make_state_root")
PY_EVMS = {name: AccountDB.__dict__[name] for name in NAMES}


def _changed(self: AccountDB) -> dict[int, dict[bytes, Any]]:
    """Of each snapshot that can be gone back to, the oldest first: the contracts whose storage has changed since.

    What has changed since one has changed since all older ones.
    """
    return self.__dict__.setdefault("_changed_since", {})


def _about_to_change(self: AccountDB, address: bytes) -> None:
    """The storage learns of the snapshots that were taken since it changed last."""
    store, unknown = self._get_address_store(address), []
    for checkpoint, stores in reversed(_changed(self).items()):
        if address in stores:
            break
        unknown.append((checkpoint, stores))
    for checkpoint, stores in reversed(unknown):
        store.record(checkpoint)
        stores[address] = store


def _close(self: AccountDB, checkpoint: int) -> list:
    """What changed since a snapshot; it and all newer ones are forgotten."""
    changed = _changed(self)
    stores = list(changed[checkpoint].values())
    while changed.popitem()[0] != checkpoint:
        pass
    return stores


def record(self: AccountDB) -> int:
    checkpoint = self._journaldb.record()
    self._journaltrie.record(checkpoint)
    self._journal_accessed_state.record(checkpoint)
    _changed(self)[checkpoint] = {}
    return checkpoint


def discard(self: AccountDB, checkpoint: int) -> None:
    self._journaldb.discard(checkpoint)
    self._journaltrie.discard(checkpoint)
    self._journal_accessed_state.discard(checkpoint)
    self._account_cache.clear()
    for store in _close(self, checkpoint):
        store.discard(checkpoint)


def commit(self: AccountDB, checkpoint: int) -> None:
    self._journaldb.commit(checkpoint)
    self._journaltrie.commit(checkpoint)
    self._journal_accessed_state.commit(checkpoint)
    for store in _close(self, checkpoint):
        store.commit(checkpoint)


def set_storage(self: AccountDB, address: bytes, slot: int, value: int) -> None:
    _about_to_change(self, address)
    PY_EVMS["set_storage"](self, address, slot, value)


def wipe_storage(self: AccountDB, address: bytes) -> None:
    _about_to_change(self, address)
    PY_EVMS["_wipe_storage"](self, address)


def lock_changes(self: AccountDB) -> None:
    PY_EVMS["lock_changes"](self)
    _changed(self).clear()  # no snapshot can be gone back to any more


def make_state_root(self: AccountDB) -> bytes:
    root = PY_EVMS["make_state_root"](self)
    _changed(self).clear()
    return root


_decode_node = hexary.decode_node


@lru_cache(20_000)
def _decoded(node: bytes) -> list:
    return _decode_node(node)


def decode_node(node: bytes | list) -> bytes | list:
    """As the trie's own. A list is the caller's, who changes it."""
    if not node or isinstance(node, list):
        return _decode_node(node)
    return [deepcopy(item) if isinstance(item, list) else item for item in _decoded(node)]


@cache
def be_quick() -> None:
    """From now on, in every chain of this process."""
    functions = (record, discard, commit, set_storage, wipe_storage, lock_changes, make_state_root)
    for name, function in zip(NAMES, functions, strict=True):
        setattr(AccountDB, name, function)
    hexary.decode_node = decode_node
