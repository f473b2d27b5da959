TITLE High-voltage-activated calcium current
COMMENT
Who     one per segment
In      v (mV)
Out     ica (mA/cm2)
Source  Reuveni, Friedman, Amitai & Gutnick 1993, J Neurosci 13:4609
Limits  no temperature factor
ENDCOMMENT

NEURON {
    THREADSAFE
    SUFFIX nn_Ca_HVA
    USEION ca READ eca WRITE ica
    RANGE gbar, minf, mtau, hinf, htau
}

UNITS {
    (mV) = (millivolt)
    (mA) = (milliamp)
    (S)  = (siemens)
}

PARAMETER {
    gbar = 1e-5 (S/cm2)
}

ASSIGNED {
    v (mV)
    eca (mV)
    ica (mA/cm2)
    minf (1)
    mtau (ms)
    hinf (1)
    htau (ms)
}

STATE {
    m
    h
}

BREAKPOINT {
    SOLVE states METHOD cnexp
    ica = gbar*m*m*h*(v - eca)
}

INITIAL {
    rates(v)
    m = minf
    h = hinf
}

DERIVATIVE states {
    rates(v)
    m' = (minf - m)/mtau
    h' = (hinf - h)/htau
}

PROCEDURE rates(v (mV)) {
    LOCAL a, b
    UNITSOFF
    a = 0.055*linexp(-27 - v, 3.8)
    b = 0.94*exp((-75 - v)/17)
    minf = a/(a + b)
    mtau = 1/(a + b)
    a = 0.000457*exp((-13 - v)/50)
    b = 0.0065/(1 + exp(-(v + 15)/28))
    hinf = a/(a + b)
    htau = 1/(a + b)
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
