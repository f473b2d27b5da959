TITLE Takes the load of passive branches off the soma they hang on
COMMENT
Who     one per soma, in its middle; noble_neuron.nrn.load binds and starts it
In      modes   of the bare branches: for each its decay over a step (1), its coupling to the
                soma (uS/nF^.5) and what drives it at rest (nA/nF^.5)
Out     i (nA)  less what the bare branches would draw under the soma's voltage
        u[32]   state of the modes (nF^.5 mV)
Limits  fixed step, implicit Euler, as that of NEURON

        u' = -lambda u + beta v + epsilon,      i = sum beta u - direct v
Solved with the soma's own voltage of the same step: the current is linear in it.
ENDCOMMENT

NEURON {
    THREADSAFE
    POINT_PROCESS nn_Load
    NONSPECIFIC_CURRENT i
    RANGE conductance, count, bound_dt, ready
    BBCOREPOINTER modes
}

UNITS {
    (nA) = (nanoamp)
    (mV) = (millivolt)
    (uS) = (microsiemens)
}

PARAMETER {
    conductance = 0 (uS)
    count = 0
    bound_dt = 0 (ms)
}

ASSIGNED {
    v (mV)
    i (nA)
    dt (ms)
    ready
    modes
}

: Not differential equations: SaveState keeps what is a STATE.
STATE {
    u[32]
    held
}

INITIAL {
    ready = 0
}

BREAKPOINT {
    SOLVE advance
    i = held - conductance*v
}

VERBATIM
#if defined(NRN_VERSION_GTEQ_8_2_0) && NRN_VERSION_GTEQ(9, 0, 0)
#define NN_VECTOR IvocVect*
#else
#define NN_VECTOR void*
extern double* vector_vec(void*);
extern int vector_capacity(void*);
extern void* vector_arg(int);
#endif
#define NN_MOST 32

/* As in nn_Clamp: an error may leave NEURON's main thread only. */
extern void (*nrn_allthread_handle)();

static void nn_raise() {
    nrn_allthread_handle = NULL;
    hoc_execerror("h.dt has changed under a NobleCell's dendrites, or they are new since the last "
                  "initialisation.", "Call h.finitialize().");
}

static void bbcore_write(double* x, int* d, int* xx, int* offset, _threadargsproto_) {
    hoc_execerror("A NobleCell does not run in CoreNEURON.", "Set coreneuron.enable = False.");
}
static void bbcore_read(double* x, int* d, int* xx, int* offset, _threadargsproto_) {}
ENDVERBATIM

: Called when the step has been made and v is the new voltage.
PROCEDURE advance() {
VERBATIM
    const double* nn_mode = (const double*) _p_modes;
    double nn_sum = 0.;
    int nn_k;
    if (!ready || dt != bound_dt) {
        if (nrn_nthread == 1) {
            nn_raise();
        }
        nrn_allthread_handle = nn_raise;
        _nt->_stop_stepping = 1;
        return 0;
    }
    for (nn_k = 0; nn_k < (int) count; nn_k++, nn_mode += 3) {
        u[nn_k] = nn_mode[0]*(u[nn_k] + dt*(nn_mode[1]*v + nn_mode[2]));
        nn_sum += nn_mode[1]*nn_mode[0]*(u[nn_k] + dt*nn_mode[2]);
    }
    held = nn_sum;
ENDVERBATIM
}

: start(modes, states, direct, dt)
PROCEDURE start() {
VERBATIM
    NN_VECTOR nn_modes = vector_arg(1);
    NN_VECTOR nn_states = vector_arg(2);
    const double* nn_mode = vector_vec(nn_modes);
    double nn_step = *hoc_getarg(4), nn_sum = 0., nn_g = *hoc_getarg(3);
    int nn_k, nn_n = vector_capacity(nn_states);
    if (nn_n > NN_MOST || vector_capacity(nn_modes) != 3*nn_n) {
        hoc_execerror("nn_Load.start:", "not so many modes");
    }
    _p_modes = (void*) nn_mode;
    for (nn_k = 0; nn_k < nn_n; nn_k++, nn_mode += 3) {
        u[nn_k] = vector_vec(nn_states)[nn_k];
        nn_sum += nn_mode[1]*nn_mode[0]*(u[nn_k] + nn_step*nn_mode[2]);
        nn_g -= nn_mode[1]*nn_mode[1]*nn_mode[0]*nn_step;
    }
    held = nn_sum;
    conductance = nn_g;
    count = nn_n;
    bound_dt = nn_step;
    ready = 1;
ENDVERBATIM
}
