"""Networks as people export them from PyTorch, with their gradients: exports.py OUT [SEED [NAME...]]

Writes for each network NAME.onnx (today's exporter, without its optimization, which folds weights into others),
NAME@torchscript.onnx (the older one, where it knows all operators) and NAME.safetensors (inputs, output, and the
gradients of sum(seed * output) in float64) in the form of the models that test/onnx/forward.test.ts reads:

    python test/onnx/exports.py /tmp/exports && GAN_ONNX_TEST_FORWARD=/tmp/exports npx vitest run test/onnx/forward.test.ts

It needs torch, onnx, onnxscript and safetensors.
"""
import math, os, sys, warnings
import numpy as np, onnx, torch, torch.nn as nn, torch.nn.functional as F, torch.nn.utils as U
from safetensors.numpy import save_file
from torch.nn.utils import parametrizations as P


class Attention(nn.Module):
    def __init__(s, width, heads):
        super().__init__()
        s.heads, s.qkv, s.out = heads, nn.Linear(width, 3 * width), nn.Linear(width, width)
    def forward(s, x):
        b, n, c = x.shape
        q, k, v = s.qkv(x).reshape(b, n, 3, s.heads, c // s.heads).permute(2, 0, 3, 1, 4).unbind(0)
        return s.out(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, n, c))


class VisionTransformer(nn.Module):
    def __init__(s):
        super().__init__()
        s.patch, s.cls, s.pos = nn.Conv2d(3, 16, 4, 4), nn.Parameter(torch.randn(1, 1, 16)), nn.Parameter(torch.randn(1, 17, 16))
        s.n1, s.n2, s.n3, s.a = nn.LayerNorm(16), nn.LayerNorm(16, eps=1e-6), nn.LayerNorm(16), Attention(16, 4)
        s.mlp = nn.Sequential(nn.Linear(16, 32), nn.GELU(), nn.Linear(32, 16)); s.head = nn.Linear(16, 5)
    def forward(s, x):
        x = s.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([s.cls.expand(x.shape[0], -1, -1), x], 1) + s.pos
        x = x + s.a(s.n1(x)); x = x + s.mlp(s.n2(x))
        return s.head(s.n3(x)[:, 0])


class TorchEncoder(nn.Module):  # PyTorch's own layer, causal mask, no affine norm
    def __init__(s):
        super().__init__()
        s.embed, s.layer = nn.Embedding(11, 16), nn.TransformerEncoderLayer(16, 4, 24, dropout=0.1, activation="gelu", batch_first=True, norm_first=True)
        s.pos, s.norm = nn.Embedding(7, 16), nn.LayerNorm(16, elementwise_affine=False)
    def forward(s, tokens):
        n = tokens.shape[1]
        h = s.embed(tokens) + s.pos(torch.arange(n))
        h = s.layer(h, src_mask=torch.triu(torch.full((n, n), float("-inf")), 1).to(h.dtype))
        return s.norm(h) @ s.embed.weight.t()


class ModulatedConv(nn.Module):
    def __init__(s, cin, cout, latent, k=3):
        super().__init__()
        s.weight, s.style, s.k = nn.Parameter(torch.randn(cout, cin, k, k)), nn.Linear(latent, cin), k
        s.noise, s.bias = nn.Parameter(torch.randn(1)), nn.Parameter(torch.zeros(cout))
    def forward(s, x, w):
        style = s.style(w) + 1
        y = F.conv2d(x * style[:, :, None, None], s.weight, padding=s.k // 2)
        d = torch.rsqrt((s.weight[None] * style[:, None, :, None, None]).pow(2).sum((2, 3, 4)) + 1e-8)
        return F.leaky_relu(y * d[:, :, None, None] + s.bias.view(1, -1, 1, 1), 0.2) * math.sqrt(2)


class StyleGenerator(nn.Module):
    def __init__(s):
        super().__init__()
        s.map = nn.Sequential(nn.Linear(8, 12), nn.LeakyReLU(0.2), nn.Linear(12, 12), nn.LeakyReLU(0.2))
        s.const = nn.Parameter(torch.randn(1, 6, 4, 4))
        s.c1, s.c2, s.rgb1, s.rgb2 = ModulatedConv(6, 6, 12), ModulatedConv(6, 4, 12), ModulatedConv(6, 3, 12, 1), ModulatedConv(4, 3, 12, 1)
    def forward(s, z):
        z = z * torch.rsqrt(z.pow(2).mean(1, keepdim=True) + 1e-8)
        w = s.map(z)
        x = s.c1(s.const.repeat(z.shape[0], 1, 1, 1), w); rgb = s.rgb1(x, w)
        x = s.c2(F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False), w)
        return F.interpolate(rgb, size=(8, 8), mode="bilinear", align_corners=True) + s.rgb2(x, w)


class Critic(nn.Module):  # conditional, minibatch standard deviation, reflection padding, spectral norm, projection
    def __init__(s):
        super().__init__()
        s.c1 = P.spectral_norm(nn.Conv2d(1, 8, 3, stride=2, padding=1, padding_mode="reflect")); s.c2 = nn.Conv2d(9, 8, 3)
        s.embed, s.fc = nn.Embedding(10, 8), P.spectral_norm(nn.Linear(8, 1)); s.pad = nn.ReflectionPad2d((1, 2, 0, 1))
    def forward(s, x, label):
        h = F.leaky_relu(s.c1(x), 0.2)
        sd = torch.sqrt(h.var(0, unbiased=False) + 1e-8).mean()
        h = torch.cat([h, sd.expand(h.shape[0], 1, h.shape[2], h.shape[3])], 1)
        h = F.leaky_relu(s.c2(s.pad(h)), 0.2).sum((2, 3))
        return s.fc(h) + (h * s.embed(label)).sum(1, keepdim=True)


