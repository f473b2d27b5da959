TITLE Muscarinic potassium current, hippocampal form
COMMENT
Who     one per segment; Allen cells (HL23 cells use nn_Im)
In      v (mV)
Out     ik (mA/cm2)
Source  Vervaeke, Gu, Agdestein, Hu & Storm 2006, J Physiol 576:235
Limits  rates follow celsius (2.3 per 10 degC from 30 degC), read at initialisation
ENDCOMMENT

NEURON {
    THREADSAFE
    SUFFIX nn_Im_v2
    USEION k READ ek WRITE ik
    RANGE gbar, minf, mtau
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
    ek (mV)
    ik (mA/cm2)
    celsius (degC)
    minf (1)
    mtau (ms)
    phi (1)
}

STATE {
    m
}

BREAKPOINT {
    SOLVE states METHOD cnexp
    ik = gbar*m*(v - ek)
}

INITIAL {
    phi = 2.3^((celsius - 30)/10)
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
    a = 0.007*exp(2.4*(v + 48)/26.12)
    b = 0.007*exp(-3.6*(v + 48)/26.12)
    minf = a/(a + b)
    mtau = (15 + 1/(a + b))/phi
    UNITSON
}
