"""Reference trajectories for Lockstep's optimizers and learning-rate schedules, in float64.

Optimizers and schedules are PyTorch's; LARS and LAMB, which PyTorch does not have, are written here
after the papers' algorithms. Gradients are prescribed, not computed: both sides draw the same
numbers, all multiples of 2^-11, from `draw`.

    optimizers.py > optimizers.json
"""
import json
import math

import numpy as np
import torch

from oracle import digits, draw

# A weight matrix and a bias; the bias starts at zero.
TENSORS = {"weight": 6, "bias": 3}
STEPS = 20
RECORDED = (5, 20)


def initial_parameters():
    weight = [math.copysign(0.5, draw(0, i)) + draw(0, i) for i in range(TENSORS["weight"])]
    return [np.array(weight), np.zeros(TENSORS["bias"])]


def gradients(step):
    """The mean gradient of a step, counted from 1, for each tensor."""
    flat = np.array([draw(step, i) for i in range(sum(TENSORS.values()))])
    return np.split(flat, [TENSORS["weight"]])


def torch_trajectory(make, before_step=None):
    """Parameters after the recorded steps. `before_step` may change the gradients."""
    tensors = [torch.tensor(t, dtype=torch.float64, requires_grad=True)
               for t in initial_parameters()]
    optimizer = make(tensors)
    result = {}
    for step in range(1, STEPS + 1):
        for tensor, gradient in zip(tensors, gradients(step)):
            tensor.grad = torch.tensor(gradient, dtype=torch.float64)
        if before_step is not None:
            before_step(tensors)
        optimizer.step()
        if step in RECORDED:
            result[step] = [t.detach().numpy().copy() for t in tensors]
    return result


def numpy_trajectory(update, before_step=None, update_vector=None):
    """Parameters after the recorded steps of `update(state, w, g, step) -> w`, of the bias by
    `update_vector` if there is one. `before_step` may change the gradients, as PyTorch's tensors."""
    tensors, states, result = initial_parameters(), [{}, {}], {}
    for step in range(1, STEPS + 1):
        leaves = [torch.tensor(w, requires_grad=True) for w in tensors]
        for leaf, gradient in zip(leaves, gradients(step)):
            leaf.grad = torch.tensor(gradient)
        if before_step is not None:
            before_step(leaves)
        updates = [update, update_vector or update]
        tensors = [make(state, w, leaf.grad.numpy(), step)
                   for make, state, w, leaf in zip(updates, states, tensors, leaves)]
        if step in RECORDED:
            result[step] = tensors
    return result


def ratio(numerator, denominator, factor=1.0):
    return factor * numerator / denominator if numerator > 0 and denominator > 0 else 1.0


def lars(rate, trust, momentum, decay):
    """You, Gitman & Ginsburg, arXiv:1708.03888, algorithm 1."""
    def update(state, w, g, step):
        norms = np.linalg.norm(w), np.linalg.norm(g)
        local = 1.0
        if min(norms) > 0:
            local = trust * norms[0] / (norms[1] + decay * norms[0])
        v = momentum * state.get("v", np.zeros_like(w)) + rate * local * (g + decay * w)
        state["v"] = v
        return w - v
    return update


def lamb(rate, beta1, beta2, epsilon, decay):
    """You et al., ICLR 2020, algorithm 2, with the identity for phi."""
    def update(state, w, g, step):
        zero = np.zeros_like(w)
        m = beta1 * state.get("m", zero) + (1 - beta1) * g
        v = beta2 * state.get("v", zero) + (1 - beta2) * g * g
        state["m"], state["v"] = m, v
        direction = (m / (1 - beta1**step)) / (np.sqrt(v / (1 - beta2**step)) + epsilon) + decay * w
        return w - rate * ratio(np.linalg.norm(w), np.linalg.norm(direction)) * direction
    return update


def momentum_only(rate, momentum):
    """LARS where a tensor has the run's rate and no decay."""
    def update(state, w, g, step):
        state["v"] = momentum * state.get("v", np.zeros_like(w)) + rate * g
        return w - state["v"]
    return update


def adam(rate, beta1, beta2, epsilon):
    """LAMB where a tensor has the run's rate and no decay: Kingma & Ba, ICLR 2015, algorithm 1."""
    def update(state, w, g, step):
        zero = np.zeros_like(w)
        m = beta1 * state.get("m", zero) + (1 - beta1) * g
        v = beta2 * state.get("v", zero) + (1 - beta2) * g * g
        state["m"], state["v"] = m, v
        return w - rate * (m / (1 - beta1**step)) / (np.sqrt(v / (1 - beta2**step)) + epsilon)
    return update


def add_l1(tensors):
    for tensor in tensors:
        tensor.grad += 0.02 * torch.sign(tensor.detach())


