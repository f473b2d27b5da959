TITLE Persistent potassium current
COMMENT
Who     one per segment; HL23 cells (K_P) and Allen cells (K_Pst), which share it
In      v (mV)
Out     ik (mA/cm2)
Source  Korngreen & Sakmann 2000, J Physiol 525:621
Limits  temperature factor frozen at 34 degC (2.3^1.3), whatever celsius is; mtau jumps at v = -60 mV, as published
ENDCOMMENT

NEURON {
    THREADSAFE
    SUFFIX nn_K_P
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
}

ASSIGNED {
    v (mV)
    ek (mV)
    ik (mA/cm2)
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
    ik = gbar*m*m*h*(v - ek)
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
    minf = 1/(1 + exp(-(u + 1)/12))
    if (u < -50) {
        mtau = (1.25 + 175.03*exp(0.026*u))/phi
    } else {
        mtau = (1.25 + 13*exp(-0.026*u))/phi
    }
    hinf = 1/(1 + exp((u + 54)/11))
    htau = (360 + (1010 + 24*(u + 55))*exp(-((u + 75)/48)^2))/phi
    UNITSON
}
