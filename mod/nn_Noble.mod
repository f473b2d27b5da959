TITLE A membrane whose conductances a trained operator sets
COMMENT
Who     one per surrogate cell, at soma(0.5); noble_neuron.nrn.membrane binds it
In      net: the operator, shared; own: what this cell's latent point adds to its first layer.
        Both are Vectors whose bytes are 32-bit floats
Out     i (nA)              total v - inward, positive outwards
        total (uS), inward (nA)   sums of g_k and of g_k E_k, held over a step of the grid
        met[9]              for current, conductance and voltage, at the model's own millivolts:
                            how often each left its range, when first (ms), the value farthest out
Limits  fixed step, implicit Euler, tree matrix (no extracellular, no LinearMechanism), a soma
        of one segment whose capacitance is the operator's

        C dv/dt = attached - sum g_k (v - E_k)
        g_k, h after a grid step = network(v, h, latent point)          noble_neuron.operators.OdeStream
NEURON solves the membrane itself, with all that is attached: nothing is predicted, and nothing
lags. What is attached is read off the matrix as in nn_Clamp.
ENDCOMMENT

NEURON {
    THREADSAFE
    POINT_PROCESS nn_Noble
    NONSPECIFIC_CURRENT i
    RANGE c, shift, every, bound_dt, strict, total, inward, met
    BBCOREPOINTER net
    BBCOREPOINTER own
}

UNITS {
    (nA) = (nanoamp)
    (mV) = (millivolt)
    (uS) = (microsiemens)
    (nF) = (nanofarad)
}

PARAMETER {
    c = 0 (nF)
    shift = 0 (mV)
    every = 0
    bound_dt = 0 (ms)
    strict = 0
}

ASSIGNED {
    v (mV)
    i (nA)
    dt (ms)
    area (um2)
    net
    own
}

: Not differential equations: SaveState keeps what is a STATE.
STATE {
    total
    inward
    before
    done
    met[9]
    h[128]
}

INITIAL {
    done = -1
VERBATIM
    nn_queue_of(_nt)->time = NN_NEVER; /* a run may have ended within a step */
ENDVERBATIM
}

BREAKPOINT {
    SOLVE think
    i = total*v - inward
}

VERBATIM
#include <math.h>
#include <stdio.h>
#include <string.h>
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

/* Sixteen numbers at a time: the compiler makes of them what the processor has. */
#pragma GCC diagnostic ignored "-Wpsabi" /* of functions that are always inlined */
typedef float nn_v16 __attribute__((vector_size(64), aligned(4), may_alias));
typedef int nn_i16 __attribute__((vector_size(64), aligned(4), may_alias));
#define NN_INLINE static inline __attribute__((always_inline))
#define NN_MOST 128   /* units of a layer, and entries of the memory */
#define NN_BLOCK 32
#define NN_CHANNELS 8 /* room for the conductances before the memory's gates */
#define NN_CELLS 4    /* that go through the network together: its weights are read once */

/* What the floats of `net` are: the head, then the layers, each its biases, then a row of
   weights for each input. Rows are filled up to multiples of NN_BLOCK. */
enum { NN_MAGIC, NN_MEMORY, NN_WIDTH, NN_OUT, NN_REFERENCE, NN_SCALE, NN_UNIT, NN_E,
       NN_LOW = NN_E + 3, NN_HIGH, NN_LIMITS, NN_HEAD = 32 };

typedef struct { int memory, width, out; const float *into, *inner, *last; } nn_Net;

static nn_Net nn_net(const float* f) {
    nn_Net n;
    n.memory = (int) f[NN_MEMORY];
    n.width = (int) f[NN_WIDTH];
    n.out = (int) f[NN_OUT];
    n.into = f + NN_HEAD;                               /* no biases: they are in `own` */
    n.inner = n.into + (1 + n.memory)*n.width;
    n.last = n.inner + (1 + n.width)*n.width;
    return n;
}

