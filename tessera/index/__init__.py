"""The event index: what the contracts logged, in a database that can be asked. See docs/index.md."""

from tessera.index.answers import Prediction
from tessera.index.index import Index
from tessera.index.snapshot import Snapshot

__all__ = ["Index", "Prediction", "Snapshot"]
