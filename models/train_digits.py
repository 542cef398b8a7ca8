#!/usr/bin/python3
"""Trains the demo model `digits` on digits rendered from Debian's fonts and writes digits/1/model.onnx.

Whole font packages are held out: training never sees them, and the accuracy printed at the end is theirs.
It is measured on the written file, by a second implementation of the network in numpy.
README.md lists what to install.
"""

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from torch import nn

SEED = 20
SIZE = 28
TRAINING_IMAGES = 60_000
HELD_OUT_IMAGES = 10_000
EPOCHS = 14
BATCH = 128
TARGET = Path(__file__).resolve().parent / "digits" / "1" / "model.onnx"

TRAINING_PACKAGES = """
    fonts-anonymous-pro fonts-b612 fonts-beteckna fonts-breip fonts-cabin fonts-comfortaa fonts-crosextra-caladea
    fonts-crosextra-carlito fonts-dosis fonts-ebgaramond fonts-ecolier-court fonts-fanwood fonts-firacode
    fonts-freefont-ttf fonts-inter fonts-isabella fonts-jetbrains-mono fonts-junicode fonts-jura fonts-karla fonts-lato
    fonts-league-spartan fonts-leckerli-one fonts-linuxlibertine fonts-lobster fonts-monofur fonts-mononoki fonts-ocr-b
    fonts-oldstandard fonts-play fonts-prociono fonts-roboto-slab fonts-roboto-unhinted fonts-rufscript
    fonts-sil-andika fonts-sil-gentium-basic fonts-texgyre fonts-urw-base35
""".split()

# Relatives stay together: Hack is drawn after DejaVu Sans Mono, and croscore has Liberation's glyphs.
HELD_OUT_PACKAGES = """
    fonts-cantarell fonts-courier-prime fonts-croscore fonts-dejavu-core fonts-hack fonts-humor-sans fonts-inconsolata
    fonts-liberation2 fonts-open-sans fonts-quicksand fonts-vollkorn
""".split()

# What these draw in place of a digit need not be one.
SYMBOL_FONTS = ("D050000L", "StandardSymbols")


# -- Fonts ------------------------------------------------------------------------------------------------------------

def font_files(package):
    listing = subprocess.run(["dpkg", "-L", package], capture_output=True, text=True)
    files = [Path(line) for line in listing.stdout.splitlines() if line.endswith((".ttf", ".otf"))]
    return sorted(f for f in files if not f.name.startswith(SYMBOL_FONTS))


def glyph(font, digit, stroke):
    left, top, right, bottom = font.getbbox(str(digit), stroke_width=stroke)
    image = Image.new("L", (max(1, right - left), max(1, bottom - top)))
    ImageDraw.Draw(image).text((-left, -top), str(digit), fill=255, font=font, stroke_width=stroke, stroke_fill=255)
    box = image.getbbox()
    return image.crop(box) if box else None


def load_font(path):
    """The ten digits of one font in three weights, or None when it does not draw ten different digits."""
    try:
        font = ImageFont.truetype(str(path), 72)
    except OSError:
        return None
    weights = [[glyph(font, digit, stroke) for digit in range(10)] for stroke in (0, 1, 3)]
    drawn = {image.tobytes() for image in weights[0] if image is not None}
    return weights if len(drawn) == 10 else None


def load_packages(packages):
    loaded = {p: [f for f in map(load_font, font_files(p)) if f is not None] for p in packages}
    missing = [p for p, fonts in loaded.items() if not fonts]
    if missing:
        sys.exit(f"missing fonts: apt-get install --no-install-recommends {' '.join(missing)}")
    return list(loaded.values())


# -- Images -----------------------------------------------------------------------------------------------------------

def distort(image, rng):
    """One glyph on a 28x28 canvas: turned, sheared, scaled, moved, blurred, with uneven contrast and noise."""
    height = rng.uniform(15, 24) * 2
    scale = min(height / image.height, 44 / image.width)
    stretch = rng.uniform(0.85, 1.15)
    angle = np.radians(rng.uniform(-15, 15))
    shear = rng.uniform(-0.2, 0.2)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    forward = turn @ np.array([[1, shear], [0, 1]]) @ np.diag([scale * stretch, scale])
    inverse = np.linalg.inv(forward)
    centre = SIZE + rng.uniform(-6, 6, 2)
    origin = np.array([image.width, image.height]) / 2 - inverse @ centre
    matrix = (*inverse[0], origin[0], *inverse[1], origin[1])

    canvas = image.transform((2 * SIZE, 2 * SIZE), Image.AFFINE, matrix, resample=Image.BILINEAR)
    canvas = canvas.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.8))).reduce(2)
    black, white = rng.uniform(0, 30), rng.uniform(160, 255)
    pixels = black + np.asarray(canvas, np.float32) / 255 * (white - black)
    pixels += rng.normal(0, rng.uniform(0, 20), pixels.shape)
    return np.clip(pixels, 0, 255).astype(np.uint8)


