"""Whether a streaming surrogate stays where it is for a minute, and comes back from extremes.

    python benchmarks/long_run.py [BUNDLE]

Sixty simulated seconds of ten training cells, drawn by seed, at rest and under a constant current
of 1.3 times their I_thr: rate and rest of the first and of the last ten seconds; the rest beside
the full cells'. Then extremes: voltages of -150 mV and depolarisation block, two seconds after
they end; and inputs far beyond any training, which must leave finite voltages. At last the same
cells as NobleCells for sixty seconds of a NEURON simulation, at rest, under that current, and
under half a second of plus or minus ten times I_thr in the middle of it.
"""

from __future__ import annotations

import sys

import numpy as np
from neuron import h
from record import record

from noble_neuron.features.spiketrain import spike_times
from noble_neuron.protocols.protocol import Protocol
from noble_neuron.protocols.stimuli import Step
from noble_neuron.runtime import NobleCell
from noble_neuron.simulate.run import simulate
from noble_neuron.simulate.study import Study
from noble_neuron.surrogates import bundle

CELLS, SEED = 10, 1
SECONDS, PART = 60, 10
DT = 0.1  # ms
GOALS = {"drift of the rate": 1.0, "drift of the rest": 0.1, "rest beside the full cell's": 0.3}


def main(name: str) -> None:
    study, surrogate = Study.load("pvalb"), bundle.load_stream(name)
    names = np.random.default_rng(SEED).choice(surrogate.card.cells, CELLS, replace=False)
    cells = [(c, f) for c, f in zip(study.cells, study.features, strict=True) if c.name in names]
    latent = np.array([surrogate.point(cell.name) for cell, _ in cells])
    i_thr = np.array([features["I_thr"] for _, features in cells])
    rows = [*minute(surrogate, latent, i_thr), *rest(surrogate, latent, [c for c, _ in cells])]
    rows += [*recovery(surrogate, latent, i_thr), *finite(surrogate, latent)]
    rows += inside(name, surrogate.threshold, [cell.name for cell, _ in cells], i_thr)
    rows = [
        {"n": CELLS, "seed": SEED, "goal": GOALS.get(row["figure"].split(",")[0]), **row}
        for row in rows
    ]
    for row in rows:
        print(f"{row['figure']:60s} {row['value']:10.4g} {row['unit']}")
    record("long_run", rows)


