"""The list of what can be reproduced, and where the paper shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module

from ..errors import InputError
from ..units import nearest
from .bench import Bench
from .outcome import Outcome


@dataclass(frozen=True)
class Item:
    """One thing the paper shows.

    Attributes:
        name: What to ask for; the module of this package that measures it.
        text: What it measures, in a phrase.
        shows: Where the paper has it; empty where it has not.
        also: Other names it answers to.
        recorded: Scale of the figures in benchmarks/results.
    """

    name: str
    text: str
    shows: str
    also: tuple[str, ...] = ()
    recorded: str = "quick"

    def run(self, bench: Bench) -> Outcome:
        """Measure it."""
        return import_module(f".{self.name}", __package__).run(bench)


ITEMS = (
    Item(
        "accuracy",
        "errors on new currents of training and held-out cells, beside baselines",
        "sections 4.2 and 4.3, table 2's first row",
        ("figure3",),
    ),
    Item("onset", "the same steps at other onsets", "not shown"),
    Item("duration", "steps of other durations", "not shown"),
    Item(
        "subsampling",
        "features on coarser time grids",
        "appendix C.1, figures 6 and 7",
        ("figure6", "figure7"),
    ),
    Item("resolution", "the same answers on other time grids", "section 3.5"),
    Item(
        "ensembles",
        "distributions over cells: surrogate, full models, and full models mixed in NEURON",
        "sections 4.3 and 4.4, figures 4, 5, 11, 12 and 13",
        ("figure4", "figure5"),
    ),
    Item("maps", "features over the latent plane, interactive", "section 3.5"),
    Item(
        "latents",
        "one training per choice of latent features; a smoke run at quick scale",
        "table 1",
        ("table1",),
        "small",
    ),
    Item(
        "diversity",
        "one training per number of cells; a smoke run at quick scale",
        "table 2",
        ("table2",),
        "small",
    ),
    Item(
        "seeds",
        "the same training from three seeds; a smoke run at quick scale",
        "not shown",
        recorded="small",
    ),
    Item(
        "finetuning",
        "a surrogate trained on for one feature; a smoke run at quick scale",
        "section 4.6, appendix D.7, table 3",
        ("table3",),
        "small",
    ),
    Item(
        "speed",
        "time per prediction, against NEURON serial and on all cores",
        "appendix E",
        ("time",),
    ),
)


def find(names: Sequence[str]) -> tuple[Item, ...]:
    """The items of these names, in the order of the list; "all" is all of them.

    Raises:
        InputError: There is no such item.
    """
    known = {alias: item for item in ITEMS for alias in (item.name, *item.also)}
    for name in names:
        if name != "all" and name not in known:
            raise InputError(
                f"Nothing to reproduce is called {name!r}{nearest(name, sorted(known))}"
            )
    if "all" in names:
        return ITEMS
    chosen = {known[name].name for name in names}
    return tuple(item for item in ITEMS if item.name in chosen)


def listed() -> str:
    """The list as text for a terminal."""
    width = max(len(item.name) for item in ITEMS)
    return "\n".join(f"{item.name:{width}}  {item.text} ({item.shows})" for item in ITEMS)
