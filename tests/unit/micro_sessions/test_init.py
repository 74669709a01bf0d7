"""What MicroSessions is deployed with."""

import boa
import pytest

from tests.unit.conftest import HOUR, ROOT

DAY = 24 * HOUR


@pytest.fixture
def deploy(load, coin_escrow, house):
    def deploy(short=HOUR, long=DAY, escrow=coin_escrow, panels=house.panels):
        return load("MicroSessions").deploy(escrow, panels, short, long)

    return deploy


def test_shows_what_it_was_given(house, coin_escrow):
    assert house.micro.ESCROW() == coin_escrow.address
    assert house.micro.PANELS() == house.panels.address
    assert (house.micro.SHORT_WINDOW(), house.micro.LONG_WINDOW()) == (HOUR, DAY)
    assert house.micro.eip712Domain()[1:3] == ("Tessera MicroSessions", "1")


@pytest.mark.parametrize(("short", "reason"), [(0, "micro: bad short window"), (DAY + 1, "micro: bad short window")])
def test_reverts_when_the_short_window_is_none_or_above_the_long_one(deploy, short, reason):
    with boa.reverts(reason):
        deploy(short, DAY)


def test_reverts_when_the_long_window_is_above_a_week(deploy):
    deploy(HOUR, 7 * DAY)
    with boa.reverts("micro: bad long window"):
        deploy(HOUR, 7 * DAY + 1)


def test_a_rollup_has_windows_of_a_day_and_two_at_least(deploy, evm):
    evm.patch.chain_id = 10
    deploy(DAY, 2 * DAY)
    with boa.reverts("micro: bad short window"):
        deploy(DAY - 1, 2 * DAY)
    with boa.reverts("micro: bad long window"):
        deploy(DAY, 2 * DAY - 1)


def test_reverts_when_panels_has_no_code(deploy, stranger):
    with boa.reverts("micro: panels has no code"):
        deploy(panels=stranger)


def test_reverts_when_the_token_has_other_decimals(load, deploy, owner):
    token = boa.load_partial(str(ROOT / "contracts" / "devnet" / "TestToken.vy"))
    dai = token.deploy("DAI", "DAI", 18, sender=owner)
    with boa.reverts("micro: token not of 6 decimals"):
        deploy(escrow=load("Escrow").deploy(dai, False, sender=owner))
