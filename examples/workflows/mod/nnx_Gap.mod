TITLE One side of a gap junction
COMMENT
Who     the closed-loop examples; two per junction
In      vgap (mV)  the other side's voltage, transferred by ParallelContext
Out     i (nA) = g (v - vgap)
ENDCOMMENT

NEURON {
    THREADSAFE
    POINT_PROCESS nnx_Gap
    NONSPECIFIC_CURRENT i
    RANGE g, vgap
}

UNITS {
    (nA) = (nanoamp)
    (mV) = (millivolt)
    (uS) = (microsiemens)
}

PARAMETER {
    g = 0 (uS)
    vgap = 0 (mV)
}

ASSIGNED {
    v (mV)
    i (nA)
}

BREAKPOINT {
    i = g*(v - vgap)
}
