"""The arithmetic: what is native, what is refused, and a short run in half as many bits."""

import pytest
import tiny
import torch

from strokegan_lib.errors import BadInput
from strokegan_lib.training.precision import accelerator, arithmetic


def test_a_process_may_train_in_one_arithmetic_after_the_other():
    for word, mode in (("fp32", "no"), ("bf16", "bf16"), ("fp32", "no")):
        made = accelerator(word)
        assert made.mixed_precision == mode and accelerator(word).mixed_precision == mode
    native = arithmetic(device=made.device)
    assert accelerator().mixed_precision == ("no" if native == "fp32" else native)
    assert arithmetic(device=torch.device("meta")) == "fp32"


@pytest.mark.parametrize(
    ("native", "capability", "word"),
    [(True, (8, 0), "bf16"), (False, (7, 5), "fp16"), (False, (6, 1), "fp32")],
)
def test_a_gpu_computes_in_what_it_has_units_for(monkeypatch, native, capability, word):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: native)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert arithmetic(device=torch.device("cuda")) == word


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_fp16_without_a_gpu_is_refused():
    with pytest.raises(BadInput, match="needs a GPU"):
        accelerator("fp16")


@pytest.mark.parametrize("task", ["masked", "unet", "paper"])
def test_bf16_trains_and_stays_finite(slices, task):
    """The unet among them: its cross-entropy of a probability needs all 24 bits near 0 and 1."""
    exact, loop = (tiny.make_loop(task, slices, precision=p, steps=3) for p in ("fp32", "bf16"))
    kept = loop.gan.networks[loop.kept]
    dtypes = set()
    kept.unet.head.register_forward_hook(lambda module, x, y: dtypes.add(y.dtype))
    rows, expected = loop.run().rows, exact.run().rows
    assert dtypes == {torch.bfloat16}
    assert all(p.dtype == torch.float32 and p.isfinite().all() for p in kept.parameters())
    for row, other in zip(rows, expected, strict=True):
        assert row.keys() == other.keys()
        assert row[loop.kept] == pytest.approx(other[loop.kept], rel=0.05, abs=0.05)
