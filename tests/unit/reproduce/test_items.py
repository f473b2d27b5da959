"""Every item from end to end on a small real line: what it records is what it measured."""

from pathlib import Path

import numpy as np
import pytest

from noble_neuron.compare.evaluation import FLOOR, NEAREST, EvaluationResult
from noble_neuron.compare.metrics import FIGURES, Group
from noble_neuron.compare.tables import Table
from noble_neuron.protocols.protocol import noble_step
from noble_neuron.reproduce import (
    accuracy,
    ensembles,
    finetuning,
    onset,
    resolution,
    speed,
    subsampling,
)
from noble_neuron.reproduce._distances import HALVINGS
from noble_neuron.reproduce._steps import OWN, Sizes, Steps
from noble_neuron.reproduce._trained import (
    ON_CELLS,
    ON_CURRENTS,
    ONCE,
    SMOKE,
    Judged,
    Row,
    Traces,
    part,
    trained,
)
from noble_neuron.reproduce._trained import Sizes as TrainedSizes
from noble_neuron.reproduce._trained_tables import outcome
from noble_neuron.reproduce.bench import Bench
from noble_neuron.reproduce.seeds import over_seeds
from noble_neuron.simulate.plan import Sample
from noble_neuron.simulate.run import simulate
from noble_neuron.store.decimate import low_passed
from noble_neuron.training.split import Split, split_samples

FEW = Sizes(2, floor=False)


@pytest.fixture(scope="module")
def bench(line, tmp_path_factory) -> Bench:
    folder = tmp_path_factory.mktemp("reproduce")
    return Bench(
        str(line.folder / "study.json"), str(line.folder / "bundle"), "quick", folder, workers=1
    )


@pytest.fixture(autouse=True)
def tables_have_a_cell_per_column(monkeypatch):
    """Every table that an item makes is whole."""
    whole = Table.__init__

    def checked(self, title, head, rows):
        whole(self, title, head, rows)
        assert {len(row) for row in rows} <= {len(head)}, title

    monkeypatch.setattr(Table, "__init__", checked)


def found(outcome, split: str, figure: str) -> float:
    (row,) = (r for r in outcome.records if r["figure"] == figure and r.get("split") == split)
    return row["value"]


def test_simulations_are_kept_and_are_those_of_the_cell(bench, line):
    samples = [Sample(0, noble_step(0.2))]
    first = bench.voltages("kept", line.cells, samples)
    (path,) = (bench.folder / "simulations").glob("kept-*.h5")
    written = path.stat().st_mtime_ns
    np.testing.assert_array_equal(bench.voltages("kept", line.cells, samples), first)
    assert path.stat().st_mtime_ns == written
    raw = simulate(line.cells[0], noble_step(0.2)).v.astype(np.float32)
    np.testing.assert_array_equal(first[0], low_passed(raw))


def test_a_step_at_the_trained_onset_is_the_paper_step(bench):
    outcome = onset.measure(bench, FEW, (15.0, 30.0))
    steps = Steps(bench, FEW)
    known = bench.answered([onset.step(a, 15.0, 400.0) for a in steps.amplitudes], steps.latent)
    again = bench.answered([noble_step(a) for a in steps.amplitudes], steps.latent)
    np.testing.assert_array_equal(known.voltage, again.voltage)
    assert not any("square step" in text for text in known.warnings)
    own, moved = (
        found(outcome, "onset 15 ms", f"{name}/all/voltage_l2") for name in (OWN, onset.MOVED)
    )
    assert own == moved > 0
    assert found(outcome, "onset 15 ms", f"{OWN}/all/outside the step, largest error") > 0
    at_30 = [text for text in outcome.said if text.startswith("onset 30 ms")]
    assert at_30[0].endswith("It warns.")


def test_answers_are_moved_by_whole_steps():
    answer = np.arange(10.0)[None]
    np.testing.assert_array_equal(onset.moved(answer, 15.2, 0.1)[0], [0, 0, *range(8)])
    np.testing.assert_array_equal(onset.moved(answer, 14.9, 0.1)[0], [*range(1, 10), 9])


