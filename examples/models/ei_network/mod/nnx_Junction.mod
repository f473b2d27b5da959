TITLE One side of a gap junction, as NetPyNE connects them
COMMENT
Who     the PV cells of this model; two per junction
In      vpeer (mV)   the other side's voltage
        weight (uS)  its conductance, the connection's weight
Out     i (nA) = weight (v - vpeer)
ENDCOMMENT

NEURON {
    THREADSAFE
    POINT_PROCESS nnx_Junction
    NONSPECIFIC_CURRENT i
    RANGE weight, vpeer
}

UNITS {
    (nA) = (nanoamp)
    (mV) = (millivolt)
    (uS) = (microsiemens)
}

PARAMETER {
    weight = 0 (uS)
    vpeer = 0 (mV)
}

ASSIGNED {
    v (mV)
    i (nA)
}

BREAKPOINT {
    i = weight*(v - vpeer)
}
