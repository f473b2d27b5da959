TITLE An h current by other names than ours
COMMENT
Who     dendrites of other people's models, as a test imagines them
In      v (mV)
Out     i (mA/cm2)
Source  equations of Magee 1998, J Neurosci 18:7613, as CA1 models have them
Limits  none that matter here
ENDCOMMENT

NEURON {
    THREADSAFE
    SUFFIX nnt_hd
    NONSPECIFIC_CURRENT i
    RANGE ghdbar, vhalfl, ehd, faster
}

UNITS {
    (mV) = (millivolt)
    (mA) = (milliamp)
    (S)  = (siemens)
}

PARAMETER {
    ghdbar = 1e-4 (S/cm2)
    vhalfl = -81 (mV)
    ehd = -30 (mV)
    faster = 1 : a thousand makes a channel that follows every synapse
    celsius (degC)
}

ASSIGNED {
    v (mV)
    i (mA/cm2)
    linf
    taul (ms)
}

STATE {
    l
}

BREAKPOINT {
    SOLVE states METHOD cnexp
    i = ghdbar*l*(v - ehd)
}

INITIAL {
    rates(v)
    l = linf
}

DERIVATIVE states {
    rates(v)
    l' = (linf - l)/taul
}

PROCEDURE rates(v (mV)) {
    LOCAL a
    UNITSOFF
    a = exp(0.0378*2.2*(v + 75))
    linf = 1/(1 + exp((v - vhalfl)/8))
    taul = exp(0.0378*2.2*0.4*(v + 75))/(4.5^((celsius - 33)/10)*0.011*(1 + a))/faster
    UNITSON
}