/* What is asked of the network for one cell, and where the answer goes. */
typedef struct {
    const float *nn_cell;
    double volt, nn_shift, *memory, *nn_total, *nn_inward;
} nn_Asked;

/* What the cells of a step have in the layers. */
typedef struct {
    float x[NN_CELLS][1 + NN_MOST], y[NN_CELLS][NN_MOST], z[NN_CELLS][NN_MOST];
    float out[NN_CELLS][NN_CHANNELS + 2*NN_MOST + NN_BLOCK];
} nn_Work;

/* y = y + x W for 16 wide outputs of some cells: each output adds its inputs in their order,
   so a cell's answer is the same alone and in company. */
NN_INLINE void nn_part(const float* w, int n, int m, const float* x, int x_row, float* y,
                       int y_row, const int cells, const int wide) {
    nn_v16 sum[NN_CELLS][4];
    int from, cell, k;
#pragma GCC unroll 4
    for (cell = 0; cell < cells; cell++) {
#pragma GCC unroll 4
        for (k = 0; k < wide; k++) sum[cell][k] = *(nn_v16*) (y + cell*y_row + 16*k);
    }
    for (from = 0; from < n; from++, w += m) {
#pragma GCC unroll 4
        for (cell = 0; cell < cells; cell++) {
            const float one = x[cell*x_row + from];
#pragma GCC unroll 4
            for (k = 0; k < wide; k++) sum[cell][k] += one**(const nn_v16*) (w + 16*k);
        }
    }
#pragma GCC unroll 4
    for (cell = 0; cell < cells; cell++) {
#pragma GCC unroll 4
        for (k = 0; k < wide; k++) *(nn_v16*) (y + cell*y_row + 16*k) = sum[cell][k];
    }
}

/* The same for all m outputs; the rows of x and y are those of nn_Work. */
NN_INLINE void nn_add(const float* w, int n, int m, const float* x, int x_row, float* y,
                      int y_row, const int cells, const int wide) {
    int to = 0;
    for (; to + 16*wide <= m; to += 16*wide) {
        nn_part(w + to, n, m, x, x_row, y + to, y_row, cells, wide);
    }
    for (; to < m; to += 16) nn_part(w + to, n, m, x, x_row, y + to, y_row, cells, 1);
}

NN_INLINE nn_v16 nn_least(nn_v16 x, nn_v16 y) {
    nn_i16 which = x < y;
    return (nn_v16) ((which & (nn_i16) x) | (~which & (nn_i16) y));
}

/* exp(x) to 2 units in the last place (Cephes' polynomial, range reduction by ln 2). */
NN_INLINE nn_v16 nn_exp(nn_v16 x) {
    const nn_v16 zero = {0.f};
    nn_v16 n, r, p;
    x = -nn_least(-nn_least(x, zero + 87.f), zero + 87.f);
    n = x*1.44269504f + 12582912.f; /* rounds: 1.5 * 2^23 */
    n = n - 12582912.f;
    r = x - n*0.693359375f + n*2.12194440e-4f;
    p = r*1.9875691500e-4f + 1.3981999507e-3f;
    p = p*r + 8.3334519073e-3f;
    p = p*r + 4.1665795894e-2f;
    p = p*r + 1.6666665459e-1f;
    p = p*r + 5.0000001201e-1f;
    p = p*(r*r) + r + 1.f;
    return p*(nn_v16) ((__builtin_convertvector(n, nn_i16) + 127) << 23);
}

NN_INLINE void nn_silu(float* x, int n) {
    int k;
    for (k = 0; k < n; k += 16) {
        nn_v16 each = *(nn_v16*) (x + k);
        *(nn_v16*) (x + k) = each/(1.f + nn_exp(-each));
    }
}

