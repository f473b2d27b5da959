"""Features of a recorded cell, by the families' own definitions, and how well they are known.

A model's threshold is bisected to 0.2 pA; a recorded one lies between the highest silent and
the lowest firing amplitude that were tried. So every feature here has an error, its SD: what
the spacing of the amplitudes, repeated sweeps and drift between sweeps leave open.

    I_thr, I_rep       middle of the bracket, its width over sqrt(12)
    s_thr              of a line or a root through the sweeps in [I_rep, I_rep + 0.12 nA]; what
                       its fit and the bracket of I_rep leave open
    resting_voltage    mean over sweeps of the last 10 ms before the step, SD over sweeps
    input_resistance   least squares of the late deflection over steps of -50 pA to 0 (the
                       families' is -20 pA), or of -0.1 nA if there are none; its error
    time constant      mean over the same steps, standard error
    of a trace         interpolated to 1.3 I_thr between the sweeps next to it; what the error
                       of I_thr makes of that, and the SD of repeats
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import InputError
from ..features import efel, fi, passive
from .squares import Square

SPIKING = 1.3  # times I_thr: where a family's features of a trace are read
SMALL, LARGER = -0.05, -0.1  # nA: steps between these and 0 serve for passive features
REST = 10.0  # ms before the step
TRACE_FEATURES = tuple(
    name
    for name in efel.PAPER_FEATURES
    # After the stimulus, where a longer step still goes on; and what is no quantity.
    if name not in ("decay_time_constant_after_stim", "steady_state_voltage", "depol_block")
)


@dataclass(frozen=True)
class Measured:
    """One feature of a recorded cell.

    Attributes:
        value: In the unit of `noble_neuron.units`.
        error: SD of the measurement, same unit; NaN if it cannot be told.
        note: What it rests on.
    """

    value: float
    error: float
    note: str


@dataclass(frozen=True, eq=False)
class RecordedCell:
    """What long square steps say of a cell.

    Attributes:
        features: Feature -> value, error and note; only those that could be measured.
        amplitudes: Of the steps [nA], rising, each once, shape (A,).
        counts: Spikes within the (first 400 ms of the) step, mean over repeats, shape (A,).
        duration: Of the step as far as it was read [ms].
        spacing: Median distance of the amplitudes around threshold [nA].
        notes: What a user must know, one sentence each.
    """

    features: dict[str, Measured]
    amplitudes: np.ndarray
    counts: np.ndarray
    duration: float
    spacing: float
    notes: tuple[str, ...]


def characterise_recording(squares: Sequence[Square], threshold: float) -> RecordedCell:
    """Measure a cell.

    Args:
        squares: Its long square steps, from `long_squares`.
        threshold: Voltage whose upward crossing is a spike [mV], junction potential included.

    Raises:
        InputError: No sweep fires, or the cell fires without current.
    """
    curve = _curve(squares, threshold)
    found = _passive(squares)
    found |= _onsets(curve)
    found |= _slope(curve)
    found |= _of_traces(squares, threshold, found.get("I_thr"))
    near = curve.amplitudes[curve.amplitudes > 0]
    return RecordedCell(
        {name: one for name, one in found.items() if np.isfinite(one.value)},
        curve.amplitudes,
        curve.counts,
        curve.duration,
        float(np.median(np.diff(near))) if near.size > 1 else float("nan"),
        _notes(squares, curve, threshold),
    )


def _curve(squares: Sequence[Square], threshold: float) -> fi.FICurve:
    """F-I curve; repeats of an amplitude are averaged."""
    rows: dict[float, list[fi.FICurve]] = {}
    for square in squares:
        onset, offset = square.window
        one = fi.fi_curve(
            lambda a, square=square: square.trace,
            [square.amplitude],
            threshold=threshold,
            onset=onset,
            offset=offset,
        )
        rows.setdefault(square.amplitude, []).append(one)
    amplitudes = np.array(sorted(rows))
    columns = [
        np.array([np.mean([getattr(one, what)[0] for one in rows[a]]) for a in amplitudes])
        for what in ("counts", "smooth", "repetitive")
    ]
    counts, smooth, repetitive = columns
    return fi.FICurve(amplitudes, counts, smooth, repetitive > 0.5, squares[0].duration)


def _onsets(curve: fi.FICurve) -> dict[str, Measured]:
    fires = curve.counts >= 0.5  # in half of the repeats or more
    if not fires.any():
        raise InputError(
            f"No sweep fires (amplitudes from {curve.amplitudes[0]:g} to "
            f"{curve.amplitudes[-1]:g} nA): a cell is placed by its firing. Are the spikes "
            f"above the detection threshold?"
        )
    if curve.amplitudes[fires][0] <= 0:
        raise InputError(
            f"The cell fires at {curve.amplitudes[fires][0]:g} nA, without depolarising current: "
            f"it has no threshold current."
        )
    found = {"I_thr": _bracket(curve.amplitudes, fires, "fires")}
    if curve.repetitive.any():
        found["I_rep"] = _bracket(curve.amplitudes, curve.repetitive, "fires to the end")
    return found


def _bracket(amplitudes: np.ndarray, happens: np.ndarray, what: str) -> Measured:
    first = int(np.flatnonzero(happens)[0])
    above = amplitudes[first]
    below = max(0.0, amplitudes[first - 1]) if first else 0.0
    note = f"between {below:g} nA and {above:g} nA, the first that {what}"
    return Measured((below + above) / 2, (above - below) / np.sqrt(12), note)


def _slope(curve: fi.FICurve) -> dict[str, Measured]:
    """s_thr as the families have it: over a window that begins at I_rep, not at the next sweep.

    F-I curves are steepest where they begin, so the sweeps' own slope is too low, by a third
    where they are 20 pA apart. A line or a root, whichever is closer to the sweeps, stands in
    for the curve; where in its bracket I_rep lies is left open.
    """
    first = int(np.flatnonzero(curve.repetitive)[0]) if curve.repetitive.any() else None
    if first is None or not np.isfinite(fi.slope(curve)):
        return {}
    used = np.arange(first, int(np.argmax(curve.smooth)) + 1)
    used = used[curve.amplitudes[used] <= curve.amplitudes[first] + fi.SLOPE_WINDOW + 1e-9]
    x, y = curve.amplitudes[used], curve.smooth_rates[used]
    below = max(0.0, curve.amplitudes[first - 1]) if first else 0.0
    note = f"{len(x)} amplitudes from {x[0]:g} to {x[-1]:g} nA"
    if len(x) < 3:  # a line through two points, each known to half a spike
        error = 0.5e3 / curve.duration / (np.ptp(x) / np.sqrt(2))
        return {"s_thr": Measured(fi.slope(curve), float(error), note)}
    starts = below + (x[0] - below) * np.array([0.1, 0.3, 0.5, 0.7, 0.9])
    found = [_fitted_slope(x, y, start) for start in starts]
    values, residual = np.array(found).T
    error = np.hypot(values.std(), residual.mean() / np.sqrt(((x - x.mean()) ** 2).sum()))
    return {"s_thr": Measured(float(values.mean()), float(error), note)}


def _fitted_slope(x: np.ndarray, y: np.ndarray, start: float) -> tuple[float, float]:
    """Slope [Hz/nA] of a fitted curve over the window from `start`, and the SD it leaves [Hz]."""
    window = np.linspace(start, start + fi.SLOPE_WINDOW, fi.SLOPE_POINTS)
    best = (np.inf, np.nan)
    for power in (1.0, 0.5):
        design, over = (
            np.column_stack([np.ones_like(a), (a - start) ** power]) for a in (x, window)
        )
        weights = np.linalg.lstsq(design, y, rcond=None)[0]
        left = ((design @ weights - y) ** 2).sum()
        best = min(best, (left, float(np.polyfit(window, over @ weights, 1)[0])))
    return best[1], float(np.sqrt(best[0] / max(len(x) - 2, 1)))


def _passive(squares: Sequence[Square]) -> dict[str, Measured]:
    """Rest, and what the small hyperpolarising steps say."""
    rest = [_before(square) for square in squares]
    found = {
        "resting_voltage": Measured(
            float(np.mean(rest)), float(np.std(rest, ddof=1)), f"{len(rest)} sweeps"
        )
    }
    for largest in (SMALL, LARGER):
        small = [s for s in squares if largest - 1e-6 <= s.amplitude < 0]
        if small:
            break
    note = f"{len(small)} steps of {1e3 * largest:g} pA or less"
    if small:
        late = [passive.input_resistance(s.trace, s.amplitude, *s.window) for s in small]
        current = np.array([s.amplitude for s in small])
        # Through the origin: no current, no deflection.
        value = float((late * current**2).sum() / (current**2).sum())
        left = (np.array(late) - value) * current
        freedom = max(len(small) - 1, 1)
        error = np.sqrt((left**2).sum() / freedom / (current**2).sum())
        alone = len(small) == 1
        found["input_resistance"] = Measured(value, np.nan if alone else float(error), note)
        taus = [passive.membrane_time_constant(s.trace, *s.window) for s in small]
        taus = [tau for tau in taus if np.isfinite(tau)]
        if taus:
            error = np.std(taus, ddof=1) / np.sqrt(len(taus)) if len(taus) > 1 else np.nan
            found["membrane_time_constant"] = Measured(float(np.mean(taus)), float(error), note)
    sags = [s for s in squares if abs(s.amplitude - LARGER) <= 0.2 * abs(LARGER)]
    if sags:
        ratios = [passive.sag_ratio(s.trace, *s.window) for s in sags]
        error = float(np.std(ratios, ddof=1)) if len(ratios) > 1 else np.nan
        found["sag_ratio"] = Measured(float(np.mean(ratios)), error, f"{len(sags)} steps")
    return found


def _before(square: Square) -> float:
    """Mean voltage of the last 10 ms before the step [mV]."""
    t = square.trace.t
    return float(square.trace.v[(t >= square.before - REST) & (t < square.before)].mean())


def _of_traces(
    squares: Sequence[Square], threshold: float, i_thr: Measured
) -> dict[str, Measured]:
    """Features of a trace at 1.3 I_thr, between the amplitudes next to it."""
    at, error = SPIKING * i_thr.value, SPIKING * i_thr.error
    amplitudes = np.unique([s.amplitude for s in squares if s.amplitude >= i_thr.value])
    if not amplitudes.size or at > amplitudes[-1]:
        return {}
    after = max(1, int(np.searchsorted(amplitudes, at)))
    pair = amplitudes[after - 1 : after + 1]
    values = {
        a: [
            efel.extract(s.trace, *s.window, threshold, TRACE_FEATURES)
            for s in squares
            if s.amplitude == a
        ]
        for a in pair
    }
    return {name: _between(name, pair, values, at, error) for name in TRACE_FEATURES}


def _between(name: str, pair: np.ndarray, values: dict, at: float, error: float) -> Measured:
    columns = [np.array([row[name] for row in values[a]]) for a in pair]
    means = [column.mean() for column in columns]
    steep = (means[-1] - means[0]) / (pair[-1] - pair[0]) if len(pair) > 1 else 0.0
    value = means[0] + steep * (at - pair[0])
    repeats = [column.var(ddof=1) for column in columns if column.size > 1]
    total = np.sqrt((steep * error) ** 2 + (np.mean(repeats) if repeats else 0.0))
    said = " and ".join(f"{a:g}" for a in pair)
    return Measured(float(value), float(total), f"at {at:.4g} nA, from {said} nA")


def _notes(squares: Sequence[Square], curve: fi.FICurve, threshold: float) -> tuple[str, ...]:
    notes = []
    if curve.duration < 399:
        notes.append(
            f"The steps last {curve.duration:g} ms, the families' 400 ms: rates, and the time "
            f"constant of a slow cell, are not quite the same."
        )
    bias = np.array([s.bias for s in squares])
    if np.nanmax(np.abs(np.append(bias, 0.0))) > 1e-3:
        notes.append(
            f"A bias current of {np.nanmin(bias):.3g} to {np.nanmax(bias):.3g} nA was on: rest "
            f"is not the cell's own, and amplitudes count from the bias."
        )
    if len({s.amplitude for s in squares}) == len(squares):
        notes.append("No amplitude was repeated: how much trials differ is not in the errors.")
    low = min(s.trace.v.max() for s in squares if s.amplitude >= curve.amplitudes[-1])
    if low < threshold + 10:
        notes.append(
            f"Spikes at {curve.amplitudes[-1]:g} nA peak at {low:.3g} mV, near the detection "
            f"threshold of {threshold:g} mV."
        )
    return tuple(notes)
