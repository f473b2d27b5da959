TITLE Takes the load of a branch off the soma it hangs on
COMMENT
Who     one per branch, in its segment next to the soma; noble_neuron.nrn.twin
In      share   of the branch's current that the soma feels: -1 or 0
Out     i (nA)  none

A branch follows the soma's voltage; its coupling a in the soma's own equation,
        ... + a (v_branch - v_soma)
is multiplied by `share`. So a soma with a branch and a bare copy of share -1 feels the difference
of the two currents, exactly and within the same step: what synapses on the branch add, without its
load. A branch with nothing on it needs no copy, but a share of 0.
ENDCOMMENT

NEURON {
    THREADSAFE
    POINT_PROCESS nn_Bare
    NONSPECIFIC_CURRENT i
    RANGE share
}

UNITS {
    (nA) = (nanoamp)
}

PARAMETER {
    share = -1
}

ASSIGNED {
    i (nA)
}

INITIAL {
    turn()
}

BREAKPOINT {
    SOLVE watch
    i = 0
}

VERBATIM
#if defined(NRN_VERSION_GTEQ_8_2_0) && NRN_VERSION_GTEQ(9, 0, 0)
#define NN_COUPLING (_nt->node_a_storage() \
        [_nrn_mechanism_get_v_node_index(_ppvar[1].get<Point_process*>()->node)])
#else
#define NN_COUPLING (_nt->_actual_a[((Point_process*) _ppvar[1]._pvoid)->node->v_node_index])
#endif

/* As in nn_Clamp: an error may leave NEURON's main thread only. */
extern void (*nrn_allthread_handle)();

static void nn_raise() {
    nrn_allthread_handle = NULL;
    hoc_execerror("The geometry of a NobleCell's dendrites, or of its soma, has changed in a run.",
                  "Call h.finitialize() after changing it.");
}

static void bbcore_write(double* x, int* d, int* xx, int* offset, _threadargsproto_) {
    hoc_execerror("A NobleCell does not run in CoreNEURON.", "Set coreneuron.enable = False.");
}
static void bbcore_read(double* x, int* d, int* xx, int* offset, _threadargsproto_) {}
ENDVERBATIM

: NEURON's couplings are negative; it computes them anew whenever a geometry has changed.
PROCEDURE turn() {
VERBATIM
    if (NN_COUPLING < 0.) {
        NN_COUPLING *= share;
    }
ENDVERBATIM
}

PROCEDURE watch() {
VERBATIM
    if (NN_COUPLING < 0.) {
        if (nrn_nthread == 1) {
            nn_raise();
        }
        nrn_allthread_handle = nn_raise;
        _nt->_stop_stepping = 1;
    }
ENDVERBATIM
}