/* memory <- memory + sigma(gate) (tanh(candidate) - memory) */
NN_INLINE void nn_remember(float* memory, const float* gate, const float* candidate, int n) {
    int k;
    for (k = 0; k < n; k += 16) {
        nn_v16 share = 1.f/(1.f + nn_exp(-*(const nn_v16*) (gate + k)));
        nn_v16 wanted = 2.f/(1.f + nn_exp(-2.f**(const nn_v16*) (candidate + k))) - 1.f;
        nn_v16 old = *(nn_v16*) (memory + k);
        *(nn_v16*) (memory + k) = old + share*(wanted - old);
    }
}

/* What the first layer sees of a cell, and where its layers begin. */
NN_INLINE void nn_enter(const float* nn_f, nn_Net n, const nn_Asked* of, nn_Work* at, int cell) {
    double volt = of->volt - of->nn_shift;
    float* x = at->x[cell];
    int k;
    volt = volt < nn_f[NN_LOW] ? nn_f[NN_LOW] : (volt > nn_f[NN_HIGH] ? nn_f[NN_HIGH] : volt);
    x[0] = (float) ((volt - nn_f[NN_REFERENCE])/nn_f[NN_SCALE]);
    for (k = 0; k < n.memory; k++) x[1 + k] = (float) of->memory[k];
    memcpy(at->y[cell], of->nn_cell, n.width*sizeof(float));
    memcpy(at->z[cell], n.inner, n.width*sizeof(float));
    memcpy(at->out[cell], n.last, n.out*sizeof(float));
}

/* Its conductances for the next grid step, and the memory after it. */
NN_INLINE void nn_leave(const float* nn_f, nn_Net n, const nn_Asked* of, nn_Work* at, int cell) {
    const float* out = at->out[cell];
    float* x = at->x[cell];
    double nn_sum = 0., nn_drive = 0.;
    int k;
    nn_remember(x + 1, out + NN_CHANNELS, out + NN_CHANNELS + n.memory, n.memory);
    for (k = 0; k < n.memory; k++) of->memory[k] = x[1 + k];
    for (k = 0; k < 3; k++) {
        double one = nn_f[NN_UNIT]*exp(out[k] < -12.f ? -12.f : (out[k] > 7.f ? 7.f : out[k]));
        nn_sum += one;
        nn_drive += one*nn_f[NN_E + k];
    }
    *of->nn_total = nn_sum;
    *of->nn_inward = nn_drive + nn_sum*of->nn_shift;
}

/* One evaluation of the network for some cells. */
NN_INLINE void nn_body(const float* nn_f, const nn_Asked* of, const int cells, const int wide) {
    nn_Net n = nn_net(nn_f);
    nn_Work at;
    const int x_row = 1 + NN_MOST, row = NN_MOST, out_row = sizeof at.out[0]/sizeof(float);
    int cell;
    for (cell = 0; cell < cells; cell++) nn_enter(nn_f, n, of + cell, &at, cell);
    nn_add(n.into, 1 + n.memory, n.width, at.x[0], x_row, at.y[0], row, cells, wide);
    for (cell = 0; cell < cells; cell++) nn_silu(at.y[cell], n.width);
    nn_add(n.inner + n.width, n.width, n.width, at.y[0], row, at.z[0], row, cells, wide);
    for (cell = 0; cell < cells; cell++) nn_silu(at.z[cell], n.width);
    nn_add(n.last + n.out, n.width, n.out, at.z[0], row, at.out[0], out_row, cells, wide);
    for (cell = 0; cell < cells; cell++) nn_leave(nn_f, n, of + cell, &at, cell);
}

/* For a number of cells, as many at a time as the registers hold. */
#define NN_VERSION(nn_name, nn_target, nn_wide_of_many, nn_wide_of_one) \
nn_target static void nn_name(const float* nn_f, const nn_Asked* of, int cells) { \
    for (; cells >= NN_CELLS; cells -= NN_CELLS, of += NN_CELLS) { \
        nn_body(nn_f, of, NN_CELLS, nn_wide_of_many); \
    } \
    for (; cells > 0; cells--, of++) nn_body(nn_f, of, 1, nn_wide_of_one); \
}