class StdGroups(nn.Module):  # minibatch standard deviation as StyleGAN writes it: groups, channels last in the mean
    def __init__(s):
        super().__init__(); s.c = nn.Conv2d(2, 4, 1); s.d = nn.Conv2d(5, 2, 3, padding="same", padding_mode="replicate")
    def forward(s, x):
        x = s.c(x); n, c, h, w = x.shape
        y = x.reshape(2, -1, 1, c, h, w); y = y - y.mean(0); y = y.square().mean(0); y = (y + 1e-8).sqrt()
        y = y.mean(dim=[2, 3, 4]).reshape(-1, 1, 1, 1).repeat(2, 1, h, w)
        return s.d(torch.cat([x, y], 1))


class ConvVae(nn.Module):
    def __init__(s):
        super().__init__()
        s.enc = nn.Sequential(nn.Conv2d(1, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.SiLU(), nn.Conv2d(8, 8, 3, 2, 1), nn.SiLU(), nn.Flatten())
        s.both = nn.Linear(8 * 16, 8)
        s.dec = nn.Sequential(nn.Linear(4, 8 * 16), nn.Unflatten(1, (8, 4, 4)), nn.ReLU(), nn.ConvTranspose2d(8, 8, 3, 2, 1, output_padding=1), nn.ReLU(), nn.ConvTranspose2d(8, 1, 4, 2, 1), nn.Sigmoid())
    def forward(s, x, eps):
        mu, lv = s.both(s.enc(x)).chunk(2, 1)
        return torch.cat([s.dec(mu + eps * torch.exp(0.5 * lv)).flatten(1), mu, lv], 1)


class ResBlock(nn.Module):
    def __init__(s, cin, cout, stride):
        super().__init__()
        s.a, s.na, s.b, s.nb = nn.Conv2d(cin, cout, 3, stride, 1, bias=False), nn.BatchNorm2d(cout), nn.Conv2d(cout, cout, 3, 1, 1, bias=False), nn.BatchNorm2d(cout)
        s.skip = nn.Sequential(nn.Conv2d(cin, cout, 1, stride, bias=False), nn.BatchNorm2d(cout)) if stride > 1 else nn.Identity()
    def forward(s, x): return F.relu(s.nb(s.b(F.relu(s.na(s.a(x))))) + s.skip(x))


class ResNet(nn.Module):
    def __init__(s):
        super().__init__()
        s.stem = nn.Sequential(nn.Conv2d(3, 8, 7, 2, 3, bias=False), nn.BatchNorm2d(8), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1))
        s.b1, s.b2, s.fc = ResBlock(8, 8, 1), ResBlock(8, 12, 2), nn.Linear(12, 5)
    def forward(s, x): return s.fc(torch.flatten(F.adaptive_avg_pool2d(s.b2(s.b1(s.stem(x))), (1, 1)), 1))


class UNet(nn.Module):  # sinusoidal time embedding, FiLM, attention in the middle, interpolate by scale
    def __init__(s):
        super().__init__()
        s.time = nn.Sequential(nn.Linear(16, 32), nn.SiLU(), nn.Linear(32, 32)); s.inc = nn.Conv2d(1, 8, 3, padding=1)
        s.n1, s.c1, s.film = nn.GroupNorm(4, 8), nn.Conv2d(8, 16, 3, 2, 1), nn.Linear(32, 32)
        s.nm, s.qkv, s.proj = nn.GroupNorm(8, 16), nn.Conv1d(16, 48, 1), nn.Conv1d(16, 16, 1)
        s.up, s.n2, s.out = nn.ConvTranspose2d(16, 8, 2, 2), nn.InstanceNorm2d(16, affine=True), nn.Conv2d(16, 1, 3, padding=1)
    def forward(s, x, t):
        f = torch.exp(torch.arange(8, dtype=torch.float32) * (-math.log(10000.0) / 7)).to(x.dtype); a = t.unsqueeze(1) * f.unsqueeze(0) * 1000
        e = s.time(torch.stack([a.sin(), a.cos()], -1).flatten(1))
        h = s.inc(x); scale, shift = s.film(e)[:, :, None, None].chunk(2, 1)
        d = s.c1(F.silu(s.n1(h))) * (1 + scale) + shift
        b, c, hh, ww = d.shape
        q, k, v = s.qkv(s.nm(d).view(b, c, -1)).split(16, 1)
        w = torch.softmax(torch.einsum("bcn,bcm->bnm", q, k) * c**-0.5, -1)
        d = d + s.proj(torch.einsum("bnm,bcm->bcn", w, v)).view(b, c, hh, ww)
        return s.out(F.silu(s.n2(torch.cat([s.up(d), h], 1) ** 2)))


