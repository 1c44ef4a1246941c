"""What a lesson imports beside its subject: ``from strokegan_lib.classroom import check, quiz, show``.

Every name below is looked up when it is first asked for, so that importing this package is quick.
"""

from importlib import import_module
from typing import Any

MODULES = {
    "checkpoints": ("KeptRuns",),
    "checks": ("Mistake", "check"),
    "datasets": ("one_channel", "prepared"),
    "figures": (
        "BLUE",
        "GREY",
        "ORANGE",
        "PINK",
        "SKY",
        "draw",
        "forest",
        "gallery",
        "rivals",
        "side_by_side",
    ),
    "hardware": ("advice", "best_device", "machine"),
    "lessons": ("held_out", "lesson", "one_of_each", "pictures", "spread"),
    "outputs": ("record", "show"),
    "saved": ("saved_comparisons", "table_of"),
    "transfer": ("draw_transfer", "phantom_to_real"),
    "widgets.attention_explorer": ("AttentionExplorer",),
    "widgets.average_explorer": ("AverageExplorer",),
    "widgets.browsers": ("MaskComparison", "PatientBrowser", "WindowExplorer"),
    "widgets.family_tree": ("FamilyTree", "Relative"),
    "widgets.latent_walk": ("LatentWalk", "Walker", "interpolate"),
    "widgets.lesion_mover": ("LesionMover",),
    "widgets.lesion_painter": ("LesionPainter",),
    "widgets.level_prober": ("LevelProber", "corrupted"),
    "widgets.loss_explorer": ("LossExplorer",),
    "widgets.quiz": ("quiz",),
    "widgets.ratio_explorer": ("RatioExplorer",),
    "widgets.real_or_synthetic": ("RealOrSynthetic",),
    "widgets.threshold_explorer": ("ThresholdExplorer",),
}
WHERE = {name: module for module, names in MODULES.items() for name in names}
__all__ = sorted(WHERE)


def __getattr__(name: str) -> Any:
    if name not in WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{WHERE[name]}"), name)
