"""Reference loss curves for Lockstep, computed independently with NumPy in float64.

The script shares no code with Lockstep. It draws the same random numbers (Philox4x32-10), so it
starts from bit-identical float32 parameters and visits the samples in the same order; everything
after initialization is float64. A float32 run of Lockstep follows the losses to 1e-6 until some
unit's input to ReLU is so close to zero that rounding decides its sign: from there on the two
differ by 1e-6, and the difference grows tenfold in every twenty steps or so. With the settings of
Examples/fashion-mnist-mlp.yaml and seed 11 that does not happen within 100 steps on any kernel set
(of the seeds 1 to 11: with 6, 8, 9 and 11).

    mlp_loss_curve.py --data FOLDER --output fashion-mnist-mlp.json
    mlp_loss_curve.py --problem linear-regression --output linear-regression.json
    mlp_loss_curve.py --problem linear-regression --check    # gradients by finite differences too

FOLDER holds train-images-idx3-ubyte and train-labels-idx1-ubyte, plain or with `.gz`.
"""
import argparse
import gzip
import json
import math
import pathlib
import sys

import numpy as np

INITIALIZATION, SHUFFLE = 1, 2  # Purposes of random streams.
MASK = np.uint64(0xFFFFFFFF)
HALF = np.uint64(32)
DEFAULTS = {
    "fashion-mnist-mlp": dict(
        seed=11, batch_size=128, learning_rate=0.1, momentum=0.9, weight_decay=0.0,
        schedule="cosine", warmup_steps=200, total_steps=2345, steps=100),
    "linear-regression": dict(
        seed=1, batch_size=2, learning_rate=0.05, momentum=0.0, weight_decay=0.0,
        schedule="constant", warmup_steps=0, total_steps=200, steps=200),
}


def philox(counter, key):
    """Philox4x32-10: four arrays of counter words and two key words to four output arrays."""
    c0, c1, c2, c3 = (np.asarray(word, dtype=np.uint64) for word in counter)
    k0, k1 = key
    for _ in range(10):
        p0, p1 = c0 * np.uint64(0xD2511F53), c2 * np.uint64(0xCD9E8D57)
        c0, c1, c2, c3 = ((p1 >> HALF) ^ c1 ^ np.uint64(k0), p1 & MASK,
                          (p0 >> HALF) ^ c3 ^ np.uint64(k1), p0 & MASK)
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return c0, c1, c2, c3


