from tests.custody import NOBODY
from tests.logs import event, events

PRIVILEGES = ["mint", "burn", "burn_from", "set_minter", "is_minter", "renounce_ownership"]


def test_deploys_as_a_token_of_six_decimals(fresh, owner, evm):
    assert events(fresh) == [
        event(fresh, "OwnershipTransferred", previous_owner=NOBODY, new_owner=owner),
        event(fresh, "RoleMinterChanged", minter=owner, status=True),  # snekmate's, without a function to use it
    ]
    assert (fresh.name(), fresh.symbol(), fresh.decimals()) == ("Play Euro", "PEUR", 6)
    assert (fresh.totalSupply(), fresh.escrow(), fresh.owner()) == (0, NOBODY, owner)
    assert fresh.WELCOME() == 50_000_000
    domain = fresh.eip712Domain()
    assert tuple(domain[1:5]) == ("Play Euro", "1", evm.patch.chain_id, fresh.address)


def test_gives_nobody_the_power_to_mint_or_burn(fresh):
    assert not [name for name in PRIVILEGES if hasattr(fresh, name)]
