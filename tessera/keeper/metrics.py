"""What Prometheus reads of a keeper."""

from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server

from tessera.keeper.plan import Plan
from tessera.keeper.round import Round
from tessera.keeper.steps.base import Status

RESULTS = {0: "done", 3: "undone", 4: "refused"}


class Metrics:
    """The metrics of one keeper."""

    def __init__(self):
        self.registry = CollectorRegistry()
        make = {"namespace": "tessera_keeper", "registry": self.registry}
        self.rounds = Counter("rounds", "Rounds in which something was due, by how they ended", ["result"], **make)
        self.late = Gauge("late_seconds", "Since the end of the oldest week that is not closed", **make)
        self.undone = Gauge("undone_steps", "Steps that the last look left undone", **make)
        self.refused = Gauge("refused_steps", "Steps with winners whom the token refuses, of the last look", **make)
        self.balance = Gauge("balance_ether", "Gas money of the keeper's account", **make)
        self.gas = Counter("gas", "Gas used", **make)
        self.fees = Counter("fees_ether", "Gas money spent", **make)
        self.looked_at = Gauge("looked_at_seconds", "Unix time of the last look that the node answered", **make)
        self.node_failures = Counter("node_failures", "Looks at which the node failed", **make)
        self.alarm = Gauge("alarm", "1 while an alarm is on", ["kind"], **make)

    def serve(self, port: int, address: str) -> int:
        """Answers http://address:port/metrics from a thread of its own; port 0: a free one. The port."""
        server, _ = start_http_server(port, address, self.registry)
        return server.server_port

    def looked(self, plan: Plan, at: float) -> None:
        """The node answered, at a unix time."""
        self.late.set(plan.late)
        self.looked_at.set(at)

    def ended(self, done: Round) -> None:
        """A look with its round is over."""
        if done.outcomes:
            self.rounds.labels(RESULTS[done.exit_code]).inc()
        self.undone.set(len(done.of(Status.UNDONE)))
        self.refused.set(len(done.of(Status.REFUSED)))
        self.gas.inc(done.gas_used)
        self.fees.inc(done.fees / 1e18)
