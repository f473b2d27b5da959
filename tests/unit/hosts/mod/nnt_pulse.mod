TITLE A pulse of current
COMMENT
Who     what a NeuroML pulseGenerator of this name becomes in NEURON
In      t (ms)
Out     i (nA), into the cell
Limits  its numbers are those of neuroml.nml beside the tests
ENDCOMMENT

NEURON {
    POINT_PROCESS nnt_pulse
    ELECTRODE_CURRENT i
}

UNITS {
    (nA) = (nanoamp)
}

ASSIGNED {
    i (nA)
}

BREAKPOINT {
    at_time(10)
    at_time(40)
    i = 0
    if (t >= 10 && t < 40) {
        i = 0.8
    }
}
