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

: One implicit Euler step of length s at the present voltage. With x[n] the pair (C[n], I[n]),
: elimination from both ends at once leaves x[n] = w[n] + M[n] x[n+1] for n = 0..2 (a below)
: and x[n] = w[n] + M[n] x[n-1] for n = 5..3 (b), and pairs 2 and 3 close the system. The two
: chains are independent, so the processor works on both at a time.
PROCEDURE advance(s (ms)) {
    LOCAL h, e, alpha, beta, pcc, pci, pic, pii, det, c, i, acc, aci, aic, aii, ac, ai, bcc, bci, bic, bii, bc, bi, rise[7], fall[7], irise[7], ifall[7], shut[6], free[6], mcc[6], mci[6], mic[6], mii[6], wc[6], wi[6]
    UNITSOFF
    h = s*phi
    e = exp(v/24)
    alpha = 400*e*h
    beta = 12/e*h

    : rise[n] leads from pair n-1 to pair n and fall[n] back; no pair is beyond the ends
    rise[0] = 0
    fall[0] = 0
    irise[0] = 0
    ifall[0] = 0
    FROM n = 1 TO 4 {
        rise[n] = (5 - n)*alpha
        fall[n] = n*beta
        irise[n] = 2.51*rise[n]
        ifall[n] = fall[n]*(1/5.32)
    }
    rise[5] = 250*h
    fall[5] = 60*h
    irise[5] = rise[5]
    ifall[5] = fall[5]
    rise[6] = 0
    fall[6] = 0
    irise[6] = 0
    ifall[6] = 0

    : shut[n] leads from C[n] to I[n] and free[n] back
    shut[0] = 0.01*h
    free[0] = 40*h
    FROM n = 1 TO 4 {
        shut[n] = 2.51*shut[n-1]
        free[n] = free[n-1]*(1/5.32)
    }
    shut[5] = 8*h
    free[5] = 0.05*h

    ac = 0
    ai = 0
    acc = 0
    aci = 0
    aic = 0
    aii = 0
    bc = 0
    bi = 0
    bcc = 0
    bci = 0
    bic = 0
    bii = 0
    FROM n = 0 TO 2 {
        pcc = 1 + rise[n+1] + fall[n] + shut[n] - rise[n]*acc
        pci = -free[n] - rise[n]*aci
        pic = -shut[n] - irise[n]*aic
        pii = 1 + irise[n+1] + ifall[n] + free[n] - irise[n]*aii
        c = C[n] + rise[n]*ac
        i = I[n] + irise[n]*ai
        det = 1/(pcc*pii - pci*pic)
        ac = (pii*c - pci*i)*det
        ai = (pcc*i - pic*c)*det
        acc = pii*fall[n+1]*det
        aci = -pci*ifall[n+1]*det
        aic = -pic*fall[n+1]*det
        aii = pcc*ifall[n+1]*det
        wc[n] = ac
        wi[n] = ai
        mcc[n] = acc
        mci[n] = aci
        mic[n] = aic
        mii[n] = aii

        pcc = 1 + rise[6-n] + fall[5-n] + shut[5-n] - fall[6-n]*bcc
        pci = -free[5-n] - fall[6-n]*bci
        pic = -shut[5-n] - ifall[6-n]*bic
        pii = 1 + irise[6-n] + ifall[5-n] + free[5-n] - ifall[6-n]*bii
        c = C[5-n] + fall[6-n]*bc
        i = I[5-n] + ifall[6-n]*bi
        det = 1/(pcc*pii - pci*pic)
        bc = (pii*c - pci*i)*det
        bi = (pcc*i - pic*c)*det
        bcc = pii*rise[5-n]*det
        bci = -pci*irise[5-n]*det
        bic = -pic*rise[5-n]*det
        bii = pcc*irise[5-n]*det
        wc[5-n] = bc
        wi[5-n] = bi
        mcc[5-n] = bcc
        mci[5-n] = bci
        mic[5-n] = bic
        mii[5-n] = bii
    }

    : x[2] = a + A x[3] and x[3] = b + B x[2], hence (1 - A B) x[2] = a + A b
    pcc = 1 - acc*bcc - aci*bic
    pci = -acc*bci - aci*bii
    pic = -aic*bcc - aii*bic
    pii = 1 - aic*bci - aii*bii
    c = ac + acc*bc + aci*bi
    i = ai + aic*bc + aii*bi
    det = 1/(pcc*pii - pci*pic)
    C[2] = (pii*c - pci*i)*det
    I[2] = (pcc*i - pic*c)*det
    C[3] = bc + bcc*C[2] + bci*I[2]
    I[3] = bi + bic*C[2] + bii*I[2]
    FROM n = 1 TO 2 {
        C[2-n] = wc[2-n] + mcc[2-n]*C[3-n] + mci[2-n]*I[3-n]
        I[2-n] = wi[2-n] + mic[2-n]*C[3-n] + mii[2-n]*I[3-n]
        C[3+n] = wc[3+n] + mcc[3+n]*C[2+n] + mci[3+n]*I[2+n]
        I[3+n] = wi[3+n] + mic[3+n]*C[2+n] + mii[3+n]*I[2+n]
    }
    UNITSON
}
