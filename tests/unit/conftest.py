"""Roles and deployed stacks of the titanoboa tests. Each test is rolled back; what is deployed here is deployed once.

Three stacks: the friends' club (`play_euro`, `escrow`, `markets`; members hold 50 EUR and consent to the markets), an
ordinary one over a token that anybody can own (`coin`, `coin_escrow`), and the staking contracts (`system`). Roles are
addresses unless they sign.
"""

from pathlib import Path

import boa
import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data

from tests.prize_system import deployed

ROOT = Path(__file__).parents[2]
MOCKS = ROOT / "tests" / "mocks"
NOW = 1_800_000_000  # when every test starts, unix seconds
HOUR = 3600
PERMIT = [
    {"name": "owner", "type": "address"},
    {"name": "spender", "type": "address"},
    {"name": "value", "type": "uint256"},
    {"name": "nonce", "type": "uint256"},
    {"name": "deadline", "type": "uint256"},
]


@pytest.fixture(scope="session", autouse=True)
def evm():
    boa.env.enable_fast_mode()
    boa.env.evm.patch.chain_id = 31_337
    boa.env.evm.patch.timestamp = NOW
    return boa.env.evm


@pytest.fixture(autouse=True)
def evm_clock(evm):
    """Every test starts at NOW, whatever those before it did to the time. Titanoboa takes the chain's number back."""
    evm.patch.timestamp = NOW


@pytest.fixture(scope="session")
def load(evm):
    """Returns the deployer of `contracts/<name>.vy` or `tests/mocks/<name>.vy`, compiled once."""
    compiled = {}

    def load(name):
        if name not in compiled:
            path = ROOT / "contracts" / f"{name}.vy"
            compiled[name] = boa.load_partial(str(path if path.exists() else MOCKS / f"{name}.vy"))
        return compiled[name]

    return load


@pytest.fixture(scope="session")
def owner():
    """Who deployed the contracts: invites, mints and registers products."""
    return boa.env.generate_address("owner")


@pytest.fixture(scope="session")
def stranger():
    """Nobody: neither invited nor owner of anything."""
    return boa.env.generate_address("stranger")


@pytest.fixture(scope="session")
def newcomer():
    """Invited, and has not joined."""
    return boa.env.generate_address("newcomer")


@pytest.fixture(scope="session")
def members():
    """Eight people who have joined the club: 50 EUR in Escrow each, and consent to `markets`."""
    return [boa.env.generate_address(f"member {i}") for i in range(8)]


@pytest.fixture(scope="session")
def signer():
    """Somebody whose key the tests hold, an eth-account account: 1,000 coins, not deposited."""
    return Account.from_key("0x" + "5e" * 32)


@pytest.fixture(scope="session")
def friends(load, owner, members, newcomer):
    """PlayEuro, Escrow and LmsrMarkets of the club. All at once: no test depends on which one ran before it."""
    play_euro = load("PlayEuro").deploy(sender=owner)
    escrow = load("Escrow").deploy(play_euro, True, sender=owner)
    play_euro.set_escrow(escrow, sender=owner)
    markets = load("LmsrMarkets").deploy(escrow, True, HOUR, sender=owner)
    escrow.register_product(markets, sender=owner)
    play_euro.invite([*members, newcomer], sender=owner)
    for member in members:
        play_euro.join(1, sender=member)
    return play_euro, escrow, markets


@pytest.fixture(scope="session")
def play_euro(friends):
    return friends[0]


@pytest.fixture(scope="session")
def escrow(friends):
    """The friends' Escrow: own-only, over play euros."""
    return friends[1]


@pytest.fixture(scope="session")
def markets(friends):
    """The friends' markets, product 0 of `escrow`: bettors vote, dispute window of an hour or more."""
    return friends[2]


@pytest.fixture(scope="session")
def coin(load, owner, signer, members):
    """A token of 6 decimals with permits that anybody can own: 1,000 coins to the signer and each member."""
    coin = load("Coin").deploy(sender=owner)
    for account in [signer.address, *members]:
        coin.mint(account, 1_000 * 10**6, sender=owner)
    return coin


@pytest.fixture(scope="session")
def coin_escrow(load, owner, coin, members):
    """An ordinary Escrow, not own-only, over coins; members have approved it and deposited nothing."""
    escrow = load("Escrow").deploy(coin, False, sender=owner)
    for member in members:
        coin.approve(escrow, 2**256 - 1, sender=member)
    return escrow


@pytest.fixture(scope="session")
def sign_permit(evm):
    """Returns what signs an EIP-2612 permit: (v, r, s) as the contracts take them."""

    def sign(token, account, spender, amount, deadline, nonce=None, chain_id=None):
        name, version = token.eip712Domain()[1:3]
        message = {
            "types": {
                "EIP712Domain": [
                    {"name": "name", "type": "string"},
                    {"name": "version", "type": "string"},
                    {"name": "chainId", "type": "uint256"},
                    {"name": "verifyingContract", "type": "address"},
                ],
                "Permit": PERMIT,
            },
            "primaryType": "Permit",
            "domain": {
                "name": name,
                "version": version,
                "chainId": evm.patch.chain_id if chain_id is None else chain_id,
                "verifyingContract": token.address,
            },
            "message": {
                "owner": account.address,
                "spender": getattr(spender, "address", spender),
                "value": amount,
                "nonce": token.nonces(account.address) if nonce is None else nonce,
                "deadline": deadline,
            },
        }
        signed = account.sign_message(encode_typed_data(full_message=message))
        return signed.v, signed.r.to_bytes(32), signed.s.to_bytes(32)

    return sign


@pytest.fixture(scope="session")
def staking_contracts(evm):
    """All that stakers meet, deployed once; a test takes `system`."""
    return deployed()


@pytest.fixture
def system(evm_clock, staking_contracts):
    """The staking contracts, at their own time."""
    staking_contracts.resume()
    return staking_contracts


@pytest.fixture(scope="session")
def staker(staking_contracts):
    """10,000 USDC and 10,000 DAI, approved, nothing staked."""
    return staking_contracts.newcomer()


@pytest.fixture(scope="session")
def rival(staking_contracts):
    """The same again."""
    return staking_contracts.newcomer()
