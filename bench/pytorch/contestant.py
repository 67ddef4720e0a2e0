"""PyTorch's side of a comparison: python contestant.py CASE.safetensors MODE DEVICE THREADS

Prints its version. Then answers each line, "step COUNT" or "sample COUNT TIMES", with milliseconds for one step or one
sample of COUNT images, and the results.
"""
import json
import sys
import time

import torch

from recipes import read_case
from training import Training

path, mode, device, threads = sys.argv[1:5]
torch.set_num_threads(int(threads))
configuration, tensors = read_case(path)
inputs = {name: tensors.pop(name) for name in [n for n in tensors if "." not in n]}
training = Training(configuration, mode, device, tensors)



def sample(count, times):
    z = inputs["z"][:count]
    start = time.perf_counter()
    for _ in range(times):
        images = training.images(z)
    ms = 1000 * (time.perf_counter() - start) / times
    return {"ms": ms, "metrics": {"image": images.flatten()[:PROBES].tolist()}}


def step(count):
    return training.run(inputs, count)


PROBES = 100
print(json.dumps({"version": torch.__version__.split("+")[0]}), flush=True)
for line in sys.stdin:
    what, *counts = line.split()
    print(json.dumps({"sample": sample, "step": step}[what](*map(int, counts))), flush=True)
