"""Self-attention: the same as on paper, and never the N x N map."""

from __future__ import annotations

import copy
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import attention_on_paper
import pytest
import torch
from attention_on_paper import plain
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.profiler import ProfilerActivity, profile

from strokegan_lib.models.attention import SMALL, SelfAttention
from strokegan_lib.models.unet import UNet

TOLERANCE = {torch.float64: 1e-10, torch.float32: 1e-5}  # of the largest entry
FLASH = "aten::_scaled_dot_product_flash_attention_for_cpu"


def attention(channels: int, gamma: float = 0.7, seed: int = 0) -> SelfAttention:
    torch.manual_seed(seed)
    module = SelfAttention(channels)
    torch.nn.init.constant_(module.gamma, gamma)
    return module


def values_and_gradients(forward, module: SelfAttention, x: Tensor, weights: Tensor) -> dict[str, Tensor]:
    x = x.clone().requires_grad_()
    y = forward(x)
    (y * weights).sum().backward()
    named = {name: p.grad for name, p in module.named_parameters()}
    return {"values": y.detach(), "x": x.grad, **named}


# the same examples each time: a hunt for the worst rounding in float32 would find it
@settings(max_examples=60, derandomize=True)
@given(
    batch=st.integers(1, 3),
    channels=st.sampled_from([8, 16, 24, 64]),
    height=st.integers(3, 19),
    width=st.integers(3, 19),  # small and large maps
    gamma=st.sampled_from([-1.3, 0.1, 0.7]),
    dtype=st.sampled_from(list(TOLERANCE)),
    seed=st.integers(0, 2**16),
)
@example(batch=1, channels=8, height=1, width=2, gamma=0.7, dtype=torch.float64, seed=0)
@example(batch=2, channels=64, height=13, width=17, gamma=0.7, dtype=torch.float64, seed=0)
@example(batch=2, channels=64, height=33, width=31, gamma=0.7, dtype=torch.float32, seed=0)
def test_equals_the_plain_version_in_values_and_gradients(batch, channels, height, width, gamma, dtype, seed):
    module = attention(channels, gamma, seed).to(dtype)
    twin = copy.deepcopy(module)  # each forward in training turns the power iteration on by one
    x, weights = torch.randn(2, batch, channels, height, width, dtype=dtype)
    ours = values_and_gradients(module, module, x, weights)
    theirs = values_and_gradients(lambda x: plain(twin, x), twin, x, weights)
    scale = {name: expected.abs().max() for name, expected in theirs.items()}
    # gamma's gradient is a sum of either sign and may be small by chance: compare with its terms
    scale["gamma"] = ((theirs["values"] - x) / gamma * weights).norm()
    assert len(scale) == 7  # values, x, four convolutions, gamma
    for name, expected in theirs.items():
        assert scale[name] > 0, name
        error = (ours[name] - expected).abs().max() / scale[name]
        assert error <= TOLERANCE[dtype], (name, float(error))


def test_a_single_position_attends_to_itself():
    module = attention(8).double().eval()
    x = torch.randn(2, 8, 1, 1, dtype=torch.float64)
    expected = x + 0.7 * module.back(module.value(x))
    assert torch.allclose(module(x), expected, atol=1e-12) and (module.map(x) == 1).all()


@settings(max_examples=20)
@given(height=st.integers(1, 9), width=st.integers(1, 9), seed=st.integers(0, 2**16))
def test_rows_of_the_map_sum_to_one_and_give_the_output(height, width, seed):
    module = attention(16, seed=seed).double().eval()
    x = torch.randn(2, 16, height, width, dtype=torch.float64)
    weights = module.map(x)  # (B, N, N)
    n = height * width
    assert weights.shape == (2, n, n) and (weights >= 0).all()
    assert torch.allclose(weights.sum(-1), torch.ones(2, n, dtype=torch.float64), atol=1e-12)
    taken = weights @ module.value(x).flatten(2).transpose(1, 2)  # (B, N, C/2): row j takes from all i
    o = taken.transpose(1, 2).reshape(2, 8, height, width)
    assert torch.allclose(x + module.gamma * module.back(o), module(x), atol=1e-12)


