"""Reference losses and gradients of a small convolutional network, from images to the loss:
PyTorch's, in float64. Bounds are as in layers.py.

    network.py > network.json
"""
import torch
import torch.nn.functional as F

from layers import Run, Value, forward
from losses import cross_entropy, softmax_roundings
from oracle import INPUT, TARGETS, drawn, drawn_below, print_cases, recorded

LAYERS = [
    {"conv": {"filters": 4, "kernel": 3, "padding": "same"}}, {"relu": {}},
    {"max-pool": {"size": 2}},
    {"conv": {"filters": 6, "kernel": 3, "padding": "same"}}, {"relu": {}},
    {"average-pool": {"size": 2}}, {"flatten": {}},
    {"dense": {"units": 10}}, {"relu": {}}, {"dense": {"units": 5}},
]
ROWS, IMAGE, CLASSES = 4, [8, 8], 5


def eighths(tensor, shape):
    """Multiples of 1/8 up to 1/2: few enough bits for exact logits in float32."""
    return torch.round(drawn(tensor, shape) * 4) / 8


def network_case():
    """Roundings begin with the loss."""
    run = Run(training=True, draw_parameter=eighths, is_exact=True)
    x = eighths(INPUT, [ROWS, *IMAGE])
    logits = forward(run, Value(x, x.abs()), LAYERS)
    # The last bit of a product of five eighths and a fourth, which the average takes.
    assert run.largest < 2**24 * 2**-(3 * 5 + 2)
    labels = drawn_below(TARGETS, [ROWS], CLASSES).long()
    losses = cross_entropy(logits.exact, labels, {})
    losses.sum().backward()
    probabilities = F.softmax(logits.exact.detach(), 1)
    logits.magnitude.backward(probabilities + F.one_hot(labels, CLASSES))
    of_loss, of_gradient = softmax_roundings(logits.exact.detach(), losses.detach())
    return {"layers": LAYERS, "input": IMAGE, "rows": ROWS, "loss": "softmax-cross-entropy",
            "losses": recorded(losses, of_loss),
            "gradients": [recorded(p.exact.grad, (of_gradient + n) * p.magnitude.grad)
                          for p, n in zip(run.parameters, run.gradient_roundings())]}


if __name__ == "__main__":
    print_cases([network_case()])
