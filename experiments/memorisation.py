"""Are synthetic slices copies of training slices? Measures, and the nearest pairs to look at.

The picture shows people's slices.
"""

from __future__ import annotations

from dataclasses import asdict

from experiments.generators import FROM_MASKS
from experiments.pictures import named_rows
from experiments.realism_measures import Sample, truth_of
from experiments.runner import Place, Result, flat
from strokegan_lib.evaluation.manifold import distances
from strokegan_lib.evaluation.memorisation import memorisation
from strokegan_lib.evaluation.synthetic import paint, with_stroke
from strokegan_lib.training.weights import GENERATORS, load_weights, shipped, shipped_encoder

DRAWN = 10  # pairs
WHAT = (
    "Distance of synthetic slices, made of test patients' masks, to the nearest training slice, in features, over that of held-out "
    "slices (ratio), and the share nearer than all but 5 % of these (close); intervals over patients; it cannot see blurred copies"
)


def copies(place: Place) -> Result:
    """A line a generator, and nearest.png in the runs' folder: the synthetic slices nearest to a training slice, and these."""
    real, train = truth_of(place.data)
    rows, lines, shown = with_stroke(place.data, "test"), [], {}
    for name in FROM_MASKS:
        generator, _ = load_weights(shipped(name), GENERATORS)
        images = paint(generator, place.data.stroke[rows], place.data.foreground[rows])
        fake = Sample.of(shipped_encoder(), images, place.data.table["patient"][rows])
        found = memorisation(fake.features, real.features, train.features, fake.patients, real.patients)
        lines.append({"generator": name, **flat(asdict(found))})
        away, which = distances(fake.features, train.features).min(1)  # (n,) each
        first = away.argsort(stable=True)[:DRAWN]
        shown[name] = fake.images[first][:, 0].numpy()
        shown[f"nearest to {name}"] = train.images[which[first]][:, 0].numpy()
    named_rows(shown).save(place.runs / "nearest.png")
    return Result(WHAT, {"": lines})