def test_on_the_trained_grid_the_full_model_loses_only_what_the_filter_takes(bench):
    outcome = resolution.measure(bench, FEW, (0.025, 0.075))
    fine, own = (
        found(outcome, f"every {dt} ms", f"{resolution.BEST}/all/voltage_l2")
        for dt in ("0.025", "0.075")
    )
    assert 0 < fine < 5 and 0 < own < 5
    assert found(outcome, "every 0.025 ms", "kinds of warning") >= 0


def test_a_coarser_grid_costs_more(bench):
    outcome = subsampling.measure(bench, subsampling.Sizes(2, (2, 10)))
    values = {row["figure"]: row["value"] for row in outcome.records}
    by = subsampling.BY_POINT
    width = [values[f"{by}, {factor} times coarser/all/AP1_width"] for factor in (2, 10)]
    assert 0 < width[0] < width[1]
    assert f"{subsampling.HALVED}/all/AP1_width" in values


def test_accuracy_stands_beside_its_baselines_and_the_paper(bench):
    outcome = accuracy.measure(bench, accuracy.Sizes(known=5, fresh=4, floor=1))
    names = {(row["split"], row["figure"]) for row in outcome.records}
    for split in (accuracy.TRAINING, accuracy.HELD_OUT):
        for answer in (OWN, "nearest training trace", accuracy.ON_PAPER):
            assert (split, f"{answer}/all/voltage_l2") in names
    n = {
        row["split"]: row["n"]
        for row in outcome.records
        if row["figure"] == f"{OWN}/all/voltage_l2"
    }
    assert n == {accuracy.TRAINING: 12, accuracy.HELD_OUT: 4}


def test_ensembles_are_as_large_as_said(bench, monkeypatch):
    monkeypatch.setattr("noble_neuron.reproduce._distances.HALVINGS", min(5, HALVINGS))
    sizes = ensembles.Sizes(2, points=5, mixed=3, around=1, near=4, near_mixed=3)
    outcome = ensembles.measure(bench, sizes)
    own = [r for r in outcome.records if r["figure"].startswith(f"{ensembles.PAIRS}/")]
    assert {r["n"] for r in own} == {5}
    mixed = [r for r in outcome.records if r["figure"].startswith(f"{ensembles.MIXED}/")]
    assert {r["n"] for r in mixed} == {3}
    hull = ensembles.in_hull(bench, 20)
    assert bench.surrogate.latent_space.contains(hull).all()


TINY = TrainedSizes(3, 10, 16, 1, 10, ONCE, floor=1, smoke=True)


def test_a_tiny_training_is_called_a_smoke_run(bench):
    rows = (
        Row("none", ()),
        Row("I_thr, max_rate", ("I_thr", "max_rate"), 0.7, (1, 2, 3, 4, 5), seed=3),
    )
    made = trained(bench, rows, TINY)
    shown = outcome("latents", rows, made, TINY, ON_CELLS, ("said",))
    assert "quoted nowhere" in shown.said[0]
    assert all(r["split"].startswith(SMOKE) for r in shown.records if r.get("split"))
    assert all(table.title.startswith(SMOKE) for table in shown.tables)
    figures = {r["figure"]: r["value"] for r in shown.records}
    assert figures["none: training traces"] == 15  # a third of 16 each, rounded
    assert {"none/all/voltage_l2", "none: nearest training trace/all/voltage_l2"} <= set(figures)
    assert "floor (full model at dt/2)/all/voltage_l2" in figures
    assert figures["paper: I_thr, max_rate/all/AP1_width"] == 3
    log = bench.folder / "trained" / "quick" / "none-3-cells-seed-0" / "shape" / "log.jsonl"
    written = log.read_text()
    assert trained(bench, rows, TINY)["none"].minutes == made["none"].minutes
    assert log.read_text() == written


