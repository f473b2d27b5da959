TITLE Hyperpolarisation-activated cation current
COMMENT
Who     one per segment
In      v (mV)
Out     ihcn (mA/cm2)
Source  Kole, Hallermann & Stuart 2006, J Neurosci 26:1677
Limits  no temperature factor
ENDCOMMENT

NEURON {
    THREADSAFE
    SUFFIX nn_Ih
    NONSPECIFIC_CURRENT ihcn
    RANGE gbar, minf, mtau, ehcn, ihcn
}

UNITS {
    (mV) = (millivolt)
    (mA) = (milliamp)
    (S)  = (siemens)
}

PARAMETER {
    gbar = 1e-5 (S/cm2)
    ehcn = -45 (mV)
}

ASSIGNED {
    v (mV)
    ihcn (mA/cm2)
    minf (1)
    mtau (ms)
}

STATE {
    m
}

BREAKPOINT {
    SOLVE states METHOD cnexp
    ihcn = gbar*m*(v - ehcn)
}

INITIAL {
    rates(v)
    m = minf
}

DERIVATIVE states {
    rates(v)
    m' = (minf - m)/mtau
}

PROCEDURE rates(v (mV)) {
    LOCAL a, b
    UNITSOFF
    a = 0.00643*linexp(v + 154.9, 11.9)
    b = 0.193*exp(v/33.1)
    minf = a/(a + b)
    mtau = 1/(a + b)
    UNITSON
}

: x / (exp(x/k) - 1), continued through x = 0
FUNCTION linexp(x (mV), k (mV)) (mV) {
    if (fabs(x/k) < 1e-6) {
        linexp = k*(1 - x/k/2)
    } else {
        linexp = x/(exp(x/k) - 1)
    }
}
