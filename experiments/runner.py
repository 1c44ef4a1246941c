"""Arms x folds x seeds -> trained segmentors -> scores -> a table with intervals and paired tests.

An experiment is a declaration: what differs between its arms, and what they share. Finished trainings are
not repeated and stopped ones go on, so the same call can be given again at any time.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from experiments.recipes import KINDS, TRAINED, settings_for, words
from strokegan_lib.data.batches import Batches
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.errors import BadInput
from strokegan_lib.evaluation.groups import compare_groups, groups_of
from strokegan_lib.evaluation.measure import predict
from strokegan_lib.evaluation.scores import full_summary
from strokegan_lib.evaluation.slicewise import SliceScores, score_slices
from strokegan_lib.evaluation.statistics import holm, paired
from strokegan_lib.evaluation.tables import write_json
from strokegan_lib.train import train
from strokegan_lib.training.weights import load_weights

Line = dict[str, Any]
RESULTS = Path(__file__).parent / "results"
SCORES = (
    "dice", "precision", "sensitivity", "pooled_dice", "patient_dice", "empty_false_positive_rate",
    "empty_false_positive_pixels", "missed_rate", "lesion_f1", "hd95_mm", "area_difference_pixels",
)  # fmt: skip
MEANS = ("training_slices", "synthetic_slices", "stroke_share", "stroke_share_in_batches", "validation_dice")
WHAT = (
    "Segmentors on test patients (candidates and attempts: validation patients), each at the threshold that its validation patients "
    "gave; means with 95 % intervals from a bootstrap over patients; minus_arm: Dice over lesion slices, first arm less this one, "
    "paired; p: Wilcoxon signed-rank over patients, Holm-corrected; groups: gain of the first arm, p not corrected"
)


@dataclass(frozen=True)
class Place:
    """Where an experiment finds its slices and keeps its trainings; the folder of the phantom, if it asks for one."""

    data: SliceSet
    runs: Path
    phantom: Path | None = None


@dataclass(frozen=True)
class Stage:
    """One fold and seed of an experiment: the slices, and a folder for its arms and what they share."""

    slices: SliceSet
    folder: Path
    fold: int | None = None
    seed: int = 0


@dataclass(frozen=True)
class Arm:
    """One way to train: options in which it differs, what it learns from, and weights to start from."""

    options: Line
    data: Callable[[Stage], SliceSet] = lambda stage: stage.slices
    start: Path | None = None


@dataclass(frozen=True)
class Experiment:
    """Arms at equal budgets; each is compared with the first.

    Attributes:
        arms: by name.
        budget: options that all share.
        folds: of a five-fold cross-validation; None is the plain split.
        seeds: added to the fold's number, so that each fold has a seed of its own.
        split: whose slices are scored; 'validation' while there is something to choose.
        leave_out: a part of the plain split whose patients are not scored.
        runs: name of the experiment whose trainings it shares; its own by default.
    """

    arms: dict[str, Arm]
    budget: Line
    folds: tuple[int | None, ...] = (None,)
    seeds: tuple[int, ...] = (0,)
    split: str = "test"
    leave_out: str | None = None
    runs: str | None = None


@dataclass
class Result:
    """Tables by part ('' is the first), and what the card says of them."""

    what: str
    tables: dict[str, list[Line]]
    facts: Line = field(default_factory=dict)


def run(experiment: Experiment, place: Place) -> Result:
    """Train what is not trained yet, score all, compare: see ``tables``.

    Raises:
        BadInput: a run that was made with other options or data, or what training refuses.
    """
    runs = place.runs.with_name(experiment.runs or place.runs.name)
    scores: dict[str, list[SliceScores]] = {arm: [] for arm in experiment.arms}
    facts: dict[str, list[Line]] = {arm: [] for arm in experiment.arms}
    rows = []
    cells = [(seed, fold) for seed in experiment.seeds for fold in experiment.folds]
    for seed, fold in cells:  # all arms of a fold before the next: they have as many when it is stopped
        name = ("plain-split" if fold is None else f"fold-{fold}") + f"-seed-{seed}" * (seed > 0)
        stage = Stage(place.data, runs / name, fold, seed + (fold or 0))
        rows.append(place.data.of_split(experiment.split, fold))
        for arm, how in experiment.arms.items():
            file = trained(how, arm, experiment.budget, stage)
            found, about = score(file, place.data, rows[-1])
            scores[arm].append(found)
            facts[arm].append(about | learnt_from(how.data(stage), fold, about["settings"]["lesion_share"]))
    rows = np.concatenate(rows)
    together = {arm: SliceScores.cat(parts) for arm, parts in scores.items()}
    if experiment.leave_out:
        kept = ~np.isin(rows, place.data.of_split(experiment.leave_out))
        rows, together = rows[kept], {arm: of[kept] for arm, of in together.items()}
    result = tables(together, place.data, rows)
    for line in result.tables[""]:
        own = facts[line["arm"]]
        line |= {name: float(np.mean([of[name] for of in own])) for name in MEANS}
        line |= {"steps": own[0]["settings"]["steps"], "parameters": own[0]["parameters"]}
        line["thresholds"] = " ".join(f"{of['threshold']:.2f}" for of in own)
        if len(experiment.seeds) > 1:
            dice = [float(of.counts[of.counts.lesion()].dice().mean()) for of in scores[line["arm"]]]
            line["seed_spread"] = float(np.std(np.reshape(dice, (len(experiment.seeds), -1)).mean(1), ddof=1))
    command = f"python -m strokegan_lib.train segmentation --data DIR --out RUN {' '.join(words(experiment.budget))}"
    result.facts |= {
        "trained_by": command,
        "arms": {arm: " ".join(words(how.options)) for arm, how in experiment.arms.items()},
        "seeds": [seed + (fold or 0) for seed, fold in cells],
    }
    return result


def trained(arm: Arm, name: str, budget: Line, stage: Stage, task: str = "segmentation") -> Path:
    """The weights of an arm, trained now if they are not there.

    Raises:
        BadInput: a run made with other options or other data, or what training refuses.
    """
    out, data = stage.folder / name, arm.data(stage)
    options = {**budget, **arm.options, "seed": stage.seed, "fold": stage.fold}
    settings = settings_for(task, options, out)
    if not (out / TRAINED).is_file():
        train(settings, data=data.folder, out=out, resume=True, threads=options["threads"], start=arm.start)
    if load_weights(out / TRAINED, KINDS[task])[1]["data_sha256"] != data.card["sha256"]:
        raise BadInput(out, "learnt from other data", "choose another --runs")
    return out / TRAINED


def score(file: Path, slices: SliceSet, rows: np.ndarray) -> tuple[SliceScores, Line]:
    """Some slices at a network's own threshold, and what its file says of its making."""
    segmentor, about = load_weights(file, "segmentor")
    predictions = predict(segmentor, Batches(slices, rows, size=64))
    table = {name: column[rows] for name, column in slices.table.items()}
    about["parameters"] = sum(parameter.numel() for parameter in segmentor.parameters())
    return score_slices(predictions, about["threshold"], table), about


