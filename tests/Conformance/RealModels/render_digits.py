#!/usr/bin/python3
"""Writes digits.u8 beside this script: the digits 0 to 9 as 28x28 grey values each, white on black, in reading order.

The digits fill 20 of the 28 rows, as in the data that digit classifiers are trained on.
Debian: apt-get install python3-pil fonts-dejavu-core
"""

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

SIZE = 28
DIGIT_SIZE = 20
FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"


def render(digit):
    drawn = Image.new("L", (200, 200))
    ImageDraw.Draw(drawn).text((100, 100), digit, fill=255, anchor="mm", font=ImageFont.truetype(FONT, 120))
    digit = drawn.crop(drawn.getbbox())
    scale = DIGIT_SIZE / max(digit.size)
    digit = digit.resize([max(1, round(side * scale)) for side in digit.size], Image.LANCZOS)
    canvas = Image.new("L", (SIZE, SIZE))
    canvas.paste(digit, ((SIZE - digit.width) // 2, (SIZE - digit.height) // 2))
    return canvas.tobytes()


if __name__ == "__main__":
    (Path(__file__).parent / "digits.u8").write_bytes(b"".join(render(digit) for digit in "0123456789"))