class Mixed(nn.Module):  # pixel shuffle, roll, weight norm, tanh GELU, Mish, PReLU, chunk, adaptive pool, view with the batch
    def __init__(s):
        super().__init__()
        s.c, s.wn = nn.Conv2d(4, 12, 3, padding=1), P.weight_norm(nn.Conv2d(3, 8, 3, padding=1, groups=1)); s.p = nn.PReLU(8)
        s.dw = nn.Conv2d(8, 8, 5, padding=2, groups=8, dilation=1); s.dil = nn.Conv2d(8, 6, 3, padding=2, dilation=2); s.fc = nn.Linear(6 * 4, 3)
    def forward(s, x):
        x = F.pixel_shuffle(F.gelu(s.c(x), approximate="tanh"), 2)
        x = s.p(s.wn(torch.roll(x, shifts=(1, -2), dims=(2, 3))))
        a, b = s.dw(x).chunk(2, 1); x = torch.cat([F.mish(a), F.hardswish(b)], 1)
        x = F.adaptive_avg_pool2d(s.dil(x), 2)
        return F.softplus(s.fc(x.view(x.shape[0], -1)))


class Pooled(nn.Module):  # pools and bicubic-free resizes, unshuffle, group of slices, where, clamp, norm
    def __init__(s):
        super().__init__()
        s.c, s.d, s.fc = nn.Conv2d(2, 6, (3, 5), (1, 2), (1, 2)), nn.Conv1d(6, 4, 3, padding=1), nn.Linear(8, 3); s.g = nn.GLU(1)
    def forward(s, x):
        h = F.max_pool2d(s.c(F.interpolate(x, scale_factor=(2.0, 1.5), mode="nearest")), 3, 2, 1, ceil_mode=True)
        h = F.avg_pool2d(h, 2, 1, count_include_pad=False, padding=1); h = torch.where(h > 0, h, torch.expm1(h))
        h = s.d(h.mean(3)).clamp(-1.5, 1.5); h = h / h.norm(dim=1, keepdim=True).clamp_min(1e-6)
        h = torch.cat([h[:, ::2, 1:3], h[:, 1::2, -2:]], 2).flatten(1)
        return F.normalize(s.fc(h), dim=1) + torch.logsumexp(h, 1, keepdim=True) - torch.std(h, 1, keepdim=True)


class Recurrent(nn.Module):  # a GRU cell by hand, unrolled
    def __init__(s):
        super().__init__()
        s.embed, s.ih, s.hh, s.out = nn.Embedding(9, 6), nn.Linear(6, 24), nn.Linear(8, 24), nn.Linear(8, 4)
    def forward(s, tokens):
        x = s.embed(tokens); h = x.new_zeros(x.shape[0], 8)
        for t in range(4):
            ir, iz, i_n = s.ih(x[:, t]).chunk(3, 1); hr, hz, hn = s.hh(h).chunk(3, 1)
            r, z = torch.sigmoid(ir + hr), torch.sigmoid(iz + hz); h = (1 - z) * torch.tanh(i_n + r * hn) + z * h
        return s.out(h)


class TextConditioned(nn.Module):  # masked attention, gather at the last token, layer scale, RMS norm, SwiGLU, rotary
    def __init__(s):
        super().__init__()
        s.embed, s.q, s.kv, s.o = nn.Embedding(13, 16), nn.Linear(16, 16, bias=False), nn.Linear(16, 32, bias=False), nn.Linear(16, 16)
        s.g, s.up, s.dn = nn.Linear(16, 24), nn.Linear(16, 24), nn.Linear(24, 16); s.rms = nn.RMSNorm(16, eps=1e-6); s.gamma = nn.Parameter(torch.full((16,), 0.1))
        freq = 1.0 / (100 ** (torch.arange(0, 4, dtype=torch.float64) / 4)); a = torch.arange(6, dtype=torch.float64)[:, None] * freq; s.register_buffer("cos", a.cos()); s.register_buffer("sin", a.sin())
    def rot(s, x):
        a, b = x[..., ::2], x[..., 1::2]; c, d = s.cos.to(x.dtype), s.sin.to(x.dtype)
        return torch.stack([a * c - b * d, a * d + b * c], -1).flatten(-2)
    def forward(s, tokens):
        x = s.embed(tokens); b, n, _ = x.shape; h = s.rms(x); k, v = s.kv(h).view(b, n, 2, 2, 8).unbind(2)
        q, k, v = s.rot(s.q(h).view(b, n, 2, 8).transpose(1, 2)), s.rot(k.transpose(1, 2)), v.transpose(1, 2)
        w = (q @ k.transpose(-1, -2)) / math.sqrt(8); w = w.masked_fill((tokens == 0)[:, None, None, :], -1e4).softmax(-1)
        x = x + s.gamma * s.o((w @ v).transpose(1, 2).reshape(b, n, 16)); x = x + s.dn(F.silu(s.g(x)) * s.up(x))
        return x[torch.arange(b), tokens.argmax(-1)]


