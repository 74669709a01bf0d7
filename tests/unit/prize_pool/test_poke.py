"""Anybody notes the pair's cumulative price, once a day."""

import boa


def test_notes_once_a_day(system, stranger):
    system.prizes.poke(sender=stranger)
    boa.env.timestamp += 86_399
    with boa.reverts("prizes: poked within 24 h"):
        system.prizes.poke(sender=stranger)
    boa.env.timestamp += 1
    system.prizes.poke(sender=stranger)
    older, newer = system.prizes.eval("twap._older"), system.prizes.eval("twap._newer")
    # 1,000,000 USDC (6 decimals) and 1,000,000 BET (18): 10**12 a unit, for a day, in 2**112 fixed point.
    assert newer - older == 10**12 * 2**112 * 86_400
