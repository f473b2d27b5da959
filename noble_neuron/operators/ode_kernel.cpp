// The arithmetic of OdeStream over a chunk, and its gradient (see stream_ode.py).
//
// Each cell is a lane: every quantity of 16 cells is one vector, so that a layer is a product of
// a matrix with as many vectors as it has inputs, and nothing is ever shuffled.

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
    int64_t cells, steps, memory, width, substeps;
    int64_t padded;  // cells, filled up to whole vectors
    float v_scale, g_unit, least_c, low, high;
    float reversals[CHANNELS], spans[4];
};

struct Weights {
    const float *in, *middle, *middle_bias, *out, *out_bias;  // (width, 1 + memory) and so on
};

namespace {

struct Shape : Sizes {
    long seen, outs;
    explicit Shape(const Sizes &s) : Sizes(s), seen(1 + s.memory), outs(CHANNELS + 2 * s.memory) {}
    long column(long block, long t) const { return (block * steps + t) * LANES; }
    long columns() const { return padded * steps; }
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

// A column of a (n, columns) array.
void keep(const vec *x, long n, long columns, float *to) {
    for (long k = 0; k < n; k++) *(vec *)(to + k * columns) = x[k];
}

void fetch(const float *from, long n, long columns, vec *x) {
    for (long k = 0; k < n; k++) x[k] = *(const vec *)(from + k * columns);
}

struct Membrane {
    vec own[CHANNELS], total, inward, u[5], whole[4];

