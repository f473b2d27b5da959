"""What an item found: records, tables and pictures, and the page that shows them."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..compare import metrics, page
from ..compare.tables import Table


@dataclass(frozen=True)
class Outcome:
    """What an item found.

    Attributes:
        title: Of the page.
        said: What it says to someone who wants to use the surrogate, a paragraph each; plain text.
        records: One dict per figure: `figure` and `value`, and any of unit, n, split, seed.
        tables: In the order of the page.
        pictures: Caption -> picture of `compare.canvas`, in the order of the page.
        live: HTML of its own that comes before the pictures, as a drawing that answers clicks.
    """

    title: str
    said: tuple[str, ...]
    records: tuple[dict[str, Any], ...]
    tables: tuple[Table, ...] = ()
    pictures: Mapping[str, str] | None = None
    live: str = ""

    def text(self) -> str:
        """For a terminal."""
        return "\n\n".join([self.title, *self.said, *(table.text() for table in self.tables)])

    def page(self, lead: str) -> str:
        """As one HTML file that needs no other.

        Args:
            lead: What it was measured on, and at which scale.
        """
        paragraphs = "".join(f"<p>{html.escape(text)}</p>" for text in self.said)
        shown = [page.picture(source, text) for text, source in (self.pictures or {}).items()]
        return page.whole(
            html.escape(self.title),
            [
                f"<h1>{html.escape(self.title)}</h1>",
                f"<p class=soft>{html.escape(lead)}</p>",
                paragraphs,
                self.live,
                *shown,
                *(table.html() for table in self.tables),
                f"<footer><p>{page.made_with()}</p></footer>",
            ],
        )


def finite(rows: list[dict[str, Any]]) -> tuple[dict[str, Any], ...]:
    """Those records whose value is a number."""
    return tuple(row for row in rows if math.isfinite(row["value"]))


def group_records(
    name: str, groups: Mapping[str, metrics.Group], split: str
) -> list[dict[str, Any]]:
    """One record per group and figure of an answer's scores.

    Args:
        name: Of the answer.
        groups: What `metrics.score` gave.
        split: On what.
    """
    return [
        {
            "figure": f"{name}/{kind}/{figure}",
            "value": value,
            "unit": metrics.FIGURES[figure][1],
            "n": group.n,
            "split": split,
        }
        for kind, group in groups.items()
        for figure, value in group.values.items()
        if math.isfinite(value)
    ]
