TITLE Hold a soma on its surrogate's voltage, and meter what is attached to it
COMMENT
Who     one per surrogate cell, at soma(0.5); noble_neuron.nrn.clamp binds it to its row
In      board: what the cells of one engine share. First the count of chunks written, then a row
        per cell of voltages to show (mV), then as many rows for b and as many for g; a row has
        one entry for each step of a chunk
Out     b (nA), g (uS)  what is attached delivered b - g v in each step, written into the rows
        i (nA)          what the clamp draws, positive outwards
Limits  fixed step, implicit Euler, tree matrix (no extracellular, no LinearMechanism), a soma
        of one segment, NEURON's own threads

With a the current that synapses, electrodes, gap junctions and neighbours deliver, the host's
capacitance c and the target vc, a step from v0 to v1 solves
        c (v1 - v0)/dt + (gc + c/dt) (v0 - vc) + gc (v1 - v0) = a(v1)
where the middle term feeds the capacitive current of the prescribed change forward. So
        a(v1) = (gc + c/dt) (v1 - vc)
whatever the capacitance. Its slope is read off the matrix, in which the solver has just
eliminated all that hangs on the soma. b = a + g v1 is then free of the voltage shown wherever
the attached is linear in it.
ENDCOMMENT

NEURON {
    THREADSAFE
    POINT_PROCESS nn_Clamp
    NONSPECIFIC_CURRENT i
    RANGE c, vc, b, g, row, rows, steps, bound_dt
    BBCOREPOINTER board
}

UNITS {
    (nA) = (nanoamp)
    (mV) = (millivolt)
    (uS) = (microsiemens)
    (nF) = (nanofarad)
}

: gc is where rounding of the current (1e-10 nA) and sag of the voltage (1e-4 mV per nA) balance.
PARAMETER {
    gc = 1e4 (uS)
    c = 0 (nF)
    row = 0
    rows = 0
    steps = 0
    bound_dt = 0 (ms)
}

ASSIGNED {
    v (mV)
    i (nA)
    vc (mV)
    b (nA)
    g (uS)
    dt (ms)
    area (um2)
    board
}

: Not differential equations: SaveState keeps what is a STATE.
STATE {
    done
    chunks
}

INITIAL {
    done = 0
    chunks = 0
}

BREAKPOINT {
    SOLVE meter
    CONDUCTANCE gc
    vc = target()
    i = (gc + c/dt)*(v - vc)
}

VERBATIM
#define NN_BOARD ((double*) _p_board)
#if defined(NRN_VERSION_GTEQ_8_2_0) && NRN_VERSION_GTEQ(9, 0, 0)
#define NN_POINT _ppvar[1].get<Point_process*>()
#define NN_INDEX(node) _nrn_mechanism_get_v_node_index(node)
#define NN_VECTOR IvocVect*
#define NN_A(nt) ((nt)->node_a_storage())
#define NN_B(nt) ((nt)->node_b_storage())
#define NN_D(nt) ((nt)->node_d_storage())
#else
#define NN_POINT ((Point_process*) _ppvar[1]._pvoid)
#define NN_INDEX(node) ((node)->v_node_index)
#define NN_VECTOR void*
#define NN_A(nt) ((nt)->_actual_a)
#define NN_B(nt) ((nt)->_actual_b)
#define NN_D(nt) ((nt)->_actual_d)
extern double* vector_vec(void*);
extern int vector_capacity(void*);
extern void* vector_arg(int);
#endif

/* Diagonal of a node's equation with the whole rest of the tree eliminated. The solver has
   eliminated what is below; above, the diagonal of each parent is taken as it would be without
   the branch we come from. Roots come first in a thread, and their parent is none. */
static double nn_diagonal(NrnThread* nt, int node) {
    const double* diagonal = NN_D(nt);
    double above, coupling;
    if (node < nt->ncell) {
        return diagonal[node];
    }
    coupling = NN_A(nt)[node]*NN_B(nt)[node];
    above = nn_diagonal(nt, nt->_v_parent_index[node]) + coupling/diagonal[node];
    return diagonal[node] - coupling/above;
}

/* An error may leave NEURON's main thread only: others leave theirs to be raised after the step,
   when NEURON calls what it finds here. */
extern void (*nrn_allthread_handle)();
static const char* nn_what;
static const char* nn_remedy;

static void nn_raise() {
    nrn_allthread_handle = NULL;
    hoc_execerror(nn_what, nn_remedy);
}

static int nn_refuse(NrnThread* _nt, const char* what, const char* remedy) {
    if (nrn_nthread == 1) {
        hoc_execerror(what, remedy);
    }
    nn_what = what;
    nn_remedy = remedy;
    nrn_allthread_handle = nn_raise;
    _nt->_stop_stepping = 1;
    return 0;
}

static void bbcore_write(double* x, int* d, int* xx, int* offset, _threadargsproto_) {
    hoc_execerror("A NobleCell does not run in CoreNEURON.", "Set coreneuron.enable = False.");
}
static void bbcore_read(double* x, int* d, int* xx, int* offset, _threadargsproto_) {}
ENDVERBATIM

: The voltage to reach in the coming step.
FUNCTION target() (mV) {
VERBATIM
    _ltarget = NN_BOARD ? NN_BOARD[1 + (size_t) (row*steps + done)] : v;
ENDVERBATIM
}

: Called when the step has been made and v is the new voltage.
PROCEDURE meter() {
VERBATIM
    double* nn_row;
    if (!NN_BOARD) {
        return nn_refuse(_nt, "A NobleCell is new since the last initialisation.",
                         "Call h.finitialize().");
    }
    if (dt != bound_dt) {
        return nn_refuse(_nt, "h.dt has changed under a NobleCell.",
                         "Call h.finitialize() after setting it.");
    }
    if (secondorder) {
        return nn_refuse(_nt, "A NobleCell does not run with secondorder.",
                         "Set h.secondorder = 0.");
    }
    if (use_sparse13) {
        return nn_refuse(_nt, "A NobleCell does not run beside extracellular or LinearMechanism.",
                         "Take them out of the model.");
    }
    if (done == 0) {
        if (NN_BOARD[0] != chunks + 1) {
            return nn_refuse(_nt, "No voltage was written for this chunk of a NobleCell.",
                             "Call h.finitialize(); after SaveState.restore, "
                             "noble_neuron.runtime.restore too.");
        }
        chunks += 1;
    }
    b = (gc + c/dt)*(v - vc);
    g = nn_diagonal(_nt, NN_INDEX(NN_POINT->node))*area*0.01 - gc - c/dt;
    b += g*v;
    nn_row = NN_BOARD + 1 + (size_t) ((rows + row)*steps + done);
    nn_row[0] = b;
    nn_row[(size_t) (rows*steps)] = g;
    done = done + 1 < steps ? done + 1 : 0;
ENDVERBATIM
}

: bind(board, row, rows, steps, dt, capacitance): take a row of a board; rows count from 0.
PROCEDURE bind() {
VERBATIM
    NN_VECTOR nn_vector = vector_arg(1);
    row = *hoc_getarg(2);
    rows = *hoc_getarg(3);
    steps = *hoc_getarg(4);
    bound_dt = *hoc_getarg(5);
    c = *hoc_getarg(6);
    if (row < 0 || row >= rows || vector_capacity(nn_vector) != 1 + 3*rows*steps) {
        hoc_execerror("nn_Clamp.bind:", "the board has no such row");
    }
    _p_board = (void*) vector_vec(nn_vector);
ENDVERBATIM
}
