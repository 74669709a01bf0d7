import boa

from tests.logs import event, events


def test_deploys_for_one_token_and_kind_of_custody(escrow, play_euro, coin_escrow, coin, owner):
    assert (escrow.TOKEN(), escrow.OWN_ONLY(), escrow.owner()) == (play_euro.address, True, owner)
    assert (coin_escrow.TOKEN(), coin_escrow.OWN_ONLY(), coin_escrow.owner()) == (coin.address, False, owner)


def test_logs_its_owner(load, coin, owner):
    fresh = load("Escrow").deploy(coin, False, sender=owner)
    nobody = "0x" + "00" * 20
    assert events(fresh) == [event(fresh, "OwnershipTransferred", previous_owner=nobody, new_owner=owner)]


def test_reverts_when_token_has_no_code(load, stranger):
    with boa.reverts("escrow: token has no code"):
        load("Escrow").deploy(stranger, False)