    Membrane(const Shape &s, const vec *y, vec c, vec b, vec g, vec before) {
        total = g;
        inward = b;
        for (int k = 0; k < CHANNELS; k++) {
            vec x = y[k] < -12.0f ? all(-12.0f) : y[k];
            own[k] = exponential(x > 7.0f ? all(7.0f) : x) * s.g_unit;
            total += own[k];
            inward += own[k] * s.reversals[k];
        }
        u[0] = before;
        for (long j = 0; j < s.substeps; j++) {
            vec sum = c + s.spans[j] * total;
            whole[j] = sum < s.least_c ? all(s.least_c) : sum;
            u[j + 1] = (c * u[j] + s.spans[j] * inward) / whole[j];
        }
    }
};

}  // namespace

extern "C" {

// u0 (cells,), h0 (cells, memory), of_cell (cells, width), c (cells,), b and g (cells, steps)
// -> u (cells, steps), h (cells, memory); where kept is not null, what the gradient needs:
// (seen + 2 width + outs, columns).
void ode_forward(const Sizes *sizes, const Weights *w, const float *u0, const float *h0,
                 const float *of_cell, const float *c, const float *b, const float *g, float *u,
                 float *h, float *kept, int threads) {
    const Shape s(*sizes);
#pragma omp parallel for num_threads(threads)
    for (long block = 0; block < s.padded / LANES; block++) {
        std::vector<vec> room(s.seen + 3 * s.width + s.outs + 2 * s.steps + s.steps);
        vec *seen = room.data(), *cell = seen + s.seen, *p1 = cell + s.width, *x = p1 + s.width;
        vec *y = x + s.width, *bs = y + s.outs, *gs = bs + s.steps, *answer = gs + s.steps;
        vec start, capacitance, *state = seen + 1;
        gather(s, u0, block, 1, &start);
        gather(s, c, block, 1, &capacitance);
        gather(s, h0, block, s.memory, state);
        gather(s, of_cell, block, s.width, cell);
        gather(s, b, block, s.steps, bs);
        gather(s, g, block, s.steps, gs);
        for (long i = 0; i < LANES; i++)
            if (block * LANES + i >= s.cells) capacitance[i] = 1.0f;
        for (long t = 0; t < s.steps; t++) {
            float *to = kept ? kept + s.column(block, t) : nullptr;
            seen[0] = start / s.v_scale;
            for (long k = 0; k < s.width; k++) p1[k] = cell[k];
            product(w->in, s.seen, 1, s.width, s.seen, seen, p1);
            if (to) keep(seen, s.seen, s.columns(), to), to += s.seen * s.columns();
            if (to) keep(p1, s.width, s.columns(), to), to += s.width * s.columns();
            for (long k = 0; k < s.width; k++) {
                x[k] = p1[k] * sigmoid(p1[k]);
                p1[k] = all(w->middle_bias[k]);
            }
            product(w->middle, s.width, 1, s.width, s.width, x, p1);
            if (to) keep(p1, s.width, s.columns(), to), to += s.width * s.columns();
            for (long k = 0; k < s.width; k++) x[k] = p1[k] * sigmoid(p1[k]);
            for (long k = 0; k < s.outs; k++) y[k] = all(w->out_bias[k]);
            product(w->out, s.width, 1, s.outs, s.width, x, y);
            if (to) keep(y, s.outs, s.columns(), to);
            const vec *gate = y + CHANNELS, *candidate = gate + s.memory;
            for (long k = 0; k < s.memory; k++)
                state[k] += sigmoid(gate[k]) * (tangent(candidate[k]) - state[k]);
            const Membrane m(s, y, capacitance, bs[t], gs[t], start);
            start = m.u[s.substeps];
            start = start < s.low ? all(s.low) : start;
            start = start > s.high ? all(s.high) : start;
            answer[t] = start;
        }
        scatter(s, answer, block, s.steps, u);
        scatter(s, state, block, s.memory, h);
    }
}

// Of the gradients by u and h (of ode_forward) those by u0, h0, of_cell, c, b and g; and in
// `slopes` (2 width + outs, columns) those by what the three layers give before they bend, in
// `bent` (2 width, columns) what the last two of them were given.
void ode_backward(const Sizes *sizes, const Weights *w, const float *kept, const float *c,
                  const float *b, const float *g, const float *by_u, const float *by_h,
                  float *by_u0, float *by_h0, float *by_cell, float *by_c, float *by_b,
                  float *by_g, float *slopes, float *bent, int threads) {
    const Shape s(*sizes);
#pragma omp parallel for num_threads(threads)
    for (long block = 0; block < s.padded / LANES; block++) {
        std::vector<vec> room(2 * s.seen + s.memory + 5 * s.width + 2 * s.outs + 5 * s.steps);
        vec *seen = room.data(), *back = seen + s.seen, *dh = back + s.seen, *p1 = dh + s.memory;
        vec *p2 = p1 + s.width, *x1 = p2 + s.width, *x2 = x1 + s.width, *cell = x2 + s.width;
        vec *y = cell + s.width, *dy = y + s.outs, *bs = dy + s.outs, *gs = bs + s.steps;
        vec *dv = gs + s.steps, *db = dv + s.steps, *dg = db + s.steps;
        vec capacitance, du = {}, dc = {};
        gather(s, c, block, 1, &capacitance);
        gather(s, b, block, s.steps, bs);
        gather(s, g, block, s.steps, gs);
        gather(s, by_u, block, s.steps, dv);
        gather(s, by_h, block, s.memory, dh);
        for (long k = 0; k < s.width; k++) cell[k] = vec{};
        for (long i = 0; i < LANES; i++)
            if (block * LANES + i >= s.cells) capacitance[i] = 1.0f;
        for (long t = s.steps - 1; t >= 0; t--) {
            const float *from = kept + s.column(block, t);
            fetch(from, s.seen, s.columns(), seen), from += s.seen * s.columns();
            fetch(from, s.width, s.columns(), p1), from += s.width * s.columns();
            fetch(from, s.width, s.columns(), p2), from += s.width * s.columns();
            fetch(from, s.outs, s.columns(), y);
            // the membrane
            const Membrane m(s, y, capacitance, bs[t], gs[t], seen[0] * s.v_scale);
            du += dv[t];
            const vec last = m.u[s.substeps];
            du = (last < s.low) | (last > s.high) ? vec{} : du;
            vec by_total = {}, by_inward = {};
            for (long j = s.substeps - 1; j >= 0; j--) {
                const vec top = du / m.whole[j];
                const ivec floored = capacitance + s.spans[j] * m.total < s.least_c;
                const vec below = floored ? vec{} : -top * m.u[j + 1];
                dc += top * m.u[j] + below;
                by_inward += s.spans[j] * top;
                by_total += s.spans[j] * below;
                du = top * capacitance;
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
            float *slope = slopes + s.column(block, t), *given = bent + s.column(block, t);
            for (long k = 0; k < s.width; k++) {
                const vec s1 = sigmoid(p1[k]), s2 = sigmoid(p2[k]);
                x1[k] = p1[k] * s1;
                x2[k] = p2[k] * s2;
                p1[k] = s1 * (1.0f + p1[k] * (1.0f - s1));
                p2[k] = s2 * (1.0f + p2[k] * (1.0f - s2));
            }
            keep(x1, s.width, s.columns(), given), given += s.width * s.columns();
            keep(x2, s.width, s.columns(), given);
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
            keep(p1, s.width, s.columns(), slope), slope += s.width * s.columns();
            keep(p2, s.width, s.columns(), slope), slope += s.width * s.columns();
            keep(dy, s.outs, s.columns(), slope);
            du += back[0] / s.v_scale;
            for (long k = 0; k < s.memory; k++) dh[k] += back[1 + k];
        }
        scatter(s, &du, block, 1, by_u0);
        scatter(s, dh, block, s.memory, by_h0);
        scatter(s, cell, block, s.width, by_cell);
        scatter(s, &dc, block, 1, by_c);
        scatter(s, db, block, s.steps, by_b);
        scatter(s, dg, block, s.steps, by_g);
    }
}

}  // extern "C"
