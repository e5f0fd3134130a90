"""Times Lockstep and PyTorch on the same models, in turns, and prints medians and their ratio.

    python3 -m venv .venv && .venv/bin/pip install numpy torch
    .venv/bin/python Benchmarks/pytorch/compare.py [--ranks 1] [--rounds 3] [--models softmax,mlp,lenet,conv]
        [--peers ddp,horovod] [--batch 128]

Run it at the package's top, after ./run.sh build and with Fashion-MNIST in .data. One thread a rank.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

MODELS = {  # layers, and samples of an epoch: the slow ones get fewer
    "softmax": ("[{dense: 10}]", 60000),
    "mlp": ("[{dense: 512}, relu, {dense: 256}, relu, {dense: 10}]", 60000),
    "lenet": (
        "[{conv: {filters: 6, kernel: 5, padding: 2}}, relu, {max-pool: 2},"
        " {conv: {filters: 16, kernel: 5}}, relu, {max-pool: 2},"
        " {dense: 120}, relu, {dense: 84}, relu, {dense: 10}]", 30000),
    "conv": (
        "[{conv: {filters: 32, kernel: 3}}, relu, {conv: {filters: 64, kernel: 3}}, relu,"
        " {max-pool: 2}, {dense: 128}, relu, {dense: 10}]", 4096),
}
here = pathlib.Path(__file__).parent


def lockstep(name, ranks, batch, prefix):
    layers, samples = MODELS[name]
    with tempfile.TemporaryDirectory() as folder:
        # Steps in place of a shorter data set: three epochs' worth.
        settings = [
            f"model={layers}", "data.test=null", "log.every-steps=1000", "optimizer.momentum=0.9",
            "optimizer.learning-rate=0.02", "optimizer.schedule=null",
            f"training.max-steps={3 * samples // batch}", "training.epochs=3",
            f"training.batch-size={batch}"]
        command = prefix + [".build/release/lockstep"]
        if ranks > 1:
            command += ["launch", "-n", str(ranks)]
        command += ["train", "Examples/fashion-mnist-mlp.yaml", "-q", "--output", folder + "/run"]
        for setting in settings:
            command += ["--set", setting]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        summary = json.loads(pathlib.Path(folder, "run", "summary.json").read_text())
        return summary["samples-per-second"]


def pytorch(name, ranks, batch, prefix, peer):
    command = prefix + [
        sys.executable, str(here / "train.py"), "--model", name, "--ranks", str(ranks),
        "--batch", str(batch), "--samples", str(MODELS[name][1]), "--library", peer]
    if peer == "horovod":
        mpirun = ["mpirun", "-n", str(ranks), "--bind-to", "core"]
        command = mpirun + (["--allow-run-as-root"] if os.geteuid() == 0 else []) + command
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ranks", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--batch", type=int, default=128, help="on all ranks together")
    parser.add_argument(
        "--policy", default="", help="a prefix for all, such as 'chrt -b 0': Gloo sleeps")
    parser.add_argument(
        "--peers", default="ddp", help="what PyTorch's ranks add up with: ddp, horovod, or both")
    arguments = parser.parse_args()
    peers = arguments.peers.split(",")
    policy = arguments.policy.split()
    names = ["pytorch"] if arguments.ranks == 1 else peers
    print(f"{'model':8} {'lockstep':>10}" + "".join(f" {name:>10} {'ratio':>6}" for name in names)
          + f"   samples/s, median of {arguments.rounds}, {arguments.ranks} rank(s),"
          + f" batch {arguments.batch}")
    for name in arguments.models.split(","):
        ours, theirs = [], {peer: [] for peer in peers}
        for _ in range(arguments.rounds):
            ours.append(lockstep(name, arguments.ranks, arguments.batch, policy))
            for peer in peers:
                theirs[peer].append(
                    pytorch(name, arguments.ranks, arguments.batch, policy, peer))
        a = statistics.median(ours)
        columns = [statistics.median(theirs[peer]) for peer in peers]
        print(f"{name:8} {a:10.0f}" + "".join(f" {b:10.0f} {a / b:6.2f}" for b in columns),
              flush=True)


if __name__ == "__main__":
    main()
