# pragma version 0.4.3
# pragma nonreentrancy off
"""
@title Borrows from a pool with Aave's flash loans for the time of one transaction, makes calls
       meanwhile, and repays
@license AGPL-3.0-only
"""


from ethereum.ercs import IERC20


interface IAavePool:
    def flashLoanSimple(
        receiver: address, asset: address, amount: uint256, params: Bytes[32], referral: uint16
    ): nonpayable


POOL: immutable(IAavePool)

targets: DynArray[address, 4]
calls: DynArray[Bytes[512], 4]
answers: public(DynArray[Bytes[256], 4])  # what calls that failed said, empty where one went through
succeeded: public(DynArray[bool, 4])


@deploy
def __init__(pool: address):
    POOL = IAavePool(pool)


@external
def run(asset: address, amount: uint256, targets: DynArray[address, 4], calls: DynArray[Bytes[512], 4]):
    """
    @notice Borrows `amount` and makes the calls in the middle of the loan.
    """
    self.targets = targets
    self.calls = calls
    self.answers = []
    self.succeeded = []
    extcall POOL.flashLoanSimple(self, asset, amount, b"", 0)


@external
def executeOperation(
    asset: address, amount: uint256, premium: uint256, initiator: address, params: Bytes[32]
) -> bool:
    assert msg.sender == POOL.address and initiator == self, "flash: not the loan"
    for i: uint256 in range(len(self.targets), bound=4):
        ok: bool = False
        answer: Bytes[256] = b""
        ok, answer = raw_call(self.targets[i], self.calls[i], max_outsize=256, revert_on_failure=False)
        self.succeeded.append(ok)
        self.answers.append(answer)
    assert extcall IERC20(asset).approve(POOL.address, amount + premium)
    return True
