"""The live engine: how long a bet, a result and a recovery take, on SQLite and on PostgreSQL, and how many fit.

The clock of the engines stands while something is measured, and players have signed before: their work is not the
engine's. A bet is measured from the text of its message to the text of its receipt, with its commit between.
`--write` keeps the best of the runs in benchmarks/live.json, with the load of the machine while it was taken.
"""

import json

from tessera.live.commands import COMMANDS, parsed
from tessera.live.wire import encode
from tessera.model.sessions import states
from tessera.model.sessions.typed import State
from tests.live import EUR, Player, Stage


class Bench(Stage):
    """An engine with players, whose clock stands; `text_of` is a bet as it comes over the wire."""

    def players(self, count: int) -> list[Player]:
        """So many players with open sessions."""
        made = [self.offered(f"player {i}", deposit=1_000 * EUR) for i in range(count)]
        self.learn(*(self.opening(player) for player in made))
        for player in made:
            self.place(player, states.activation(player.state))
        return made

    def text_of(self, player: Player, quoted, choice: int = 0) -> str:
        """A player's next bet, signed; the player goes on from it."""
        net, waiting = states.fold(player.state, self.outcomes(player))
        state = State(
            player.state.seq + 1, player.state.seq, net, True, (*waiting, self.bet(quoted, choice, EUR // 10))
        )
        player.state = state
        session, state, signature = self.signed(player, state)
        return json.dumps(encode({"session": session, "state": state, "signature": signature}))

    def take(self, text: str):
        """What the engine's door does with a bet."""
        command = COMMANDS["place"]
        future, message = command.run(self.engine, parsed(command, json.loads(text)))
        return future, message

    def place_text(self, text: str) -> str:
        """A bet alone, to its receipt's text."""
        future, message = self.take(text)
        self.engine.flush()
        return json.dumps(message(future.result(timeout=0)))
