"""What does self-attention cost? The kit's against the usual ten lines (plain_attention.py). Run by ``make bench``.

Forward and backward, batch 4, 64 channels, fp32, in turns. At 64x64 the kit is to need at most a third of the memory
and no more time; at 128x128, where the N x N map alone would take 4 GB, at most 2 GB. Memory is a process's at its
highest less what it held before, on a GPU what PyTorch has handed out. Fails where an aim is missed.
"""

import argparse
import statistics
import sys

import torch
from plain_attention import use_plain_attention
from torch import Tensor
from turns import Side, Steps, device, in_turns, machine, synchronise

from strokegan_lib.models.attention import SelfAttention

BATCH, CHANNELS = 4, 64
ROUNDS = 5
AIM_MEMORY, AIM_TIME, AIM_LARGE = 1 / 3, 1.0, 2000  # kit / plain, kit / plain, MB at 128x128


def pass_through(attention: SelfAttention, side: int) -> list[Tensor]:
    """Forward and backward on random numbers: output and every gradient."""
    numbers = torch.Generator().manual_seed(0)
    x, g = (torch.randn(BATCH, CHANNELS, side, side, generator=numbers).to(device()) for _ in range(2))
    y = attention(x.requires_grad_())
    return [y, *torch.autograd.grad(y, [x, *attention.parameters()], g)]


def make(plain: bool, side: int) -> tuple[Steps, str]:
    """Attention over side x side positions, ready to be measured."""
    torch.manual_seed(0)
    attention = SelfAttention(CHANNELS).to(device())
    if plain:
        use_plain_attention(attention)
    pass_through(attention, 16)  # what PyTorch sets up once is not attention's

    def steps(count: int) -> None:
        for _ in range(count):
            pass_through(attention, side)
        synchronise()

    return steps, ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"turns of each side (default: {ROUNDS})")
    rounds = parser.parse_args().rounds
    print(f"Self-attention, batch {BATCH}, {CHANNELS} channels: {machine()}; fp32")
    print("size      kit, ms  plain, ms  kit/plain  kit, MB  plain, MB  kit/plain")
    with Side(make, False, 64) as kit, Side(make, True, 64) as plain:
        times = in_turns([kit, plain], 1, rounds)  # seconds
        kit_mb, plain_mb = kit.peak_megabytes(), plain.peak_megabytes()
    kit_ms, plain_ms = (1000 * statistics.median(column) for column in zip(*times, strict=True))
    time_ratio = statistics.median(ours / theirs for ours, theirs in times)
    print(
        f"64x64    {kit_ms:8.0f} {plain_ms:10.0f} {time_ratio:10.2f} {kit_mb:8.0f} {plain_mb:10.0f}"
        f" {kit_mb / plain_mb:10.2f}   aims: time {AIM_TIME:.2f}, memory {AIM_MEMORY:.2f}"
    )
    with Side(make, False, 128) as kit:
        large_ms, large_mb = 1000 * kit.seconds_a_step(1), kit.peak_megabytes()
    print(f"128x128  {large_ms:8.0f} {'':21} {large_mb:8.0f} {'':21}   aim: {AIM_LARGE} MB")
    found = {"time": time_ratio, "memory": kit_mb / plain_mb, "memory at 128x128": large_mb}
    aims = {"time": AIM_TIME, "memory": AIM_MEMORY, "memory at 128x128": AIM_LARGE}
    missed = [name for name in aims if found[name] > aims[name]]
    print(f"missed: {', '.join(missed) or 'none'}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
