# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title BetToken
@author Tessera
@license AGPL-3.0-only
@notice BET: an ERC-20 with permits (EIP-2612) and a supply that is capped for
        good. One part exists from the start and belongs to the treasury, the
        other can only be mined, by one contract.
@dev Invariant: totalSupply = CAP - MINING_BUDGET + minted, minted <= MINING_BUDGET.
     The deployer names the minter once and is nobody from then on: `owner` is empty.
@custom:halt Nothing halts it.
"""


from ethereum.ercs import IERC20
from ethereum.ercs import IERC20Detailed
from snekmate.auth import ownable
from snekmate.tokens import erc20
from snekmate.tokens.interfaces import IERC20Permit

from .interfaces import IMintable


implements: IERC20
implements: IERC20Detailed
implements: IERC20Permit
implements: IMintable
initializes: ownable
initializes: erc20[ownable := ownable]


# Not its own mint, minters, burning and ownership.
exports: (
    erc20.totalSupply,
    erc20.balanceOf,
    erc20.transfer,
    erc20.transferFrom,
    erc20.approve,
    erc20.allowance,
    erc20.name,
    erc20.symbol,
    erc20.decimals,
    erc20.permit,
    erc20.nonces,
    erc20.DOMAIN_SEPARATOR,
    erc20.eip712Domain,
    ownable.owner,
)


event MinterSet:
    minter: indexed(address)


CAP: public(immutable(uint256))
MINING_BUDGET: public(immutable(uint256))


minter: public(address)
minted: public(uint256)


@deploy
def __init__(cap: uint256, mining_budget: uint256, treasury: address):
    """
    @param cap All BET that can ever exist, 18 decimals.
    @param mining_budget The part of it that only the minter can create.
    @param treasury Who gets the rest now.
    """
    assert mining_budget <= cap, "bet: budget above cap"
    CAP = cap
    MINING_BUDGET = mining_budget
    ownable.__init__()
    erc20.__init__("Tessera Bet", "BET", 18, "Tessera Bet", "1")
    erc20._mint(treasury, cap - mining_budget)


@external
def mint(owner: address, amount: uint256):
    """
    @notice Creates mined BET. The minter only.
    @param owner Who gets them.
    @param amount 18 decimals; with all mined before at most MINING_BUDGET.
    """
    assert msg.sender == self.minter, "bet: not the minter"
    minted: uint256 = self.minted
    assert amount <= MINING_BUDGET - minted, "bet: mining budget spent"
    self.minted = minted + amount
    erc20._mint(owner, amount)


@external
def set_minter(minter: address):
    """
    @notice Names the contract that mines, for good. The deployer only, who has
            no power left afterwards.
    @param minter A contract.
    """
    ownable._check_owner()
    assert minter.is_contract, "bet: minter has no code"
    self.minter = minter
    ownable._transfer_ownership(empty(address))
    log MinterSet(minter=minter)
