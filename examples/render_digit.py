#!/usr/bin/python3
"""Makes request files for the model `digits`: NAME.json (a whole JSON request) and NAME.fp32 (the bare tensor).

    ./render_digit.py 7 seven            draws the digit 7
    ./render_digit.py photo.png photo    takes a picture of one digit, dark on light or light on dark

Debian: apt-get install python3-pil fonts-dejavu-core
"""

import argparse
import json
import struct
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

SIZE = 28
DIGIT_SIZE = 20
FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"


def draw(digit):
    image = Image.new("L", (120, 120))
    ImageDraw.Draw(image).text((60, 60), digit, fill=255, anchor="mm", font=ImageFont.truetype(FONT, 90))
    return image


def read(path):
    image = ImageOps.autocontrast(Image.open(path).convert("L"))
    light_background = image.getpixel((0, 0)) > 127
    return ImageOps.invert(image) if light_background else image


def centre(image):
    """The model wants 28x28 pixels, a white digit of about 20 in the middle of black."""
    box = image.point(lambda level: 255 if level > 64 else 0).getbbox()
    if box is None:
        raise SystemExit("the picture shows nothing")
    digit = image.crop(box)
    scale = DIGIT_SIZE / max(digit.size)
    digit = digit.resize([max(1, round(side * scale)) for side in digit.size], Image.LANCZOS)
    canvas = Image.new("L", (SIZE, SIZE))
    canvas.paste(digit, ((SIZE - digit.width) // 2, (SIZE - digit.height) // 2))
    return list(canvas.getdata())


def request_text(pixels):
    """Asks for the best class. One line of text a row of pixels, so that the file can be looked at."""
    rows = [pixels[i:i + SIZE] for i in range(0, len(pixels), SIZE)]
    data = ",\n".join("    " + ",".join(f"{level:3}" for level in row) for row in rows)
    head = json.dumps({"name": "image", "datatype": "FP32", "shape": [1, 1, SIZE, SIZE]})[:-1]
    outputs = json.dumps([{"name": "probabilities", "parameters": {"classification": 1}}])
    return f'{{"inputs": [\n  {head}, "data": [\n{data}\n  ]}}\n], "outputs": {outputs}}}\n'


def main():
    parser = argparse.ArgumentParser(description="Makes request files for the model digits.")
    parser.add_argument("source", help="a digit to draw, or a picture of one")
    parser.add_argument("name", help="where to write: NAME.json and NAME.fp32")
    arguments = parser.parse_args()
    is_digit = len(arguments.source) == 1 and arguments.source in "0123456789"
    pixels = centre(draw(arguments.source) if is_digit else read(arguments.source))
    Path(f"{arguments.name}.json").write_text(request_text(pixels))
    Path(f"{arguments.name}.fp32").write_bytes(struct.pack(f"<{len(pixels)}f", *pixels))


if __name__ == "__main__":
    main()
