TITLE Transient sodium current with shifted, rescaled gates
COMMENT
Who     one per segment; HL23 cells and the built-in pvalb
In      v (mV)
Out     ina (mA/cm2)
Source  Colbert & Pan 2002, Nat Neurosci 5:533
Limits  temperature factor frozen at 34 degC (2.3^1.3), whatever celsius is
ENDCOMMENT

NEURON {
    THREADSAFE
    SUFFIX nn_NaTg
    USEION na READ ena WRITE ina
    RANGE gbar, minf, mtau, hinf, htau, vshiftm, vshifth, slopem, slopeh
}

UNITS {
    (mV) = (millivolt)
    (mA) = (milliamp)
    (S)  = (siemens)
}

PARAMETER {
    gbar = 1e-5 (S/cm2)
    vshiftm = 0 (mV)
    vshifth = 0 (mV)
    slopem = 6 (mV)
    slopeh = 6 (mV)
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
    LOCAL x, y, phi, a, b
    UNITSOFF
    x = v + 38 - vshiftm
    y = v + 66 - vshifth
    phi = 2.952882641412121
    a = 0.182*linexp(-x, slopem)
    b = 0.124*linexp(x, slopem)
    minf = a/(a + b)
    mtau = 1/((a + b)*phi)
    a = 0.015*linexp(y, slopeh)
    b = 0.015*linexp(-y, slopeh)
    hinf = a/(a + b)
    htau = 1/((a + b)*phi)
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
