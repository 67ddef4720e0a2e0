"""The training step of the recipe `vanilla` in PyTorch, timed on demand: the other side of bench/step.ts.

Reads lines "STEPS MODE" (mode eager or compiled), answers each with the milliseconds that one step took.
"""
import sys, time
import torch, torch.nn as nn

torch.set_num_threads(int(sys.argv[1]))
B, Z, H = int(sys.argv[2]), 100, int(sys.argv[3])
G = nn.Sequential(nn.Linear(Z, H), nn.ReLU(), nn.Linear(H, H), nn.ReLU(), nn.Linear(H, 784), nn.Tanh())
D = nn.Sequential(nn.Linear(784, H), nn.LeakyReLU(0.2), nn.Linear(H, H), nn.LeakyReLU(0.2), nn.Linear(H, 1), nn.Sigmoid())
bce, one, zero = nn.BCELoss(), torch.ones(B, 1), torch.zeros(B, 1)
images = torch.randint(0, 256, (4096, 784), dtype=torch.uint8)


def make(compiled):
    od = torch.optim.Adam(D.parameters(), lr=3e-4, fused=compiled)
    og = torch.optim.Adam(G.parameters(), lr=3e-4, fused=compiled)

    def losses_d(x, z):
        real, fake = D(x), D(G(z).detach())
        return bce(real, one) + bce(fake, zero), real.mean(), fake.mean()

    def loss_g(z):
        return bce(D(G(z)), one)

    if compiled:
        losses_d, loss_g = torch.compile(losses_d), torch.compile(loss_g)

    def step():
        x = images[torch.randint(0, 4096, (B,))].float() / 127.5 - 1
        d, _, _ = losses_d(x, torch.randn(B, Z))
        od.zero_grad(); d.backward(); od.step()
        g = loss_g(torch.randn(B, Z))
        og.zero_grad(); g.backward(); og.step()

    return step


steps = {}
for line in sys.stdin:
    count, mode = line.split()
    step = steps.get(mode) or steps.setdefault(mode, make(mode == "compiled"))
    start = time.perf_counter()
    for _ in range(int(count)):
        step()
    print(1000 * (time.perf_counter() - start) / int(count), flush=True)
