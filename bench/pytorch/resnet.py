"""A small ResNet (He et al. 2016, https://arxiv.org/abs/1512.03385) for images [1, 28, 28]: python resnet.py OUT.onnx writes it."""
import sys
import warnings

import torch
import torch.nn as nn
import torch.nn.functional as F


class Block(nn.Module):
    def __init__(self, before, after, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(before, after, 3, stride, 1, bias=False), nn.BatchNorm2d(after)
        self.conv2, self.bn2 = nn.Conv2d(after, after, 3, 1, 1, bias=False), nn.BatchNorm2d(after)
        self.skip = nn.Sequential()
        if stride != 1 or before != after:
            self.skip = nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))

    def forward(self, x):
        h = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(h + self.skip(x))


class ResNet(nn.Module):
    def __init__(self, width=16, classes=10):
        super().__init__()
        self.stem, self.bn, self.pool = nn.Conv2d(1, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.MaxPool2d(3, 2, 1)
        self.blocks = nn.Sequential(Block(width, width, 1), Block(width, 2 * width, 2), Block(2 * width, 4 * width, 2))
        self.fc = nn.Linear(4 * width, classes)

    def forward(self, x):
        h = self.blocks(self.pool(F.relu(self.bn(self.stem(x.view(-1, 1, 28, 28))))))
        return self.fc(F.adaptive_avg_pool2d(h, 1).flatten(1))


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    torch.manual_seed(0)
    names = dict(input_names=["x"], output_names=["y"], dynamic_axes={"x": {0: "batch"}, "y": {0: "batch"}})
    net = ResNet()
    with torch.no_grad():  # no two tensors alike: the exporter would merge them
        for tensor in (t for t in net.state_dict().values() if t.is_floating_point()):
            tensor.add_(torch.rand_like(tensor) * 0.01)
    torch.onnx.export(net.eval(), (torch.randn(2, 1, 28, 28),), sys.argv[1], dynamo=False, do_constant_folding=False, **names)
