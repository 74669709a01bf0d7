# pragma version 0.4.3
"""
@title Factory and router in one
@license AGPL-3.0-only
@notice Creates the devnet's pairs by Uniswap V2's interface; swaps nothing.
"""


BLUEPRINT: immutable(address)


getPair: public(HashMap[address, HashMap[address, address]])


@deploy
def __init__(blueprint: address):
    BLUEPRINT = blueprint


@external
def createPair(tokenA: address, tokenB: address) -> address:
    assert self.getPair[tokenA][tokenB] == empty(address), "factory: pair exists"
    pair: address = create_from_blueprint(BLUEPRINT, tokenA, tokenB)
    self.getPair[tokenA][tokenB] = pair
    self.getPair[tokenB][tokenA] = pair
    return pair


@external
@view
def factory() -> address:
    return self
