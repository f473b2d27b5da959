"""Drawing for a report: figures in one style, each as text for an <img>."""

from __future__ import annotations

import base64
import contextlib
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FULL, SURROGATE = "#20242b", "#e0561b"
FLOOR, GREY = "#2f7fb8", "#8a93a1"
STYLE = {
    "font.size": 8.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#8a93a1",
    "axes.labelcolor": "#3b424d",
    "text.color": "#20242b",
    "xtick.color": "#5a626e",
    "ytick.color": "#5a626e",
    "axes.linewidth": 0.7,
    "legend.frameon": False,
    "figure.facecolor": "white",
    "axes.titlesize": 8.5,
    "svg.hashsalt": "noble_neuron",
}


@contextlib.contextmanager
def panels(
    rows: int, columns: int, width: float, height: float, **shared: Any
) -> Iterator[tuple[Figure, np.ndarray]]:
    """A figure of rows x columns axes in the report's style, each of that size [inch]."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with rc_context(STYLE):
        figure = Figure(figsize=(width * columns + 0.7, height * rows + 0.7), layout="constrained")
        FigureCanvasAgg(figure)
        yield figure, figure.subplots(rows, columns, squeeze=False, **shared)


def legend(figure: Figure, marks: list[tuple[str, str, str, str]]) -> None:
    """One legend above all panels; marks are (label, colour, line style, marker)."""
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=c, ls=line, marker=m, ms=5, label=label)
        for label, c, line, m in marks
    ]
    figure.legend(handles=handles, loc="outside upper left", ncols=len(handles))


def png(figure: Figure) -> str:
    """For many points."""
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=170)
    return "data:image/png;base64," + base64.b64encode(data.getvalue()).decode()


def svg(figure: Figure) -> str:
    """For few."""
    data = io.BytesIO()
    figure.savefig(data, format="svg", metadata={"Date": None})
    return "data:image/svg+xml;base64," + base64.b64encode(data.getvalue()).decode()


def short(name: str, most: int = 14) -> str:
    """A name's end, where all of it would not fit."""
    return name if len(name) <= most else "…" + name[1 - most :]
