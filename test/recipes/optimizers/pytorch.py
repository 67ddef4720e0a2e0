"""Records what PyTorch's optimizers and schedules make of given gradients: python pytorch.py > pytorch.json"""

import json
import math

import torch
from torch.optim.lr_scheduler import ConstantLR, CosineAnnealingLR, LinearLR, SequentialLR

STEPS = 6
SIZES = [4, 3]
RATE = 0.05

start = [[math.sin(1 + i + 10 * p) for i in range(size)] for p, size in enumerate(SIZES)]
gradients = [
    [[(1 + p) * math.cos(2 + 3 * i + 5 * t + 7 * p) for i in range(size)] for p, size in enumerate(SIZES)]
    for t in range(STEPS)
]

CASES = [
    {"optimizer": "sgd"},
    {"optimizer": "sgd", "momentum": 0.9},
    {"optimizer": "sgd", "momentum": 0.9, "nesterov": True},
    {"optimizer": "sgd", "momentum": 0.5, "weightDecay": 0.1},
    {"optimizer": "rmsprop"},
    {"optimizer": "rmsprop", "alpha": 0.9, "momentum": 0.8, "weightDecay": 0.1},
    {"optimizer": "adam"},
    {"optimizer": "adam", "weightDecay": 0.1},
    {"optimizer": "adamw"},
    {"optimizer": "adamw", "weightDecay": 0.2},
    {"optimizer": "sgd", "clipNorm": 0.5},
    {"optimizer": "sgd", "clipNorm": 100},
    {"optimizer": "adam", "clipNorm": 1.5},
    {"optimizer": "sgd", "schedule": "linear"},
    {"optimizer": "adam", "schedule": "cosine"},
    {"optimizer": "sgd", "warmupSteps": 3},
    {"optimizer": "rmsprop", "schedule": "linear", "warmupSteps": 2},
    {"optimizer": "adamw", "schedule": "cosine", "warmupSteps": 3, "clipNorm": 1},
]


def optimizer_of(settings, parameters):
    decay = {"weight_decay": settings["weightDecay"]} if "weightDecay" in settings else {}
    momentum = {"momentum": settings.get("momentum", 0)}
    betas = {"betas": (0.9, 0.999), "eps": 1e-8}
    return {
        "sgd": lambda: torch.optim.SGD(
            parameters, RATE, nesterov=settings.get("nesterov", False), **momentum, **decay
        ),
        "rmsprop": lambda: torch.optim.RMSprop(
            parameters, RATE, alpha=settings.get("alpha", 0.99), eps=1e-8, **momentum, **decay
        ),
        "adam": lambda: torch.optim.Adam(parameters, RATE, **betas, **decay),
        "adamw": lambda: torch.optim.AdamW(parameters, RATE, **betas, **decay),
    }[settings["optimizer"]]()


def schedule_of(settings, optimizer):
    warmup = settings.get("warmupSteps", 0)
    rest = STEPS - warmup
    after = {
        "constant": lambda: ConstantLR(optimizer, factor=1),
        "linear": lambda: LinearLR(optimizer, start_factor=1, end_factor=0, total_iters=rest),
        "cosine": lambda: CosineAnnealingLR(optimizer, T_max=rest),
    }[settings.get("schedule", "constant")]
    if warmup == 0:
        return after()
    rising = LinearLR(optimizer, start_factor=1 / warmup, end_factor=1, total_iters=warmup - 1)
    return SequentialLR(optimizer, [rising, after()], milestones=[warmup])


def path_of(settings):
    parameters = [torch.nn.Parameter(torch.tensor(values, dtype=torch.float64)) for values in start]
    optimizer = optimizer_of(settings, parameters)
    schedule = schedule_of(settings, optimizer)
    path = []
    for step in gradients:
        for parameter, gradient in zip(parameters, step):
            parameter.grad = torch.tensor(gradient, dtype=torch.float64)
        if "clipNorm" in settings:
            torch.nn.utils.clip_grad_norm_(parameters, settings["clipNorm"])
        optimizer.step()
        schedule.step()
        path.append([[round(value, 9) for value in parameter.tolist()] for parameter in parameters])
    return path


record = {
    "torch": torch.__version__,
    "steps": STEPS,
    "learningRate": RATE,
    "start": start,
    "gradients": gradients,
    "cases": [{"settings": settings, "path": path_of(settings)} for settings in CASES],
}
print(json.dumps(record, separators=(",", ":")).replace('{"settings"', '\n{"settings"'))