def clip_and_add_l1(tensors):
    torch.nn.utils.clip_grad_norm_(tensors, 0.7)
    add_l1(tensors)


def clamp_and_add_l1(tensors):
    torch.nn.utils.clip_grad_value_(tensors, 0.3)
    add_l1(tensors)


def optimizer_cases():
    optim, clip = torch.optim, torch.nn.utils
    sgd = lambda **options: lambda w: optim.SGD(w, lr=0.05, **options)
    rmsprop = lambda **options: lambda w: optim.RMSprop(w, lr=0.01, **options)
    # Name, settings as in a configuration, trajectory.
    yield "sgd", {"learning-rate": 0.05}, torch_trajectory(sgd())
    yield ("sgd", {"learning-rate": 0.05, "momentum": 0.9, "weight-decay": 0.1},
           torch_trajectory(sgd(momentum=0.9, weight_decay=0.1)))
    yield ("sgd", {"learning-rate": 0.05, "momentum": 0.9, "nesterov": True, "weight-decay": 0.1},
           torch_trajectory(sgd(momentum=0.9, nesterov=True, weight_decay=0.1)))
    yield ("sgd", {"learning-rate": 0.05, "momentum": 0.9, "clip-norm": 0.7},
           torch_trajectory(sgd(momentum=0.9), lambda w: clip.clip_grad_norm_(w, 0.7)))
    yield ("sgd", {"learning-rate": 0.05, "momentum": 0.9, "clip-norm": 1000},
           torch_trajectory(sgd(momentum=0.9), lambda w: clip.clip_grad_norm_(w, 1000)))
    yield ("sgd", {"learning-rate": 0.05, "momentum": 0.9, "clip-value": 0.3},
           torch_trajectory(sgd(momentum=0.9), lambda w: clip.clip_grad_value_(w, 0.3)))
    yield ("sgd", {"learning-rate": 0.05, "momentum": 0.9, "l1": 0.02},
           torch_trajectory(sgd(momentum=0.9), add_l1))
    yield ("adam", {"learning-rate": 0.02},
           torch_trajectory(lambda w: optim.Adam(w, lr=0.02)))
    yield ("adam", {"learning-rate": 0.02, "beta1": 0.8, "beta2": 0.95, "epsilon": 1e-3,
                    "weight-decay": 0.1},
           torch_trajectory(lambda w: optim.Adam(w, lr=0.02, betas=(0.8, 0.95), eps=1e-3,
                                                 weight_decay=0.1)))
    yield ("adamw", {"learning-rate": 0.02, "weight-decay": 0.1},
           torch_trajectory(lambda w: optim.AdamW(w, lr=0.02, weight_decay=0.1)))
    yield ("adagrad", {"learning-rate": 0.1, "weight-decay": 0.1},
           torch_trajectory(lambda w: optim.Adagrad(w, lr=0.1, weight_decay=0.1)))
    yield "rmsprop", {"learning-rate": 0.01}, torch_trajectory(rmsprop())
    yield ("rmsprop", {"learning-rate": 0.01, "momentum": 0.5, "alpha": 0.9},
           torch_trajectory(rmsprop(momentum=0.5, alpha=0.9)))
    yield ("rmsprop", {"learning-rate": 0.01, "centered": True, "epsilon": 0.01},
           torch_trajectory(rmsprop(centered=True, eps=0.01)))
    yield ("rmsprop", {"learning-rate": 0.01, "momentum": 0.5, "centered": True, "epsilon": 0.01,
                       "weight-decay": 0.1},
           torch_trajectory(rmsprop(momentum=0.5, centered=True, eps=0.01, weight_decay=0.1)))
    yield ("lars", {"learning-rate": 1.5, "trust-coefficient": 0.02, "momentum": 0.9,
                    "weight-decay": 0.1},
           numpy_trajectory(lars(1.5, 0.02, 0.9, 0.1)))
    yield ("lamb", {"learning-rate": 0.02, "weight-decay": 0.1},
           numpy_trajectory(lamb(0.02, 0.9, 0.999, 1e-6, 0.1)))
    yield ("lars", {"learning-rate": 1.5, "trust-coefficient": 0.02, "momentum": 0.9,
                    "weight-decay": 0.1, "exclude-vectors": True},
           numpy_trajectory(lars(1.5, 0.02, 0.9, 0.1), update_vector=momentum_only(1.5, 0.9)))
    yield ("lamb", {"learning-rate": 0.02, "weight-decay": 0.1, "exclude-vectors": True},
           numpy_trajectory(lamb(0.02, 0.9, 0.999, 1e-6, 0.1),
                            update_vector=adam(0.02, 0.9, 0.999, 1e-6)))
    # Clipping, L1 and the decay of weights, together with each optimizer's own formula.
    norm, value = {"clip-norm": 0.7, "l1": 0.02}, {"clip-value": 0.3, "l1": 0.02}
    yield ("sgd", {"learning-rate": 0.05, "momentum": 0.9, "weight-decay": 0.1, **norm},
           torch_trajectory(sgd(momentum=0.9, weight_decay=0.1), clip_and_add_l1))
    yield ("adam", {"learning-rate": 0.02, "weight-decay": 0.1, **norm},
           torch_trajectory(lambda w: optim.Adam(w, lr=0.02, weight_decay=0.1), clip_and_add_l1))
    yield ("adamw", {"learning-rate": 0.02, "weight-decay": 0.1, **value},
           torch_trajectory(lambda w: optim.AdamW(w, lr=0.02, weight_decay=0.1),
                            clamp_and_add_l1))
    yield ("adagrad", {"learning-rate": 0.1, "weight-decay": 0.1, **norm},
           torch_trajectory(lambda w: optim.Adagrad(w, lr=0.1, weight_decay=0.1),
                            clip_and_add_l1))
    yield ("rmsprop", {"learning-rate": 0.01, "weight-decay": 0.1, **value},
           torch_trajectory(rmsprop(weight_decay=0.1), clamp_and_add_l1))
    for clipping, change in (norm, clip_and_add_l1), (value, clamp_and_add_l1):
        yield ("lars", {"learning-rate": 1.5, "trust-coefficient": 0.02, "momentum": 0.9,
                        "weight-decay": 0.1, **clipping},
               numpy_trajectory(lars(1.5, 0.02, 0.9, 0.1), change))
        yield ("lamb", {"learning-rate": 0.02, "weight-decay": 0.1, **clipping},
               numpy_trajectory(lamb(0.02, 0.9, 0.999, 1e-6, 0.1), change))


