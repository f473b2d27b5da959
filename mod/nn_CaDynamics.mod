TITLE Calcium in a thin shell below the membrane
COMMENT
Who     one per segment that has calcium currents
In      ica (mA/cm2)
Out     cai (mM)
Source  Destexhe, Mainen & Sejnowski 1994, J Comput Neurosci 1:195
        cai' = -1e4*gamma*ica/(2*F*depth) - (cai - minCai)/decay
Limits  one shell, no diffusion; starts at minCai
ENDCOMMENT

NEURON {
    THREADSAFE
    SUFFIX nn_CaDynamics
    USEION ca READ ica WRITE cai
    RANGE gamma, decay, depth, minCai
}

UNITS {
    (mM) = (milli/liter)
    (mA) = (milliamp)
    (um) = (micron)
}

PARAMETER {
    gamma = 0.05 (1)      : fraction of calcium that is not buffered
    decay = 80 (ms)       : time constant of removal
    depth = 0.1 (um)      : depth of the shell
    minCai = 1e-4 (mM)
}

ASSIGNED {
    ica (mA/cm2)
}

STATE {
    cai (mM)
}

INITIAL {
    cai = minCai
}

BREAKPOINT {
    SOLVE states METHOD cnexp
}

DERIVATIVE states {
    UNITSOFF
    cai' = -10000*gamma*ica/(2*96485.33*depth) - (cai - minCai)/decay
    UNITSON
}
