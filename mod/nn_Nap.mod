TITLE Persistent sodium current
COMMENT
Who     one per segment; HL23 cells
In      v (mV)
Out     ina (mA/cm2)
Source  Magistretti & Alonso 1999, J Gen Physiol 114:491
Limits  temperature factor frozen at 34 degC (2.3^1.3), whatever celsius is
ENDCOMMENT

NEURON {
    THREADSAFE
    SUFFIX nn_Nap
    USEION na READ ena WRITE ina
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
    ena (mV)
    ina (mA/cm2)
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
    ina = gbar*m*m*m*h*(v - ena)
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
    LOCAL phi
    UNITSOFF
    phi = 2.952882641412121
    minf = 1/(1 + exp(-(v + 52.6)/4.6))
    mtau = 6/(phi*(0.182*linexp(-(v + 38), 6) + 0.124*linexp(v + 38, 6)))
    hinf = 1/(1 + exp((v + 48.8)/10))
    htau = 1/(phi*(2.88e-6*linexp(v + 17, 4.63) + 6.94e-6*linexp(-(v + 64.4), 2.63)))
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