def plain(image):
    """One glyph upright in the middle, 20 pixels high: what a tidy client sends."""
    scale = min(20 / image.height, 20 / image.width)
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    canvas = Image.new("L", (SIZE, SIZE))
    canvas.paste(image.resize(size, Image.LANCZOS), ((SIZE - size[0]) // 2, (SIZE - size[1]) // 2))
    return np.asarray(canvas)


def distorted_set(packages, count, rng):
    """Every package equally often, for any number of styles."""
    images = np.empty((count, 1, SIZE, SIZE), np.uint8)
    labels = rng.integers(0, 10, count)
    for i in range(count):
        fonts = packages[rng.integers(len(packages))]
        weights = fonts[rng.integers(len(fonts))]
        images[i, 0] = distort(weights[rng.integers(len(weights))][labels[i]], rng)
    return images, labels


def plain_set(packages):
    pairs = [(plain(font[0][d]), d) for fonts in packages for font in fonts for d in range(10)]
    images, labels = zip(*pairs)
    return np.stack(images)[:, None], np.array(labels)


# -- Network ----------------------------------------------------------------------------------------------------------

def build_network():
    return nn.Sequential(
        nn.Conv2d(1, 10, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(10, 24, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(24, 40, 3, padding=1), nn.ReLU(),
        nn.Flatten(), nn.Dropout(0.3), nn.Linear(40 * 7 * 7, 10),
    )


def train(network, images, labels):
    inputs = torch.from_numpy(images)
    targets = torch.from_numpy(labels)
    steps = len(inputs) // BATCH
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.004, total_steps=EPOCHS * steps)
    for epoch in range(EPOCHS):
        order = torch.randperm(len(inputs))
        total = 0.0
        for step in range(steps):
            rows = order[step * BATCH:(step + 1) * BATCH]
            loss = nn.functional.cross_entropy(network(inputs[rows].float() / 255), targets[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        print(f"epoch {epoch + 1:2}: loss {total / steps:.4f}", flush=True)


def export(network):
    convolutions = [layer for layer in network if isinstance(layer, nn.Conv2d)]
    linear = network[-1]
    weights = {"full_scale": np.array([255], np.float32)}
    for i, layer in enumerate([*convolutions, linear], 1):
        weights[f"weight{i}"] = layer.weight.detach().numpy()
        weights[f"bias{i}"] = layer.bias.detach().numpy()

    def convolution(i, source, target, pad):
        return [
            helper.make_node("Conv", [source, f"weight{i}", f"bias{i}"], [f"conv{i}"], pads=[pad] * 4),
            helper.make_node("Relu", [f"conv{i}"], [target]),
        ]

    def pool(source, target):
        return helper.make_node("MaxPool", [source], [target], kernel_shape=[2, 2], strides=[2, 2])

    nodes = [
        helper.make_node("Div", ["image", "full_scale"], ["scaled"]),
        *convolution(1, "scaled", "relu1", 2), pool("relu1", "pool1"),
        *convolution(2, "pool1", "relu2", 1), pool("relu2", "pool2"),
        *convolution(3, "pool2", "relu3", 1),
        helper.make_node("Flatten", ["relu3"], ["features"]),
        helper.make_node("Gemm", ["features", "weight4", "bias4"], ["logits"], transB=1),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "digits",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 1, SIZE, SIZE])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", 10])],
        initializer=[numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    model = helper.make_model(
        graph, producer_name="cluster", ir_version=8, opset_imports=[helper.make_opsetid("", 17)]
    )
    onnx.checker.check_model(model, full_check=True)
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_bytes(model.SerializeToString(deterministic=True))


# -- Proof ------------------------------------------------------------------------------------------------------------

def convolve(x, weight, bias):
    pad = weight.shape[2] // 2
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, weight.shape[2:], axis=(2, 3))
    result = np.tensordot(windows, weight, axes=((1, 4, 5), (1, 2, 3))).transpose(0, 3, 1, 2)
    return np.maximum(result + bias[:, None, None], 0)


def halve(x):
    n, channels, height, width = x.shape
    return x.reshape(n, channels, height // 2, 2, width // 2, 2).max(axis=(3, 5))


def classify(images):
    """The written file's answers, computed from its weights by numpy alone."""
    w = {t.name: numpy_helper.to_array(t) for t in onnx.load(TARGET).graph.initializer}
    answers = []
    for start in range(0, len(images), 500):
        x = images[start:start + 500].astype(np.float32) / w["full_scale"]
        x = halve(convolve(x, w["weight1"], w["bias1"]))
        x = halve(convolve(x, w["weight2"], w["bias2"]))
        x = convolve(x, w["weight3"], w["bias3"]).reshape(len(x), -1)
        answers.append((x @ w["weight4"].T + w["bias4"]).argmax(axis=1))
    return np.concatenate(answers)


def report(name, images, labels):
    wrong = classify(images) != labels
    print(f"{name}: {100 * (1 - wrong.mean()):.2f} % of {len(labels)}"
          f" (errors by digit 0 to 9: {np.bincount(labels[wrong], minlength=10).tolist()})")


def main():
    torch.manual_seed(SEED)
    torch.set_num_threads(2)
    known, unknown = load_packages(TRAINING_PACKAGES), load_packages(HELD_OUT_PACKAGES)
    print(f"fonts: {sum(map(len, known))} from {len(known)} packages to train on,"
          f" {sum(map(len, unknown))} from {len(unknown)} packages held out")
    images, labels = distorted_set(known, TRAINING_IMAGES, np.random.default_rng(SEED))
    network = build_network()
    train(network, images, labels)
    network.eval()
    export(network)
    print(f"{TARGET.name}: {TARGET.stat().st_size} bytes")
    report("training fonts, distorted", images[:10_000], labels[:10_000])
    report("held-out fonts, distorted", *distorted_set(unknown, HELD_OUT_IMAGES, np.random.default_rng(SEED + 1)))
    report("held-out fonts, plain", *plain_set(unknown))


if __name__ == "__main__":
    main()
