"""Bare copies of sections, and of the resistance that branches of a soma's end share."""

from __future__ import annotations

from typing import Any

from neuron import h


def shape_of(section: Any) -> tuple:
    """What a copy must have from the beginning."""
    return (
        section,
        section.parentseg(),
        section.orientation(),
        (section.nseg, section.L, section.Ra, section.n3d()),
        tuple(segment.diam for segment in section),
        tuple(mechanism.name() for mechanism in section(0.5)),
    )


def stub_of(soma: Any, end: float) -> Any:
    """The resistance between a soma's middle and one of its ends, and nothing else."""
    stub = h.Section(name=f"bare_{soma.name().rpartition('.')[2]}_{end:g}")
    stub.connect(soma(0.5), 0)
    stub.L, stub.diam, stub.cm = soma.L / 2, soma.diam, 0.0
    resistance = soma(0.5).ri() if end == 0.0 else h.ri(1, sec=soma)  # MOhm
    stub.Ra *= resistance / (2 * stub(0.5).ri())
    return stub


def copy_of(section: Any) -> Any:
    """A section of the same geometry and mechanisms, connected to nothing."""
    copy = h.Section(name=f"bare_{section.name().rpartition('.')[2]}")
    for k in range(section.n3d()):
        copy.pt3dadd(section.x3d(k), section.y3d(k), section.z3d(k), section.diam3d(k))
    copy.nseg, copy.Ra = section.nseg, section.Ra
    if not section.n3d():
        copy.L = section.L
        for own, other in zip(section, copy, strict=True):
            other.diam = own.diam
    for mechanism in section(0.5):
        if mechanism.name() not in ("capacitance", "morphology"):
            copy.insert(mechanism.name())
    return copy


def give_parameters(section: Any, copy: Any) -> None:
    for name in (mechanism.name() for mechanism in section(0.5)):
        if name in ("capacitance", "morphology"):
            continue
        parameters = h.MechanismStandard(name, 1)
        for own, other in zip(section, copy, strict=True):
            parameters._in(own)
            parameters.out(other)
            if name.endswith("_ion"):
                reversal = f"e{name.removesuffix('_ion')}"
                setattr(other, reversal, getattr(own, reversal))
    for own, other in zip(section, copy, strict=True):
        other.cm = own.cm
