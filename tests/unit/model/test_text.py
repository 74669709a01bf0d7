"""What strangers wrote cannot move a cursor, turn a line around or hide."""

import sys
import unicodedata

import pytest

from tessera.model.text import visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Will it rain?", "Will it rain?"),
        ("Grüße, 雨が降る? ☔️", "Grüße, 雨が降る? ☔️"),
        ("\x1b[2J\x1b]0;owned\x07", "␛[2J␛]0;owned␇"),
        ("\x1b]8;;https://evil.example\x1b\\bank\x1b]8;;\x1b\\", "␛]8;;https://evil.example␛\\bank␛]8;;␛\\"),
        ("one\ntwo\rthree\ttab\x7f", "one␊two␍three␉tab␡"),
        ("\x9b31m", "<U+009B>31m"),
        ("pay \u202eSEY\u202c", "pay <U+202E>SEY<U+202C>"),
        ("YES\u200b\u200d\ufeff\u2066", "YES<U+200B><U+200D><U+FEFF><U+2066>"),
        ("a\u2028b\u2029c", "a<U+2028>b<U+2029>c"),
        ("\u3164\u2800\u115f", "<U+3164><U+2800><U+115F>"),
        ("\U000e0041", "<U+E0041>"),
        ("", "(empty)"),
        (" \u00a0\u3000 ", "(empty)"),
    ],
)
def test_what_has_no_glyph_is_shown_as_a_symbol(text, shown):
    assert visible(text) == shown


def test_no_character_of_control_or_format_gets_through():
    every = "x" + "".join(map(chr, range(sys.maxunicode + 1)))
    left = {c for c in visible(every) if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")}
    assert left == set()