def minute(surrogate, latent: np.ndarray, i_thr: np.ndarray) -> list[dict]:
    """Drift over sixty seconds, at rest and firing; in parts, as the voltage is long."""
    n, steps = len(latent), round(PART * 1e3 / DT)
    both, currents = np.vstack([latent, latent]), np.concatenate([np.zeros(n), 1.3 * i_thr])
    b = np.repeat(currents[:, None], steps, axis=1)
    rates, rests, state = [], [], surrogate.start(both, np.full(2 * n, -75.0))
    for _ in range(SECONDS // PART):
        v, state = advanced(surrogate, state, both, b)
        counts = [len(spike_times(x, DT, surrogate.threshold)) for x in v[n:]]
        rates.append(np.array(counts) / PART)
        rests.append(np.median(v[:n], axis=1))
    drift = np.abs(rates[-1] - rates[0]) / rates[0]
    return [
        {"figure": "rate of the first ten seconds, mean", "value": rates[0].mean(), "unit": "Hz"},
        {"figure": "drift of the rate, largest", "value": 100 * drift.max(), "unit": "%"},
        {
            "figure": "drift of the rest, largest",
            "value": np.abs(rests[-1] - rests[0]).max(),
            "unit": "mV",
        },
    ]


def advanced(surrogate, state, latent, b, g=None):
    """Many chunks from a state: voltage, shape of b, and the next state."""
    per_chunk, answers = round(surrogate.chunk / DT), []
    g = np.zeros_like(b) if g is None else g
    for k in range(0, b.shape[1], per_chunk):
        chunk = slice(k, k + per_chunk)
        v, state = surrogate.advance(state, latent, b[:, chunk], g[:, chunk])
        answers.append(v)
    return np.concatenate(answers, axis=1), state


def rest(surrogate, latent: np.ndarray, cells: list) -> list[dict]:
    """The resting voltage beside the full cells', after a second from -60 and from -90 mV."""
    off = []
    for v_init in (-60.0, -90.0):
        quiet = Protocol("no current 0", 1000.0, (Step(0.0, 0.0, 1000.0),), v_init)
        full = np.array([simulate(cell, quiet).v[-1] for cell in cells])
        b = np.zeros((len(latent), round(1000 / DT)))
        start = surrogate.start(latent, np.full(len(latent), v_init))
        own = advanced(surrogate, start, latent, b)[0][:, -1]
        off.append(np.abs(own - full))
    values = np.concatenate(off)
    figure = "rest beside the full cell's"
    return [
        {"figure": f"{figure}, largest", "value": values.max(), "unit": "mV"},
        {"figure": f"{figure}, median", "value": np.median(values), "unit": "mV"},
    ]


def recovery(surrogate, latent: np.ndarray, i_thr: np.ndarray) -> list[dict]:
    """Rest two seconds after half a second of -150 mV, and of a current that blocks firing."""
    n = len(latent)
    calm = advanced(
        surrogate,
        surrogate.start(latent, np.full(n, -75.0)),
        latent,
        np.zeros((n, round(2000 / DT))),
    )[0][:, -1]
    rows = []
    held = np.zeros((n, round(500 / DT)))
    pulled = (held - 150.0 * 0.5, held + 0.5)  # a clamp of 0.5 uS to -150 mV
    blocked = (held + 10 * i_thr[:, None], held)
    for name, (b, g) in {"-150 mV": pulled, "ten times I_thr": blocked}.items():
        state = surrogate.start(latent, np.full(n, -75.0))
        reached, state = advanced(surrogate, state, latent, b, g)
        after, _ = advanced(surrogate, state, latent, np.zeros((n, round(2000 / DT))))
        rows += [
            {
                "figure": f"voltage under {name}, mean",
                "value": reached[:, -1].mean(),
                "unit": "mV",
            },
            {
                "figure": f"rest two seconds after {name}, largest difference",
                "value": np.abs(after[:, -1] - calm).max(),
                "unit": "mV",
            },
        ]
    return rows


def finite(surrogate, latent: np.ndarray) -> list[dict]:
    """Share of finite voltages under inputs that no cell would survive."""
    n, steps = len(latent), round(200 / DT)
    shares = []
    for current, conductance in ((1e3, 0.0), (-1e3, 0.0), (0.0, 1e3), (1e30, 0.0), (0.0, -0.01)):
        b, g = np.full((n, steps), current), np.full((n, steps), conductance)
        v, _ = advanced(surrogate, surrogate.start(latent, np.full(n, -75.0)), latent, b, g)
        shares.append(np.isfinite(v).mean())
    return [
        {"figure": "finite voltages under absurd inputs", "value": 100 * min(shares), "unit": "%"}
    ]


def inside(name: str, threshold: float, names: list[str], i_thr: np.ndarray) -> list[dict]:
    """The same in NEURON: cells at rest, firing, and pushed far up and down for a while."""
    before = h.celsius, h.dt
    h.celsius, h.dt = 34, DT
    middle, context, held = SECONDS * 500.0, h.ParallelContext(), []
    factors = {"rest": 0.0, "firing": 1.3, "ten times I_thr": 10.0, "-ten times I_thr": -10.0}
    cells = {kind: [NobleCell(name, latent=cell) for cell in names] for kind in factors}
    for kind, factor in factors.items():
        for cell, current in zip(cells[kind], i_thr, strict=True):
            clamp = h.IClamp(cell.soma(0.5))
            clamp.amp = factor * current
            clamp.delay, clamp.dur = (0.0, 1e9) if abs(factor) < 10 else (middle, 500.0)
            held.append(clamp)
    times = [h.Vector() for _ in names]
    for cell, own in zip(cells["firing"], times, strict=True):
        detector = h.NetCon(cell.soma(0.5)._ref_v, None, sec=cell.soma)
        detector.threshold = threshold
        detector.record(own)
        held.append(detector)
    context.set_maxstep(10)
    h.finitialize(-75)
    seen = {}
    for until in (PART * 1e3, middle, middle + 490, middle + 2500, SECONDS * 1e3):
        context.psolve(until)
        seen[until] = {k: np.array([c.soma(0.5).v for c in own]) for k, own in cells.items()}
    h.celsius, h.dt = before
    return in_neuron(times, seen, middle)


def in_neuron(times: list, seen: dict[float, dict[str, np.ndarray]], middle: float) -> list[dict]:
    """What drifted and what came back, from spike times and voltages at some times."""
    borders = np.array([0, PART, SECONDS - PART, SECONDS]) * 1e3
    counts = np.array([np.histogram(t, borders)[0] for t in times])
    first, last = counts[:, 0] / PART, counts[:, 2] / PART
    rest = seen[SECONDS * 1e3]["rest"] - seen[PART * 1e3]["rest"]
    rows = [
        ("rate of the first ten seconds, mean", first.mean(), "Hz"),
        ("drift of the rate, largest", 100 * (np.abs(last - first) / first).max(), "%"),
        ("drift of the rest, largest", np.abs(rest).max(), "mV"),
    ]
    for kind in ("ten times I_thr", "-ten times I_thr"):
        off = np.abs(seen[middle + 2500][kind] - seen[middle][kind]).max()
        rows += [
            (f"voltage under {kind}, mean", seen[middle + 490][kind].mean(), "mV"),
            (f"rest two seconds after {kind}, largest difference", off, "mV"),
        ]
    return [
        {
            "figure": f"in NEURON: {figure}",
            "value": float(value),
            "unit": unit,
            "goal": GOALS.get(figure.split(",")[0]),
        }
        for figure, value, unit in rows
    ]


if __name__ == "__main__":
    main(sys.argv[1] if sys.argv[1:] else "pvalb")
