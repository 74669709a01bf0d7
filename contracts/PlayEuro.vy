# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title PlayEuro
@author Tessera
@license AGPL-3.0-only
@notice Play money of a club of friends, 6 decimals. The owner and the inviters that
        the owner names invite; a member joins once and finds 50 EUR in the Escrow
        balance. It moves between a member and Escrow and nowhere else, so that
        nobody can pool it.
@dev Who invites decides who votes: the invite list is the trust of the club. An
     inviter can only invite and take invitations back that were not used, so that
     the key of a service that does it cannot hand the club away.
     Its Escrow is OWN_ONLY, since a token cannot see for whom Escrow calls it.
@custom:halt The owner takes inviters away and invites nobody. What members hold stays theirs.
"""


from ethereum.ercs import IERC20
from snekmate.auth import ownable
from snekmate.auth import ownable_2step
from snekmate.tokens import erc20

from .interfaces import IEscrow
from .interfaces import IPlayEuro


implements: IERC20
implements: IPlayEuro
initializes: ownable
initializes: ownable_2step[ownable := ownable]
initializes: erc20[ownable := ownable]


exports: (
    ownable_2step.owner,
    ownable_2step.pending_owner,
    ownable_2step.transfer_ownership,
    ownable_2step.accept_ownership,
    erc20.name,
    erc20.symbol,
    erc20.decimals,
    erc20.totalSupply,
    erc20.balanceOf,
    erc20.allowance,
    erc20.approve,
    erc20.permit,
    erc20.nonces,
    erc20.DOMAIN_SEPARATOR,
    erc20.eip712Domain,
)


WELCOME: public(constant(uint256)) = 50 * 10**6
MAX_INVITES: constant(uint256) = 256


escrow: public(address)
is_inviter: public(HashMap[address, bool])
invited: public(HashMap[address, bool])
joined: public(HashMap[address, bool])


@deploy
def __init__():
    ownable.__init__()
    ownable_2step.__init__()
    erc20.__init__("Play Euro", "PEUR", 6, "Play Euro", "1")


@external
def join(products: uint256):
    """
    @notice Gives an invited account 50 EUR in its Escrow balance, once.
    @param products Bit mask of the Escrow products that may debit it.
    """
    assert self.invited[msg.sender], "playeuro: not invited"
    assert not self.joined[msg.sender], "playeuro: already joined"
    self.joined[msg.sender] = True
    log IPlayEuro.Joined(account=msg.sender, amount=WELCOME)
    erc20._mint(self, WELCOME)
    erc20._approve(self, self.escrow, WELCOME)
    extcall IEscrow(self.escrow).deposit(WELCOME, msg.sender, products)


@external
def transfer(to: address, amount: uint256) -> bool:
    """
    @notice Pays a withdrawal of Escrow out to a member. Nobody else can call it.
    @param to The member.
    @param amount In units of 1e-6 EUR.
    @return True.
    """
    assert msg.sender == self.escrow, "playeuro: only through escrow"
    erc20._transfer(msg.sender, to, amount)
    return True


# Escrow calls this while `join` runs. It changes nothing that `join` reads afterwards.
@external
@reentrant
def transferFrom(owner: address, to: address, amount: uint256) -> bool:
    """
    @notice Takes a member's deposit into Escrow. Nobody else can call it.
    @param owner The member, who has approved Escrow.
    @param to Escrow.
    @param amount In units of 1e-6 EUR.
    @return True.
    """
    assert msg.sender == self.escrow and to == msg.sender, "playeuro: only into escrow"
    erc20._spend_allowance(owner, msg.sender, amount)
    erc20._transfer(owner, to, amount)
    return True


@external
def set_escrow(escrow: address):
    """
    @notice Names the Escrow of this token, once. Owner only.
    @param escrow An Escrow of this token whose balances are for their owners alone.
    """
    ownable._check_owner()
    assert self.escrow == empty(address), "playeuro: escrow is set"
    assert staticcall IEscrow(escrow).TOKEN() == self, "playeuro: escrow of another"
    assert staticcall IEscrow(escrow).OWN_ONLY(), "playeuro: escrow not own-only"
    self.escrow = escrow
    log IPlayEuro.EscrowSet(escrow=escrow)


@external
def set_inviter(account: address, is_inviter: bool):
    """
    @notice Says who may invite beside the owner. Owner only.
    @param account Who.
    @param is_inviter Whether; False does not touch invitations that there are.
    """
    ownable._check_owner()
    log IPlayEuro.InviterSet(account=account, was_inviter=self.is_inviter[account], is_inviter=is_inviter)
    self.is_inviter[account] = is_inviter


@external
def invite(accounts: DynArray[address, MAX_INVITES]):
    """
    @notice Lets accounts join. One that was invited before is no error. Owner and
            inviters only.
    @param accounts Whom to invite, at most 256 at once.
    """
    self._check_inviter()
    for account: address in accounts:
        self.invited[account] = True
        log IPlayEuro.Invited(account=account)


@external
def uninvite(accounts: DynArray[address, MAX_INVITES]):
    """
    @notice Takes invitations back that were not used. Whoever has joined stays a
            member, and one who was not invited is no error. Owner and inviters only.
    @param accounts Whose invitations, at most 256 at once.
    """
    self._check_inviter()
    for account: address in accounts:
        # Skipped, not refused: a member who joins a moment before must not hold up the others.
        if self.invited[account] and not self.joined[account]:
            self.invited[account] = False
            log IPlayEuro.Uninvited(account=account)


@internal
@view
def _check_inviter():
    assert self.is_inviter[msg.sender] or msg.sender == ownable.owner, "playeuro: not an inviter"
