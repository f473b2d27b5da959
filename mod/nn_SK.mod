TITLE Calcium-activated potassium current of small conductance
COMMENT
Who     one per segment; Allen cells (HL23 cells use nn_SK_HL23)
In      cai (mM)
Out     ik (mA/cm2)
Source  Koehler et al. 1996, Science 273:1709
Limits  1e-7 mM is added to a cai below 1e-7 mM, as published; no temperature factor
ENDCOMMENT

NEURON {
    THREADSAFE
    SUFFIX nn_SK
    USEION k READ ek WRITE ik
    USEION ca READ cai
    RANGE gbar, zinf, ztau
}

UNITS {
    (mV) = (millivolt)
    (mA) = (milliamp)
    (mM) = (milli/liter)
    (S)  = (siemens)
}

PARAMETER {
    gbar = 1e-6 (S/cm2)
    ztau = 1 (ms)
}

ASSIGNED {
    v (mV)
    ek (mV)
    ik (mA/cm2)
    cai (mM)
    zinf (1)
}

STATE {
    z
}

BREAKPOINT {
    SOLVE states METHOD cnexp
    ik = gbar*z*(v - ek)
}

INITIAL {
    rates(cai)
    z = zinf
}

DERIVATIVE states {
    rates(cai)
    z' = (zinf - z)/ztau
}

PROCEDURE rates(ca (mM)) {
    LOCAL c
    UNITSOFF
    c = ca
    if (c < 1e-7) {
        c = c + 1e-7
    }
    zinf = 1/(1 + (0.00043/c)^4.8)
    UNITSON
}
