"""Tests; `tests.prize_system` and the like are shared by them."""
