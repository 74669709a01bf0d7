"""A market's price as a picture, for the preview of a link in a group chat."""

from functools import cache
from io import BytesIO
from pathlib import Path
from textwrap import wrap

from PIL import Image, ImageDraw, ImageFont

from tessera.model.units import WAD

SIZE = (1200, 630)  # what chats show large
MARGIN, BAR = 70, 120
PAPER, INK, GREY, YES, NO = "#ffffff", "#14201a", "#5d6b63", "#1c7d4f", "#b3403a"
LINE_LETTERS, MOST_LINES = 34, 4
# A font with more alphabets than the one that comes with Pillow, where the system has it.
FONTS = ("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", "/usr/share/fonts/dejavu/DejaVuSans.ttf")


def picture_of(question: str, p_yes: int, caption: str) -> bytes:
    """A PNG with a question, the price of YES (WAD) as a bar, and a sentence below it."""
    image = Image.new("RGB", SIZE, PAPER)
    draw = ImageDraw.Draw(image)
    lines = wrap(question, LINE_LETTERS) or [""]
    if len(lines) > MOST_LINES:
        lines = [*lines[: MOST_LINES - 1], lines[MOST_LINES - 1][: LINE_LETTERS - 1] + "…"]
    draw.multiline_text((MARGIN, 50), "\n".join(lines), INK, _font(58), spacing=14)
    top, width = SIZE[1] - MARGIN - BAR - 50, SIZE[0] - 2 * MARGIN
    percent = round(p_yes * 100 / WAD)
    split = MARGIN + width * p_yes // WAD
    draw.rectangle((MARGIN, top, MARGIN + width, top + BAR), NO)
    draw.rectangle((MARGIN, top, split, top + BAR), YES)
    draw.text((MARGIN + 24, top + BAR // 2), f"YES {percent} %", PAPER, _font(48), anchor="lm")
    draw.text((MARGIN + width - 24, top + BAR // 2), f"{100 - percent} % NO", PAPER, _font(48), anchor="rm")
    draw.text((MARGIN, SIZE[1] - MARGIN), caption, GREY, _font(32), anchor="lm")
    file = BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()


@cache
def _font(size: int):
    path = next((path for path in FONTS if Path(path).exists()), None)
    return ImageFont.load_default(size) if path is None else ImageFont.truetype(path, size)
