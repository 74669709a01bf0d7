"""Text that strangers wrote, as it can be shown without a trick."""

import unicodedata

# Invisible, though Unicode files them under letters, marks and symbols: fillers of Hangul and Khmer, a joiner, a blank.
INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0")
EMPTY = "(empty)"


def visible(text: str) -> str:
    """The text with a symbol for whatever has no glyph of its own, and "(empty)" where there is nothing to be seen.

    Control characters move a terminal's cursor or change its title, direction characters turn what follows around, and
    zero-width characters make two texts look equal. Controls become their pictures (ESC is "␛"), others their number.
    """
    return "".join(map(_symbol, text)) if text.strip() else EMPTY


def _symbol(character: str) -> str:
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    if unicodedata.category(character) in ("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp") or character in INVISIBLE:
        return f"<U+{code:04X}>"
    return character
