"""The arithmetic that suits the hardware, and the Accelerator that uses it.

Half as many bits are twice as fast where the hardware has units for them, and slower where they are emulated:
bfloat16 runs on every GPU if asked, natively from Ampere on.
"""

from __future__ import annotations

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState, PartialState
from accelerate.utils import parse_flag_from_env

from strokegan_lib.errors import BadInput

PRECISIONS = {"fp32": "no", "bf16": "bf16", "fp16": "fp16"}  # our word: accelerate's


def native_precision(device: torch.device) -> str:
    """'bf16' where it is native, 'fp16' on older GPUs with units for it (such as a T4), else 'fp32'."""
    if device.type == "cuda":
        if torch.cuda.is_bf16_supported(including_emulation=False):
            return "bf16"
        return "fp16" if torch.cuda.get_device_capability(device) >= (7, 0) else "fp32"
    tests = ("_is_avx512_bf16_supported", "_is_amx_tile_supported") if device.type == "cpu" else ()
    return "bf16" if any(getattr(torch.cpu, test, lambda: False)() for test in tests) else "fp32"


def arithmetic(precision: str = "auto") -> str:
    """'fp32', 'bf16' or 'fp16': what :func:`accelerator` would use in a single process."""
    if precision != "auto":
        return precision
    return native_precision(torch.device("cuda" if torch.cuda.is_available() else "cpu"))


def accelerator(precision: str = "auto") -> Accelerator:
    """The Accelerator for this machine: its device, its processes and its arithmetic.

    Args:
        precision: 'auto', 'fp32', 'bf16' or 'fp16'.

    Raises:
        BadInput: another word, or fp16 without a GPU.
    """
    if precision not in ("auto", *PRECISIONS):
        raise BadInput(f"precision {precision}", "is not known", f"choose auto, {', '.join(PRECISIONS)}")
    # given explicitly, as processes that share the work of CPUs would otherwise not find each other
    cpu = parse_flag_from_env("ACCELERATE_USE_CPU") or not torch.accelerator.is_available()
    device = PartialState(cpu=cpu).device
    chosen = native_precision(device) if precision == "auto" else precision
    if chosen == "fp16" and device.type != "cuda":
        raise BadInput("precision fp16", "needs a GPU", "choose auto, bf16 or fp32")
    wanted = PRECISIONS[chosen]
    if AcceleratorState._shared_state and AcceleratorState().mixed_precision != wanted:
        AcceleratorState._reset_state()  # accelerate keeps one precision a process; a notebook may train twice
    return Accelerator(mixed_precision=wanted, cpu=cpu)
