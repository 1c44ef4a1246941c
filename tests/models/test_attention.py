"""Self-attention: the same as on paper, and never the N x N map."""

import copy
from contextlib import nullcontext

import pytest
import torch
from torch import Tensor
from torch.profiler import ProfilerActivity, profile

from strokegan_lib.models.attention import SMALL, SelfAttention
from tests.benchmarks.plain_attention import plain_forward

FLASH = "aten::_scaled_dot_product_flash_attention_for_cpu"
MAPPED = {"aten::_softmax", "aten::bmm"}


def attention(channels: int, gamma: float = 0.7) -> SelfAttention:
    module = SelfAttention(channels)
    torch.nn.init.constant_(module.gamma, gamma)
    return module


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 1e-4)])
@pytest.mark.parametrize(
    ("batch", "channels", "size", "gamma"),
    [(1, 8, (1, 2), 0.7), (2, 16, (16, 16), -1.3), (3, 24, (19, 16), 0.1), (2, 64, (33, 31), 0.7)],
)
def test_equals_the_plain_version_in_values_and_gradients(batch, channels, size, gamma, dtype, tolerance):
    kit = attention(channels, gamma).to(dtype)
    plain = copy.deepcopy(kit)  # each forward in training turns the power iteration on by one
    x, weights = torch.randn(2, batch, channels, *size, dtype=dtype)
    found = []
    for module, forward in ((kit, kit), (plain, lambda x: plain_forward(plain, x))):
        own = x.clone().requires_grad_()
        y = forward(own)
        found.append([y, *torch.autograd.grad((y * weights).sum(), [own, *module.parameters()])])
    assert len(found[0]) == 7  # values; gradients of x, four convolutions, gamma
    for ours, theirs in zip(*found, strict=True):
        # gamma's gradient is a sum of either sign and may be small by chance
        scale = theirs.abs().max() if theirs.ndim else (found[1][0] - x).norm() / abs(gamma)
        assert scale > 0 and (ours - theirs).abs().max() <= tolerance * scale


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (9, 4)])
def test_rows_of_the_map_sum_to_one_and_give_the_output(size):
    module, n = attention(16).double().eval(), size[0] * size[1]
    x = torch.randn(2, 16, *size, dtype=torch.float64)
    weights = module.map(x)  # (B, N, N)
    assert (weights >= 0).all() and torch.allclose(weights.sum(-1), torch.ones(2, n, dtype=torch.float64))
    taken = weights @ module.value(x).flatten(2).transpose(1, 2)  # (B, N, C/2): row j takes from all i
    o = taken.transpose(1, 2).reshape(2, 8, *size)
    assert torch.allclose(x + module.gamma * module.back(o), module(x))


def test_starts_as_the_identity_and_only_gamma_learns_on_the_first_step():
    module, x = attention(16, gamma=0.0), torch.randn(2, 16, 6, 5)
    y = module(x)
    assert torch.equal(y, x)
    y.square().sum().backward()
    assert [name for name, p in module.named_parameters() if p.grad.any()] == ["gamma"]


def operations(forward, x: Tensor, precision: torch.dtype | None = None) -> tuple[set[str], set[str]]:
    """Names of all operators called, and of those that are handed an (.., N, N) tensor, N the positions of *x*."""
    n = x.shape[2] * x.shape[3]
    with profile(activities=[ProfilerActivity.CPU], record_shapes=True) as record:
        with torch.autocast("cpu", precision) if precision else nullcontext():
            y = forward(x)
        y.float().sum().backward()
    events = record.events()
    mapped = {e.name for e in events for shape in e.input_shapes if list(shape[-2:]) == [n, n]}
    return {e.name for e in events}, mapped


@pytest.mark.parametrize("precision", [None, torch.bfloat16], ids=["fp32", "bf16"])
@pytest.mark.parametrize("order", [torch.contiguous_format, torch.channels_last], ids=["nchw", "nhwc"])
def test_the_fused_kernel_runs_and_the_map_is_never_made(order, precision):
    module = attention(32).to(memory_format=order)
    x = torch.randn(2, 32, 17, 16).contiguous(memory_format=order).requires_grad_()  # one row more than small
    names, mapped = operations(module, x, precision)
    assert {FLASH, f"{FLASH}_backward"} <= names and not mapped and not MAPPED & names
    # the plain version is caught by the same test
    names, mapped = operations(lambda x: plain_forward(module, x), x, precision)
    assert FLASH not in names and names & mapped >= MAPPED


def test_a_small_map_is_made_as_that_is_faster():
    names, mapped = operations(attention(32), torch.randn(2, 32, 16, 16, requires_grad=True))
    assert SMALL == 16 * 16 and FLASH not in names and names & mapped >= MAPPED
