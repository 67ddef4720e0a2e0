"""The recipes of gan-onnx in PyTorch: networks with the same tensor names, and the same losses of the same inputs."""
import json
import math
from dataclasses import dataclass
from typing import Callable

import torch
import torch.nn as nn
import torch.nn.functional as F

from resnet import ResNet

dtypes = {"F32": torch.float32, "U8": torch.uint8, "I64": torch.int64}


def read_case(path):
    """Read a safetensors file: its tensors by name, and its configuration."""
    data = bytearray(open(path, "rb").read())
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    configuration = json.loads(header.pop("__metadata__")["configuration"])
    tensors = {}
    for name, info in header.items():
        begin, end = info["data_offsets"]
        view = torch.frombuffer(data, dtype=torch.uint8, count=end - begin, offset=start + begin)
        tensors[name] = view.clone().view(dtypes[info["dtype"]]).view(info["shape"])
    return configuration, tensors


class Mlp(nn.Module):
    def __init__(self, name, sizes, activation, last=None):
        super().__init__()
        layers = [m for a, b in zip(sizes, sizes[1:]) for m in (nn.Linear(a, b), activation())][:-1]
        self.add_module(name, nn.Sequential(*layers))
        self.name, self.last = name, last

    def forward(self, x):
        y = getattr(self, self.name)(x)
        return self.last(y) if self.last else y


