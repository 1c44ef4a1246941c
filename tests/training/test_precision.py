"""The arithmetic: what is native, what is refused, and a short run in half as many bits."""

from __future__ import annotations

import pytest
import tiny
import torch

from strokegan_lib.errors import BadInput
from strokegan_lib.training.precision import accelerator, native_precision


@pytest.mark.parametrize(("word", "mode"), [("fp32", "no"), ("bf16", "bf16"), ("fp32", "no")])
def test_a_process_may_change_its_mind(word, mode):
    made = accelerator(word)
    assert made.mixed_precision == mode and accelerator(word).mixed_precision == mode


def test_auto_takes_what_is_native():
    made = accelerator()
    native = native_precision(made.device)
    assert native in ("fp32", "bf16", "fp16")
    assert made.mixed_precision == ("no" if native == "fp32" else native)
    assert native_precision(torch.device("cpu")) != "fp16"
    assert native_precision(torch.device("meta")) == "fp32"


def test_other_words_are_refused():
    with pytest.raises(BadInput, match="choose auto, fp32, bf16, fp16"):
        accelerator("double")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_fp16_needs_a_gpu():
    with pytest.raises(BadInput, match="needs a GPU"):
        accelerator("fp16")


@pytest.mark.parametrize("task", ["masked", "unet", "synthesis"])
def test_bf16_trains_and_stays_finite(slices, task):
    """The unet among them: its cross-entropy of a probability needs all 24 bits near 0 and 1."""
    before = torch.get_default_dtype()
    exact, loop = (tiny.make_loop(task, slices, precision=p, steps=4) for p in ("fp32", "bf16"))
    kept = loop.gan.networks[loop.kept]
    dtypes = set()
    kept.unet.head.register_forward_hook(lambda module, x, y: dtypes.add(y.dtype))
    rows, expected = loop.run().rows, exact.run().rows
    assert dtypes == {torch.bfloat16}
    assert all(p.dtype == torch.float32 and p.isfinite().all() for p in kept.parameters())
    for row, other in zip(rows, expected, strict=True):
        assert row.keys() == other.keys()
        assert row[loop.kept] == pytest.approx(other[loop.kept], rel=0.05, abs=0.05)
    assert torch.get_default_dtype() == before
