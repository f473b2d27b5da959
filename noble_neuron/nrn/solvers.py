"""Channels with a solver of their own for the fixed step, and their generic forms for CVODE."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from neuron import h

# Fixed-step mechanism -> the same channel for any integrator.
GENERIC = {"nn_NaV": "nn_NaV_sparse"}


@contextlib.contextmanager
def generic_solvers() -> Iterator[None]:
    """Let all that is in memory run under a variable step; the fixed step's forms come back.

    All, because CVODE integrates every section there is and refuses if one cannot. Open it
    before `session(..., cvode_atol=...)`.
    """
    sections = list(h.allsec())
    for fixed, generic in GENERIC.items():
        _replace(sections, fixed, generic)
    try:
        yield
    finally:
        for fixed, generic in GENERIC.items():
            _replace(sections, generic, fixed)


def _replace(sections: list[h.Section], old: str, new: str) -> None:
    for section in sections:
        if not h.ismembrane(old, sec=section):
            continue
        section.insert(new)
        for segment in section:
            getattr(segment, new).gbar = getattr(segment, old).gbar
        section.uninsert(old)
