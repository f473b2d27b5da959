// The arithmetic of OdeStream over many chunks, and its gradient (see stream_ode.py).
//
// Each cell is a lane: every quantity of 16 cells is one vector, so that a layer is a product of
// a matrix with as many vectors as it has inputs, and nothing is ever shuffled.

#include <cmath>
#include <cstdint>
#include <vector>

#if defined(__AVX512F__)
#define TILE 12  // outputs of a layer at once: as many sums as registers hold
#else
#define TILE 6
#endif
#define LANES 16
#define CHANNELS 3

typedef float vec __attribute__((vector_size(4 * LANES)));
typedef int32_t ivec __attribute__((vector_size(4 * LANES)));

namespace {

inline vec all(float x) { return vec{} + x; }

// Within 2e-7 of exp, for any x: what would overflow ends at exp(88).
inline vec exponential(vec x) {
    x = x > 88.0f ? all(88.0f) : x;
    x = x < -87.0f ? all(-87.0f) : x;
    const vec magic = all(12582912.0f);  // 1.5 * 2^23: adding it rounds to a whole number
    vec n = x * 1.44269504f + magic;
    ivec shift = ((ivec)n - (ivec)magic) << 23;
    n -= magic;
    vec r = x - n * 0.693359375f + n * 2.12194440e-4f;
    vec p = all(1.9875691500e-4f);
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    return (vec)((ivec)p + shift);
}

inline vec sigmoid(vec x) { return 1.0f / (1.0f + exponential(-x)); }
inline vec tangent(vec x) { return 1.0f - 2.0f / (1.0f + exponential(2.0f * x)); }

template <int N>
inline void rows(const float *w, long so, long sk, long inputs, const vec *x, vec *y) {
    vec sum[N];
    for (int i = 0; i < N; i++) sum[i] = y[i];
    for (long k = 0; k < inputs; k++) {
        const vec v = x[k];
        for (int i = 0; i < N; i++) sum[i] += w[i * so + k * sk] * v;
    }
    for (int i = 0; i < N; i++) y[i] = sum[i];
}

// y[o] += sum over k of w[o so + k sk] x[k]
void product(const float *w, long so, long sk, long outputs, long inputs, const vec *x, vec *y) {
    long o = 0;
    for (; o + TILE <= outputs; o += TILE) rows<TILE>(w + o * so, so, sk, inputs, x, y + o);
    for (; o + 3 <= outputs; o += 3) rows<3>(w + o * so, so, sk, inputs, x, y + o);
    for (; o < outputs; o++) rows<1>(w + o * so, so, sk, inputs, x, y + o);
}

}  // namespace

struct Sizes {
    int64_t cells, chunks, steps, memory, width;  // steps: of a chunk
    int64_t padded;                               // cells, filled up to whole vectors
    int64_t columns;                              // from a row of the room to the next
    float v_scale, g_unit, least_c, low, high, grid;
    float limit;  // of the gradient that a cell's state passes back from chunk to chunk
    float reversals[CHANNELS];
};

struct Weights {
    const float *in, *middle, *middle_bias, *out, *out_bias;  // (width, 1 + memory) and so on
};

// What a cell is told: at the beginning of each chunk another voltage, where `forced` is 1.
struct Given {
    const float *u0, *h0;         // (cells,), (cells, memory)
    const float *of_cell, *c;     // (cells, width), (cells,)
    const float *b, *g;           // (cells, chunks steps)
    const float *told, *forced;   // (cells, chunks); null: nothing is told
    const int64_t *substeps;      // (chunks,), up to 4
};

namespace {

struct Shape : Sizes {
    long seen, outs, points;
    explicit Shape(const Sizes &s)
        : Sizes(s), seen(1 + s.memory), outs(CHANNELS + 2 * s.memory), points(s.chunks * s.steps) {}
    long column(long block, long t) const { return (block * points + t) * LANES; }
};

// Vectors from 16 rows of a (cells, n) array, and back; lanes beyond the last cell are 0.
void gather(const Shape &s, const float *x, long block, long n, vec *to) {
    for (long k = 0; k < n; k++)
        for (long i = 0; i < LANES; i++)
            to[k][i] = block * LANES + i < s.cells ? x[(block * LANES + i) * n + k] : 0.0f;
}

void scatter(const Shape &s, const vec *x, long block, long n, float *to) {
    for (long i = 0; i < LANES && block * LANES + i < s.cells; i++)
        for (long k = 0; k < n; k++) to[(block * LANES + i) * n + k] = x[k][i];
}

// A column of n rows of the room, and the first row after them.
float *keep(const Shape &s, const vec *x, long n, float *to) {
    for (long k = 0; k < n; k++) *(vec *)(to + k * s.columns) = x[k];
    return to + n * s.columns;
}

const float *fetch(const Shape &s, const float *from, long n, vec *x) {
    for (long k = 0; k < n; k++) x[k] = *(const vec *)(from + k * s.columns);
    return from + n * s.columns;
}

// What 16 cells are told.
struct Block {
    std::vector<vec> room;
    vec c = {}, *b, *g, *told, *forced;

