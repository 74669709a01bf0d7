"""Hosted bets are deployed on the Escrow of a club, whatever products it has already."""

import pytest

from tessera.chain import ChainError, Tessera, Wallet
from tessera.chain.embedded import embedded_web3, known_account
from tessera.deployment.deploy import deploy, differences, hosted_parameters, micro_parameters, rehearse

CLUB = {"shortest_window": 60}
MICRO = {"short_window": 60, "long_window": 3_600}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "club.json"


@pytest.fixture
def owner() -> Wallet:
    return Wallet(embedded_web3(), known_account(0))


def test_hosted_bets_are_wired_to_the_clubs_escrow(owner, path):
    deploy(owner, "friends", CLUB, path=path)
    wanted = hosted_parameters(owner.web3, path)
    assert wanted == {"first_index": 1}
    record = deploy(owner, "hosted", wanted, path=path)
    tessera = Tessera(owner.web3, record)
    assert [tessera.escrow.products(index) for index in (1, 2)] == [tessera.prorata.address, tessera.odds.address]
    for bets in (tessera.prorata, tessera.odds):
        assert bets.read("ESCROW") == tessera.escrow.address
        assert bets.read("PANELS") == tessera.panels.address
    assert tessera.odds_lens.read("BETS") == tessera.odds.address
    assert differences(owner.web3, record) == []


def test_they_come_after_the_products_that_are_there(owner, path):
    deploy(owner, "friends", CLUB, path=path)
    deploy(owner, "micro", MICRO, path=path)
    wanted = hosted_parameters(owner.web3, path)
    assert wanted == {"first_index": 2}
    assert differences(owner.web3, deploy(owner, "hosted", wanted, path=path)) == []
    # A second run takes what the record has, not what comes next.
    assert hosted_parameters(owner.web3, path) == wanted


def test_micro_bets_come_after_the_products_that_are_there_too(owner, path):
    """They were taken for the second product: deployed after hosted bets, a second run was refused by Escrow, and a
    check of the chain found another product there."""
    deploy(owner, "friends", CLUB, path=path)
    deploy(owner, "hosted", hosted_parameters(owner.web3, path), path=path)
    wanted = micro_parameters(owner.web3, path, MICRO)
    assert wanted == MICRO | {"first_index": 3}
    for _ in range(2):
        record = deploy(owner, "micro", micro_parameters(owner.web3, path, MICRO), path=path)
        assert differences(owner.web3, record) == []
    tessera = Tessera(owner.web3, record)
    assert tessera.escrow.products(3) == tessera.sessions.address


def test_micro_bets_of_an_older_record_stay_where_they_are(owner, path):
    deploy(owner, "friends", CLUB, path=path)
    deploy(owner, "micro", MICRO, path=path)
    deploy(owner, "hosted", hosted_parameters(owner.web3, path), path=path)
    assert micro_parameters(owner.web3, path, MICRO) == MICRO
    with pytest.raises(ChainError, match="was deployed with"):
        deploy(owner, "micro", micro_parameters(owner.web3, path, MICRO | {"short_window": 61}), path=path)


def test_without_a_club_they_are_refused_by_name(owner, path):
    for parameters in (hosted_parameters, lambda web3, path: micro_parameters(web3, path, MICRO)):
        with pytest.raises(ChainError, match="has no Escrow: deploy `friends` first"):
            parameters(owner.web3, path)


@pytest.mark.parametrize(("product", "parameters", "steps"), [("hosted", {"first_index": 7}, 6), ("micro", MICRO, 3)])
def test_what_needs_an_escrow_is_rehearsed_with_one(product, parameters, steps):
    told = rehearse(product, parameters, 1337)
    assert len(told) == steps
    assert all(report.gas > 0 for report in told)
