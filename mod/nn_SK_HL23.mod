TITLE Calcium-activated potassium current of small conductance
COMMENT
Who     one per segment; HL23 cells (Allen cells use nn_SK)
In      cai (mM)
Out     ik (mA/cm2)
Source  Koehler et al. 1996, Science 273:1709
Limits  closed below cai = 1e-4 mM, as in the published cells; no temperature factor
ENDCOMMENT

NEURON {
    THREADSAFE
    SUFFIX nn_SK_HL23
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
    UNITSOFF
    if (ca < 1e-4) {
        zinf = 0
    } else {
        zinf = 1/(1 + (0.00043/ca)^4.8)
    }
    UNITSON
}
