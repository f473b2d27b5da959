COMMENT
Who     a synapse that answers each event with probability p; its numbers are its own
In      events; weight (uS) is what a release adds to the conductance
Out     i    (nA), released, how many events it answered
ENDCOMMENT

NEURON {
    POINT_PROCESS nnt_Release
    RANGE tau, e, p, seed, i, released
    NONSPECIFIC_CURRENT i
}

UNITS {
    (nA) = (nanoamp)
    (mV) = (millivolt)
    (uS) = (microsiemens)
}

PARAMETER {
    tau = 2 (ms)
    e = 0 (mV)
    p = 0.5
    seed = 1
}

ASSIGNED {
    v (mV)
    i (nA)
    released
    number
}

STATE { g (uS) }

INITIAL {
    g = 0
    released = 0
    number = floor(seed) + 1
}

BREAKPOINT {
    SOLVE decay METHOD cnexp
    i = g * (v - e)
}

DERIVATIVE decay { g' = -g / tau }

NET_RECEIVE(w (uS)) {
    number = fmod(16807 * number, 2147483647)
    if (number < p * 2147483647) {
        g = g + w
        released = released + 1
    }
}