def tables(scores: dict[str, SliceScores], slices: SliceSet, rows: np.ndarray) -> Result:
    """Compare arms that were scored on the same rows of a data set.

    Returns:
        tables '' (an arm a line), 'groups' (where the first arm is better than each other) and 'slices' (pixels
        of every slice by arm, from which the first two follow).
    """
    patients = slices.table["patient"][rows]
    counts = {arm: of.counts for arm, of in scores.items()}
    columns = {
        f"{arm}_{name}": getattr(of, name).tolist()
        for arm, of in counts.items()
        for name in ("tp", "fp", "fn")
    }
    columns = {"patient": patients.tolist(), "row": rows.tolist(), **columns}
    parts = {
        "": compare(scores, patients),
        "groups": compare_groups(counts, patients, groups_of(slices, rows)),
        "slices": [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)],
    }
    lesions = int(next(iter(counts.values())).lesion().sum())
    size = {"slices": len(rows), "lesion_slices": lesions, "patients": len(set(patients.tolist()))}
    return Result(WHAT, parts, {"counts": size})


def compare(scores: dict[str, SliceScores], patients: np.ndarray) -> list[Line]:
    """Score every arm and compare each with the first.

    Args:
        scores: by arm, N of the same slices.
        patients: (N,) the patient of each slice.

    Returns:
        A line for each arm: ``arm``; mean, low and high of each of SCORES and of Dice by the size of the lesion;
        and, but for the first arm, the difference of Dice over lesion slices ``minus_arm`` (first less this one)
        with ``_low`` and ``_high``, and ``wilcoxon_holm_p``, corrected for as many tests as there are other arms.
    """
    reference, *others = scores
    lesion = scores[reference].counts.lesion()
    dice = {arm: of.counts[lesion].dice().numpy() for arm, of in scores.items()}
    compared = {arm: paired(dice[reference], dice[arm], patients[lesion.numpy()]) for arm in others}
    corrected = dict(zip(others, holm([compared[arm].p for arm in others]), strict=True))
    lines = []
    for arm, of in scores.items():
        found = full_summary(of, patients, probability=False)
        sizes = {
            f"dice_{size.replace(' ', '_')}": by_size["dice"] for size, by_size in found["by_size"].items()
        }
        lines.append({"arm": arm, **flat({name: found[name] for name in SCORES} | sizes)})
        if arm in compared:
            gap = compared[arm].difference
            lines[-1] |= {"minus_arm": gap.mean, "minus_arm_low": gap.low, "minus_arm_high": gap.high}
            lines[-1]["wilcoxon_holm_p"] = float(corrected[arm])
    return lines


def flat(scores: dict[str, Line]) -> Line:
    """A column for each mean and end of an interval: {'dice': {'mean': ..}} to {'dice_mean': ..}."""
    return {f"{name}_{end}": of.get(end) for name, of in scores.items() for end in ("mean", "low", "high")}


def learnt_from(data: SliceSet, fold: int | None, shown: float | None) -> Line:
    """What a segmentor learnt from; *shown* is the share of stroke in its batches, None for what the data hold."""
    table = {name: data.table[name][data.of_split("train", fold)] for name in ("has_stroke", "synthetic")}
    share = float(table["has_stroke"].mean())
    return {
        "training_slices": len(table["synthetic"]),
        "synthetic_slices": int(table["synthetic"].sum()),
        "stroke_share": share,
        "stroke_share_in_batches": share if shown is None else shown,
    }


def cached(file: Path, of: Any, make: Callable[[], Any]) -> Any:
    """What was made of the same things before and lies in a file; else it is made and put there."""
    if file.is_file() and (found := json.loads(file.read_text(encoding="utf-8")))["of"] == of:
        return found["made"]
    write_json(file, {"of": of, "made": (made := make())})
    return made
