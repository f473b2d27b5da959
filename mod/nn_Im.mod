TITLE Muscarinic potassium current
COMMENT
Who     one per segment; HL23 cells
In      v (mV)
Out     ik (mA/cm2)
Source  Adams, Brown & Constanti 1982, J Physiol 330:537
Limits  temperature factor frozen at 34 degC (2.3^1.3), whatever celsius is
ENDCOMMENT

NEURON {
    THREADSAFE
    SUFFIX nn_Im
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
    LOCAL phi, a, b
    UNITSOFF
    phi = 2.952882641412121
    a = 0.0033*exp(0.1*(v + 35))
    b = 0.0033*exp(-0.1*(v + 35))
    minf = a/(a + b)
    mtau = 1/((a + b)*phi)
    UNITSON
}