/* For the processor that every build must serve, and for those of the last ten years and of the
   last five; the one that runs decides. */
typedef void (*nn_Version)(const float*, const nn_Asked*, int);
NN_VERSION(nn_plain, , 1, 2)
#if defined(__x86_64__)
NN_VERSION(nn_wide, __attribute__((target("avx2,fma"))), 1, 4)
NN_VERSION(nn_widest, __attribute__((target("avx512f,avx512dq,avx2,fma"))), 2, 4)
static nn_Version nn_best() {
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) {
        return nn_plain;
    }
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") ? nn_widest
                                                                                  : nn_wide;
}
#else
static nn_Version nn_best() { return nn_plain; }
#endif

static void nn_evaluate(const float* nn_f, const nn_Asked* of, int cells) {
    static nn_Version nn_version;
    if (!nn_version) {
        nn_version = nn_best(); /* threads may each find it: the same */
    }
    nn_version(nn_f, of, cells);
}

/* Cells of a thread that wait for company within a step; the last one of the thread ends it. */
#define NN_THREADS 256
#define NN_QUEUE 16
#define NN_NEVER -1e30
typedef struct {
    double time; /* of the step; NN_NEVER between two */
    const float* nn_f;
    int seen, waiting;
    nn_Asked asked[NN_QUEUE];
} nn_Queue;
static nn_Queue nn_queues[NN_THREADS];

static nn_Queue* nn_queue_of(NrnThread* nt) {
    return &nn_queues[(nt - nrn_threads)%NN_THREADS];
}

/* How many of them there are in a thread (NEURON's headers rename that for mechanisms). */
static int nn_count(NrnThread* nt, int type) {
    return nt->_ml_list[type]->_nodecount;
}

static void nn_answer(nn_Queue* queue) {
    if (queue->waiting) {
        nn_evaluate(queue->nn_f, queue->asked, queue->waiting);
        queue->waiting = 0;
    }
}

static void nn_wait(nn_Queue* queue, const float* nn_f, nn_Asked asked) {
    if (queue->nn_f != nn_f || queue->waiting == NN_QUEUE) {
        nn_answer(queue);
    }
    queue->nn_f = nn_f;
    queue->asked[queue->waiting++] = asked;
}

/* As in nn_Clamp: the diagonal of a node with the whole rest of the tree eliminated. */
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

/* As in nn_Clamp: an error may leave NEURON's main thread only. */
extern void (*nrn_allthread_handle)();
static char nn_what[256];
static const char* nn_remedy;

static void nn_raise() {
    nrn_allthread_handle = NULL;
    hoc_execerror(nn_what, nn_remedy);
}