def rates(make, warmup):
    """The learning rates of all steps: a linear warm-up, then PyTorch's schedule."""
    schedulers = torch.optim.lr_scheduler
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.8)
    schedule = make(schedulers, optimizer, STEPS - warmup)
    if warmup > 0:
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.8)
        rise = schedulers.LinearLR(optimizer, 1 / warmup, 1, total_iters=warmup - 1)
        schedule = schedulers.SequentialLR(
            optimizer, [rise, make(schedulers, optimizer, STEPS - warmup)], [warmup])
    result = []
    for _ in range(STEPS):
        result.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    return result


def schedule_cases():
    yield {"name": "constant"}, lambda s, o, n: s.ConstantLR(o, 1, 1)
    yield {"name": "linear"}, lambda s, o, n: s.LinearLR(o, 1, 0, total_iters=n)
    yield ({"name": "linear", "end-factor": 0.25},
           lambda s, o, n: s.LinearLR(o, 1, 0.25, total_iters=n))
    yield {"name": "exponential", "gamma": 0.9}, lambda s, o, n: s.ExponentialLR(o, 0.9)
    yield {"name": "cosine"}, lambda s, o, n: s.CosineAnnealingLR(o, n)
    yield ({"name": "cosine", "end-factor": 0.1},
           lambda s, o, n: s.CosineAnnealingLR(o, n, eta_min=0.1 * 0.8))
    yield ({"name": "polynomial", "power": 1.5},
           lambda s, o, n: s.PolynomialLR(o, n, power=1.5))
    # Steps are counted from the run's first; PyTorch would count them from the warm-up's end.
    yield ({"name": "step", "every": 6, "gamma": 0.5},
           lambda s, o, n: s.StepLR(o, 6, gamma=0.5))
    yield ({"name": "step", "milestones": [3, 11, 12], "gamma": 0.2},
           lambda s, o, n: s.MultiStepLR(o, [3, 11, 12], gamma=0.2))


def main():
    report = {"steps": STEPS, "peak": 0.8, "optimizers": [], "schedules": []}
    for name, settings, trajectory in optimizer_cases():
        report["optimizers"].append({
            "name": name, "settings": settings,
            "trajectory": [{"step": step, "parameters": digits(np.concatenate(tensors), 12)}
                           for step, tensors in trajectory.items()]})
    for settings, make in schedule_cases():
        for warmup in (0,) if settings["name"] == "step" else (0, 5):
            report["schedules"].append({"settings": {**settings, "warmup-steps": warmup},
                                        "rates": digits(rates(make, warmup), 12)})
    rows = ["{", f' "steps": {STEPS}, "peak": 0.8,']
    for key in ("optimizers", "schedules"):
        lines = ",\n".join("  " + json.dumps(case) for case in report[key])
        rows.append(f' "{key}": [\n{lines}\n ]' + ("," if key == "optimizers" else ""))
    print("\n".join(rows + ["}"]))


if __name__ == "__main__":
    main()