class Old(nn.Module):  # old spectral and weight norm, BatchNorm1d, squeeze-excite, channel shuffle
    def __init__(s):
        super().__init__()
        s.a = U.spectral_norm(nn.Conv2d(3, 8, 3, padding=1)); s.b = U.weight_norm(nn.Conv2d(8, 8, 3, padding=1, groups=2)); s.bn = nn.BatchNorm1d(8)
        s.se = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(8, 2, 1), nn.ReLU6(), nn.Conv2d(2, 8, 1), nn.Hardsigmoid()); s.fc = nn.Linear(8, 3)
    def forward(s, x):
        h = F.relu6(s.a(x)); n, c, H, W = h.shape
        h = h.view(n, 2, c // 2, H, W).transpose(1, 2).reshape(n, c, H, W)
        h = s.b(h); h = h * s.se(h); return s.fc(s.bn(h.mean([2, 3])))

class Skips(nn.Module):  # sizes from other tensors, crops, flips, replicate and circular padding
    def __init__(s):
        super().__init__(); s.a, s.b, s.c = nn.Conv2d(2, 4, 3, 2), nn.Conv2d(4, 4, 3, padding=1, padding_mode="circular"), nn.ConvTranspose2d(8, 4, (3, 2), (2, 1), (1, 0), (1, 0), groups=2, dilation=(1, 2))
        s.ln = nn.LayerNorm([4, 4, 4])
    def forward(s, x):
        h = s.a(x); g = F.interpolate(s.b(h), size=x.shape[2:], mode="bilinear"); g = F.pad(g, (-1, 2, 1, -2)); y = F.interpolate(h, size=(g.shape[2], g.shape[3]))
        y = torch.cat([g.flip(3), F.pad(y[:, :, 1:-1, 1:], (1, 0, 1, 1), mode="replicate")], 1)
        return s.c(y).mean((2, 3)) + s.ln(h[:, :, :4, :4]).flatten(1).amax(1, keepdim=True)

class Acts(nn.Module):
    def __init__(s): super().__init__(); s.l = nn.Linear(6, 12)
    def forward(s, x):
        h = s.l(x); o = [F.elu(h), F.selu(h), F.celu(h, 1.3), F.softsign(h), F.hardsigmoid(h), F.hardtanh(h), F.relu6(h), F.threshold(h, 0.0, 0.0), F.logsigmoid(h), F.hardswish(h), F.softshrink(h), F.hardshrink(h), F.tanhshrink(h), torch.atan(h), torch.rsqrt(h.abs() + 1), torch.log1p(h.square()), torch.sign(h) * h, torch.maximum(h, -h * 0.5), h.floor() * h, torch.addcmul(h, h, h, value=0.5),]
        return torch.stack(o, 1)

class Cross(nn.Module):  # MultiheadAttention with masks, cosine similarity, a loss that is a scalar
    def __init__(s):
        super().__init__(); s.e = nn.Embedding(9, 8, padding_idx=0); s.m = nn.MultiheadAttention(8, 2, batch_first=True); s.q = nn.Parameter(torch.randn(3, 8)); s.o = nn.Linear(8, 5)
    def forward(s, tokens, target):
        h = s.e(tokens); q = s.q.expand(tokens.shape[0], -1, -1)
        h, _ = s.m(q, h, h, key_padding_mask=tokens == 0)
        sim = F.cosine_similarity(h, q, dim=-1).sum(1)
        return F.cross_entropy(s.o(h[:, 0]), target) + sim.mean()

class Indexing(nn.Module):
    def __init__(s): super().__init__(); s.a, s.b, s.w = nn.Linear(6, 6), nn.Bilinear(6, 6, 4), nn.Parameter(torch.randn(6))
    def forward(s, x, i):
        h = s.a(x); g = torch.gather(h, 1, i); k = torch.index_select(h, 1, torch.tensor([3, 0, 5])); c = torch.cumsum(h, 1)
        t = torch.topk(h, 3, 1).values; z = torch.zeros_like(h).scatter(1, i, g); z = z + torch.zeros_like(h).scatter_add(1, i, g * 2)
        v = h @ s.w; o = F.one_hot(i[:, 0], 6).to(h.dtype); tr = torch.tril(h[:, :, None] * h[:, None, :]); st = h.amax(1, keepdim=True)
        return torch.cat([g, k, c, t, z, v[:, None], o * h, tr.sum(2), st, torch.einsum("bi,bj->bij", h, c).diagonal(dim1=1, dim2=2), h[:, [1, 1, 4]]], 1)

class Signal(nn.Module):  # one dimension: dilated causal convolutions, gates, transposed, unfold by strides
    def __init__(s):
        super().__init__(); s.a, s.b, s.u = nn.Conv1d(2, 8, 3, dilation=2), nn.Conv1d(4, 8, 1), nn.ConvTranspose1d(4, 3, 4, 2, 1); s.n = nn.GroupNorm(1, 4); s.p = nn.MaxPool1d(2); s.av = nn.AvgPool1d(3, 2, 1)
    def forward(s, x):
        a, b = s.a(F.pad(x, (4, 0))).chunk(2, 1); h = torch.tanh(a) * torch.sigmoid(b); h = s.n(h); g = F.glu(s.b(h), 1)
        y = s.u(g + h); return torch.cat([s.p(y).flatten(1), s.av(y).flatten(1), F.lp_pool1d(y.abs() + 0.1, 2, 2).flatten(1), F.interpolate(g, scale_factor=2, mode="linear").flatten(1)], 1)

class Patches(nn.Module):  # MLP-mixer, unfold, pixel_unshuffle, window partition and roll as Swin
    def __init__(s):
        super().__init__(); s.e, s.t, s.c, s.f = nn.Linear(12, 8), nn.Linear(16, 16), nn.Linear(8, 8), nn.Linear(27, 4); s.n = nn.LayerNorm(8); s.bias = nn.Parameter(torch.randn(9, 2)); s.register_buffer("idx", torch.arange(16).view(4, 4) % 9)
        s.qkv = nn.Linear(8, 24)
    def forward(s, x):
        b = x.shape[0]; h = F.pixel_unshuffle(x, 2).permute(0, 2, 3, 1); h = s.e(h)  # b 4 4 8
        h = h.reshape(b, 16, 8); h = h + s.t(s.n(h).transpose(1, 2)).transpose(1, 2); h = h.view(b, 4, 4, 8)
        w = torch.roll(h, (-1, -1), (1, 2)).view(b, 2, 2, 2, 2, 8).permute(0, 1, 3, 2, 4, 5).reshape(-1, 4, 8)
        q, k, v = s.qkv(w).reshape(-1, 4, 3, 2, 4).permute(2, 0, 3, 1, 4)
        a = (q * 0.5) @ k.transpose(-2, -1) + s.bias[s.idx.view(-1)].view(4, 4, 2).permute(2, 0, 1)[None]
        w = (a.softmax(-1) @ v).transpose(1, 2).reshape(-1, 4, 8); h = w.view(b, 2, 2, 2, 2, 8).permute(0, 1, 3, 2, 4, 5).reshape(b, 4, 4, 8)
        u = F.unfold(x, 3, padding=1, stride=2).transpose(1, 2)
        return torch.cat([s.c(h).flatten(1), s.f(u).flatten(1)], 1)

class Norms(nn.Module):
    def __init__(s):
        super().__init__(); s.a = nn.Conv2d(3, 6, 3, padding=1); s.gn = nn.GroupNorm(3, 6, affine=False); s.inn = nn.InstanceNorm2d(6); s.ln = nn.LayerNorm(5, bias=False); s.lrn = nn.LocalResponseNorm(3); s.bn = nn.BatchNorm2d(6, affine=False); s.s, s.b = nn.Linear(4, 6), nn.Linear(4, 6)
    def forward(s, x, w):
        h = s.a(x); m, v = h.mean((2, 3), keepdim=True), h.var((2, 3), keepdim=True); ad = (h - m) / torch.sqrt(v + 1e-5) * (1 + s.s(w)[:, :, None, None]) + s.b(w)[:, :, None, None]
        return s.gn(h) + s.inn(h * 2) + s.ln(h) + s.bn(h) + ad + F.normalize(h, dim=1) + F.layer_norm(h, h.shape[1:])


class RmsNorm(nn.Module):
    def __init__(s, width): super().__init__(); s.weight = nn.Parameter(torch.ones(width))
    def forward(s, x): return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-6) * s.weight


