"""What the engine tells a wallet of its own limits, and a client of its open bets."""

from tests.live import EUR
from tests.unit.live.test_sessions import limit

DAY = 86_400_000


def test_a_wallet_hears_what_holds_and_what_waits(stage):
    player = stage.opened()
    tight = stage.answer(stage.engine.limit(*limit(stage, player, "day_loss", 0)))
    assert tight["limits"]["day_loss"] == "0"
    assert tight["limits_later"] == {}
    at = stage.time
    loose = stage.answer(stage.engine.limit(*limit(stage, player, "day_loss", 5 * EUR, at=at + 1)))
    assert loose["limits"]["day_loss"] == "0"
    assert loose["limits_later"] == {"day_loss": {"value": str(5 * EUR), "at": str(at + DAY)}}
    view = stage.engine.view(stage.engine.session(player.session))
    assert view["limits_later"] == loose["limits_later"]
    stage.pass_time(DAY)
    view = stage.engine.view(stage.engine.session(player.session))
    assert (view["limits"]["day_loss"], view["limits_later"]) == (str(5 * EUR), {})
