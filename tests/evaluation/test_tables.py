"""Result files: whole or absent, six digits, and a card that says where they were made."""

import json

import pytest

from strokegan_lib.errors import BadInput
from strokegan_lib.evaluation.tables import provenance, write_csv, write_json


def test_numbers_gaps_and_a_card(tmp_path):
    folder = tmp_path / "new"
    write_csv(folder / "t.csv", [{"arm": "a", "dice": 1 / 3}, {"arm": "b", "n": 7, "dice": None}])
    assert (folder / "t.csv").read_text() == "arm,dice,n\na,0.333333,\nb,,7\n"
    assert [file.name for file in folder.iterdir()] == ["t.csv"]  # no partial file is left
    card = {"data": "Größe", "seeds": [0, 1], **provenance(1, "fp32")}
    write_json(folder / "card.json", card)
    assert json.loads((folder / "card.json").read_text(encoding="utf-8")) == card
    assert "fp32" in card["hardware"] and "1 thread" in card["hardware"] and card["date"] and card["torch"]
    with pytest.raises(BadInput, match="cannot be written"):
        write_csv(folder / "t.csv" / "t.csv", [{"arm": "a"}])
