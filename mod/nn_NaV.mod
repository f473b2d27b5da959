TITLE Sodium current with twelve allosteric states, solved directly at a fixed step
COMMENT
Who     one per segment; Allen cells (nn_NaV_sparse is the same channel for a variable step)
In      v (mV)
Out     ina (mA/cm2)
Source  Carter, Giessel, Sabatini & Bean 2012, Neuron 75:1081 (recorded at 37 degC)
Limits  fixed step only; rates follow celsius (2.3 per 10 degC), read at initialisation

C[0]..C[3], C[4] are the closed states with 0..4 sensors up, C[5] is the open state O;
I[n] is the inactivated partner of C[n]. A pair (C[n], I[n]) exchanges only with the pairs
before and after it, so implicit Euler's matrix is block-tridiagonal with 2 x 2 blocks, and
the blocks off the diagonal are diagonal themselves.
ENDCOMMENT

NEURON {
    THREADSAFE
    SUFFIX nn_NaV
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
    dt (ms)
    phi (1)
}

STATE {
    C[6]
    I[6]
}

BREAKPOINT {
    SOLVE states
    ina = gbar*C[5]*(v - ena)
}

: The equilibrium is where steps far longer than any time constant (at most about 100 ms) lead.
INITIAL {
    LOCAL total
    phi = 2.3^((celsius - 37)/10)
    FROM n = 0 TO 5 {
        C[n] = 1
        I[n] = 1
    }
    FROM k = 1 TO 4 {
        advance(1e5)
        total = 0
        FROM n = 0 TO 5 {
            total = total + C[n] + I[n]
        }
        FROM n = 0 TO 5 {
            C[n] = C[n]/total
            I[n] = I[n]/total
        }
    }
}

PROCEDURE states() {
    advance(dt)
}

: One implicit Euler step of length s at the present voltage.
: With x[n] the pair (C[n], I[n]), elimination from n = 0 upwards leaves x[n] = w[n] + M[n] x[n+1].
PROCEDURE advance(s (ms)) {
    LOCAL h, e, alpha, beta, rise, fall, irise, ifall, shut, free, pcc, pci, pic, pii, det, c, i, mcc[6], mci[6], mic[6], mii[6], wc[6], wi[6]
    UNITSOFF
    h = s*phi
    e = exp(v/24)
    alpha = 400*e*h
    beta = 12/e*h
    shut = 0.01*h : C[n] to I[n], grows 2.51 times per sensor
    free = 40*h   : I[n] to C[n], falls 5.32 times per sensor
    rise = 0      : C[n-1] to C[n], and irise the same for I
    irise = 0
    fall = 0      : C[n] to C[n-1], and ifall the same for I
    ifall = 0
    FROM n = 0 TO 5 {
        pcc = 1 + fall
        pii = 1 + ifall
        c = C[n]
        i = I[n]
        pci = 0
        pic = 0
        if (n > 0) { : what pair n-1, already eliminated, sends up
            pcc = pcc - rise*mcc[n-1]
            pci = -rise*mci[n-1]
            pic = -irise*mic[n-1]
            pii = pii - irise*mii[n-1]
            c = c + rise*wc[n-1]
            i = i + irise*wi[n-1]
        }
        if (n < 4) {
            rise = (4 - n)*alpha
            irise = 2.51*rise
            fall = (n + 1)*beta
            ifall = fall/5.32
        } else {
            rise = 250*h
            irise = rise
            fall = 60*h
            ifall = fall
        }
        if (n == 5) {
            rise = 0
            irise = 0
            shut = 8*h
            free = 0.05*h
        }
        pcc = pcc + rise + shut
        pci = pci - free
        pic = pic - shut
        pii = pii + irise + free
        det = 1/(pcc*pii - pci*pic)
        wc[n] = (pii*c - pci*i)*det
        wi[n] = (pcc*i - pic*c)*det
        mcc[n] = pii*fall*det
        mci[n] = -pci*ifall*det
        mic[n] = -pic*fall*det
        mii[n] = pcc*ifall*det
        shut = shut*2.51
        free = free/5.32
    }
    C[5] = wc[5]
    I[5] = wi[5]
    FROM k = 1 TO 5 {
        C[5-k] = wc[5-k] + mcc[5-k]*C[6-k] + mci[5-k]*I[6-k]
        I[5-k] = wi[5-k] + mic[5-k]*C[6-k] + mii[5-k]*I[6-k]
    }
    UNITSON
}
