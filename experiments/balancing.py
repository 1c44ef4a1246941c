"""Does synthesis help? Ways to learn from few lesions, at equal budgets.

Every arm gets the same segmentor, steps, batches, augmentation, rule for the threshold and three seeds, and is scored
on test patients that neither segmentor nor generator nor any mask came from. All that balance show the segmentor the
same share of stroke, one GAN arm a lower one. Reference is oversampling: copies cost nothing. A setting has one
generator, which learnt from its thinned part alone; each seed has masks and styles of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from experiments.recipes import SEGMENTATION, SYNTHESIS, seedless, words
from experiments.runner import THREE_SEEDS, Arm, Experiment, Line, Place, Result, run, trained
from strokegan_lib.balance.derived import keep_patients, thin_patients, training_patients
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.errors import BadInput
from strokegan_lib.files import sha256
from strokegan_lib.synthesise import parser, synthesise
from strokegan_lib.training.weights import shipped

MADE_BY = "python -m experiments.reproduce"
BUDGET = {**seedless(SEGMENTATION), "method": "unet", "lesion_share": None}  # what the data hold
# 600 steps see SOOP-18 31 times and the tenth 150 times; the 1,500 of BUDGET see the whole training part 37 times
THIN_BUDGET = {**BUDGET, "steps": 600}
GENERATOR = {**seedless(SYNTHESIS), "generator": "styled", "steps": 2000}
PAPER_SHARE = 0.1838  # of the paper's 13,200 slices show a stroke


def thin_lesions(
    slices: SliceSet, out: Path, share: float, *, fold: int | None = None, **named: str
) -> SliceSet:
    """Take patients with stroke out of the training part until *share*, 0..1, of its slices show stroke.

    BadInput where the training part shows less stroke than that already, or *out* is unusable.
    """
    names, strokes, sizes = training_patients(slices, fold)
    before = strokes.sum() / sizes.sum()
    if not 0 < share < before:
        what = f"shows stroke in {before:.2%} of its training slices, so {share:.2%} is out of reach"
        raise BadInput(slices.folder, what, "choose a share between 0 and that")
    has_lesion = strokes > 0
    reached = np.cumsum(strokes[has_lesion]) / (sizes[~has_lesion].sum() + np.cumsum(sizes[has_lesion]))
    stay = np.concatenate(
        [names[~has_lesion], names[has_lesion][: 1 + int(np.abs(reached - share).argmin())]]
    )
    rule = f"patients with stroke taken out until {share:.2%} of the training slices show stroke"
    return keep_patients(slices, out, stay, rule, fold, **named)


@dataclass(frozen=True)
class Setting:
    """How the training part is thinned, with which options, and which shares of stroke the arms reach."""

    name: str
    thin: Callable[..., SliceSet]
    options: Line
    low: float
    high: float

    def data(self, place: Place) -> SliceSet:
        """The thinned set."""
        named = {"name": f"{place.data.card['name']}, {self.name}", "fold": place.fold}
        made_by = f"{MADE_BY}, thinned, {' '.join(words(self.options))}"
        thin = partial(self.thin, **named, **self.options, made_by=made_by)
        return derived(place.data, place.runs / "data", made_by, thin)

    def balanced(self, name: str, options: Line, place: Place) -> SliceSet:
        """The thinned set with slices by CarveMix or by a generator that learnt from it."""
        if "method" not in options:
            # all seeds paint with one generator
            first = replace(place, runs=place.runs.parent).turn(place.fold, 0)
            generator = trained(Arm({}, self.data), "generator", GENERATOR, first, "synthesis")
            options = {**options, "weights": generator}
        return balanced(name, options, place, self.data(place))

    def arms(self) -> dict[str, Arm]:
        """The ways to balance."""
        ways = {
            "carvemix": {"ratio": self.high, "method": "carvemix"},
            f"gan-{100 * self.low:.0f}": {"ratio": self.low},
            f"gan-{100 * self.high:.0f}": {"ratio": self.high},
            # train on synthetic, test on real
            "synthetic-only": {"ratio": self.high, "only_synthetic": True},
        }
        thinned = {"thin": self.options}
        arms = {
            "oversampling": Arm({"lesion_share": self.high}, self.data, thinned),
            "real": Arm({}, self.data, thinned),
        }
        for name, options in ways.items():
            painted = {} if "method" in options else {"generator": GENERATOR}
            arms[name] = Arm({}, partial(self.balanced, name, options), {**thinned, **options, **painted})
        return arms


SOOP_18 = Setting("soop-18", thin_lesions, {"share": PAPER_SHARE}, 0.35, 0.5)  # it becomes 18.3 %
TENTH = Setting("tenth", thin_patients, {"fraction": 0.1}, 0.7, 0.8)


def derived(slices: SliceSet, out: Path, made_by: str, make: Callable[[SliceSet, Path], object]) -> SliceSet:
    """A set that is made from another one, once; BadInput if the folder holds what was made from other data or otherwise."""
    if not out.exists():
        make(slices, out)
    card = (found := SliceSet.open(out)).card
    if card["made_from"]["sha256"] != slices.card["sha256"] or card["made_by"] != made_by:
        raise BadInput(out, "was made from other data or with other options", "choose another --runs")
    return found


def balanced(name: str, options: Line, place: Place, slices: SliceSet | None = None) -> SliceSet:
    """A set (the place's own by default) with synthetic slices, made by ``python -m strokegan_lib.synthesise``."""
    fold = {} if place.fold is None else {"fold": place.fold}
    how = {name: sha256(of)[:12] if name == "weights" else of for name, of in options.items()}
    made_by = f"{MADE_BY}, {name}, {' '.join(words(how))}"

    def make(slices: SliceSet, out: Path) -> None:
        given = {"data": slices.folder, "out": out, "seed": place.seed, **options, **fold}
        synthesise(parser().parse_args(words(given)), made_by)

    return derived(place.data if slices is None else slices, place.runs / "sets" / name, made_by, make)


def balancing(setting: Setting, place: Place) -> Result:
    """Run a setting on the data set."""
    result = run(Experiment(setting.arms(), THIN_BUDGET, THREE_SEEDS), place)
    result.facts["setting"] = setting.name
    return result


def on_the_phantom(place: Place) -> Result:
    """The paper's own case, 13,200 slices of which 18.4 % show a stroke; the shipped generator has seen them."""
    phantom, weights = replace(place, data=SliceSet.open(place.phantom)), shipped("synthesis-phantom")
    gan = partial(balanced, "gan-50", {"ratio": 0.5, "weights": weights})
    arms = {
        "oversampling": Arm({"lesion_share": 0.5}),
        "real": Arm({}),
        "gan-50": Arm({}, gan, {"ratio": 0.5, "weights": sha256(weights)}),
    }
    result = run(Experiment(arms, BUDGET, THREE_SEEDS), phantom)
    result.facts["setting"] = "the phantom"
    return result
