"""Result files: whole or absent, four digits, and a card that says where they were made."""

from __future__ import annotations

import csv
import json

import pytest

from strokegan_lib.errors import BadInput
from strokegan_lib.evaluation.tables import provenance, write_csv, write_json


def test_numbers_and_gaps(tmp_path):
    write_csv(tmp_path / "new" / "t.csv", [{"arm": "a", "dice": 1 / 3}, {"arm": "b", "n": 7}])
    with open(tmp_path / "new" / "t.csv", newline="", encoding="utf-8") as file:
        assert list(csv.DictReader(file)) == [
            {"arm": "a", "dice": "0.3333", "n": ""},
            {"arm": "b", "dice": "", "n": "7"},
        ]
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["t.csv"]  # no partial file is left


def test_a_card_comes_back(tmp_path):
    card = {"data": "Größe", "seeds": [0, 1], **provenance(1, "fp32")}
    write_json(tmp_path / "card.json", card)
    assert json.loads((tmp_path / "card.json").read_text(encoding="utf-8")) == card
    assert "fp32" in card["hardware"] and "1 thread" in card["hardware"] and card["date"] and card["torch"]


def test_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(BadInput, match="cannot be written"):
        write_csv(tmp_path / "file" / "t.csv", [{"arm": "a"}])
