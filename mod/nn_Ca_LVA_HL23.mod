TITLE Low-voltage-activated calcium current
COMMENT
Who     one per segment; HL23 cells (Allen cells use nn_Ca_LVA)
In      v (mV)
Out     ica (mA/cm2)
Source  Avery & Johnston 1996, J Neurosci 16:5567; time constants after Randall & Tsien 1997
Limits  temperature factor frozen at 34 degC (2.3^1.3), whatever celsius is
ENDCOMMENT

NEURON {
    THREADSAFE
    SUFFIX nn_Ca_LVA_HL23
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
    LOCAL u, phi
    UNITSOFF
    u = v + 10 : liquid junction potential of the recordings
    phi = 2.952882641412121
    minf = 1/(1 + exp(-(u + 30)/6))
    mtau = (5 + 20/(1 + exp((u + 25)/5)))/phi
    hinf = 1/(1 + exp((u + 80)/6.4))
    htau = (20 + 50/(1 + exp((u + 40)/7)))/phi
    UNITSON
}