class ConvGenerator(nn.Module):
    def __init__(self, latent, width, classes, image):
        super().__init__()
        channels, h, w = image
        self.classes, self.smallest = classes, (2 * width, h // 4, w // 4)
        features = math.prod(self.smallest)
        self.fc, self.bn1 = nn.Linear(latent + classes, features), nn.BatchNorm1d(features)
        self.up1, self.bn2 = nn.ConvTranspose2d(2 * width, width, 4, 2, 1), nn.BatchNorm2d(width)
        self.up2 = nn.ConvTranspose2d(width, channels, 4, 2, 1)

    def forward(self, z, y=None):
        if self.classes:
            z = torch.cat([z, F.one_hot(y.long(), self.classes).float()], 1)
        h = F.relu(self.bn1(self.fc(z))).view(-1, *self.smallest)
        return torch.tanh(self.up2(F.relu(self.bn2(self.up1(h)))))


class ConvDiscriminator(nn.Module):
    def __init__(self, width, classes, image):
        super().__init__()
        channels, h, w = image
        self.classes, self.image = classes, image
        self.down1, self.down2 = nn.Conv2d(channels + classes, width, 4, 2, 1), nn.Conv2d(width, 2 * width, 4, 2, 1)
        self.bn, self.fc = nn.BatchNorm2d(2 * width), nn.Linear(2 * width * (h // 4) * (w // 4), 1)

    def forward(self, x, y=None):
        x = x.view(-1, *self.image)
        if self.classes:
            planes = F.one_hot(y.long(), self.classes).float()[:, :, None, None].expand(-1, -1, *self.image[1:])
            x = torch.cat([x, planes], 1)
        h = F.leaky_relu(self.bn(self.down2(F.leaky_relu(self.down1(x), 0.2))), 0.2)
        return self.fc(h.flatten(1))


class Vae(nn.Module):
    def __init__(self, latent, width, pixels):
        super().__init__()
        self.fc1, self.mu, self.logvar = nn.Linear(pixels, width), nn.Linear(width, latent), nn.Linear(width, latent)
        self.fc3, self.fc4 = nn.Linear(latent, width), nn.Linear(width, pixels)

    def forward(self, x, eps):
        h = F.relu(self.fc1(x))
        mu, logvar = self.mu(h), self.logvar(h)
        return self.fc4(F.relu(self.fc3(mu + eps * torch.exp(0.5 * logvar)))), mu, logvar


def networks_of(c):
    """The networks of a configuration, by name. Its image is [channels, height, width]."""
    latent, width, image = c.get("latent"), c["width"], c["image"]
    pixels = math.prod(image)
    if c["recipe"] == "vae":
        return {"vae": Vae(latent, width, pixels)}
    if c["recipe"] == "classifier" and c.get("network"):
        return {"classifier": ResNet()}
    if c["recipe"] in ("dcgan", "conditional"):
        classes = c.get("classes", 0)
        return {
            "generator": ConvGenerator(latent, width, classes, image),
            "discriminator": ConvDiscriminator(width, classes, image),
        }
    hidden = [width] * c["depth"]
    return {
        "generator": Mlp("gen", [latent, *hidden, pixels], nn.ReLU, torch.tanh),
        "discriminator": Mlp("dis", [pixels, *hidden, 1], lambda: nn.LeakyReLU(0.2)),
    }


@dataclass
class Phase:
    """One kind of update: `loss(*inputs)` returns the loss, then the other metrics.

    A loss with `differentiates` contains a gradient, so it is differentiated twice. torch.compile does not support this (2.15).
    """

    updates: str
    inputs: list
    metrics: list
    loss: Callable
    repeats: int = 1
    differentiates: bool = False


def phases_of(c, nets):
    if c["recipe"] == "vae":
        return [vae_phase(nets["vae"])]
    if c["recipe"] == "classifier":
        return [classifier_phase(nets["classifier"])]
    G, D = nets["generator"], nets["discriminator"]
    return wasserstein(c, G, D) if c["recipe"] == "wgan-gp" else adversarial(c, G, D)


def adversarial(c, G, D):
    bce = F.binary_cross_entropy_with_logits
    labels = (lambda name: [name]) if c["recipe"] == "conditional" else (lambda name: [])

    def discriminator(x, z, *y):
        real, fake = D(x / 127.5 - 1, *y), D(G(z, *y).detach(), *y)
        loss = bce(real, torch.ones_like(real)) + bce(fake, torch.zeros_like(fake))
        return loss, torch.sigmoid(real).mean(), torch.sigmoid(fake).mean()

    def generator(z, *y):
        fake = D(G(z, *y), *y)
        return (bce(fake, torch.ones_like(fake)),)

    d_metrics = ["d_loss", "real_score", "fake_score"]
    return [
        Phase("discriminator", ["x", "z_d", *labels("y_d")], d_metrics, discriminator),
        Phase("generator", ["z_g", *labels("y_g")], ["g_loss"], generator),
    ]


def wasserstein(c, G, D):
    def critic(x, z, eps):
        real, fake = x / 127.5 - 1, G(z).detach()
        mix = (eps * real + (1 - eps) * fake).requires_grad_()
        (slope,) = torch.autograd.grad(D(mix).sum(), mix, create_graph=True)
        penalty = ((slope.norm(2, dim=1) - 1) ** 2).mean()
        wasserstein = D(real).mean() - D(fake).mean()
        return c["lambda"] * penalty - wasserstein, penalty, wasserstein

    c_metrics = ["d_loss", "gradient_penalty", "wasserstein"]
    return [
        Phase("discriminator", ["x", "z_d", "eps"], c_metrics, critic, c["critics"], True),
        Phase("generator", ["z_g"], ["g_loss"], lambda z: (-D(G(z)).mean(),)),
    ]


def vae_phase(net):
    def loss(x, eps):
        u = x / 255
        a, mu, logvar = net(u, eps)
        reconstruction = F.binary_cross_entropy_with_logits(a, u, reduction="sum") / len(x)
        kl = -0.5 * (1 + logvar - mu**2 - logvar.exp()).sum() / len(x)
        return reconstruction + kl, reconstruction, kl

    return Phase("vae", ["x", "eps"], ["loss", "reconstruction", "kl"], loss)


def classifier_phase(net):
    def loss(x, y):
        logits = net(x / 127.5 - 1)
        return F.cross_entropy(logits, y.long()), (logits.argmax(1) == y).float().mean()

    return Phase("classifier", ["x", "y"], ["loss", "accuracy"], loss)
