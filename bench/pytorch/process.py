"""A user's script in PyTorch, as a process: python process.py CASE DEVICE THREADS COMMAND ...

train FILE STEPS     read the images of an IDX file, run a step, print "first"; run the others, print "done", wait
sample COUNT FILE    draw images and write their bytes
export FILE          write the generator with torch.export, for any number of images
"""
import math
import sys

import torch

from recipes import read_case
from training import Training

path, device, threads, command, *rest = sys.argv[1:]
torch.set_num_threads(int(threads))
configuration, tensors = read_case(path)
training = Training(configuration, "eager", device, {k: v for k, v in tensors.items() if "." in k})
batch, latent = configuration["batchSize"], configuration["latent"]


def train(file, steps):
    data = bytearray(open(file, "rb").read())
    header = 4 + 4 * data[3]
    images = torch.frombuffer(data, dtype=torch.uint8, offset=header).view(-1, math.prod(configuration["image"]))
    for i in range(int(steps)):
        place = i % (len(images) // batch)
        order = torch.randperm(len(images)) if place == 0 else order
        x = images[order[place * batch : (place + 1) * batch]]
        noise = {name: torch.randn(1, batch, latent) for name in ("z_d", "z_g")}
        training.run({"x": x[None], **noise}, 1)
        if i == 0:
            print('"first"', flush=True)
    print('"done"', flush=True)
    sys.stdin.read()


def sample(count, file):
    with open(file, "wb") as out:
        out.write(training.images(torch.randn(int(count), latent)).numpy().tobytes())


def export(file):
    z = torch.randn(2, latent)
    shapes = {"x": {0: torch.export.Dim("batch")}}
    torch.export.save(torch.export.export(training.nets["generator"].eval(), (z,), dynamic_shapes=shapes), file)


{"train": train, "sample": sample, "export": export}[command](*rest)
