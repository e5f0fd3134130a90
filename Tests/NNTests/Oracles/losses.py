"""Reference values and gradients of Lockstep's losses: PyTorch's, in float64.

Losses are those of each sample, means over its outputs; gradients are those of their sum. Bounds
are as in layers.py.

    losses.py > losses.json
"""
import math

import torch
import torch.nn.functional as F

from oracle import INPUT, TARGETS, drawn, drawn_below, print_cases, recorded

ROWS, COLUMNS = 4, 7


def cross_entropy(x, labels, settings):
    smoothing = settings.get("label-smoothing", 0)
    return F.cross_entropy(x, labels, reduction="none", label_smoothing=smoothing)


def multi_class_hinge(x, labels, settings):
    return F.multi_margin_loss(x, labels, reduction="none")


def squared_error(x, t, settings):
    return F.mse_loss(x, t, reduction="none").mean(1)


def absolute_error(x, t, settings):
    return F.l1_loss(x, t, reduction="none").mean(1)


def huber(x, t, settings):
    return F.huber_loss(x, t, reduction="none", delta=settings.get("delta", 1)).mean(1)


def binary_cross_entropy(x, t, settings):
    return F.binary_cross_entropy_with_logits(x, t, reduction="none").mean(1)


def hinge(x, t, settings):
    return F.relu(1 - t * x).mean(1)


def softmax_roundings(x, loss):
    """Of losses and of gradients, which are up to 1: a logit less the largest is rounded, and the
    exponential, good to 2 ulp as the logarithm is, magnifies that; then the sum."""
    distance, n = (x.max() - x.min()).item(), x.shape[1]
    probability = 2 * (distance + 4) + n + 4
    return probability + 2 * distance + 4 * loss.abs() + 4 * math.log(n), probability


# Of each output's share, before they are added and divided by their number: roundings of the loss,
# and the magnitudes that they round, of x and t; then those of the derivative, of x, t and itself.
def derivative(x, t, d):
    return d.abs()


SHARES = {
    # The derivative by the label's output is a whole number.
    "multi-class-hinge": (2, lambda x, t: 1 + 2 * x.abs().max(1, True).values, 0, derivative),
    "squared-error": (3, lambda x, t: (x - t)**2, 1, derivative),
    "absolute-error": (1, lambda x, t: (x - t).abs(), 0, derivative),
    "huber": (5, lambda x, t: (x - t).abs() * (1 + (x - t).abs()), 2, derivative),
    # Exponential, logarithm and quotient are good to a few ulp.
    "binary-cross-entropy": (12, lambda x, t: 1 + x.abs(), 8, lambda x, t, d: torch.ones_like(x)),
    "hinge": (2, lambda x, t: 1 + x.abs(), 0, derivative),
}


def bounds(name, x, targets, losses, gradient):
    """Of the losses and the gradient."""
    if name == "softmax-cross-entropy":
        of_loss, of_gradient = softmax_roundings(x, losses)
        return of_loss, of_gradient * torch.ones_like(gradient)
    roundings, magnitude, gradient_roundings, gradient_magnitude = SHARES[name]
    n = x.shape[1]
    return ((roundings + n + 2) * magnitude(x, targets).mean(1),
            (gradient_roundings + 2) * gradient_magnitude(x, targets, n * gradient) / n)


def whole(values, is_whole):
    return torch.floor(values) if is_whole else values


def drawn_targets(kind, is_whole):
    if kind == "labels":
        return drawn_below(TARGETS, [ROWS], COLUMNS).long()
    if kind == "shares":  # From 0 to 1.
        return (drawn(TARGETS, [ROWS, COLUMNS]) + 1) / 2
    if kind == "signs":
        return 2 * drawn_below(TARGETS, [ROWS, COLUMNS], 2) - 1
    return whole(4 * drawn(TARGETS, [ROWS, COLUMNS]), is_whole)


# Functions, kinds of targets, and settings.
LOSSES = {
    "softmax-cross-entropy": (cross_entropy, "labels", [{}, {"label-smoothing": 0.2}]),
    "multi-class-hinge": (multi_class_hinge, "labels", [{}]),
    "squared-error": (squared_error, "values", [{}]),
    "absolute-error": (absolute_error, "values", [{}]),
    "huber": (huber, "values", [{}, {"delta": 1.5}]),
    "binary-cross-entropy": (binary_cross_entropy, "shares", [{}]),
    "hinge": (hinge, "signs", [{}]),
}


def loss_cases():
    for name, (function, kind, all_settings) in LOSSES.items():
        for settings in all_settings:
            # Whole numbers have differences and margins of zero, and of just delta.
            for is_whole in False, True:
                x = whole(4 * drawn(INPUT, [ROWS, COLUMNS]), is_whole).requires_grad_()
                targets = drawn_targets(kind, is_whole)
                losses = function(x, targets, settings)
                losses.sum().backward()
                of_losses, of_gradient = bounds(name, x.detach(), targets, losses.detach(), x.grad)
                yield {"loss": name, "settings": settings, "shape": [ROWS, COLUMNS],
                       "whole": is_whole, "targets": kind, "losses": recorded(losses, of_losses),
                       "gradient": recorded(x.grad, of_gradient)}


if __name__ == "__main__":
    print_cases(loss_cases())
