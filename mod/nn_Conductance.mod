TITLE Conductance stimulus played from vectors
COMMENT
Who     one per played stimulus, usually at soma(0.5)
In      g (uS)  total conductance;  b (nA)  sum of g_k E_k of its parts; both set every step
Out     i (nA)  = g v - b, positive outwards, so that the cell receives b - g v
Limits  g enters the membrane equation implicitly: any g is stable under fixed and variable step
ENDCOMMENT

NEURON {
    THREADSAFE
    POINT_PROCESS nn_Conductance
    NONSPECIFIC_CURRENT i
    RANGE g, b
}

UNITS {
    (nA) = (nanoamp)
    (mV) = (millivolt)
    (uS) = (microsiemens)
}

PARAMETER {
    g = 0 (uS)
    b = 0 (nA)
}

ASSIGNED {
    v (mV)
    i (nA)
}

BREAKPOINT {
    i = g*v - b
}