    Block(const Shape &s, const Given &given, long block) : room(2 * s.points + 2 * s.chunks) {
        b = room.data(), g = b + s.points, told = g + s.points, forced = told + s.chunks;
        gather(s, given.c, block, 1, &c);
        for (long i = 0; i < LANES; i++)
            if (block * LANES + i >= s.cells) c[i] = 1.0f;
        gather(s, given.b, block, s.points, b);
        gather(s, given.g, block, s.points, g);
        if (!given.told) return;
        gather(s, given.told, block, s.chunks, told);
        gather(s, given.forced, block, s.chunks, forced);
    }
};

struct Membrane {
    vec own[CHANNELS], total, inward, u[5], whole[4];
    float span;

    Membrane(const Shape &s, const vec *y, vec c, vec b, vec g, vec before, long substeps) {
        span = s.grid / substeps;
        total = g;
        inward = b;
        for (int k = 0; k < CHANNELS; k++) {
            vec x = y[k] < -12.0f ? all(-12.0f) : y[k];
            own[k] = exponential(x > 7.0f ? all(7.0f) : x) * s.g_unit;
            total += own[k];
            inward += own[k] * s.reversals[k];
        }
        u[0] = before;
        for (long j = 0; j < substeps; j++) {
            vec sum = c + span * total;
            whole[j] = sum < s.least_c ? all(s.least_c) : sum;
            u[j + 1] = (c * u[j] + span * inward) / whole[j];
        }
    }
};

// No longer than `limit` in each lane.
void held_back(float limit, long n, vec *x) {
    vec square = {};
    for (long k = 0; k < n; k++) square += x[k] * x[k];
    vec scale = {};
    for (int i = 0; i < LANES; i++) scale[i] = std::fmin(1.0f, limit / std::sqrt(square[i]));
    for (long k = 0; k < n; k++) x[k] *= scale;
}

}  // namespace

