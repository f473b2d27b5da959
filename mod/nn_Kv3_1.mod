TITLE Fast, high-threshold potassium current
COMMENT
Who     one per segment; every fast-spiking cell
In      v (mV)
Out     ik (mA/cm2)
Source  Rettig et al. 1992, EMBO J 11:2473
Limits  no temperature factor
ENDCOMMENT

NEURON {
    THREADSAFE
    SUFFIX nn_Kv3_1
    USEION k READ ek WRITE ik
    RANGE gbar, minf, mtau, vshift
}

UNITS {
    (mV) = (millivolt)
    (mA) = (milliamp)
    (S)  = (siemens)
}

PARAMETER {
    gbar = 1e-5 (S/cm2)
    vshift = 0 (mV)
}

ASSIGNED {
    v (mV)
    ek (mV)
    ik (mA/cm2)
    minf (1)
    mtau (ms)
}

STATE {
    m
}

BREAKPOINT {
    SOLVE states METHOD cnexp
    ik = gbar*m*(v - ek)
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
    UNITSOFF
    minf = 1/(1 + exp(-(v - 18.7 - vshift)/9.7))
    mtau = 4/(1 + exp(-(v + 46.56 - vshift)/44.14))
    UNITSON
}
