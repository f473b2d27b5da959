COMMENT
Who     one side of a gap junction of a NetPyNE network, two per junction
In      vpeer (mV), the other side's voltage, transferred by ParallelContext; weight (uS)
Out     i (nA)
ENDCOMMENT

NEURON {
    POINT_PROCESS nnt_Gap
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
    i = weight * (v - vpeer)
}
