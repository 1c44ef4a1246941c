"""The arithmetic that suits the hardware, and the Accelerator that uses it.

Half as many bits are twice as fast where the hardware has units for them, and slower where they are emulated:
bfloat16 runs on every GPU if asked, natively from Ampere on.
"""

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState, PartialState
from accelerate.utils import parse_flag_from_env

from strokegan_lib.errors import BadInput

PRECISIONS = {"fp32": "no", "bf16": "bf16", "fp16": "fp16"}  # our word: accelerate's


def arithmetic(precision: str = "auto", device: torch.device | None = None) -> str:
    """'bf16', 'fp16' or 'fp32': what is asked for, or what is fastest on a device, by default the machine's GPU or CPU.

    'auto' is bf16 where it is native, fp16 on older GPUs with units for it (such as a T4), else fp32.
    """
    device = device or torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if precision != "auto":
        return precision
    if device.type == "cuda":
        if torch.cuda.is_bf16_supported(including_emulation=False):
            return "bf16"
        return "fp16" if torch.cuda.get_device_capability(device) >= (7, 0) else "fp32"
    tests = ("_is_avx512_bf16_supported", "_is_amx_tile_supported") if device.type == "cpu" else ()
    return "bf16" if any(getattr(torch.cpu, test, lambda: False)() for test in tests) else "fp32"


def accelerator(precision: str = "auto") -> Accelerator:
    """The Accelerator for this machine: its device, its processes and its arithmetic.

    *precision* is 'auto', 'fp32', 'bf16' or 'fp16', which is BadInput without a GPU.
    """
    # given explicitly, as processes that share the work of CPUs would otherwise not find each other
    cpu = parse_flag_from_env("ACCELERATE_USE_CPU") or not torch.accelerator.is_available()
    device = PartialState(cpu=cpu).device
    chosen = arithmetic(precision, device)
    if chosen == "fp16" and device.type != "cuda":
        raise BadInput("precision fp16", "needs a GPU", "choose auto, bf16 or fp32")
    wanted = PRECISIONS[chosen]
    if AcceleratorState._shared_state and AcceleratorState().mixed_precision != wanted:
        AcceleratorState._reset_state()  # accelerate keeps one precision a process; a notebook may train twice
    return Accelerator(mixed_precision=wanted, cpu=cpu)
