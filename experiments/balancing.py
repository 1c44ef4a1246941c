"""Does synthesis help? Ways to learn from few lesions, at equal budgets.

Every arm gets the same segmentor, steps, batches, augmentation, rule for the threshold and seed, and is scored on
test patients that neither segmentor nor generator nor any mask came from. All that balance show the segmentor the
same share of stroke, one GAN arm a lower one. Reference is oversampling: copies cost nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from experiments.recipes import words
from experiments.runner import Arm, Experiment, Line, Place, Result, Stage, run, trained
from experiments.thin_lesions import thin_lesions
from strokegan_lib.balance.derived import thin_patients
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.synthesise import parser as synthesis_parser
from strokegan_lib.synthesise import synthesise
from strokegan_lib.training.weights import shipped

MADE_BY = "python -m experiments.reproduce"
BUDGET = {"method": "unet", "steps": 800, "width": 16, "batch_size": 16, "threads": 1}
GENERATOR = {"steps": 300, "width": 32, "batch_size": 16, "threads": 1}


@dataclass(frozen=True)
class Setting:
    """How the training part is thinned (None: not at all), and which shares of stroke the arms reach.

    The generator learns from the thinned part; it starts from the phantom's where that is named.
    """

    thin: Callable[..., SliceSet] | None
    low: float
    high: float
    start: Path | None = None

    def data(self, stage: Stage) -> SliceSet:
        """The thinned set, made once."""
        out = stage.folder / "data"
        if self.thin and not out.exists():
            name = f"{stage.slices.card['name']}, {stage.folder.parent.name}"
            self.thin(stage.slices, out, name=name, made_by=MADE_BY, fold=stage.fold)
        return SliceSet.open(out) if self.thin else stage.slices

    def balanced(self, name: str, options: Line, stage: Stage) -> SliceSet:
        """The set of an arm with synthetic slices, made once."""
        out = stage.folder / "sets" / name
        if not out.exists():
            given = {"data": self.data(stage).folder, "out": out, "seed": stage.seed, **options}
            if not {"method", "weights"} & {*options}:
                generator = Arm({}, self.data, self.start)
                given["weights"] = trained(generator, "generator", GENERATOR, stage, "synthesis")
            flags = ["--only-synthetic"] * given.pop("only_synthetic", False)
            given |= {} if stage.fold is None else {"fold": stage.fold}
            synthesise(synthesis_parser().parse_args([*words(given), *flags]), f"{MADE_BY}, {name}")
        return SliceSet.open(out)

    def arms(self) -> dict[str, Arm]:
        """The ways to balance."""
        made = {
            "carvemix": {"ratio": self.high, "method": "carvemix"},
            f"gan-{100 * self.low:.0f}": {"ratio": self.low},
            f"gan-{100 * self.high:.0f}": {"ratio": self.high},
            "synthetic-only": {
                "ratio": self.high,
                "only_synthetic": True,
            },  # train on synthetic, test on real
        }
        own = {"lesion_share": None}  # what the data hold
        return {
            "oversampling": Arm({"lesion_share": self.high}, self.data),
            "real": Arm(own, self.data),
            **{name: Arm(own, partial(self.balanced, name, options)) for name, options in made.items()},
        }


SOOP_18 = Setting(thin_lesions, 0.35, 0.5, shipped("synthesis-phantom"))  # 18.38 % of slices, as in the paper
TENTH = Setting(partial(thin_patients, fraction=0.1), 0.7, 0.8, shipped("synthesis-phantom"))
PHANTOM = Setting(None, 0.35, 0.5)  # by its making 17.5 % of its slices show stroke


def balancing(setting: Setting, place: Place) -> Result:
    """Run a setting on the data set."""
    return run(Experiment(setting.arms(), BUDGET), place)


def on_the_phantom(place: Place) -> Result:
    """Run the phantom's own shortage of strokes."""
    return balancing(PHANTOM, replace(place, data=SliceSet.open(place.phantom)))


def phantom_start(place: Place) -> Result:
    """Is it what the generator brings along from the phantom? Beside it a segmentor that starts there itself."""
    stage = Stage(SliceSet.open(place.phantom), place.runs)
    start = trained(Arm({}), "phantom", {**BUDGET, "steps": 1000}, stage)
    lines = []
    for label, runs, setting in (
        ("soop-18", "balancing_soop18", SOOP_18),
        ("tenth", "balancing_tenth", TENTH),
    ):
        arms, gan = setting.arms(), f"gan-{100 * setting.high:.0f}"
        control = replace(arms["oversampling"], start=start)
        pair = {gan: arms[gan], "oversampling, segmentor from the phantom": control}
        result = run(Experiment(pair, BUDGET, runs=runs), place)
        lines += [{"setting": label, **line} for line in result.tables[""]]
    return replace(result, tables={"": lines})


def generators(place: Place, high: float = 0.8) -> Result:
    """The shipped generators as arms, where the whole training part of SOOP is at hand; all of them have seen it."""
    whole = Setting(None, high, high)
    arms = {"oversampling": Arm({"lesion_share": high})}
    for name in ("synthesis-soop", "styled-soop"):
        label = f"{name}-{100 * high:.0f}"
        options = {"ratio": high, "weights": shipped(name)}
        arms[label] = Arm({"lesion_share": None}, partial(whole.balanced, label, options))
    return run(Experiment(arms, BUDGET), place)
