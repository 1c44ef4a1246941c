"""What does self-attention cost? The kit's against the usual ten lines (plain_attention.py). Run by ``make bench``.

Forward and backward, batch 4, 64 channels, fp32, in turns. At 64x64 the kit is to need at most a third of the memory
and no more time; at 128x128, where the N x N map alone would take 4 GB, at most 2 GB. Memory is a process's at its
highest less what it held before, on a GPU what PyTorch has handed out. Fails where an aim is missed.
"""

import sys

import torch
from plain_attention import use_plain_attention
from torch import Tensor
from turns import Side, Steps, device, in_turns, machine, repeated

from strokegan_lib.models.attention import SelfAttention

BATCH, CHANNELS = 4, 64
AIMS = {"time": 1.0, "memory": 1 / 3, "memory at 128x128": 2000}  # kit / plain, kit / plain, MB


def pass_through(attention: SelfAttention, side: int) -> list[Tensor]:
    """Forward and backward on random numbers: output and every gradient."""
    numbers = torch.Generator().manual_seed(0)
    x, g = (torch.randn(BATCH, CHANNELS, side, side, generator=numbers).to(device()) for _ in range(2))
    y = attention(x.requires_grad_())
    return [y, *torch.autograd.grad(y, [x, *attention.parameters()], g)]


def make(plain: bool, side: int) -> Steps:
    """Attention over side x side positions, ready to be measured."""
    torch.manual_seed(0)
    attention = SelfAttention(CHANNELS).to(device())
    if plain:
        use_plain_attention(attention)
    pass_through(attention, 16)  # what PyTorch sets up once is not attention's
    return repeated(lambda: pass_through(attention, side))


def main() -> int:
    print(f"Self-attention, batch {BATCH}, {CHANNELS} channels: {machine()}; fp32")
    with Side(make, False, 64) as kit, Side(make, True, 64) as plain:
        kit_ms, plain_ms, faster = in_turns(kit, plain, 1)
        kit_mb, plain_mb = kit.peak_megabytes(), plain.peak_megabytes()
    print(f"64x64    kit {kit_ms:.0f} ms, {kit_mb:.0f} MB; plain {plain_ms:.0f} ms, {plain_mb:.0f} MB")
    with Side(make, False, 128) as kit:
        print(f"128x128  kit {kit.milliseconds(1):.0f} ms, {kit.peak_megabytes():.0f} MB")
        found = (1 / faster, kit_mb / plain_mb, kit.peak_megabytes())
    for (name, aim), value in zip(AIMS.items(), found, strict=True):
        print(f"{name:17} {value:7.2f}, aim {aim:7.2f}: {'missed' if value > aim else 'met'}")
    return int(any(value > aim for aim, value in zip(AIMS.values(), found, strict=True)))


if __name__ == "__main__":
    sys.exit(main())