def test_positions_run_along_the_rows_of_the_picture():
    """Of two equal positions both draw the same looks, and nobody else does."""
    module = attention(8).double().eval()
    x = torch.randn(1, 8, 3, 5, dtype=torch.float64)
    x[..., 2, 4] = x[..., 1, 3]
    weights = module.map(x)[0]
    twins = [(i, j) for i in range(15) for j in range(i) if torch.equal(weights[:, i], weights[:, j])]
    assert twins == [(2 * 5 + 4, 1 * 5 + 3)]


def test_starts_as_the_identity_and_only_gamma_learns_on_the_first_step():
    torch.manual_seed(0)
    module, x = SelfAttention(16), torch.randn(2, 16, 6, 5)
    y = module(x)
    assert torch.equal(y, x)
    y.square().sum().backward()
    gradients = {name: p.grad for name, p in module.named_parameters()}
    assert gradients.pop("gamma") != 0
    assert len(gradients) == 4 and not any(g.any() for g in gradients.values())


@pytest.mark.parametrize("channels", [4, 12])
def test_other_widths_are_refused(channels):
    with pytest.raises(ValueError, match="divisible by 8"):
        SelfAttention(channels)


def operations(run, n: int) -> tuple[set[str], set[str]]:
    """Names of all operators that *run* calls, and of those that are handed an (.., n, n) tensor."""
    with profile(activities=[ProfilerActivity.CPU], record_shapes=True) as record:
        run()
    events = record.events()
    mapped = {e.name for e in events for shape in e.input_shapes if list(shape[-2:]) == [n, n]}
    return {e.name for e in events}, mapped


def either_way(forward, x: Tensor, precision: torch.dtype | None):
    def run():
        with torch.autocast("cpu", precision) if precision else nullcontext():
            y = forward(x)
        y.float().sum().backward()

    return run


@pytest.mark.parametrize("precision", [None, torch.bfloat16], ids=["fp32", "bf16"])
@pytest.mark.parametrize("order", [torch.contiguous_format, torch.channels_last], ids=["nchw", "nhwc"])
def test_the_fused_kernel_runs_and_the_map_is_never_made(order, precision):
    n = 17 * 16  # one row more than small
    module = attention(32).to(memory_format=order)
    x = torch.randn(2, 32, 17, 16).contiguous(memory_format=order).requires_grad_()
    names, mapped = operations(either_way(module, x, precision), n)
    assert {FLASH, f"{FLASH}_backward"} <= names
    assert not mapped and not {"aten::_softmax", "aten::bmm"} & names
    # the plain version is caught by the same test
    names, mapped = operations(either_way(lambda x: plain(module, x), x, precision), n)
    assert FLASH not in names and {"aten::_softmax", "aten::bmm"} <= names & mapped


@pytest.mark.parametrize("precision", [None, torch.bfloat16], ids=["fp32", "bf16"])
def test_the_fused_kernel_runs_inside_a_network(precision):
    torch.manual_seed(0)
    network = UNet(1, 1, width=8).to(memory_format=torch.channels_last)
    x = torch.randn(2, 1, 128, 96).contiguous(memory_format=torch.channels_last)
    names, mapped = operations(either_way(network, x, precision), 32 * 24)
    assert {FLASH, f"{FLASH}_backward"} <= names
    assert not mapped and not {"aten::_softmax", "aten::bmm"} & names


def test_a_small_map_is_made_as_that_is_faster():
    module, x = attention(32), torch.randn(2, 32, 16, 16, requires_grad=True)
    names, mapped = operations(either_way(module, x, None), SMALL)
    assert FLASH not in names and {"aten::_softmax", "aten::bmm"} <= names & mapped


def test_autocast_keeps_the_picture_and_learns():
    module, x = attention(16), torch.randn(2, 16, 8, 8)
    with torch.autocast("cpu", torch.bfloat16):
        y = module(x)
    y.float().square().sum().backward()
    expected = plain(module.eval(), x)
    assert (y - expected).abs().max() < 0.02 * expected.abs().max()  # bfloat16 has 8 bits
    assert all(p.grad.isfinite().all() and p.grad.any() for p in module.parameters())


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
def test_memory_grows_with_the_positions_not_with_their_square():
    def peak(*words: str) -> float:
        command = [sys.executable, attention_on_paper.__file__, *words]
        return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    assert peak("fused", "64", "4") <= peak("plain", "64", "4") / 3  # PyTorch itself included
    assert peak("fused", "128", "1") < 2000  # MB; the map alone would take 1074, and four are made
