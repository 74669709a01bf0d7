"""The fixtures of a deployed club."""

from tests.embedded_club import *  # noqa: F403
