"""Reference outputs and gradients of Lockstep's layers: PyTorch's, in float64.

Inputs, parameters and gradients by outputs are drawn by both sides, and not stored. A stored tensor
has a `bound` beside its values: how far float32 may be from any of them, in units of 2^-24. That is
the number of roundings that a term goes through on its way, times the largest sum of the terms'
magnitudes (Higham, Accuracy and Stability of Numerical Algorithms, chapter 3), whatever the order
of a sum.

    layers.py > layers.json
"""
import math
from typing import NamedTuple

import torch
import torch.nn.functional as F

from oracle import (INPUT, OUTPUT_GRADIENT, PARAMETERS, STATES, drawn, drawn_below, print_cases,
                    recorded)


class Value(NamedTuple):
    """Numbers, and for each the sum of the magnitudes of the terms that it is a sum of."""
    exact: torch.Tensor
    magnitude: torch.Tensor


class Run:
    """A pass through some layers. Samples are channels-last, as Lockstep's."""

    def __init__(self, training, draw_parameter=drawn, is_exact=False):
        """is_exact: whether float32 represents every value of the way to the outputs."""
        self.training, self.draw_parameter, self.is_exact = training, draw_parameter, is_exact
        self.parameters, self.states = [], []
        # Roundings on the way to an output, and from there back through each layer.
        self.forward, self.backward = 0, []
        # Of each parameter, the layers up to its own, and what that makes.
        self.ways = []
        # The largest magnitude of any value.
        self.largest = 0
        # Bounds of layers that know them better, by tensor.
        self.bounds = {}

    def parameter(self, *shape):
        exact = self.draw_parameter(PARAMETERS + len(self.parameters), shape)
        value = Value(exact.requires_grad_(), exact.detach().abs().requires_grad_())
        self.parameters.append(value)
        return value

    def state(self, *shape):
        """Changed by PyTorch."""
        tensor = drawn(STATES + len(self.states), shape) + 1.5
        self.states.append(tensor)
        return tensor

    def linear(self, function, *values, forward=0, backward=0):
        """Applies a function that is linear in each value, and has no negative coefficient."""
        y = Value(function(*[v.exact for v in values]), function(*[v.magnitude for v in values]))
        self.forward += 0 if self.is_exact else forward
        self.backward.append(backward)
        self.ways += [(len(self.backward), y.magnitude)] * (len(self.parameters) - len(self.ways))
        self.largest = max(self.largest, y.magnitude.max().item())
        if y.magnitude.requires_grad:
            y.magnitude.retain_grad()
        return y

    def gradient_roundings(self):
        """On the way back to each parameter, and in its sum over rows and positions."""
        return [sum(self.backward[layers:]) + max(y.grad.flatten(0, -2).count_nonzero(0)).item()
                for layers, y in self.ways]

    def output_gradient(self, shape):
        return drawn(OUTPUT_GRADIENT, shape)


def images(x):
    """To PyTorch's order, and with a channel."""
    x = x if x.dim() == 4 else x.unsqueeze(3)
    return x.permute(0, 3, 1, 2)


def channels_last(x):
    return x.permute(0, 2, 3, 1)


def pair(value):
    return tuple(value) if isinstance(value, list) else (value, value)


