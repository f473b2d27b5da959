TITLE Slowly inactivating D-type potassium current
COMMENT
Who     one per segment; Allen cells, axon
In      v (mV)
Out     ik (mA/cm2)
Source  Foust, Yu, Popovic, Zecevic & McCormick 2011, J Neurosci 31:15490
Limits  no temperature factor
ENDCOMMENT

NEURON {
    THREADSAFE
    SUFFIX nn_Kd
    USEION k READ ek WRITE ik
    RANGE gbar, minf, mtau, hinf, htau
}

UNITS {
    (mV) = (millivolt)
    (mA) = (milliamp)
    (S)  = (siemens)
}

PARAMETER {
    gbar = 1e-5 (S/cm2)
    mtau = 1 (ms)
    htau = 1500 (ms)
}

ASSIGNED {
    v (mV)
    ek (mV)
    ik (mA/cm2)
    minf (1)
    hinf (1)
}

STATE {
    m
    h
}

BREAKPOINT {
    SOLVE states METHOD cnexp
    ik = gbar*m*h*(v - ek)
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
    UNITSOFF
    minf = 1/(1 + exp(-(v + 43)/8))
    hinf = 1/(1 + exp((v + 67)/7.3))
    UNITSON
}
