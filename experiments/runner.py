"""Arms x turns -> trained segmentors -> scores -> a table with intervals and paired tests.

An experiment is a declaration: what differs between its arms, and what they share. Finished trainings are
not repeated and stopped ones go on, so the same call can be given again at any time. Where scores are kept
(score_cache.py), not even the trainings need be there.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from experiments.recipes import KINDS, TRAINED, hours, settings_for, words
from experiments.score_cache import cache_scores, cached_scores
from strokegan_lib.data.batches import Batches
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.errors import BadInput
from strokegan_lib.evaluation.groups import compare_groups, groups_of
from strokegan_lib.evaluation.measure import predict, validation_score
from strokegan_lib.evaluation.overlap import Counts
from strokegan_lib.evaluation.scores import full_summary
from strokegan_lib.evaluation.slicewise import SliceScores, score_slices
from strokegan_lib.evaluation.statistics import Interval, bootstrap, holm, paired, ratio
from strokegan_lib.evaluation.tables import provenance
from strokegan_lib.train import train
from strokegan_lib.training.precision import arithmetic
from strokegan_lib.training.weights import load_weights

Line = dict[str, Any]
THREE_SEEDS = tuple((None, seed) for seed in range(3))  # on the plain split
RESULTS = Path(__file__).parent / "results"
SCORES = (
    "dice", "precision", "sensitivity", "pooled_dice", "patient_dice", "empty_false_positive_rate",
    "empty_false_positive_pixels", "missed_rate", "lesion_f1", "hd95_mm", "area_difference_pixels",
)  # fmt: skip
WHAT = (
    "Segmentors on test patients (candidates: validation patients), each at the threshold that its validation patients "
    "gave; means with 95 % intervals from a bootstrap over patients; minus_arm: Dice over lesion slices, first arm less this one, "
    "paired; p: Wilcoxon signed-rank over patients, Holm-corrected; groups: gain of the first arm, p not corrected; a slice "
    "counts once for each seed whose networks score it"
)


@dataclass(frozen=True)
class Place:
    """Where an experiment finds its slices, keeps its trainings and finds the phantom; and its turn."""

    data: SliceSet
    runs: Path
    phantom: Path | None = None
    scores: Path | None = None  # where scores of all experiments are kept
    anew: bool = False  # takes no kept scores; finished runs count all the same
    fold: int | None = None
    seed: int = 0

    def turn(self, fold: int | None, seed: int) -> "Place":
        """The same, in a folder of its own."""
        name = f"{'plain-split' if fold is None else f'fold-{fold}'}-seed-{seed}"
        return replace(self, runs=self.runs / name, fold=fold, seed=seed)

    def scores_of(self, name: str) -> Path | None:
        """The file, but for its suffix, that keeps the scores of an arm in this turn."""
        return self.scores and self.scores.joinpath(*self.runs.parts[-2:], name)


@dataclass(frozen=True)
class Arm:
    """One way to train: options in which it differs, and what it learns from."""

    options: Line
    data: Callable[[Place], SliceSet] = lambda place: place.data
    made_by: Line = field(default_factory=dict)  # how these data were made of the place's
    networks: tuple[str, ...] = ()  # arms whose networks it takes; its own by default
    combine: Callable[..., nn.Module] | None = None  # makes one of them, with a threshold of its own


@dataclass(frozen=True)
class Experiment:
    """Arms at equal budgets; each is compared with the first."""

    arms: dict[str, Arm]
    budget: Line  # options that all share
    # fold of a five-fold cross-validation, None for the plain split, and seed
    turns: tuple[tuple[int | None, int], ...] = ((None, 0),)
    split: str = "test"  # whose slices are scored; 'validation' while there is something to choose
    leave_out: tuple[tuple[str, int | None], ...] = ()  # (split, fold)s whose slices do not count
    runs: str | None = None  # name of the experiment whose trainings it shares; its own by default


@dataclass
class Result:
    """Tables by part ('' is the first), and what the card says of them."""

    what: str
    tables: dict[str, list[Line]]
    facts: Line = field(default_factory=dict)


def run(experiment: Experiment, place: Place) -> Result:
    """Train what is not trained yet, score all, compare; BadInput as ``trained``.

    ``tables``, and in each line what the arm learnt from, its mean Dice on validation slices, and turn by turn its
    Dice, its threshold and the step at which the network was kept. A slice that is scored by networks of several seeds counts once for each.
    """
    shared, data = replace(place, runs=place.runs.with_name(experiment.runs or place.runs.name)), place.data
    scores: dict[str, list[SliceScores]] = {arm: [] for arm in experiment.arms}
    facts: dict[str, list[Line]] = {arm: [] for arm in experiment.arms}
    left_out = np.concatenate([[], *(data.of_split(*part) for part in experiment.leave_out)])
    rows = []
    for fold, seed in experiment.turns:  # all arms of a turn before the next
        tested = data.of_split(experiment.split, fold)
        counted = ~np.isin(tested, left_out)
        rows.append(tested[counted])
        for arm in experiment.arms:
            found, about = measured(experiment, arm, shared.turn(fold, seed))
            scores[arm].append(found[counted])
            facts[arm].append(about)
    joined = {arm: SliceScores.cat(parts) for arm, parts in scores.items()}
    result = tables(joined, data, np.concatenate(rows))
    for line in result.tables[""]:
        own = facts[line["arm"]]
        for name in ("synthetic_slices", "stroke_share_in_batches", "validation_dice"):
            line[name] = float(np.mean([of[name] for of in own]))
        line["steps"] = experiment.budget["steps"]
        dice = [float(part.counts[part.counts.lesion()].dice().mean()) for part in scores[line["arm"]]]
        line["dice_by_turn"] = one_by_one(dice)
        line["thresholds"] = " ".join(f"{of['threshold']:.2f}" for of in own)
        line["kept_steps"] = " ".join(str(of["kept_step"]) for of in own)
    command = f"python -m strokegan_lib.train segmentation --data DIR --out RUN {' '.join(words(experiment.budget))}"
    arms = {arm: " ".join(words(how.options)) for arm, how in experiment.arms.items()}
    result.facts |= {"trained_by": command, "arms": arms, "seeds": [seed for _, seed in experiment.turns]}
    result.facts["hours"] = round(sum(of["hours"] for own in facts.values() for of in own), 2)  # of one core
    return result


def one_by_one(values: list[float]) -> str:
    """The figures that a mean is made of: '.416 .437'."""
    return " ".join(re.sub(r"^(-?)0\.", r"\1.", f"{value:.3f}").replace("-", "−") for value in values)


def measured(experiment: Experiment, name: str, place: Place) -> tuple[SliceScores, Line]:
    """Scores of an arm in its turn, and what it learnt from: kept ones, or of a network that is trained now."""
    arm, fold = experiment.arms[name], place.fold
    members = arm.networks or (name,)
    options = {**experiment.budget, "seed": place.seed, "fold": fold, **arm.options}
    about = {"settings": settings_for("segmentation", options, place.runs / name).record()}
    about |= {"split": experiment.split, "data_sha256": place.data.card["sha256"], "made_by": arm.made_by}
    if arm.combine:
        about |= {"combine": arm.combine.__name__}
        about |= {"networks": {of: experiment.arms[of].options for of in members}}
    file = place.scores_of(name)
    if file and not place.anew and (found := cached_scores(file, place.data, about)):
        return found
    rows = place.data.of_split(experiment.split, fold)
    weights = [trained(experiment.arms[of], of, experiment.budget, place) for of in members]
    found, network = score(weights, place.data, rows, arm.combine, fold)
    about |= {key: network[key] for key in ("threshold", "validation_dice", "kept_step")}
    about["hours"] = round(hours(place.runs / name), 3)  # 0 where it takes others' networks
    about |= learnt_from(arm.data(place), fold, network["settings"]["lesion_share"])
    if file:
        cache_scores(
            file, found, rows, {**about, **provenance(1, arithmetic(network["settings"]["precision"]))}
        )
    return found, about


def trained(arm: Arm, name: str, budget: Line, place: Place, task: str = "segmentation") -> Path:
    """The weights of an arm, trained now if they are not there; BadInput for a run with other options or other data."""
    out, data = place.runs / name, arm.data(place)
    options = {**budget, "seed": place.seed, "fold": place.fold, **arm.options}
    settings = settings_for(task, options, out)
    if not (out / TRAINED).is_file():
        train(settings, data=data.folder, out=out, resume=True, threads=options["threads"])
    if load_weights(out / TRAINED, KINDS[task])[1]["data_sha256"] != data.card["sha256"]:
        raise BadInput(out, "learnt from other data", "choose another --runs")
    return out / TRAINED


def score(
    files: list[Path], slices: SliceSet, rows: np.ndarray,
    combine: Callable[..., nn.Module] | None = None, fold: int | None = None,
) -> tuple[SliceScores, Line]:  # fmt: skip
    """The slices *rows*, (n,) int, at a network's own threshold, and what its file says of its making.

    What *combine* makes of networks gets its threshold from the validation patients of the *fold*. ValueError for
    several that are not.
    """
    if len(files) > 1 and not combine:
        raise ValueError("several networks must be combined")
    members = [load_weights(file, "segmentor") for file in files]
    segmentor, about = members[0]
    if combine:
        segmentor = combine(*(network for network, _ in members))
        found = validation_score(segmentor, Batches(slices, slices.of_split("validation", fold), size=64))
        about |= {"threshold": found["validation threshold"], "validation_dice": found["validation dice"]}
        about |= {"kept_step": "+".join(str(of["kept_step"]) for _, of in members)}
    predictions = predict(segmentor, Batches(slices, rows, size=64))
    table = {name: column[rows] for name, column in slices.table.items()}
    return score_slices(predictions, about["threshold"], table), about


def learnt_from(data: SliceSet, fold: int | None, shown: float | None) -> Line:
    """What a segmentor learnt from; *shown* is the share of stroke in its batches, None for what the data hold."""
    train = data.of_split("train", fold)
    share = float(data.table["has_stroke"][train].mean()) if shown is None else shown
    return {"synthetic_slices": int(data.table["synthetic"][train].sum()), "stroke_share_in_batches": share}


def tables(scores: dict[str, SliceScores], slices: SliceSet, rows: np.ndarray) -> Result:
    """Compare arms, scored on the same *rows*, (n,) int, of a data set, with the first.

    Table '' has a line for each arm: ``arm``; mean, low and high of each of SCORES and of Dice by the size of the
    lesion; and, but for the first, the difference of Dice over lesion slices ``minus_arm`` (first less this one)
    with ``_low`` and ``_high``, and ``wilcoxon_holm_p``, corrected for as many tests as there are other arms; the
    same difference of pooled Dice, ``minus_arm_pooled``, and of false positives, ``minus_arm_false_positives``; and
    ``share_of_first``, its Dice over the first's.
    Table 'groups': where the first arm is better than each other.
    """
    patients, counts = slices.table["patient"][rows], {arm: of.counts for arm, of in scores.items()}
    reference, *others = scores
    lesion = counts[reference].lesion()
    dice = {arm: of[lesion].dice().numpy() for arm, of in counts.items()}
    false = {arm: (of[~lesion].fp > 0).double().numpy() for arm, of in counts.items()}
    compared = {arm: paired(dice[reference], dice[arm], patients[lesion.numpy()]) for arm in others}
    corrected = dict(zip(others, holm([compared[arm].p for arm in others]), strict=True))
    lines = []
    for arm, of in scores.items():
        found = full_summary(of, patients, probability=False)
        sizes = {f"dice_{size.replace(' ', '_')}": part["dice"] for size, part in found["by_size"].items()}
        lines.append({"arm": arm, **flat({name: found[name] for name in SCORES} | sizes)})
        if arm in compared:
            pair = np.stack([dice[arm], dice[reference]], -1)
            for name, interval in {
                "minus_arm": compared[arm].difference,
                "share_of_first": bootstrap(pair, patients[lesion.numpy()]),
                "minus_arm_pooled": pooled_difference(counts[reference], counts[arm], patients),
                "minus_arm_false_positives": paired(
                    false[reference], false[arm], patients[~lesion.numpy()]
                ).difference,
            }.items():
                lines[-1] |= {name: interval.mean, f"{name}_low": interval.low, f"{name}_high": interval.high}
            lines[-1]["wilcoxon_holm_p"] = float(corrected[arm])
    different, first = np.unique(rows, return_index=True)  # several seeds score the same slices
    size = {"slices": len(different), "lesion_slices": int(lesion[first].sum())}
    size["patients"] = len(set(patients.tolist()))
    groups = compare_groups(counts, patients, groups_of(slices, rows))
    facts = {"data": slices.card["name"], "data_sha256": slices.card["sha256"], "counts": size}
    return Result(WHAT, {"": lines, "groups": groups}, facts)


def pooled_difference(first: Counts, second: Counts, patients: np.ndarray) -> Interval:
    """Pooled Dice of *first* less that of *second*, of the same n slices, with a bootstrap over *patients*, (n,) str."""

    def dice(sums: np.ndarray) -> np.ndarray:
        return ratio(np.stack([2 * sums[..., 0], 2 * sums[..., 0] + sums[..., 1] + sums[..., 2]], -1))

    terms = [getattr(of, name).numpy() for of in (first, second) for name in ("tp", "fp", "fn")]
    return bootstrap(np.stack(terms, -1), patients, lambda sums: dice(sums[..., :3]) - dice(sums[..., 3:]))


def flat(scores: dict[str, Line]) -> Line:
    """A column for each mean and end of an interval: {'dice': {'mean': ..}} to {'dice_mean': ..}."""
    return {f"{name}_{end}": of.get(end) for name, of in scores.items() for end in ("mean", "low", "high")}
