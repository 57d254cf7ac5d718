/* Hand-written peer of the runs on mini-batches: least squares, one loop, two function pointers, float64.

   The data are column-major for the gradient, (d, m): a feature's values lie together. In the order of the data a batch
   is a slice of every row. Shuffled, its samples are chosen by as many exchanges of a permutation, from the same stream
   of random numbers as optbench's, and copied out of a second, row-major copy. */
#include <math.h>
#include <stdint.h>

typedef double (*gradient)(const double *restrict x, double *restrict g, long d, const double *restrict X, long stride,
                           const double *restrict y, double *restrict r, long b);
typedef void (*stepper)(double *restrict x, const double *restrict g, double *restrict a, double *restrict v, long n,
                        long t, double lr, double *restrict q);

double least_squares(const double *restrict x, double *restrict g, long d, const double *restrict X, long stride,
                     const double *restrict y, double *restrict r, long b) {
    for (long i = 0; i < b; i++) r[i] = x[d] - y[i];
    for (long j = 0; j < d; j++) {
        const double *restrict row = X + j * stride;
        double w = x[j];
        for (long i = 0; i < b; i++) r[i] += w * row[i];
    }
    double f = 0.0, s = 0.0;
#pragma omp simd reduction(+ : f, s)
    for (long i = 0; i < b; i++) {
        f += r[i] * r[i];
        s += r[i];
    }
    double factor = 2.0 / b;
    for (long j = 0; j < d; j++) {
        const double *restrict row = X + j * stride;
        double sum = 0.0;
#pragma omp simd reduction(+ : sum)
        for (long i = 0; i < b; i++) sum += r[i] * row[i];
        g[j] = factor * sum;
    }
    g[d] = factor * s;
    return f / b;
}

void sgd(double *restrict x, const double *restrict g, double *restrict a, double *restrict v, long n, long t,
         double lr, double *restrict q) {
    for (long i = 0; i < n; i++) x[i] -= lr * g[i];
}

void adam(double *restrict x, const double *restrict g, double *restrict a, double *restrict v, long n, long t,
          double lr, double *restrict q) {
    q[0] *= 0.9;
    q[1] *= 0.999;
    double rate = lr / (1.0 - q[0]), root = 1.0 / sqrt(1.0 - q[1]);
    for (long i = 0; i < n; i++) {
        a[i] = 0.9 * a[i] + 0.1 * g[i];
        v[i] = 0.999 * v[i] + 0.001 * g[i] * g[i];
        x[i] -= rate * a[i] / (sqrt(v[i]) * root + 1e-8);
    }
}

static inline uint64_t next(uint64_t *state) {
    uint64_t z = (*state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static inline long below(uint64_t *state, uint64_t k) {
    for (;;) {
        uint64_t wide = (next(state) >> 32) * k, rest = wide & 0xFFFFFFFFu;
        if (rest >= k || rest >= ((uint64_t)1 << 32) % k) return (long)(wide >> 32);
    }
}

/* work: room for a batch, (d, b), its targets and residuals; rows: the samples, (m, d); permutation: 0, ..., m - 1. */
double run(gradient evaluate, stepper step, double *x, double *g, double *a, double *v, double *q, long d,
           const double *X, const double *rows, const double *y, long m, long b, int shuffled, int64_t *permutation,
           double *work, uint64_t state, double lr, long steps) {
    double *batch = work, *target = work + d * b, *r = target + b, f = 0.0;
    long at = 0;
    for (long t = 1; t <= steps; t++) {
        long count = m - at < b ? m - at : b;
        if (shuffled) {
            for (long i = at; i < at + count; i++) {
                long j = i + below(&state, (uint64_t)(m - i));
                int64_t other = permutation[i];
                permutation[i] = permutation[j];
                permutation[j] = other;
            }
            for (long i = 0; i < count; i++) {
                const double *sample = rows + d * permutation[at + i];
                for (long j = 0; j < d; j++) batch[j * count + i] = sample[j];
                target[i] = y[permutation[at + i]];
            }
            f += evaluate(x, g, d, batch, count, target, r, count);
        } else {
            f += evaluate(x, g, d, X + at, m, y + at, r, count);
        }
        step(x, g, a, v, d + 1, t, lr, q);
        at += count;
        if (at >= m) at = 0;
    }
    return f;
}
