TITLE Delayed-rectifier potassium current like Kv2, with two inactivation gates
COMMENT
Who     one per segment; Allen cells, axon
In      v (mV)
Out     ik (mA/cm2)
Source  Keren, Peled & Korngreen 2005, J Neurophysiol 94:3730;
        adjusted to Liu & Bean 2014, J Neurosci 34:4991
Limits  rates follow celsius (2.3 per 10 degC from 21 degC), read at initialisation;
        h2tau is floored at 0.001 ms, which it meets below about -119.5 mV
ENDCOMMENT

NEURON {
    THREADSAFE
    SUFFIX nn_Kv2like
    USEION k READ ek WRITE ik
    RANGE gbar, minf, mtau, h1inf, h1tau, h2inf, h2tau
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
    h1inf (1)
    h1tau (ms)
    h2inf (1)
    h2tau (ms)
    phi (1)
}

STATE {
    m
    h1
    h2
}

BREAKPOINT {
    SOLVE states METHOD cnexp
    ik = gbar*m*m*(0.5*h1 + 0.5*h2)*(v - ek)
}

INITIAL {
    phi = 2.3^((celsius - 21)/10)
    rates(v)
    m = minf
    h1 = h1inf
    h2 = h2inf
}

DERIVATIVE states {
    rates(v)
    m' = (minf - m)/mtau
    h1' = (h1inf - h1)/h1tau
    h2' = (h2inf - h2)/h2tau
}

PROCEDURE rates(v (mV)) {
    LOCAL a, b
    UNITSOFF
    a = 0.12*linexp(43 - v, 11)
    b = 0.02*exp(-(v + 1.27)/120)
    minf = a/(a + b)
    mtau = 2.5/(phi*(a + b))
    h1inf = 1/(1 + exp((v + 58)/11))
    h1tau = (360 + (1010 + 23.7*(v + 54))*exp(-((v + 75)/48)^2))/phi
    h2inf = h1inf
    h2tau = (2350 + 1380*exp(-0.011*v) - 210*exp(-0.03*v))/phi
    if (h2tau < 0) {
        h2tau = 0.001
    }
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
