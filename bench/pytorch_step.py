"""One training step of each recipe in PyTorch, timed on demand: the other side of bench/step.ts.

    python bench/pytorch_step.py RECIPE THREADS BATCH WIDTH

Reads lines "STEPS MODE" (mode eager or compiled, the latter with fused Adam), answers each with the milliseconds that
one step took.
"""
import sys, time
import torch, torch.nn as nn, torch.nn.functional as F

recipe, threads, B, H = sys.argv[1], *map(int, sys.argv[2:5])
torch.set_num_threads(threads)
Z, C = (20 if recipe == "vae" else 100), (10 if recipe == "conditional" else 0)
images = torch.randint(0, 256, (4096, 784), dtype=torch.uint8)
labels = torch.randint(0, 10, (4096,))


def mlp(*sizes, act):
    layers = [m for a, b in zip(sizes, sizes[1:]) for m in (nn.Linear(a, b), act())]
    return nn.Sequential(*layers[:-1])


class ConvGenerator(nn.Module):
    def __init__(self, c=H):
        super().__init__()
        self.fc, self.bn1, self.c = nn.Linear(Z + C, 2 * c * 49), nn.BatchNorm1d(2 * c * 49), c
        self.up1, self.bn2 = nn.ConvTranspose2d(2 * c, c, 4, 2, 1), nn.BatchNorm2d(c)
        self.up2 = nn.ConvTranspose2d(c, 1, 4, 2, 1)

    def forward(self, z, y=None):
        if C: z = torch.cat([z, F.one_hot(y, C).float()], 1)
        h = F.relu(self.bn1(self.fc(z))).view(-1, 2 * self.c, 7, 7)
        return torch.tanh(self.up2(F.relu(self.bn2(self.up1(h)))))


class ConvDiscriminator(nn.Module):
    def __init__(self, c=H):
        super().__init__()
        self.down1, self.down2, self.bn = nn.Conv2d(1 + C, c, 4, 2, 1), nn.Conv2d(c, 2 * c, 4, 2, 1), nn.BatchNorm2d(2 * c)
        self.fc = nn.Linear(2 * c * 49, 1)

    def forward(self, x, y=None):
        x = x.view(-1, 1, 28, 28)
        if C: x = torch.cat([x, F.one_hot(y, C).float()[:, :, None, None].expand(-1, -1, 28, 28)], 1)
        return self.fc(F.leaky_relu(self.bn(self.down2(F.leaky_relu(self.down1(x), 0.2))), 0.2).flatten(1))


class Vae(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.mu, self.logvar = nn.Linear(784, H), nn.Linear(H, Z), nn.Linear(H, Z)
        self.fc3, self.fc4 = nn.Linear(Z, H), nn.Linear(H, 784)

    def forward(self, x):
        h = F.relu(self.fc1(x)); mu, logvar = self.mu(h), self.logvar(h)
        return self.fc4(F.relu(self.fc3(mu + torch.randn(B, Z) * torch.exp(0.5 * logvar)))), mu, logvar


def batch():
    i = torch.randint(0, 4096, (B,))
    return images[i].float(), labels[i]


def adam(net, fused, lr, betas=(0.9, 0.999)):
    return torch.optim.Adam(net.parameters(), lr=lr, betas=betas, fused=fused)


def update(optimizer, loss):
    optimizer.zero_grad(); loss.backward(); optimizer.step()


def two_player(compiled):
    conv = recipe in ("dcgan", "conditional")
    G = ConvGenerator() if conv else nn.Sequential(mlp(Z, H, H, 784, act=nn.ReLU), nn.Tanh())
    D = ConvDiscriminator() if conv else mlp(784, H, H, 1, act=lambda: nn.LeakyReLU(0.2))
    od, og = (adam(n, compiled, 2e-4 if conv else 3e-4, (0.5, 0.999) if conv else (0.9, 0.999)) for n in (D, G))
    if compiled: G, D = torch.compile(G), torch.compile(D)
    one, zero, bce = torch.ones(B, 1), torch.zeros(B, 1), F.binary_cross_entropy_with_logits
    run = (lambda n, x, y: n(x, y)) if C else (lambda n, x, y: n(x))

    def step():
        x, y = batch(); x = x / 127.5 - 1
        real, fake = run(D, x, y), run(D, run(G, torch.randn(B, Z), y).detach(), y)
        update(od, bce(real, one) + bce(fake, zero))
        torch.sigmoid(real).mean(), torch.sigmoid(fake).mean()
        update(og, bce(run(D, run(G, torch.randn(B, Z), y), y), one))
    return step


def wgan_gp(compiled):
    G = nn.Sequential(mlp(Z, H, H, 784, act=nn.ReLU), nn.Tanh())
    D = mlp(784, H, H, 1, act=lambda: nn.LeakyReLU(0.2))
    od, og = (adam(n, compiled, 1e-4, (0.0, 0.9)) for n in (D, G))

    def step():  # torch.compile does not differentiate twice
        for _ in range(5):
            r, f, e = batch()[0] / 127.5 - 1, G(torch.randn(B, Z)).detach(), torch.rand(B, 1)
            mix = (e * r + (1 - e) * f).requires_grad_()
            grad, = torch.autograd.grad(D(mix).sum(), mix, create_graph=True)
            update(od, D(f).mean() - D(r).mean() + 10 * ((grad.norm(2, dim=1) - 1) ** 2).mean())
        update(og, -D(G(torch.randn(B, Z))).mean())
    return step


def vae(compiled):
    m = Vae(); o = adam(m, compiled, 1e-3)
    forward = torch.compile(m) if compiled else m

    def step():
        u = batch()[0] / 255; a, mu, lv = forward(u)
        kl = -0.5 * (1 + lv - mu ** 2 - lv.exp()).sum() / B
        update(o, F.binary_cross_entropy_with_logits(a, u, reduction="sum") / B + kl)
    return step


make = {"wgan-gp": wgan_gp, "vae": vae}.get(recipe, two_player)
steps = {}
for line in sys.stdin:
    count, mode = line.split()
    step = steps.get(mode) or steps.setdefault(mode, make(mode == "compiled"))
    start = time.perf_counter()
    for _ in range(int(count)):
        step()
    print(1000 * (time.perf_counter() - start) / int(count), flush=True)
