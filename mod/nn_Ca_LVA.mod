TITLE Low-voltage-activated calcium current
COMMENT
Who     one per segment; Allen cells (HL23 cells use nn_Ca_LVA_HL23)
In      v (mV)
Out     ica (mA/cm2)
Source  Avery & Johnston 1996, J Neurosci 16:5567; time constants after Randall & Tsien 1997
Limits  rates follow celsius (2.3 per 10 degC from 21 degC), read at initialisation
ENDCOMMENT

NEURON {
    THREADSAFE
    SUFFIX nn_Ca_LVA
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
    celsius (degC)
    minf (1)
    mtau (ms)
    hinf (1)
    htau (ms)
    phi (1)
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
    phi = 2.3^((celsius - 21)/10)
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
    LOCAL u
    UNITSOFF
    u = v + 10 : liquid junction potential of the recordings
    minf = 1/(1 + exp(-(u + 30)/6))
    mtau = (5 + 20/(1 + exp((u + 25)/5)))/phi
    hinf = 1/(1 + exp((u + 80)/6.4))
    htau = (20 + 50/(1 + exp((u + 40)/7)))/phi
    UNITSON
}
