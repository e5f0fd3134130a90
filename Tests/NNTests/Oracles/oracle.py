"""What the scripts that write reference tables share: numbers that both sides draw, and tensors as
they are stored."""
import json
import math

import torch

# The tensors that are drawn, 4096 numbers apart; the first of the parameters and of the states.
INPUT, OUTPUT_GRADIENT, TARGETS, PARAMETERS, STATES = 0, 1, 2, 3, 64


def draw(stream, index):
    """A number in [-1, 1) that is a multiple of 2^-11."""
    x = stream * 256 + index + 1
    for shift, factor in (16, 0x85EBCA6B), (13, 0xC2B2AE35), (16, 1):  # MurmurHash3's finalizer.
        x = (x ^ x >> shift) * factor % 2**32
    return (x >> 20) / 2**11 - 1


def drawn(tensor, shape):
    count = math.prod(shape)
    assert count <= 4096
    values = [draw(16 * tensor + index // 256, index % 256) for index in range(count)]
    return torch.tensor(values, dtype=torch.float64).reshape(shape)


def drawn_below(tensor, shape, limit):
    """Whole numbers from 0 to below `limit`."""
    return torch.floor((drawn(tensor, shape) + 1) / 2 * limit)


def digits(values, count):
    return [float(f"{value:.{count}g}") for value in values]


def recorded(values, bound):
    """A tensor with the largest of its elements' bounds. Ten digits, a hundredth of a rounding, are
    stored, and what must be exact in full."""
    values, bound = values.detach(), bound.max().item()
    exact = bound == 0
    bound = math.ceil(bound + 0.01 * values.abs().max().item())
    return {"bound": 0 if exact else bound,
            "values": digits(values.flatten().tolist(), 17 if exact else 10)}


def print_cases(cases):
    print("[\n" + ",\n".join(" " + json.dumps(case) for case in cases) + "\n]")
