"""Self-attention as it is written on paper, and the memory of either way: ``attention_on_paper.py WAY SIZE BATCH``."""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from torch import Tensor

from strokegan_lib.models.attention import SelfAttention


def plain(module: SelfAttention, x: Tensor) -> Tensor:
    """What *module* computes, (B, C, H, W) to (B, C, H, W), by the N x N map (SAGAN, equations 1-3)."""
    b, _, h, w = x.shape
    g, f, values = (layer(x).flatten(2) for layer in (module.query, module.key, module.value))  # (B, ., N)
    s = f.transpose(1, 2) @ g  # (B, N, N): s[i, j], how much position j wants of position i
    weights = s.softmax(dim=1)  # over i
    o = (values @ weights).reshape(b, -1, h, w)  # (B, C/2, H, W): column j sums over i
    return x + module.gamma * module.back(o)


def peak() -> float:
    """The most memory this process has held, MB.

    Not ``ru_maxrss``: across fork and exec that begins with what the parent held.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1000


def main() -> None:
    way, size, batch = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    torch.set_num_threads(1)
    module = SelfAttention(64)
    torch.nn.init.constant_(module.gamma, 0.5)
    x = torch.randn(batch, 64, size, size, requires_grad=True)
    out = plain(module, x) if way == "plain" else module(x)
    out.square().sum().backward()
    assert x.grad.isfinite().all() and module.query.parametrizations.weight.original.grad.any()
    print(peak())


if __name__ == "__main__":
    main()
