"""Key files that open at once: how slow they are is the library's business."""

import pytest
from eth_account import Account


@pytest.fixture
def quick_keys(monkeypatch):
    """From now on a key is encrypted by one round."""
    encrypt = Account.encrypt

    def quickly(key, phrase, **_):
        return encrypt(key, phrase, kdf="pbkdf2", iterations=1)

    monkeypatch.setattr(Account, "encrypt", staticmethod(quickly))
