"""How far the rebuilt cells are from the runs of their original mechanisms.

Writes results/golden_allen.json and results/golden_hl23.json. Needs the reference data.
"""

import math
import sys

from record import ROOT, record

sys.path.insert(0, str(ROOT / "tests" / "vs_neuron"))

import golden_runs as golden  # noqa: E402

HOFS = (0, 7, 15, 20, 30, 39)


def summary(split: str, rows: list[golden.Deviation], wrong_goal: str | None = "0") -> list[dict]:
    """Worst deviations of one set of runs."""
    spikes = [row.spikes for row in rows if not math.isnan(row.spikes)]
    wrong = [row for row in rows if row.count != row.golden]
    common = {"split": split, "n": len(rows)}
    return [
        {
            "figure": "largest voltage difference until 1 ms before the first spike",
            "value": max(row.voltage for row in rows),
            "unit": "mV",
            "goal": "< 0.5",
            **common,
        },
        {
            "figure": "largest difference in spike time where the counts agree",
            "value": max(spikes),
            "unit": "ms",
            "goal": "< 0.1",
            **common,
            "n": len(spikes),
        },
        {
            "figure": "traces with another spike count",
            "value": len(wrong),
            "unit": "traces",
            "goal": wrong_goal,
            **common,
        },
        {
            "figure": "golden spikes",
            "value": sum(row.golden for row in rows),
            "unit": "spikes",
            **common,
        },
    ]


def published(rows: list[golden.Feature]) -> list[dict]:
    """Worst deviation of each feature of the published step."""
    records = []
    for name in dict.fromkeys(row.name for row in rows):
        of_name = [row for row in rows if row.name == name]
        for against in ("reference", "published"):
            records.append(
                {
                    "figure": f"{name}, largest deviation from the {against} value",
                    "value": max((_deviation(row, against) for row in of_name), key=abs),
                    "unit": "mV" if name == "voltage_base" else "relative",
                    "n": len(of_name),
                    "split": "repro_check.csv",
                }
            )
    return records


def _deviation(row: golden.Feature, against: str) -> float:
    expected = getattr(row, against)
    scale = 1.0 if row.name == "voltage_base" else expected
    return (row.ours - expected) / scale


def main() -> None:
    """Run every golden comparison and keep the figures."""
    rows = [row for hof in HOFS for row in golden.allen_rows(hof)]
    within = [row for row in rows if row.robust]
    outside = [row for row in rows if not row.robust]
    for row in rows:
        print(row)
    record(
        "golden_allen",
        summary("amplitudes with robust counts", within, "0")
        + summary("other amplitudes", outside, None)
        + published(golden.repro_rows()),
    )
    human = []
    for name in ("HL23PV", "HL23VIP"):
        human += summary(f"{name}, steps", golden.hl23_rows(name))
        human += summary(f"{name}, frozen noise", golden.hl23_noise_rows(name))
    record("golden_hl23", human)


if __name__ == "__main__":
    main()