def test_fewer_cells_see_as_many_traces_and_all_are_judged_alike():
    cell = np.repeat(np.arange(6), 20)
    split = split_samples(cell, [*range(20)] * 6, [5], seed=0)
    known, sizes = Traces(Path("unread"), cell, split), TrainedSizes(5, 20, 30, 1, 8)
    many, few = part(known, range(5), sizes), part(known, range(2), sizes)
    assert len(many.train) == len(few.train) == 30
    assert {int(cell[i]) for i in few.train} == {0, 1}
    assert {i for i in many.train if cell[i] < 2} < set(few.train) < set(split.train)
    assert few.unseen == many.unseen and set(few.unseen) < set(split.unseen)
    assert len(many.test) == 8 and set(many.test) < set(split.test)
    assert set(few.test) == {i for i in split.test if cell[i] < 2}


def test_seeds_have_a_mean_and_a_spread():
    def one(value):
        values = dict.fromkeys(FIGURES, float("nan")) | {"voltage_l2": value}
        scores = {ON_CELLS: {"surrogate": {"all": Group(values, 7)}}}
        return Judged(EvaluationResult(scores, {}, {}), Split((), (), (), (), 0), 1.0)

    rows = [Row(str(k), ()) for k in range(3)]
    made = over_seeds(rows, {"0": one(1.0), "1": one(2.0), "2": one(6.0)})
    values = {r["figure"]: r["value"] for r in made if np.isfinite(r["value"])}
    assert values == {
        "mean of the seeds/all/voltage_l2": 3.0,
        "SD over the seeds/all/voltage_l2": pytest.approx(7**0.5),
    }
    assert {(r["split"], r["n"], r["unit"]) for r in made if "voltage_l2" in r["figure"]} == {
        (ON_CELLS, 7, "%")
    }


def test_finetuning_is_judged_where_it_trained_and_elsewhere(bench):
    outcome = finetuning.measure(bench, finetuning.Sizes(10, 1, 1, TINY))
    assert all(r["split"].startswith(SMOKE) for r in outcome.records)
    for split in (ON_CURRENTS, ON_CELLS):
        names = {r["figure"] for r in outcome.records if r["split"] == SMOKE + split}
        for answer in (finetuning.BEFORE, "lambda 0", "lambda 25"):
            assert f"{answer}/silent/sag_amplitude" in names
            assert f"ordinary steps, {answer}/all/voltage_l2" in names
        assert {
            f"{NEAREST}/silent/sag_amplitude",
            f"{FLOOR}/silent/voltage_l2",
        } < names
    figure = "/silent/sag_amplitude"
    before, tuned, paper = (
        found(outcome, SMOKE + ON_CURRENTS, name + figure)
        for name in ("before", "lambda 25", "paper: lambda 25")
    )
    assert before != tuned and paper == 9.6
    floor = found(outcome, SMOKE + ON_CURRENTS, FLOOR + figure)
    assert 0 < floor < before


def test_every_ratio_names_both_its_sides(bench):
    outcome = speed.measure(bench, speed.Sizes(traces=2, single=2, many=4))
    ours = {r["figure"]: r["value"] for r in outcome.records if r.get("split") != "paper"}
    seconds = {k.split(":")[0]: v for k, v in ours.items() if k.endswith("predictions")}
    ratios = {k: v for k, v in ours.items() if " / " in k}
    assert len(seconds) == 6 and len(ratios) >= 4
    for name, value in ratios.items():
        full, fast = name.split(" / ")
        assert value == pytest.approx(seconds[full] / seconds[fast])
    paper = {r["figure"]: r["value"] for r in outcome.records if r.get("split") == "paper"}
    assert paper[f"{speed.SERIAL} / {speed.MANY}"] == pytest.approx(4200, rel=0.01)
    assert paper[f"{speed.SERIAL} / {speed.ONE}"] == pytest.approx(230, rel=0.01)