static int nn_refuse(NrnThread* _nt, const char* what, const char* remedy) {
    if (nrn_nthread == 1) {
        hoc_execerror(what, remedy);
    }
    if (what != nn_what) {
        snprintf(nn_what, sizeof nn_what, "%s", what);
    }
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

: Called when the step has been made and v is the new voltage.
PROCEDURE think() {
VERBATIM
    const float* nn_f = (const float*) _p_net;
    nn_Queue* nn_queue = nn_queue_of(_nt);
    if (nn_queue->time != t) {
        nn_queue->time = t;
        nn_queue->seen = nn_queue->waiting = 0;
    }
    nn_queue->seen += 1;
    if (!nn_f || done < 0) {
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
    done += 1;
    if (done >= every) {
        static const char* nn_name[3] = {"current", "conductance", "voltage"};
        static const char* nn_unit[3] = {"nA", "uS", "mV"};
        double nn_g = nn_diagonal(_nt, NN_INDEX(NN_POINT->node))*area*0.01 - total - c/dt;
        double nn_a = c*(v - before)/dt + total*v - inward;
        double nn_x[3];
        int nn_k;
        nn_x[0] = nn_a + nn_g*(v - shift - nn_f[NN_REFERENCE]);
        nn_x[1] = nn_g;
        nn_x[2] = v - shift;
        for (nn_k = 0; nn_k < 3; nn_k++) {
            double nn_low = nn_f[NN_LIMITS + 2*nn_k], nn_high = nn_f[NN_LIMITS + 2*nn_k + 1];
            double nn_middle = (nn_low + nn_high)/2;
            if (nn_x[nn_k] < nn_low || nn_x[nn_k] > nn_high) {
                if (!met[nn_k]) {
                    met[3 + nn_k] = t;
                    met[6 + nn_k] = nn_x[nn_k];
                }
                met[nn_k] += 1;
                if (fabs(nn_x[nn_k] - nn_middle) > fabs(met[6 + nn_k] - nn_middle)) {
                    met[6 + nn_k] = nn_x[nn_k];
                }
                if (strict) {
                    snprintf(nn_what, sizeof nn_what,
                             "A strict NobleCell: %s of %.4g %s at %.3f ms; it was trained on "
                             "%.4g to %.4g %s.", nn_name[nn_k], nn_x[nn_k], nn_unit[nn_k], t,
                             nn_low, nn_high, nn_unit[nn_k]);
                    return nn_refuse(_nt, nn_what, "See cell.outside.");
                }
            }
        }
        if (!isfinite(v)) {
            return nn_refuse(_nt, "The voltage of a NobleCell is not finite.",
                             "Look at what is attached to it.");
        }
        done = 0;
        {
            nn_Asked nn_asked = {(const float*) _p_own, v, shift, &h[0], &total, &inward};
            nn_wait(nn_queue, nn_f, nn_asked);
        }
    }
    before = v;
    if (nn_queue->seen == nn_count(_nt, _mechtype)) {
        nn_answer(nn_queue);
        nn_queue->time = NN_NEVER;
    }
ENDVERBATIM
}

: bind(net, own, steps per grid step, dt, capacitance, shift, strict)
PROCEDURE bind() {
VERBATIM
    NN_VECTOR nn_shared = vector_arg(1);
    NN_VECTOR nn_cells = vector_arg(2);
    const float* nn_f = (const float*) vector_vec(nn_shared);
    nn_Net nn_n = nn_net(nn_f);
    size_t nn_size = NN_HEAD + (size_t) (1 + nn_n.memory)*nn_n.width
                     + (size_t) (1 + nn_n.width)*(nn_n.width + nn_n.out);
    if (nn_f[NN_MAGIC] != 1973.f || nn_n.memory > NN_MOST || nn_n.width > NN_MOST
        || 2*(size_t) vector_capacity(nn_shared) < nn_size
        || 2*(size_t) vector_capacity(nn_cells) < (size_t) nn_n.width) {
        hoc_execerror("nn_Noble.bind:", "no operator of this kind");
    }
    _p_net = (void*) nn_f;
    _p_own = (void*) vector_vec(nn_cells);
    every = *hoc_getarg(3);
    bound_dt = *hoc_getarg(4);
    c = *hoc_getarg(5);
    shift = *hoc_getarg(6);
    strict = *hoc_getarg(7);
ENDVERBATIM
}

: start(memory): begin from the present voltage and this memory.
PROCEDURE start() {
VERBATIM
    NN_VECTOR nn_memory = vector_arg(1);
    int nn_k, nn_n = vector_capacity(nn_memory);
    for (nn_k = 0; nn_k < nn_n && nn_k < NN_MOST; nn_k++) h[nn_k] = vector_vec(nn_memory)[nn_k];
    for (nn_k = 0; nn_k < 9; nn_k++) met[nn_k] = 0;
    done = 0;
    before = v;
    {
        nn_Asked nn_asked = {(const float*) _p_own, v, shift, &h[0], &total, &inward};
        nn_evaluate((const float*) _p_net, &nn_asked, 1);
    }
ENDVERBATIM
}
