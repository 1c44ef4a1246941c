"""The tables that pages show are those of the files, every file says how it was made, and lessons have their copies."""

import json

import pytest
from brains import brains

from experiments import reproduce, results_page
from experiments.results_page import BALANCED, PAGES, TABLES, ahead, cell, corrected, filled, number
from experiments.runner import RESULTS, Place, Result
from strokegan_lib.classroom import saved
from strokegan_lib.errors import BadInput
from strokegan_lib.files import sha256
from strokegan_lib.training.weights import SHIPPED


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_are_up_to_date(page):
    text = page.read_text(encoding="utf-8")
    assert filled(text) == text, "run python -m experiments.results_page"


def test_every_table_is_shown_and_every_result_says_how_it_was_made():
    shown = PAGES[0].read_text(encoding="utf-8")
    for file in RESULTS.glob("*.csv"):
        if not file.stem.endswith(("_slices", "_groups")):
            assert f"<!-- table {file.stem} -->" in shown and file.stem in TABLES, file.stem
        name = file.stem.removesuffix("_slices").removesuffix("_groups")
        card = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
        assert card["command"].startswith("python ") and card["date"] and card["hardware"]


def test_words_of_the_readme_hold_for_the_tables():
    found = {
        name: {line["arm"]: line for line in saved.table_of(name, RESULTS)[0]}
        for name in ("table1_soop", "new_loss_soop", *(f"balancing_{name}" for name in BALANCED))
    }
    table1, loss = found["table1_soop"], found["new_loss_soop"]["masked"]
    assert table1["segan"]["minus_arm_high"] < 0.058, "the paper's margin is not found"
    assert max(table1, key=lambda arm: table1[arm]["dice_mean"]) == "unet", "has the highest Dice"
    assert table1["unet"]["wilcoxon_holm_p"] > 0.05, "its lead is not confirmed"
    assert loss["minus_arm_low"] < 0 < loss["minus_arm"] < 0.03 < loss["wilcoxon_holm_p"], "not shown, missed"
    gains = [found[f"balancing_{name}"][arm] for name, arm in
             (("soop18", "gan-50"), ("phantom", "gan-50"), ("tenth", "gan-80"))]  # fmt: skip
    assert [line["minus_arm_high"] < 0 for line in gains] == [True, True, False], "two settings of three"
    tests = corrected(*(f"balancing_{name}" for name in BALANCED))
    assert len(tests) == 12 and all(float(p) > 0.05 for (_, arm), p in tests.items() if "gan" in arm)
    assert len(corrected("table1_phantom", "new_loss_phantom", "balancing_phantom")) == 7
    parts = {line["generator"]: line for line in saved.table_of("ablation_synthesis", RESULTS)[0]}
    with_it, without = (
        [float(word) for word in parts[name]["kernel_by_seed"].split()]
        for name in ("paper", "no-multi-scale")
    )
    assert max(with_it) < min(without) and len(without) == 3, "larger with each seed, p .1 by ranks"


def test_lessons_have_copies_of_their_tables():
    copies = [*SHIPPED.glob("*.csv"), *SHIPPED.glob("*.json")]
    assert len(copies) >= 18 and all(sha256(copy) == sha256(RESULTS / copy.name) for copy in copies)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.4341, ".434"), (-0.0207, "−.021"), (57.77, "57.8"), (1200.0, "1,200"), (959713.0, "0.96 M"), (1.0, "1.000"),
     (0.0, "0"), (-0.0003, "0"), (None, ""), ("unet", "unet")],
)  # fmt: skip
def test_numbers_in_tables(value, text):
    assert number(value) == text


def test_cells_and_pages():
    line = {"dice_mean": 0.5, "dice_low": 0.4, "dice_high": 0.6, "wilcoxon_holm_p": 0.0002}
    assert cell(line, "dice") == ".500 (.400 to .600)" and cell(line, "wilcoxon_holm_p") == "< .001"
    lead = {"minus_arm": -0.05, "minus_arm_low": -0.08, "minus_arm_high": 0.01}
    assert ahead(lead) == ".050 (−.010 to .080)"
    page = "a\n<!-- table weights -->\nstale\n<!-- /table -->\nb\n<!-- results -->\n<!-- /results -->\n"
    made = filled(page)
    missing = "<!-- table new_loss_nowhere -->\n<!-- /table -->\n"
    assert "*Not made yet;" in filled(missing)
    assert "| synthesis-soop |" in made and "stale" not in made and results_page.findings() in made


def test_reproduce_writes_tables_and_cards(tmp_path, monkeypatch):
    lines = [{"arm": "a", "dice_mean": 0.25}]
    places = []

    def made(place: Place) -> Result:
        places.append(place)
        return Result("what it is", {"": lines, "groups": [{"arm": "b"}]}, {"seeds": [0]})

    monkeypatch.setattr(reproduce, "EXPERIMENTS", {"tiny": made})
    data = brains(tmp_path / "set", patients=9)

    def call(*words) -> None:
        options = ["--runs", str(tmp_path / "runs"), "--out", str(tmp_path / "out"), *words]
        reproduce.reproduce(reproduce.parser().parse_args(options))

    call("--data", str(data.folder))
    found, card = saved.table_of("tiny", tmp_path / "out")
    assert found == lines and saved.table_of("tiny", tmp_path / "out", part="groups")[0] == [{"arm": "b"}]
    assert card["seeds"] == [0] and card["data_sha256"] == data.card["sha256"]
    assert card["command"].endswith(" tiny") and str(tmp_path) not in json.dumps(card)
    call("--data", str(data.folder), "--anew", "--phantom", str(tmp_path / "phantom"))
    assert [place.anew for place in places] == [False, True] and places[1].phantom == tmp_path / "phantom"
    assert places[0].scores == tmp_path / "out/scores" and places[0].runs == tmp_path / "runs/tiny"
    kit, copies = tmp_path / "kit", tmp_path / "copies"
    copies.mkdir()
    (copies / "tiny.csv").write_text("old")
    monkeypatch.setattr(reproduce, "RESULTS", kit)
    monkeypatch.setattr(reproduce, "TABLES", copies)
    call("--data", str(data.folder), "--out", str(tmp_path / "out/../kit"))
    assert sha256(copies / "tiny.csv") == sha256(kit / "tiny.csv"), "what lessons show is copied"
    with pytest.raises(BadInput, match="is not known"):
        call("--data", str(data.folder), "nothing")
    with pytest.raises(BadInput, match="do not come with the kit"):
        saved.table_of("nothing")