def pad(x, size, stride, padding, fill=0.0):
    """`same` is TensorFlow's rule: an odd pixel goes to the bottom and to the right."""
    amounts = []
    for axis in (1, 0):  # PyTorch names the last dimension first.
        before = after = padding[axis] if padding != "same" else 0
        if padding == "same":
            extent = x.shape[2 + axis]
            outputs = -(-extent // stride[axis])
            total = max(0, (outputs - 1) * stride[axis] + size[axis] - extent)
            before, after = total // 2, total - total // 2
        amounts += [before, after]
    return F.pad(x, amounts, value=fill)


def windows(settings, size):
    padding = settings.get("padding", 0)
    stride = pair(settings["stride"]) if "stride" in settings else None
    return size, stride, padding if padding == "same" else pair(padding)


# Layers by the names and settings of configurations.

def dense(run, x, settings):
    features, units = x.exact[0].numel(), settings["units"]
    values = [x, run.parameter(features, units)]
    if settings.get("bias", True):
        values.append(run.parameter(units))
    return run.linear(
        lambda x, w, b=0: F.linear(x.flatten(1), w.T) + b, *values,
        forward=features + 1, backward=units)


def conv(run, x, settings):
    size, stride, padding = windows(settings, pair(settings["kernel"]))
    stride = stride or (1, 1)
    channels, filters = images(x.exact).shape[1], settings["filters"]
    values = [x, run.parameter(*size, channels, filters)]
    if settings.get("bias", True):
        values.append(run.parameter(filters))

    def function(x, w, b=None):
        x, w = images(x), w.permute(3, 2, 0, 1)
        if padding == "same":
            return channels_last(F.conv2d(pad(x, size, stride, padding), w, b, stride))
        return channels_last(F.conv2d(x, w, b, stride, padding))

    patch = math.prod(size)
    return run.linear(function, *values, forward=patch * channels + 1, backward=patch * filters)


def max_pool(run, x, settings):
    size, stride, padding = windows(settings, pair(settings["size"]))
    stride = stride or size
    padded = pad(images(x.exact), size, stride, padding, -math.inf)
    y, places = F.max_pool2d(padded, size, stride, return_indices=True)
    magnitude = pad(images(x.magnitude), size, stride, padding).flatten(2)
    chosen = magnitude.gather(2, places.flatten(2)).reshape(y.shape)
    run.backward.append(math.prod(size))
    return Value(channels_last(y), channels_last(chosen))


def average_pool(run, x, settings):
    size, stride, padding = windows(settings, pair(settings["size"]))
    stride = stride or size

    def function(x):
        x = images(x)
        if padding == "same":
            ones = torch.ones_like(x)
            sums, counts = (F.avg_pool2d(pad(t, size, stride, padding), size, stride,
                                         divisor_override=1) for t in (x, ones))
            return channels_last(sums / counts)
        return channels_last(F.avg_pool2d(x, size, stride, padding, count_include_pad=False))

    # 1 / count is rounded, and so is the product with it.
    return run.linear(function, x, forward=math.prod(size) + 1, backward=math.prod(size) + 1)


def global_average_pool(run, x, settings):
    count = x.exact[0, :, :, 0].numel()
    return run.linear(lambda x: F.adaptive_avg_pool2d(images(x), 1).flatten(1), x,
                      forward=count + 1, backward=2)


def flatten(run, x, settings):
    return run.linear(lambda x: x.flatten(1), x)


def relu(run, x, settings):
    error = run.forward * 2**-24 * x.magnitude
    assert torch.all((x.exact.abs() > error) | (error == 0)), "roundings can reach the kink"
    return Value(F.relu(x.exact), x.magnitude * (x.exact > 0))


def elementwise(function, output, gradient):
    """A function of the network's input.

    output, gradient: roundings, and the magnitude of what they round, of x and y; the gradient's is
    multiplied by that of dy.
    """
    def layer(run, x, settings):
        y = function(x.exact, settings)
        assert not run.parameters and run.forward == 0
        dy = run.output_gradient(y.shape)
        x, value = x.exact.detach(), y.detach()
        run.bounds["output"] = output[0] * output[1](x, value)
        run.bounds["input-gradient"] = gradient[0] * gradient[1](x, value) * dy.abs()
        return Value(y, y)
    return layer


# The slope is rounded, and the product.
leaky_relu = elementwise(lambda x, s: F.leaky_relu(x, s.get("slope", 0.01)),
                         (2, lambda x, y: y.abs()), (2, lambda x, y: torch.ones_like(x)))
# The function is good to 2.5 ulp, or 5 roundings; dy y (1 - y).
sigmoid = elementwise(lambda x, s: torch.sigmoid(x),
                      (5, lambda x, y: y), (8, lambda x, y: y))
# 1.5 ulp; dy (1 - y) (1 + y), each off by the error of y.
tanh = elementwise(lambda x, s: torch.tanh(x),
                   (3, lambda x, y: y.abs()), (8, lambda x, y: 1 + y.abs()))
# The tail's exponential and ratio are good to a few ulp, ten roundings together; the probability
# is up to 1, and what the density adds below 1/4.
gelu_erf = elementwise(lambda x, s: F.gelu(x),
                       (12, lambda x, y: x.abs()), (12, lambda x, y: torch.full_like(x, 1.25)))
# 5 ulp; the gradient's terms are as large, and go through up to 26 roundings.
gelu_tanh = elementwise(lambda x, s: F.gelu(x, approximate="tanh"),
                        (12, lambda x, y: x.abs()), (26, lambda x, y: torch.full_like(x, 1.25)))


def gelu(run, x, settings):
    forms = {"none": gelu_erf, "tanh": gelu_tanh}
    return forms[settings.get("approximate", "none")](run, x, settings)


def dropout(run, x, settings):
    return run.linear(lambda x: F.dropout(x, settings["rate"], training=run.training), x)


def embedding(run, x, settings):
    words = x.exact.detach().long()
    table = run.parameter(settings["words"], settings["dimension"])
    return run.linear(lambda t: F.embedding(words, t), table)


def residual(run, x, settings):
    main = forward(run, x, settings["layers"])
    shortcut = forward(run, x, settings.get("shortcut", []))
    return run.linear(torch.add, main, shortcut, forward=1, backward=1)


def bound_normalization(run, x, y, gain, bias, axes, epsilon):
    """Bounds for z = (x - mean) scale, scale = 1 / sqrt(variance + epsilon), y = gain z + bias.

    With n numbers in a mean, none above X, roundings leave (n + 3) X in a deviation, which makes
    2 (n + 3) X scale + n + 3 of the variance, relatively, half of that and 3 of the scale, and so
    no more than K (1 + |z|) of z, with K as below.
    """
    x, gain, bias = x.detach(), gain.detach(), bias.detach()
    dy = run.output_gradient(y.shape)
    n = math.prod(x.shape[axis] for axis in axes)
    mean = lambda t: t.mean(axes, keepdim=True)
    deviation = x - mean(x)
    scale = (mean(deviation**2) + epsilon).rsqrt()
    z = (deviation * scale).abs()
    condition = max(1, (x.abs().max() * scale.max()).item())
    k = (1.5 * n + 9) * condition
    channels = tuple(range(x.dim() - 1))
    terms = x[..., 0].numel()
    g = (gain * dy).abs()
    run.bounds = {
        "output": (k + 2) * (gain.abs() * (1 + z) + bias.abs()),
        # scale (g - mean(g) - z mean(g z)): the scale and both z are off by K.
        "input-gradient": (3 * k + 2 * n + 10) * scale
        * (g + mean(g) + (1 + z) * mean(g * (1 + z))),
        "gradients": [(k + terms + 2) * (dy.abs() * (1 + z)).sum(channels),
                      terms * dy.abs().sum(channels)],
    }
    return n, condition


def batch_norm(run, x, settings):
    x = x.exact
    channels = x.shape[-1]
    momentum, epsilon = settings.get("momentum", 0.1), settings.get("epsilon", 1e-5)
    gain, bias = run.parameter(channels).exact, run.parameter(channels).exact
    mean, variance = run.state(channels), run.state(channels)
    first = [mean.clone(), variance.clone()]
    last = x.dim() - 1
    order = [0, last, *range(1, last)]
    y = F.batch_norm(x.permute(order), mean, variance, gain, bias, run.training, momentum, epsilon)
    y = y.permute([0, *range(2, last + 1), 1])
    if run.training:
        n, condition = bound_normalization(run, x, y, gain, bias, tuple(range(last)), epsilon)
        largest = x.detach().abs().max()
        run.bounds["state"] = [(n + 6) * (first[0].abs() + largest),
                               (3 * n + 16) * condition * (first[1] + variance)]
    else:
        scale = (first[1] + epsilon).rsqrt()
        terms = (x.abs() + first[0].abs()) * scale * gain.abs() + bias.abs()
        run.bounds["output"] = 8 * terms.detach()
        run.bounds["state"] = [torch.zeros(1), torch.zeros(1)]
    return Value(y, y)


def layer_norm(run, x, settings):
    x = x.exact
    epsilon = settings.get("epsilon", 1e-5)
    gain, bias = run.parameter(x.shape[-1]).exact, run.parameter(x.shape[-1]).exact
    y = F.layer_norm(x, x.shape[-1:], gain, bias, epsilon)
    bound_normalization(run, x, y, gain, bias, (x.dim() - 1,), epsilon)
    return Value(y, y)


LAYERS = {
    "dense": dense, "conv": conv, "max-pool": max_pool, "average-pool": average_pool,
    "global-average-pool": global_average_pool, "flatten": flatten, "relu": relu,
    "leaky-relu": leaky_relu, "sigmoid": sigmoid, "tanh": tanh, "gelu": gelu, "dropout": dropout,
    "embedding": embedding, "residual": residual, "batch-norm": batch_norm,
    "layer-norm": layer_norm,
}


def forward(run, x, layers):
    for layer in layers:
        (name, settings), = layer.items()
        x = LAYERS[name](run, x, settings)
    return x


def layer_cases():
    """Layers, shape of a sample, and what is unlike other cases."""
    yield [{"dense": {"units": 7}}], [6]
    yield [{"dense": {"units": 3}}], [2, 3, 2]
    yield [{"dense": {"units": 4, "bias": False}}], [5]
    yield [{"relu": {}}], [7]
    yield [{"flatten": {}}], [2, 3]
    yield [{"conv": {"filters": 3, "kernel": 3}}], [5, 6, 2]
    yield [{"conv": {"filters": 2, "kernel": 1, "stride": 2}}], [4, 5, 3]
    yield [{"conv": {"filters": 2, "kernel": 3, "padding": "same"}}], [4, 3, 2]
    yield [{"conv": {"filters": 2, "kernel": [4, 3], "stride": [3, 2],
                     "padding": "same"}}], [7, 6]
    yield [{"conv": {"filters": 3, "kernel": [2, 3], "stride": [1, 2], "padding": [1, 2],
                     "bias": False}}], [3, 4, 2]
    yield [{"conv": {"filters": 17, "kernel": 2}}], [2, 3]
    yield [{"max-pool": {"size": 2}}], [4, 5, 3]
    yield [{"max-pool": {"size": 3, "stride": 2, "padding": 1}}], [5, 6, 2]
    yield [{"max-pool": {"size": [3, 2], "stride": [2, 1], "padding": "same"}}], [4, 3]
    yield [{"average-pool": {"size": 2}}], [5, 4, 3]
    yield [{"average-pool": {"size": 3, "stride": 2, "padding": 1}}], [5, 6, 2]
    yield [{"average-pool": {"size": [2, 4], "stride": [1, 3], "padding": "same"}}], [3, 5, 2]
    yield [{"global-average-pool": {}}], [3, 4, 5]
    yield [{"leaky-relu": {}}], [7]
    yield [{"leaky-relu": {"slope": 0.3}}], [2, 3]
    yield [{"gelu": {}}], [17]
    yield [{"gelu": {"approximate": "tanh"}}], [17]
    yield [{"sigmoid": {}}], [17]
    yield [{"tanh": {}}], [17]
    # Whole numbers: zeros, larger arguments, and equal maxima.
    for layer in "relu", "leaky-relu", "gelu", "sigmoid", "tanh":
        yield [{layer: {}}], [6], {"whole-below": 8}
    yield [{"gelu": {"approximate": "tanh"}}], [6], {"whole-below": 8}
    yield [{"max-pool": {"size": 2, "stride": 1}}], [4, 5, 2], {"whole-below": 2}
    yield [{"dropout": {"rate": 0.4}}], [7], {"training": False}
    yield [{"embedding": {"words": 5, "dimension": 3}}], [4], {"words": 5}
    for training in True, False:
        yield [{"batch-norm": {}}], [5], {"training": training, "rows": 6}
        yield ([{"batch-norm": {"momentum": 0.3, "epsilon": 0.01}}], [2, 3, 2],
               {"training": training})
    yield [{"layer-norm": {}}], [9]
    yield [{"layer-norm": {"epsilon": 0.01}}], [2, 2, 5]
    yield [{"residual": {"layers": [{"dense": {"units": 5}}, {"relu": {}},
                                    {"dense": {"units": 4}}]}}], [4]
    yield [{"residual": {"layers": [{"conv": {"filters": 3, "kernel": 3, "padding": "same"}},
                                    {"relu": {}}],
                         "shortcut": [{"conv": {"filters": 3, "kernel": 1}}]}}], [3, 4, 2]


def layer_case(layers, shape, options={}):
    rows, training = options.get("rows", 3), options.get("training", True)
    run = Run(training)
    inputs = drawn(INPUT, [rows, *shape])
    if "words" in options:
        inputs = drawn_below(INPUT, [rows, *shape], options["words"])
    elif "whole-below" in options:
        inputs = torch.floor(inputs * options["whole-below"])
    x = Value(inputs.requires_grad_(), inputs.detach().abs().requires_grad_())
    y = forward(run, x, layers)
    dy = run.output_gradient(y.exact.shape)
    y.exact.backward(dy)
    if not run.bounds:
        y.magnitude.backward(dy.abs())
    gradients = [p.exact.grad for p in run.parameters]
    bounds = run.bounds or {
        "output": run.forward * y.magnitude,
        "input-gradient": (run.forward + sum(run.backward)) * x.magnitude.grad
        if inputs.grad is not None else None,
        "gradients": [(run.forward + n) * p.magnitude.grad
                      for p, n in zip(run.parameters, run.gradient_roundings())],
    }
    case = {"layers": layers, "input": shape, **options, "rows": rows, "training": training}
    case["output"] = recorded(y.exact, bounds["output"])
    if training or not run.states:
        # An index has no gradient, and batch-norm learns in training only.
        if inputs.grad is not None:
            case["input-gradient"] = recorded(inputs.grad, bounds["input-gradient"])
        case["gradients"] = [recorded(g, b) for g, b in zip(gradients, bounds.get("gradients", []))]
    case["state"] = [recorded(s, b) for s, b in zip(run.states, bounds.get("state", []))]
    return case


if __name__ == "__main__":
    print_cases(layer_case(*case) for case in layer_cases())
