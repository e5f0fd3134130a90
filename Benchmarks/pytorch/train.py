"""Trains a model on Fashion-MNIST with PyTorch and prints samples per second, the median over epochs.

An epoch is what Lockstep's is: the samples in a new order, gathered from memory batch by batch,
forward, backward, SGD with momentum. With --ranks 2, DistributedDataParallel over Gloo, one process
a rank; or, with --library horovod and started by mpirun, Horovod over MPI.
"""
import argparse
import os
import statistics
import struct
import sys
import time

parser = argparse.ArgumentParser()
parser.add_argument("--model", choices=["softmax", "mlp", "lenet", "conv"], required=True)
parser.add_argument("--data", default=".data/fashion-mnist")
parser.add_argument("--epochs", type=int, default=3)
parser.add_argument("--samples", type=int, default=60000, help="the first so many of the data set")
parser.add_argument("--batch", type=int, default=128, help="on all ranks together")
parser.add_argument("--ranks", type=int, default=1)
parser.add_argument("--library", choices=["ddp", "horovod"], default="ddp")
parser.add_argument("--port", type=int, default=29531)
arguments = parser.parse_args()
os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import torch
from torch import nn


def read(name, header):
    with open(os.path.join(arguments.data, name), "rb") as file:
        content = file.read()
    return np.frombuffer(content, np.uint8, offset=header).copy()


def model():
    relu, pool = nn.ReLU, lambda: nn.MaxPool2d(2)
    return {
        "softmax": lambda: nn.Sequential(nn.Flatten(), nn.Linear(784, 10)),
        "mlp": lambda: nn.Sequential(
            nn.Flatten(), nn.Linear(784, 512), relu(), nn.Linear(512, 256), relu(),
            nn.Linear(256, 10)),
        "lenet": lambda: nn.Sequential(
            nn.Conv2d(1, 6, 5, padding=2), relu(), pool(), nn.Conv2d(6, 16, 5), relu(), pool(),
            nn.Flatten(), nn.Linear(400, 120), relu(), nn.Linear(120, 84), relu(),
            nn.Linear(84, 10)),
        "conv": lambda: nn.Sequential(
            nn.Conv2d(1, 32, 3), relu(), nn.Conv2d(32, 64, 3), relu(), pool(), nn.Flatten(),
            nn.Linear(64 * 12 * 12, 128), relu(), nn.Linear(128, 10)),
    }[arguments.model]()


def train(rank):
    torch.set_num_threads(1)
    torch.manual_seed(1)
    images = torch.from_numpy(read("train-images-idx3-ubyte", 16)).float().div(255)
    images = images.reshape(-1, 1, 28, 28)[: arguments.samples]
    labels = torch.from_numpy(read("train-labels-idx1-ubyte", 8)).long()[: arguments.samples]
    network = model()
    if arguments.ranks > 1 and arguments.library == "ddp":
        os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(arguments.port))
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
        torch.distributed.init_process_group("gloo", rank=rank, world_size=arguments.ranks)
        network = nn.parallel.DistributedDataParallel(network)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.05, momentum=0.9)
    if arguments.library == "horovod":
        horovod.broadcast_parameters(network.state_dict(), root_rank=0)
        optimizer = horovod.DistributedOptimizer(
            optimizer, named_parameters=network.named_parameters())
    loss = nn.CrossEntropyLoss()
    batch = arguments.batch // arguments.ranks
    rates = []
    for epoch in range(arguments.epochs):
        start = time.perf_counter()
        order = torch.randperm(len(images), generator=torch.Generator().manual_seed(epoch))
        for first in range(0, len(images), arguments.batch):
            part = order[first + rank * batch : first + (rank + 1) * batch]
            optimizer.zero_grad()
            loss(network(images[part]), labels[part]).backward()
            optimizer.step()
        rates.append(len(images) / (time.perf_counter() - start))
    if rank == 0:
        print(f"{statistics.median(rates):.0f}")


if __name__ == "__main__":
    if arguments.library == "horovod":
        import horovod.torch as horovod
        horovod.init()
        assert horovod.size() == arguments.ranks, "start it with mpirun -n RANKS"
        train(horovod.rank())
    elif arguments.ranks == 1:
        train(0)
    else:
        torch.multiprocessing.spawn(train, nprocs=arguments.ranks)
