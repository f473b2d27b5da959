TITLE NMDA receptor: its block by magnesium makes the slope conductance negative
COMMENT
Who     the closed-loop examples; one per synapse
Out     i (nA) = g mg(v) v, g from an event's weight (uS), decaying with tau
Source  block: Jahr & Stevens 1990, J Neurosci 10:3178, at 1 mM
ENDCOMMENT

NEURON {
    THREADSAFE
    POINT_PROCESS nnx_Nmda
    NONSPECIFIC_CURRENT i
    RANGE tau
}

UNITS {
    (nA) = (nanoamp)
    (mV) = (millivolt)
    (uS) = (microsiemens)
}

PARAMETER {
    tau = 30 (ms)
}

ASSIGNED {
    v (mV)
    i (nA)
}

STATE {
    g (uS)
}

INITIAL {
    g = 0
}

BREAKPOINT {
    SOLVE decay METHOD cnexp
    i = g*v/(1 + exp(-0.062(/mV)*v)/3.57)
}

DERIVATIVE decay {
    g' = -g/tau
}

NET_RECEIVE (weight (uS)) {
    g = g + weight
}
