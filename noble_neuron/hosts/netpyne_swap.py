"""What a swapped rule says of its cells, and where in NetPyNE's rules and cells it says so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from .. import __version__
from ..errors import InputError
from ..runtime.cell import TREE_ERROR

HOST = "nn_NobleHost"  # the hoc template that NetPyNE makes one of per cell
ENTRY = "noble"  # its key among the soma's point processes


@dataclass(frozen=True)
class Swap:
    """Numbers, strings, lists and dicts, which any file holds; it is saved with the network.

    Attributes:
        surrogate: Name of a built-in ensemble, or a bundle's folder.
        latent: See `netpyne_rules.replace`.
        seed: Of the draw.
        shift: Added to the model's own millivolts [mV].
        pop: Label of the population.
        tree_error: See `runtime.NobleCell`.
        rule: Label of the rule that the swapped one stands for.
        weights: SHA-256 of the bundle's weights.
        version: Of noble_neuron.
        lost: Mechanisms, ions and point processes that the soma had.
        known: Populations of the network when the rule was swapped.
        frozen: What channels of the dendrites conduct that are held, as `nrn.frozen.Frozen`.
        delay: From a spike at the soma to one where the rule had its spikeGenLoc [ms].
    """

    surrogate: str
    latent: Any
    seed: int
    shift: float
    pop: str = ""
    tree_error: float = TREE_ERROR
    rule: str = ""
    weights: str = ""
    version: str = ""
    lost: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    delay: float = 0.0
    frozen: tuple[Mapping, ...] = ()

    def __post_init__(self) -> None:
        for name in ("lost", "known", "frozen"):  # files have lists
            object.__setattr__(self, name, tuple(getattr(self, name)))

    def entry(self) -> dict[str, Any]:
        """A point process of a NetPyNE section."""
        said = asdict(self)
        said |= {name: list(said[name]) for name in ("lost", "known", "frozen")}
        # NetPyNE gives a point process no parameter that begins with an underscore, and saves it.
        return {"mod": HOST, "loc": 0.5, "_swap": said}


def found(sections: Mapping) -> Swap | None:
    """What the sections of a rule or of a cell say."""
    for section in sections.values():
        said = section.get("pointps", {}).get(ENTRY, {}).get("_swap")
        if said:
            return _read(said)
    return None


def _read(said: Mapping) -> Swap:
    unknown = sorted(said.keys() - {each.name for each in fields(Swap)})
    if unknown:
        raise InputError(
            f"The network was swapped by noble_neuron {said.get('version')}, which knows of "
            f"{', '.join(unknown)}; this is {__version__}. Update noble_neuron."
        )
    return Swap(**said)


def all_of(rules: Mapping) -> Iterable[Swap]:
    """What all of the rules say, those that are not swapped left out."""
    said = (found(rule["secs"]) for rule in rules.values() if "secs" in rule)
    return [swap for swap in said if swap is not None]


def part(sections: Mapping) -> None:
    """Let a cell have its own copy of what its rule says: NetPyNE empties it with the cell."""
    for section in sections.values():
        said = section.get("pointps", {}).get(ENTRY, {})
        if said.get("_swap"):
            said["_swap"] = _read(said["_swap"]).entry()["_swap"]
