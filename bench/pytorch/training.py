"""Training steps in PyTorch, in several modes:

eager     as in examples: every backward pass computes the gradients of all networks on its path
wanted    like eager, but only the gradients that the update needs, as in gan-onnx
compiled  like wanted, with losses compiled by torch.compile (except wgan-gp's critic) and fused Adam
graph     like wanted, with the whole step captured in a CUDA graph and fused Adam
"""
import time

import torch

from recipes import networks_of, phases_of


class Training:
    def __init__(self, configuration, mode, device, tensors=None):
        c = configuration
        self.mode, self.device = mode, device
        self.nets = {name: net.to(device) for name, net in networks_of(c).items()}
        for name, net in self.nets.items() if tensors else ():
            own = {k[len(name) + 1 :]: v for k, v in tensors.items() if k.startswith(name + ".")}
            missing, unexpected = net.load_state_dict(own, strict=False)
            wrong = [k for k in missing if "num_batches_tracked" not in k] + unexpected
            assert not wrong, f"{name} lacks or knows not {wrong}"
        self.phases = phases_of(c, self.nets)
        options = dict(lr=c["learningRate"], betas=(float(c["beta1"]), float(c["beta2"])), eps=c["epsilon"])
        options |= dict(fused=True) if mode in ("compiled", "graph") else {}
        options |= dict(capturable=True) if mode == "graph" else {}
        self.adams = {n: torch.optim.Adam(net.parameters(), **options) for n, net in self.nets.items()}
        compiled = [mode == "compiled" and not phase.differentiates for phase in self.phases]
        self.losses = [torch.compile(p.loss) if c else p.loss for p, c in zip(self.phases, compiled)]
        self.captured = None

    def step(self, batch):
        """Run one step on one batch of every input. Returns the metrics of each update."""
        recorded = []
        for phase, loss in zip(self.phases, self.losses):
            adam, net = self.adams[phase.updates], self.nets[phase.updates]
            for repeat in range(phase.repeats):
                inputs = [batch[name][repeat] if phase.repeats > 1 else batch[name] for name in phase.inputs]
                values = loss(*inputs)
                adam.zero_grad()
                values[0].backward(inputs=None if self.mode == "eager" else list(net.parameters()))
                adam.step()
                recorded.append([value.detach() for value in values])
        return recorded

    def capture(self, batch):
        """https://docs.pytorch.org/docs/stable/notes/cuda.html#whole-network-capture"""
        before = {name: {k: v.clone() for k, v in net.state_dict().items()} for name, net in self.nets.items()}
        static = {name: value.clone() for name, value in batch.items()}
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):
                self.step(static)
        torch.cuda.current_stream().wait_stream(stream)
        for adam in self.adams.values():
            adam.zero_grad()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            recorded = self.step(static)
        # Restore the initial state: warm-up and capture have changed it.
        for name, net in self.nets.items():
            net.load_state_dict(before[name])
        for adam in self.adams.values():
            for slots in adam.state.values():
                for slot in slots.values():
                    slot.zero_()
        self.captured = graph, static, recorded

    def replay(self, batch):
        graph, static, recorded = self.captured
        for name, value in batch.items():
            static[name].copy_(value)
        graph.replay()
        return [[value.clone() for value in values] for values in recorded]

    def run(self, block, steps):
        """Run steps on a block of batches in host memory. Returns milliseconds per step, and the metrics of every step."""
        if self.mode == "graph" and not self.captured:
            self.capture({name: value[0].to(self.device) for name, value in block.items()})
        step = self.replay if self.captured else self.step
        start = time.perf_counter()
        block = {name: value[:steps].to(self.device) for name, value in block.items()}
        log = [step({name: value[i] for name, value in block.items()}) for i in range(steps)]
        numbers = iter(torch.stack([v for recorded in log for values in recorded for v in values]).tolist())
        ms = 1000 * (time.perf_counter() - start) / steps
        metrics = {name: [] for phase in self.phases for name in phase.metrics}
        for _ in range(steps):
            for phase in self.phases:
                for _ in range(phase.repeats):
                    for name in phase.metrics:
                        metrics[name].append(next(numbers))
        return {"ms": ms, "metrics": metrics}

    def images(self, z):
        """Draw images from latents, in inference mode."""
        with torch.inference_mode():
            return self.nets["generator"].eval()(z.to(self.device)).cpu()
