# pragma version 0.4.3
# pragma nonreentrancy off
"""
@title What a Gearbox pool asks of the contracts around it: roles, register, credit manager
@license AGPL-3.0-only
@notice Anybody borrows without collateral. A debt is reckoned as Gearbox's CreditLogic does: principal
        times the pool's interest index now, divided by the one when it was lent. There are no fees.
"""


from ethereum.ercs import IERC20


interface IPoolV3:
    def asset() -> address: view
    def baseInterestIndex() -> uint256: view
    def lendCreditAccount(amount: uint256, account: address): nonpayable
    def repayCreditAccount(repaid: uint256, profit: uint256, loss: uint256): nonpayable


interface IFlashBorrower:
    def executeOperation(
        asset: address, amount: uint256, premium: uint256, initiator: address, params: Bytes[32]
    ) -> bool: nonpayable


struct Loan:
    principal: uint256
    index: uint256


ADMIN: immutable(address)
pool: public(address)
_loans: HashMap[address, Loan]


@deploy
def __init__():
    ADMIN = msg.sender


@external
def set_pool(pool: address):
    assert msg.sender == ADMIN, "credit: not the admin"
    self.pool = pool


@external
def borrow(amount: uint256):
    """
    @notice Lends the caller `amount` of the pool's; one loan at a time.
    """
    assert self._loans[msg.sender].principal == 0, "credit: repay first"
    extcall IPoolV3(self.pool).lendCreditAccount(amount, msg.sender)
    self._loans[msg.sender] = Loan(principal=amount, index=staticcall IPoolV3(self.pool).baseInterestIndex())


@external
def repay():
    """
    @notice Takes all that the caller owes.
    """
    self._end(msg.sender, self._debt(msg.sender))


@external
def write_off(account: address, recovered: uint256):
    """
    @notice Ends a loan for what the caller pays for its collateral: the pool loses the rest.
    """
    self._end(account, recovered)


@external
def flashLoanSimple(receiver: address, asset: address, amount: uint256, params: Bytes[32], referral: uint16):
    """
    @notice Lends for the time of a call and takes no fee, by the functions of Aave's flash loans.
    """
    extcall IPoolV3(self.pool).lendCreditAccount(amount, receiver)
    assert extcall IFlashBorrower(receiver).executeOperation(asset, amount, 0, msg.sender, params)
    assert extcall IERC20(asset).transferFrom(receiver, self.pool, amount)
    extcall IPoolV3(self.pool).repayCreditAccount(amount, 0, 0)


@external
@view
def debt_of(account: address) -> uint256:
    """
    @return What an account owes now, with interest.
    """
    return self._debt(account)


@external
@view
def isConfigurator(account: address) -> bool:
    return account == ADMIN


@external
@view
def hasRole(role: bytes32, account: address) -> bool:
    return account == ADMIN


@external
@view
def isCreditManager(account: address) -> bool:
    return account == self


@internal
def _end(account: address, paid: uint256):
    debt: uint256 = self._debt(account)
    principal: uint256 = self._loans[account].principal
    self._loans[account] = empty(Loan)
    token: IERC20 = IERC20(staticcall IPoolV3(self.pool).asset())
    assert extcall token.transferFrom(msg.sender, self.pool, paid)
    extcall IPoolV3(self.pool).repayCreditAccount(principal, 0, debt - paid)


@internal
@view
def _debt(account: address) -> uint256:
    loan: Loan = self._loans[account]
    if loan.principal == 0:
        return 0
    return loan.principal * staticcall IPoolV3(self.pool).baseInterestIndex() // loan.index