extern "C" {

// u (cells, chunks steps) and h (cells, memory) of what is given; where kept is not null, what
// the gradient needs, a row each: what the network sees, what its three layers give.
void ode_forward(const Sizes *sizes, const Weights *w, const Given *given, float *u, float *h,
                 float *kept, int threads) {
    const Shape s(*sizes);
#pragma omp parallel for num_threads(threads)
    for (long block = 0; block < s.padded / LANES; block++) {
        const Block its(s, *given, block);
        std::vector<vec> room(s.seen + 3 * s.width + s.outs + s.points);
        vec *seen = room.data(), *cell = seen + s.seen, *p = cell + s.width, *x = p + s.width;
        vec *y = x + s.width, *answer = y + s.outs, *state = seen + 1, now;
        gather(s, given->u0, block, 1, &now);
        gather(s, given->h0, block, s.memory, state);
        gather(s, given->of_cell, block, s.width, cell);
        for (long t = 0; t < s.points; t++) {
            const long chunk = t / s.steps;
            if (given->told && t % s.steps == 0)
                now = its.forced[chunk] > 0.5f ? its.told[chunk] : now;
            float *to = kept ? kept + s.column(block, t) : nullptr;
            seen[0] = now / s.v_scale;
            for (long k = 0; k < s.width; k++) p[k] = cell[k];
            product(w->in, s.seen, 1, s.width, s.seen, seen, p);
            if (to) to = keep(s, p, s.width, keep(s, seen, s.seen, to));
            for (long k = 0; k < s.width; k++) {
                x[k] = p[k] * sigmoid(p[k]);
                p[k] = all(w->middle_bias[k]);
            }
            product(w->middle, s.width, 1, s.width, s.width, x, p);
            if (to) to = keep(s, p, s.width, to);
            for (long k = 0; k < s.width; k++) x[k] = p[k] * sigmoid(p[k]);
            for (long k = 0; k < s.outs; k++) y[k] = all(w->out_bias[k]);
            product(w->out, s.width, 1, s.outs, s.width, x, y);
            if (to) keep(s, y, s.outs, to);
            const vec *gate = y + CHANNELS, *candidate = gate + s.memory;
            for (long k = 0; k < s.memory; k++)
                state[k] += sigmoid(gate[k]) * (tangent(candidate[k]) - state[k]);
            const Membrane m(s, y, its.c, its.b[t], its.g[t], now, given->substeps[chunk]);
            now = m.u[given->substeps[chunk]];
            now = now < s.low ? all(s.low) : now;
            now = now > s.high ? all(s.high) : now;
            answer[t] = now;
        }
        scatter(s, answer, block, s.points, u);
        scatter(s, state, block, s.memory, h);
    }
}

// Of the gradients by u and h (of ode_forward) those by u0, h0, of_cell, c, b and g. In the room
// what the layers gave turns into the gradients by it, and after it comes, two times `width`
// rows, what the last two layers were given.
void ode_backward(const Sizes *sizes, const Weights *w, const Given *given, const float *by_u,
                  const float *by_h, float *by_u0, float *by_h0, float *by_cell, float *by_c,
                  float *by_b, float *by_g, float *kept, int threads) {
    const Shape s(*sizes);
#pragma omp parallel for num_threads(threads)
    for (long block = 0; block < s.padded / LANES; block++) {
        const Block its(s, *given, block);
        std::vector<vec> room(2 * s.seen + s.memory + 5 * s.width + 2 * s.outs + 3 * s.points);
        vec *seen = room.data(), *back = seen + s.seen, *dh = back + s.seen, *p1 = dh + s.memory;
        vec *p2 = p1 + s.width, *x1 = p2 + s.width, *x2 = x1 + s.width, *cell = x2 + s.width;
        vec *y = cell + s.width, *dy = y + s.outs, *dv = dy + s.outs, *db = dv + s.points;
        vec *dg = db + s.points, du = {}, dc = {};
        gather(s, by_u, block, s.points, dv);
        gather(s, by_h, block, s.memory, dh);
        for (long k = 0; k < s.width; k++) cell[k] = vec{};
        for (long t = s.points - 1; t >= 0; t--) {
            float *place = kept + s.column(block, t), *slope = place + s.seen * s.columns;
            fetch(s, fetch(s, fetch(s, fetch(s, place, s.seen, seen), s.width, p1), s.width, p2),
                  s.outs, y);
            // the membrane
            const long chunk = t / s.steps, substeps = given->substeps[chunk];
            const Membrane m(s, y, its.c, its.b[t], its.g[t], seen[0] * s.v_scale, substeps);
            du += dv[t];
            const vec last = m.u[substeps];
            du = (last < s.low) | (last > s.high) ? vec{} : du;
            vec by_total = {}, by_inward = {};
            for (long j = substeps - 1; j >= 0; j--) {
                const vec top = du / m.whole[j];
                const ivec floored = its.c + m.span * m.total < s.least_c;
                const vec below = floored ? vec{} : -top * m.u[j + 1];
                dc += top * m.u[j] + below;
                by_inward += m.span * top;
                by_total += m.span * below;
                du = top * its.c;
            }
            db[t] = by_inward;
            dg[t] = by_total;
            for (int k = 0; k < CHANNELS; k++) {
                const vec d = (by_total + by_inward * s.reversals[k]) * m.own[k];
                dy[k] = (y[k] < -12.0f) | (y[k] > 7.0f) ? vec{} : d;
            }
            // the memory
            const vec *gate = y + CHANNELS, *candidate = gate + s.memory;
            for (long k = 0; k < s.memory; k++) {
                const vec open = sigmoid(gate[k]), aim = tangent(candidate[k]);
                dy[CHANNELS + k] = dh[k] * (aim - seen[1 + k]) * open * (1.0f - open);
                dy[CHANNELS + s.memory + k] = dh[k] * open * (1.0f - aim * aim);
                dh[k] *= 1.0f - open;
            }
            // the layers; p1 and p2 become the gradients by themselves
            for (long k = 0; k < s.width; k++) {
                const vec s1 = sigmoid(p1[k]), s2 = sigmoid(p2[k]);
                x1[k] = p1[k] * s1;
                x2[k] = p2[k] * s2;
                p1[k] = s1 * (1.0f + p1[k] * (1.0f - s1));
                p2[k] = s2 * (1.0f + p2[k] * (1.0f - s2));
            }
            keep(s, x2, s.width, keep(s, x1, s.width, slope + (2 * s.width + s.outs) * s.columns));
            for (long k = 0; k < s.width; k++) x1[k] = x2[k] = vec{};
            product(w->out, 1, s.width, s.width, s.outs, dy, x2);
            for (long k = 0; k < s.width; k++) p2[k] *= x2[k];
            product(w->middle, 1, s.width, s.width, s.width, p2, x1);
            for (long k = 0; k < s.width; k++) {
                p1[k] *= x1[k];
                cell[k] += p1[k];
            }
            for (long k = 0; k < s.seen; k++) back[k] = vec{};
            product(w->in, 1, s.seen, s.seen, s.width, p1, back);
            keep(s, dy, s.outs, keep(s, p2, s.width, keep(s, p1, s.width, slope)));
            du += back[0] / s.v_scale;
            for (long k = 0; k < s.memory; k++) dh[k] += back[1 + k];
            // the chunk before
            if (t % s.steps) continue;
            if (given->told) du = its.forced[chunk] > 0.5f ? vec{} : du;
            if (!t) continue;
            held_back(s.limit, 1, &du);
            held_back(s.limit, s.memory, dh);
        }
        scatter(s, &du, block, 1, by_u0);
        scatter(s, dh, block, s.memory, by_h0);
        scatter(s, cell, block, s.width, by_cell);
        scatter(s, &dc, block, 1, by_c);
        scatter(s, db, block, s.points, by_b);
        scatter(s, dg, block, s.points, by_g);
    }
}

}  // extern "C"
