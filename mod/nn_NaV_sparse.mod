TITLE Sodium current with twelve allosteric states, solved by NEURON's sparse solver
COMMENT
Who     one per segment; Allen cells under a variable step, and the reference for nn_NaV
In      v (mV)
Out     ina (mA/cm2)
Source  Carter, Giessel, Sabatini & Bean 2012, Neuron 75:1081 (recorded at 37 degC)
Limits  five times slower than nn_NaV at a fixed step; rates follow celsius (2.3 per 10 degC),
        read at initialisation
ENDCOMMENT

NEURON {
    THREADSAFE
    SUFFIX nn_NaV_sparse
    USEION na READ ena WRITE ina
    RANGE gbar
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
    celsius (degC)
    phi (1)
    alpha (/ms)
    beta (/ms)
}

STATE {
    C1
    C2
    C3
    C4
    C5
    O
    I1
    I2
    I3
    I4
    I5
    I6
}

BREAKPOINT {
    SOLVE scheme METHOD sparse
    ina = gbar*O*(v - ena)
}

INITIAL {
    phi = 2.3^((celsius - 37)/10)
    SOLVE scheme STEADYSTATE sparse
}

KINETIC scheme {
    LOCAL a, b
    UNITSOFF
    a = 2.51 : how much faster a sensor rises in an inactivated channel
    b = 5.32 : how much slower it falls
    alpha = phi*400*exp(v/24)
    beta = phi*12*exp(-v/24)
    ~ C1 <-> C2 (4*alpha, beta)
    ~ C2 <-> C3 (3*alpha, 2*beta)
    ~ C3 <-> C4 (2*alpha, 3*beta)
    ~ C4 <-> C5 (alpha, 4*beta)
    ~ C5 <-> O (250*phi, 60*phi)
    ~ I1 <-> I2 (4*a*alpha, beta/b)
    ~ I2 <-> I3 (3*a*alpha, 2*beta/b)
    ~ I3 <-> I4 (2*a*alpha, 3*beta/b)
    ~ I4 <-> I5 (a*alpha, 4*beta/b)
    ~ I5 <-> I6 (250*phi, 60*phi)
    ~ C1 <-> I1 (0.01*phi, 40*phi)
    ~ C2 <-> I2 (0.01*a*phi, 40/b*phi)
    ~ C3 <-> I3 (0.01*a*a*phi, 40/(b*b)*phi)
    ~ C4 <-> I4 (0.01*a*a*a*phi, 40/(b*b*b)*phi)
    ~ C5 <-> I5 (0.01*a*a*a*a*phi, 40/(b*b*b*b)*phi)
    ~ O <-> I6 (8*phi, 0.05*phi)
    CONSERVE C1 + C2 + C3 + C4 + C5 + O + I1 + I2 + I3 + I4 + I5 + I6 = 1
    UNITSON
}