class RotaryViT(nn.Module):  # rotary positions, RMS norm, SwiGLU, layer scale, registers, positions resized bicubically, a mask
    def __init__(s):
        super().__init__()
        s.patch, s.cls, s.pos = nn.Conv2d(3, 16, 4, 4), nn.Parameter(torch.randn(1, 3, 16)), nn.Parameter(torch.randn(1, 16, 2, 2))
        s.n1, s.n2, s.n3, s.qkv, s.out = RmsNorm(16), RmsNorm(16), RmsNorm(16), nn.Linear(16, 48, bias=False), nn.Linear(16, 16)
        s.g, s.u, s.d, s.s1, s.s2 = nn.Linear(16, 24, bias=False), nn.Linear(16, 24, bias=False), nn.Linear(24, 16), nn.Parameter(torch.ones(16) * 0.1), nn.Parameter(torch.ones(16) * 0.1)
        s.head = nn.Linear(16, 5); s.temperature = nn.Parameter(torch.tensor(1.0))
        angle = torch.arange(19)[:, None] * 10000.0 ** (-torch.arange(0, 4, 2) / 4); s.register_buffer("cos", angle.cos().repeat(1, 2)); s.register_buffer("sin", angle.sin().repeat(1, 2))
        s.register_buffer("mask", torch.arange(19)[:, None] // 8 >= torch.arange(19)[None] // 8)
    def rotate(s, x): a, b = x.chunk(2, -1); return x * s.cos + torch.cat([-b, a], -1) * s.sin
    def forward(s, x):
        h = s.patch(x); h = h + F.interpolate(s.pos, size=h.shape[-2:], mode="bicubic", align_corners=False)
        h = torch.cat([s.cls.expand(x.shape[0], -1, -1), h.flatten(2).transpose(1, 2)], 1); b, n, c = h.shape
        q, k, v = (t.view(b, n, 4, 4).transpose(1, 2) for t in s.qkv(s.n1(h)).split(16, -1))
        a = F.scaled_dot_product_attention(F.normalize(s.rotate(q), dim=-1) * s.temperature, s.rotate(k), v, attn_mask=s.mask, scale=0.7)
        h = h + s.s1 * s.out(a.transpose(1, 2).flatten(2)); m = s.n2(h); h = h + s.s2 * s.d(F.silu(s.g(m)) * s.u(m))
        return s.head(s.n3(h).mean(1))


class DiffusionBlock(nn.Module):
    def __init__(s, cin, cout):
        super().__init__(); s.n1, s.c1, s.n2, s.c2 = nn.GroupNorm(2, cin), nn.Conv2d(cin, cout, 3, padding=1), nn.GroupNorm(4, cout), nn.Conv2d(cout, cout, 3, padding=1)
        s.t, s.skip = nn.Linear(16, 2 * cout), nn.Conv2d(cin, cout, 1) if cin != cout else nn.Identity()
    def forward(s, x, t):
        h = s.c1(F.silu(s.n1(x))); scale, shift = s.t(F.silu(t))[:, :, None, None].chunk(2, 1)
        return (s.skip(x) + s.c2(F.dropout(F.silu(s.n2(h) * (1 + scale) + shift), 0.1, s.training))) / math.sqrt(2)


class DiffusionUNet(nn.Module):  # as ADM: scale and shift from the time, attention by einsum, learned variance, classes dropped by 0
    def __init__(s):
        super().__init__(); s.t1, s.t2, s.y = nn.Linear(8, 16), nn.Linear(16, 16), nn.Embedding(4, 16)
        s.inp, s.d1, s.down, s.d2 = nn.Conv2d(2, 8, 3, padding=1), DiffusionBlock(8, 8), nn.Conv2d(8, 8, 3, 2, 1), DiffusionBlock(8, 12)
        s.n, s.qkv, s.o, s.m = nn.GroupNorm(4, 12, eps=1e-6), nn.Conv1d(12, 36, 1), nn.Conv1d(12, 12, 1), DiffusionBlock(12, 12)
        s.up, s.u1, s.out = nn.Conv2d(12, 8, 3, padding=1), DiffusionBlock(16, 8), nn.Sequential(nn.GroupNorm(4, 8), nn.SiLU(), nn.Conv2d(8, 4, 3, padding=1))
    def forward(s, x, t, label):
        f = torch.exp(-math.log(1e4) * torch.arange(4, dtype=x.dtype) / 4); e = t[:, None] * f * 100
        e = s.t2(F.silu(s.t1(torch.cat([e.cos(), e.sin()], 1)))) + s.y(label)
        h0 = s.d1(s.inp(x), e); h = s.d2(s.down(h0), e); b, c, H, W = h.shape
        q, k, v = s.qkv(s.n(h).reshape(b, c, H * W)).reshape(b * 2, 18, H * W).split(6, 1)
        w = torch.softmax(torch.einsum("bct,bcs->bts", q * 6 ** -0.25, k * 6 ** -0.25), -1)
        h = h + s.o(torch.einsum("bts,bcs->bct", w, v).reshape(b, c, H * W)).reshape(b, c, H, W)
        h = s.u1(torch.cat([s.up(F.interpolate(s.m(h, e), scale_factor=2.0, mode="nearest")), h0], 1), e)
        eps, v = s.out(h).chunk(2, 1); return torch.cat([eps, torch.lerp(v * 0.5, v.tanh(), 0.3)], 1)


class Fir(nn.Module):  # upfirdn2d as StyleGAN2's reference in PyTorch: zeros between, pad, a convolution of each channel
    def __init__(s, up): super().__init__(); s.up = up; f = torch.tensor([1.0, 3, 3, 1]); s.register_buffer("f", f.outer(f) / f.sum() ** 2 * up ** 2)
    def forward(s, x):
        b, c, h, w = x.shape
        x = F.pad(x.reshape(b, c, h, 1, w, 1), [0, s.up - 1, 0, 0, 0, s.up - 1]).reshape(b, c, h * s.up, w * s.up)
        x = F.pad(x, [2, 1, 2, 1]); return F.conv2d(x, s.f.flip([0, 1])[None, None].repeat(c, 1, 1, 1), groups=c)


class StyleGan2(nn.Module):  # demodulated weights of each sample, noise as inputs, FIR upsampling, equalized rates, truncation
    def __init__(s):
        super().__init__(); s.m1, s.m2, s.const = nn.Parameter(torch.randn(12, 8)), nn.Parameter(torch.randn(12)), nn.Parameter(torch.randn(6, 4, 4))
        s.a1, s.a2, s.w1, s.w2, s.rgb = nn.Linear(12, 6), nn.Linear(12, 6), nn.Parameter(torch.randn(6, 6, 3, 3)), nn.Parameter(torch.randn(4, 6, 3, 3)), nn.Conv2d(4, 3, 1)
        s.s1, s.b1, s.b2, s.up = nn.Parameter(torch.tensor(0.3)), nn.Parameter(torch.randn(6)), nn.Parameter(torch.randn(4)), Fir(2); s.register_buffer("avg", torch.randn(12) * 0.2)
    def conv(s, x, weight, style):  # the batch as one image of grouped channels would fix the batch: taps as a product instead
        b, c, h, w = x.shape; w_ = weight[None] * style.reshape(b, 1, c, 1, 1); w_ = w_ * (w_.square().sum([2, 3, 4], keepdim=True) + 1e-8).rsqrt()
        taps = F.unfold(x, 3, padding=1); return torch.bmm(w_.flatten(2), taps).view(b, -1, h, w)
    def forward(s, z, noise):
        w = F.leaky_relu(F.linear(z * (z.square().mean(1, keepdim=True) + 1e-8).rsqrt(), s.m1 / math.sqrt(8), s.m2), 0.2) * math.sqrt(2); w = s.avg.lerp(w, 0.7)
        x = s.conv(s.const.unsqueeze(0).repeat(z.shape[0], 1, 1, 1), s.w1, s.a1(w) + 1); x = F.leaky_relu(x + s.b1[:, None, None], 0.2).clamp(-256, 256)
        x = s.conv(s.up(x), s.w2, s.a2(w) + 1) + noise * s.s1 + s.b2.reshape(1, -1, 1, 1); return s.rgb(F.leaky_relu(x, 0.2))


class InvertedResidual(nn.Module):
    def __init__(s, cin, mid, cout, k, stride, se):
        super().__init__(); s.e, s.d, s.p = nn.Sequential(nn.Conv2d(cin, mid, 1, bias=False), nn.BatchNorm2d(mid, eps=1e-3), nn.Hardswish(inplace=True)), nn.Sequential(nn.Conv2d(mid, mid, k, stride, k // 2, groups=mid, bias=False), nn.BatchNorm2d(mid, eps=1e-3), nn.Hardswish()), nn.Sequential(nn.Conv2d(mid, cout, 1, bias=False), nn.BatchNorm2d(cout, eps=1e-3))
        s.se = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(mid, 4, 1), nn.ReLU(), nn.Conv2d(4, mid, 1), nn.Hardsigmoid()) if se else None; s.same = stride == 1 and cin == cout
    def forward(s, x):
        h = s.d(s.e(x)); h = s.se(h) * h if s.se is not None else h; h = s.p(h); return x + h if s.same else h


class MobileNet(nn.Module):
    def __init__(s):
        super().__init__(); s.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.Hardswish())
        s.b = nn.Sequential(InvertedResidual(8, 16, 8, 3, 1, True), InvertedResidual(8, 24, 12, 5, 2, False), InvertedResidual(12, 24, 12, 3, 1, True))
        s.head = nn.Sequential(nn.Linear(12, 16), nn.Hardswish(), nn.Dropout(0.2), nn.Linear(16, 5))
    def forward(s, x): h = s.b(s.stem(F.pad(x, (0, 1, 0, 1)))); return s.head(h.mean([2, 3]))


class Gpt(nn.Module):  # grouped key and value heads, a causal buffer with masked_fill, padding by length, tied head, tanh GELU
    def __init__(s):
        super().__init__(); s.wte, s.wpe, s.q, s.kv, s.o = nn.Embedding(13, 16), nn.Embedding(8, 16), nn.Linear(16, 16), nn.Linear(16, 8), nn.Linear(16, 16)
        s.n1, s.n2, s.n3, s.up, s.down = nn.LayerNorm(16), nn.LayerNorm(16), nn.LayerNorm(16, bias=False), nn.Linear(16, 32), nn.Linear(32, 16); s.register_buffer("bias", torch.tril(torch.ones(8, 8)).view(1, 1, 8, 8))
    def forward(s, tokens, lengths):
        b, n = tokens.size(); h = s.wte(tokens) + s.wpe(torch.arange(n, device=tokens.device).unsqueeze(0)); x = s.n1(h)
        q = s.q(x).view(b, n, 4, 4).transpose(1, 2); k, v = s.kv(x).view(b, n, 2, 1, 4).repeat_interleave(2, dim=2).expand(b, n, 4, 1, 4).squeeze(3).transpose(1, 2), s.kv(x).view(b, n, 2, 4).repeat_interleave(2, dim=2).transpose(1, 2)
        a = (q @ k.transpose(-2, -1)) / math.sqrt(4); a = a.masked_fill(s.bias[:, :, :n, :n] == 0, float("-inf"))
        a = a.masked_fill((torch.arange(n)[None] >= lengths[:, None])[:, None, None, :], torch.finfo(torch.float32).min)
        h = h + s.o((F.softmax(a, dim=-1) @ v).transpose(1, 2).contiguous().view(b, n, 16)); h = h + s.down(F.gelu(s.up(s.n2(h)), approximate="tanh"))
        return F.log_softmax(F.linear(s.n3(h), s.wte.weight) * 0.5, -1).gather(2, tokens.roll(-1, 1).unsqueeze(2)).squeeze(2)


class BlurCritic(nn.Module):  # minibatch deviation over groups, blur pooling, weight norm, PReLU, a skip by average pooling, softplus
    def __init__(s):
        super().__init__(); s.rgb, s.c1, s.c2, s.skip = P.weight_norm(nn.Conv2d(3, 6, 1)), P.spectral_norm(nn.Conv2d(6, 6, 3, padding=1)), P.weight_norm(nn.Conv2d(6, 8, 3, 2, bias=False)), nn.Conv2d(6, 8, 1, bias=False)
        s.act, s.last, s.fc, s.out = nn.PReLU(6), nn.Conv2d(9, 8, 3, padding=1), nn.Linear(8 * 16, 8), nn.Linear(8, 1); f = torch.tensor([1.0, 2, 1]); s.register_buffer("blur", (f.outer(f) / 16)[None, None])
    def forward(s, x):
        h = s.act(s.rgb(x)); y = F.conv2d(F.pad(s.act(s.c1(h)), (1, 2, 1, 2), mode="reflect"), s.blur.expand(6, 1, 3, 3), groups=6); y = s.c2(y)
        h = (y + s.skip(F.avg_pool2d(h, 2))) / math.sqrt(2); n, c, H, W = h.shape
        g = h.view(2, -1, c, H, W); sd = torch.std(g, dim=0, unbiased=False).mean([1, 2, 3], keepdim=True).repeat(2, 1, H, W)
        h = F.leaky_relu(s.last(torch.cat([h, sd], 1)), 0.2); return F.softplus(s.out(F.leaky_relu(s.fc(h.flatten(1)), 0.2)))


NETS = {
    "vit": (VisionTransformer, lambda: (torch.randn(3, 3, 16, 16),)),
    "encoder": (TorchEncoder, lambda: (torch.randint(0, 11, (3, 7)),)),
    "style": (StyleGenerator, lambda: (torch.randn(3, 8),)),
    "critic": (Critic, lambda: (torch.randn(4, 1, 12, 12), torch.randint(0, 10, (4,)))),
    "std_groups": (StdGroups, lambda: (torch.randn(4, 2, 5, 5),)),
    "vae": (ConvVae, lambda: (torch.rand(3, 1, 16, 16), torch.randn(3, 4))),
    "resnet": (ResNet, lambda: (torch.randn(3, 3, 32, 32),)),
    "unet": (UNet, lambda: (torch.randn(2, 1, 8, 8), torch.rand(2))),
    "mixed": (Mixed, lambda: (torch.randn(3, 4, 6, 6),)),
    "pooled": (Pooled, lambda: (torch.randn(3, 2, 8, 8),)),
    "recurrent": (Recurrent, lambda: (torch.randint(0, 9, (3, 4)),)),
    "text": (TextConditioned, lambda: (torch.randint(1, 13, (3, 6)),)),
    "old": (Old, lambda: (torch.randn(3, 3, 8, 8),)), "skips": (Skips, lambda: (torch.randn(2, 2, 9, 9),)), "acts": (Acts, lambda: (torch.randn(3, 6),)),
    "cross": (Cross, lambda: (torch.cat([torch.randint(1, 9, (3, 4)), torch.zeros(3, 2, dtype=torch.long)], 1), torch.randint(0, 5, (3,)))),
    "indexing": (Indexing, lambda: (torch.randn(3, 6), torch.stack([torch.randperm(6)[:4] for _ in range(3)]))), "signal": (Signal, lambda: (torch.randn(3, 2, 12),)),
    "patches": (Patches, lambda: (torch.randn(2, 3, 8, 8),)), "norms": (Norms, lambda: (torch.randn(2, 3, 5, 5), torch.randn(2, 4))),
    "rotary": (RotaryViT, lambda: (torch.randn(3, 3, 16, 16),)), "mobile": (MobileNet, lambda: (torch.randn(3, 3, 15, 15),)),
    "diffusion": (DiffusionUNet, lambda: (torch.randn(3, 2, 8, 8), torch.rand(3), torch.tensor([0, 3, 1]))),
    "style2": (StyleGan2, lambda: (torch.randn(3, 8), torch.randn(3, 1, 8, 8))),
    "gpt": (Gpt, lambda: (torch.randint(0, 13, (3, 6)), torch.tensor([6, 4, 5]))), "blur": (BlurCritic, lambda: (torch.randn(4, 3, 8, 8),)),
}

# These are exported in several opsets, with fixed and with symbolic batches.
SIX = ("rotary", "mobile", "diffusion", "style2", "gpt", "blur")


def export(out, name, net, inputs, names):
    batch = torch.export.Dim("batch")
    today = lambda opset, dynamic: dict(dynamo=True, optimize=False, opset_version=opset, dynamic_shapes=tuple({0: batch} for _ in inputs) if dynamic else None)
    older = lambda opset, dynamic: dict(dynamo=False, opset_version=opset, dynamic_axes={n: {0: "batch"} for n in names} if dynamic else None)
    kinds = {"": today(18, True), "@torchscript": older(17, True)}
    if name in SIX:
        kinds |= {"@opset20,static": today(20, False), "@opset23": today(23, True)}
        kinds |= {"@torchscript,opset11": older(11, True), "@torchscript,opset14,static": older(14, False), "@torchscript,opset20": older(20, True)}
    for kind, options in kinds.items():
        file = name + kind
        target = os.path.join(out, file + ".onnx")
        try:
            torch.onnx.export(net, inputs, target, input_names=names, output_names=["y"], verbose=False, do_constant_folding=False, **options)
        except Exception as error:  # an exporter does not know all operators, in all opsets
            print(f"{file}: not exported: {str(error).splitlines()[0][:100]}")
            continue
        model = onnx.load(target)
        if os.path.exists(target + ".data"):
            os.remove(target + ".data")
        onnx.save(model, target)  # with its weights inside


def record(out, name, net, inputs, names):
    net = net.double()
    xs = [x.double().requires_grad_() if x.is_floating_point() else x for x in inputs]
    y = net(*xs)
    seed = torch.randn_like(y)
    (seed * y).sum().backward()
    tensors = {"output": y, "seed": seed} | {f"input.{n}": x for n, x in zip(names, xs)}
    tensors |= {f"grad.{n}": x.grad for n, x in zip(names, xs)} | {f"grad.{n}": p.grad for n, p in net.named_parameters()}
    kinds = {k: v.detach().numpy().astype(np.float32 if v.is_floating_point() else np.int64) for k, v in tensors.items() if v is not None}
    save_file({k: np.ascontiguousarray(v) for k, v in kinds.items()}, os.path.join(out, name + ".safetensors"))


def main(out, seed=1, *only):
    warnings.filterwarnings("ignore")
    os.makedirs(out, exist_ok=True)
    for name, (make, example) in NETS.items():
        if only and name not in only:
            continue
        torch.manual_seed(int(seed))
        net, inputs = make().eval(), example()
        with torch.no_grad():
            for p in net.parameters():
                p.add_(torch.randn_like(p) * 0.05)  # no two weights alike: exporters would merge them
        for m in net.modules():
            if getattr(m, "running_mean", None) is not None:
                m.running_mean.normal_(0, 0.3), m.running_var.uniform_(0.5, 2)
        names = list(net.forward.__code__.co_varnames[1 : net.forward.__code__.co_argcount])
        export(out, name, net, inputs, names)
        record(out, name, net, inputs, names)


if __name__ == "__main__":
    main(*sys.argv[1:])
