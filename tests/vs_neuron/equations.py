"""The published kinetics in Python, written from the papers' equations alone.

Voltage in mV, time in ms, at 34 degC. `GATES[mechanism][gate]` gives (steady state, time
constant [ms]) at a voltage; `nav_matrix` gives the twelve-state sodium channel.
"""

from __future__ import annotations

import numpy as np
from numpy import exp

CELSIUS = 34.0  # degC


def q(reference: float) -> float:
    """Temperature factor 2.3 per 10 degC, from `reference` [degC] to 34 degC."""
    return 2.3 ** ((CELSIUS - reference) / 10)


def linexp(x: float, k: float) -> float:
    """x / (exp(x/k) - 1), and k at x = 0."""
    return k if x == 0 else x / np.expm1(x / k)


def sigmoid(x: float) -> float:
    return 1 / (1 + exp(-x))


def rates(alpha: float, beta: float, factor: float = 1.0) -> tuple[float, float]:
    return alpha / (alpha + beta), 1 / ((alpha + beta) * factor)


def na_tg(vshiftm=0.0, vshifth=0.0, slopem=6.0, slopeh=6.0):
    def m(v):
        x = v + 38 - vshiftm
        return rates(0.182 * linexp(-x, slopem), 0.124 * linexp(x, slopem), q(21))

    def h(v):
        y = v + 66 - vshifth
        return rates(0.015 * linexp(y, slopeh), 0.015 * linexp(-y, slopeh), q(21))

    return {"m": m, "h": h}


def nap_m(v):
    a, b = 0.182 * linexp(-(v + 38), 6), 0.124 * linexp(v + 38, 6)
    return sigmoid((v + 52.6) / 4.6), 6 / (q(21) * (a + b))


def nap_h(v):
    a, b = 2.88e-6 * linexp(v + 17, 4.63), 6.94e-6 * linexp(-(v + 64.4), 2.63)
    return sigmoid(-(v + 48.8) / 10), 1 / (q(21) * (a + b))


def ca_lva_m(v):
    u = v + 10
    return sigmoid((u + 30) / 6), (5 + 20 * sigmoid(-(u + 25) / 5)) / q(21)


def ca_lva_h(v):
    u = v + 10
    return sigmoid(-(u + 80) / 6.4), (20 + 50 * sigmoid(-(u + 40) / 7)) / q(21)


def im_v2(v):
    a, b = 0.007 * exp(2.4 * (v + 48) / 26.12), 0.007 * exp(-3.6 * (v + 48) / 26.12)
    return a / (a + b), (15 + 1 / (a + b)) / q(30)


def k_t_m(v):
    u = v + 10
    return sigmoid(u / 19), (0.34 + 0.92 * exp(-(((u + 71) / 59) ** 2))) / q(21)


def k_t_h(v):
    u = v + 10
    return sigmoid(-(u + 66) / 10), (8 + 49 * exp(-(((u + 73) / 23) ** 2))) / q(21)


def k_p_m(v):
    u = v + 10
    slow = 175.03 * exp(0.026 * u) if u < -50 else 13 * exp(-0.026 * u)
    return sigmoid((u + 1) / 12), (1.25 + slow) / q(21)


def k_p_h(v):
    u = v + 10
    tau = 360 + (1010 + 24 * (u + 55)) * exp(-(((u + 75) / 48) ** 2))
    return sigmoid(-(u + 54) / 11), tau / q(21)


def kv2_m(v):
    a, b = 0.12 * linexp(43 - v, 11), 0.02 * exp(-(v + 1.27) / 120)
    return a / (a + b), 2.5 / (q(21) * (a + b))


def kv2_h1(v):
    tau = 360 + (1010 + 23.7 * (v + 54)) * exp(-(((v + 75) / 48) ** 2))
    return sigmoid(-(v + 58) / 11), tau / q(21)


def kv2_h2(v):
    tau = (2350 + 1380 * exp(-0.011 * v) - 210 * exp(-0.03 * v)) / q(21)
    return sigmoid(-(v + 58) / 11), tau if tau >= 0 else 0.001


GATES = {
    "nn_Ih": {"m": lambda v: rates(0.00643 * linexp(v + 154.9, 11.9), 0.193 * exp(v / 33.1))},
    "nn_NaTg": na_tg(),
    "nn_Nap": {"m": nap_m, "h": nap_h},
    "nn_Ca_HVA": {
        "m": lambda v: rates(0.055 * linexp(-27 - v, 3.8), 0.94 * exp((-75 - v) / 17)),
        "h": lambda v: rates(0.000457 * exp((-13 - v) / 50), 0.0065 * sigmoid((v + 15) / 28)),
    },
    "nn_Ca_LVA": {"m": ca_lva_m, "h": ca_lva_h},
    "nn_Ca_LVA_HL23": {"m": ca_lva_m, "h": ca_lva_h},
    "nn_Im": {
        "m": lambda v: rates(0.0033 * exp(0.1 * (v + 35)), 0.0033 * exp(-0.1 * (v + 35)), q(21))
    },
    "nn_Im_v2": {"m": im_v2},
    "nn_K_T": {"m": k_t_m, "h": k_t_h},
    "nn_K_P": {"m": k_p_m, "h": k_p_h},
    "nn_Kv3_1": {"m": lambda v: (sigmoid((v - 18.7) / 9.7), 4 * sigmoid((v + 46.56) / 44.14))},
    "nn_Kv2like": {"m": kv2_m, "h1": kv2_h1, "h2": kv2_h2},
    "nn_Kd": {
        "m": lambda v: (sigmoid((v + 43) / 8), 1.0),
        "h": lambda v: (sigmoid(-(v + 67) / 7.3), 1500.0),
    },
}


def sk(cai: float) -> float:
    """Steady state of Allen's SK at a calcium concentration [mM]."""
    c = cai + 1e-7 if cai < 1e-7 else cai
    return 1 / (1 + (0.00043 / c) ** 4.8)


def nav_matrix(v: float) -> np.ndarray:
    """Generator A [1/ms] of dx/dt = A x, x = (C1..C5, O, I1..I6), shape (12, 12)."""
    alpha, beta, a, b = 400 * exp(v / 24), 12 * exp(-v / 24), 2.51, 5.32
    flows = [(4, 5, 250, 60), (10, 11, 250, 60), (5, 11, 8, 0.05)]
    for n in range(1, 5):
        flows.append((n - 1, n, (5 - n) * alpha, n * beta))
        flows.append((n + 5, n + 6, (5 - n) * a * alpha, n * beta / b))
    for n in range(1, 6):
        flows.append((n - 1, n + 5, 0.01 * a ** (n - 1), 40 / b ** (n - 1)))
    matrix = np.zeros((12, 12))
    for i, j, forth, back in flows:
        matrix[j, i] += forth
        matrix[i, i] -= forth
        matrix[i, j] += back
        matrix[j, j] -= back
    return q(37) * matrix


def nav_equilibrium(v: float) -> np.ndarray:
    """Occupancies at rest, from A x = 0 and sum(x) = 1, shape (12,)."""
    matrix, right = nav_matrix(v), np.zeros(12)
    matrix[0], right[0] = 1, 1
    return np.linalg.solve(matrix, right)
