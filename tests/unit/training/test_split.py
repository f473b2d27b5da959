import json

import numpy as np
import pytest

from noble_neuron.errors import InputError
from noble_neuron.training.split import Split, split_samples

CELLS = [f"hof{i % 5}" for i in range(205)]
AMPLITUDES = [round(0.01 * (i // 10), 3) for i in range(205)]  # each twice or so per cell


def made(seed=4):
    return split_samples(CELLS, AMPLITUDES, {"hof1", "hof3"}, seed, validation=0.2, test=0.2)


def test_no_cell_and_current_of_one_part_are_in_another():
    split = made()
    parts = [split.train, split.validation, split.test, split.unseen]
    assert sorted(sum(parts, ())) == list(range(205))
    pairs = [{(CELLS[i], AMPLITUDES[i]) for i in part} for part in parts]
    assert all(not (pairs[a] & pairs[b]) for a in range(4) for b in range(a))
    assert {CELLS[i] for i in split.unseen} == {"hof1", "hof3"}
    for part in parts[:3]:
        assert {CELLS[i] for i in part} == {"hof0", "hof2", "hof4"}
    assert len(split.test) == pytest.approx(
        0.2 * len(split.train + split.validation + split.test), abs=6
    )


def test_it_is_the_seeds(tmp_path):
    assert made() == made()
    assert made().test != made(seed=5).test


def test_it_is_written_down_and_read_back(tmp_path):
    made().write(tmp_path / "split.json")
    assert Split.read(tmp_path / "split.json") == made()
    (tmp_path / "split.json").write_text(json.dumps({"train": [1]}))
    with pytest.raises(InputError, match="split.json is damaged"):
        Split.read(tmp_path / "split.json")


def test_a_held_out_cell_without_samples_is_refused():
    with pytest.raises(InputError, match="held-out cells .*hof9"):
        split_samples(CELLS, AMPLITUDES, ["hof9"], 0)


def test_numpy_columns_will_do():
    split = split_samples(np.arange(30) % 3, np.linspace(0, 1, 30), [2], 0)
    assert len(split.unseen) == 10