def random_words(seed, purpose, instance, count):
    """The first `count` 32-bit words of a stream (as uint64); word i is lane i % 4 of block
    i // 4."""
    block = np.arange((count + 3) // 4, dtype=np.uint64)
    zero = np.zeros_like(block)
    counter = (block & MASK, block >> HALF, zero + np.uint64(purpose), zero + np.uint64(instance))
    lanes = philox(counter, (seed & 0xFFFFFFFF, (seed >> 32) & 0xFFFFFFFF))
    return np.stack(lanes, axis=1).reshape(-1)[:count]


def check_philox():
    """Known answers published with Random123."""
    ones, pi = 0xFFFFFFFF, (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344)
    for counter, key, expected in [
            ((0,) * 4, (0, 0), "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
            ((ones,) * 4, (ones, ones), "408f276d 41c83b0e a20bc7c6 6d5451fd"),
            (pi, (0xA4093822, 0x299F31D0), "d16cfe09 94fdcceb 5001e420 24126ea1")]:
        words = philox([np.array([word]) for word in counter], key)
        assert " ".join(f"{int(word[0]):08x}" for word in words) == expected


def initial_parameters(sizes, seed):
    """Float32 weights and biases of the dense layers, in tensor order: w0, b0, w1, b1, ..."""
    tensors = []
    for fan_in, fan_out in zip(sizes, sizes[1:]):
        words = random_words(seed, INITIALIZATION, len(tensors), fan_in * fan_out)
        uniform = (words >> np.uint64(8)).astype(np.float32) * np.float32(2.0 ** -24)
        bound = np.sqrt(np.float32(6) / np.float32(fan_in))
        weights = (uniform * np.float32(2) - np.float32(1)) * bound
        assert weights.dtype == np.float32
        tensors += [weights.reshape(fan_in, fan_out), np.zeros(fan_out, dtype=np.float32)]
    return tensors


def epoch_order(count, seed, epoch):
    """Fisher-Yates shuffle of 0 ..< count; step i takes word i of the stream of the epoch."""
    words = random_words(seed, SHUFFLE, epoch, count).tolist()
    order = list(range(count))
    for i in range(count - 1, 0, -1):
        j = (words[i] * (i + 1)) >> 32
        order[i], order[j] = order[j], order[i]
    return np.array(order)


def cross_entropy(outputs, labels):
    """Mean of -log softmax(outputs)[label], and its gradient."""
    rows = np.arange(len(labels))
    shifted = outputs - outputs.max(axis=1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    gradient = np.exp(logs)
    gradient[rows, labels] -= 1
    return -logs[rows, labels].mean(), gradient / len(labels)


def squared_error(outputs, targets):
    """Mean of (output - target)^2, and its gradient."""
    difference = outputs - targets
    return (difference ** 2).mean(), 2 * difference / difference.size


def loss_and_gradients(tensors, inputs, targets, loss_function):
    """Dense layers with ReLU between them: the loss of a batch, and its gradient per tensor."""
    layers = list(zip(tensors[::2], tensors[1::2]))
    activations = [inputs]
    for index, (weights, bias) in enumerate(layers):
        outputs = activations[-1] @ weights + bias
        activations.append(np.maximum(outputs, 0) if index + 1 < len(layers) else outputs)
    loss, flow = loss_function(activations[-1], targets)
    gradients = []
    for index in reversed(range(len(layers))):
        gradients = [activations[index].T @ flow, flow.sum(axis=0)] + gradients
        if index > 0:
            flow = (flow @ layers[index][0].T) * (activations[index] > 0)
    return float(loss), gradients


def check_gradients(tensors, inputs, targets, loss_function, probes=8, delta=1e-6):
    """Compares gradients with central differences, at the elements of each tensor with the
    largest gradients and at a few others; returns the largest relative difference."""
    _, gradients = loss_and_gradients(tensors, inputs, targets, loss_function)
    worst = 0.0
    for tensor, gradient in zip(tensors, gradients):
        scale = np.abs(gradient).max()
        largest = np.argsort(-np.abs(gradient).reshape(-1))[:probes]
        others = np.random.default_rng(0).integers(0, tensor.size, probes)
        for flat in np.concatenate([largest, others]):
            element = np.unravel_index(flat, tensor.shape)
            saved, losses = tensor[element], []
            for value in (saved + delta, saved - delta):
                tensor[element] = value
                losses.append(loss_and_gradients(tensors, inputs, targets, loss_function)[0])
            tensor[element] = saved
            numeric = (losses[0] - losses[1]) / (2 * delta)
            worst = max(worst, abs(numeric - gradient[element]) / scale)
    assert worst < 1e-5, f"gradients differ from finite differences by {worst:.3g}"
    return worst


def learning_rate(step, settings):
    """The rate of a step (from 0), rounded to float32."""
    peak, warmup = settings["learning_rate"], settings["warmup_steps"]
    if step < warmup:
        peak *= (step + 1) / warmup
    elif settings["schedule"] == "cosine":
        progress = (step - warmup) / (settings["total_steps"] - warmup)
        peak *= 0.5 * (1 + math.cos(math.pi * progress))
    return float(np.float32(peak))


def train(tensors, inputs, targets, loss_function, settings):
    """Stochastic gradient descent with momentum; the loss of every step, before its update."""
    velocities = [np.zeros_like(tensor) for tensor in tensors]
    batch_size, count = settings["batch_size"], len(inputs)
    steps_per_epoch = -(-count // batch_size)  # The last batch of an epoch may be smaller.
    losses = []
    for step in range(settings["steps"]):
        epoch, position = divmod(step, steps_per_epoch)
        if position == 0:
            order = epoch_order(count, settings["seed"], epoch)
        batch = order[position * batch_size:(position + 1) * batch_size]
        loss, gradients = loss_and_gradients(
            tensors, inputs[batch].astype(np.float64), targets[batch], loss_function)
        losses.append(loss)
        rate = learning_rate(step, settings)
        for tensor, velocity, gradient in zip(tensors, velocities, gradients):
            velocity *= settings["momentum"]
            velocity += gradient + settings["weight_decay"] * tensor
            tensor -= rate * velocity
    return losses


def read_idx(folder, name):
    """An IDX file of unsigned bytes, as an array."""
    path = pathlib.Path(folder, name)
    if path.exists():
        data = path.read_bytes()
    else:
        data = gzip.decompress(path.with_name(name + ".gz").read_bytes())
    assert data[:3] == b"\0\0\x08", f"{name} is no IDX file of unsigned bytes"
    shape = np.frombuffer(data, dtype=">u4", offset=4, count=data[3])
    return np.frombuffer(data, dtype=np.uint8, offset=4 + 4 * data[3]).reshape(shape)


def load_problem(problem, folder):
    """Layer sizes, inputs, targets and the loss function of a problem."""
    if problem == "linear-regression":
        column = np.arange(1, 5, dtype=np.float64).reshape(4, 1)
        return [1, 1], column, column + 1, squared_error
    images = read_idx(folder, "train-images-idx3-ubyte")
    labels = read_idx(folder, "train-labels-idx1-ubyte").astype(np.int64)
    pixels = images.reshape(len(images), -1).astype(np.float32)
    pixels *= np.float32(1) / np.float32(255)  # Lockstep multiplies by the float32 reciprocal.
    return [784, 512, 256, 10], pixels, labels, cross_entropy


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--problem", choices=DEFAULTS, default="fashion-mnist-mlp")
    parser.add_argument("--data", metavar="FOLDER", help="folder of the Fashion-MNIST IDX files")
    parser.add_argument("--output", metavar="FILE", help="JSON to write (default: standard output)")
    parser.add_argument("--check", action="store_true", help="check gradients before training")
    for name, default in DEFAULTS["fashion-mnist-mlp"].items():
        choices = ["cosine", "constant"] if name == "schedule" else None
        parser.add_argument("--" + name.replace("_", "-"), type=type(default), choices=choices,
                            help="default depends on the problem")
    arguments = parser.parse_args()
    if arguments.problem == "fashion-mnist-mlp" and arguments.data is None:
        parser.error("fashion-mnist-mlp needs --data")
    return arguments


def main():
    arguments = parse_arguments()
    check_philox()
    settings = {name: default if getattr(arguments, name) is None else getattr(arguments, name)
                for name, default in DEFAULTS[arguments.problem].items()}
    sizes, inputs, targets, loss_function = load_problem(arguments.problem, arguments.data)
    initial = initial_parameters(sizes, settings["seed"])
    tensors = [tensor.astype(np.float64) for tensor in initial]
    flat = np.concatenate([tensor.reshape(-1) for tensor in tensors])
    orders = [epoch_order(len(inputs), settings["seed"], epoch) for epoch in (0, 1)]
    if arguments.check:
        sample = orders[0][:min(32, len(inputs))]
        worst = check_gradients(
            tensors, inputs[sample].astype(np.float64), targets[sample], loss_function)
        print(f"Gradients agree with finite differences to {worst:.2g}.", file=sys.stderr)
    losses = train(tensors, inputs, targets, loss_function, settings)
    unit = "step, before its update"
    if arguments.problem == "linear-regression":
        unit = "epoch, the average over its steps, each before its update"
        per_epoch = -(-len(inputs) // settings["batch_size"])
        losses = [float(np.mean(losses[start:start + per_epoch]))
                  for start in range(0, len(losses), per_epoch)]
    report = {
        "description": f"Mean loss of each {unit}, computed with NumPy in float64 from Lockstep's "
                       "float32 initial parameters and its order of samples.",
        "settings": {"problem": arguments.problem, "layer-sizes": sizes, "samples": len(inputs),
                     **{name.replace("_", "-"): value for name, value in settings.items()}},
        "initial-parameters": {"count": flat.size, "sum": float(math.fsum(flat)),
                               "sum-of-squares": float(math.fsum(flat * flat))},
        "first-batch": {f"epoch-{epoch}": order[:8].tolist()
                        for epoch, order in enumerate(orders)},
        "losses": [float(f"{loss:.10g}") for loss in losses],
    }
    text = json.dumps(report, indent=2) + "\n"
    if arguments.output:
        pathlib.Path(arguments.output).write_text(text)
    else:
        print(text, end="")


if __name__ == "__main__":
    main()
