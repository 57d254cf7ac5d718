/* Hand-written peer of the compiled network: one hidden layer of tanh, softmax cross-entropy, Adam; float64.

   Matrix products by dgemm of the OpenBLAS that SciPy brings (a function pointer, Fortran's convention), everything else
   as loops that gcc turns into vector code; exp and tanh are polynomials. Compiled on the fly by mlp.py. The batches lie
   one after the other, each as d rows of B samples; arrays do not overlap. */
#include <math.h>
#include <stdint.h>
#include <string.h>

typedef void (*dgemm)(const char *, const char *, const int *, const int *, const int *, const double *, const double *,
                      const int *, const double *, const int *, const double *, double *, const int *);

static inline double parts(double a, double *r) {
    double shifted = a * 1.4426950408889634 + 6755399441055744.0, k = shifted - 6755399441055744.0, power;
    *r = (a - k * 6.93147180369123816490e-01) - k * 1.90821492927058770002e-10;
    int64_t bits;
    memcpy(&bits, &shifted, 8);
    bits = (int64_t)((uint64_t)(bits + 1023) << 52);
    memcpy(&power, &bits, 8);
    return power;
}

static inline double series(double r) {
    double p = 1.0 / 479001600.0 + r / 6227020800.0;
    p = 1.0 / 39916800.0 + r * p;
    p = 1.0 / 3628800.0 + r * p;
    p = 1.0 / 362880.0 + r * p;
    p = 1.0 / 40320.0 + r * p;
    p = 1.0 / 5040.0 + r * p;
    p = 1.0 / 720.0 + r * p;
    p = 1.0 / 120.0 + r * p;
    p = 1.0 / 24.0 + r * p;
    p = 1.0 / 6.0 + r * p;
    return 0.5 + r * p;
}

static inline double exp_neg(double a) {
    double r, power = parts(a > 708.0 ? -708.0 : -a, &r);
    return power * (1.0 + (r + r * r * series(r)));
}

static inline double tanh_(double a) {
    double size = fabs(a), r, power = parts(size > 20.0 ? 40.0 : 2.0 * size, &r);
    double e = power * (r + r * r * series(r)) + (power - 1.0);
    return copysign(e / (e + 2.0), a);
}

#define SIMD _Pragma("omp simd")

/* Loss of one batch, gradient into g. x and g: W1 (h, d), b1, W2 (k, h), b2; u (d, B), y (B); work: (h + k + 2) B. */
static double batch(dgemm gemm, const double *restrict x, double *restrict g, const double *restrict u,
                    const double *restrict y, int d, int h, int k, int B, double *restrict work) {
    const double one = 1.0, zero = 0.0, *b1 = x + h * d, *w2 = b1 + h, *b2 = w2 + k * h;
    double *a = work, *z = a + (long)h * B, *peak = z + (long)k * B, *sum = peak + B, f = 0.0;
    double *g1 = g + h * d, *gw2 = g1 + h, *g2 = gw2 + k * h, *da = sum + B;
    gemm("N", "N", &B, &h, &d, &one, u, &B, x, &d, &zero, a, &B);
    for (int i = 0; i < h; i++) {
        double *row = a + (long)i * B;
        SIMD for (int b = 0; b < B; b++) row[b] = tanh_(row[b] + b1[i]);
    }
    gemm("N", "N", &B, &k, &h, &one, a, &B, w2, &h, &zero, z, &B);
    SIMD for (int b = 0; b < B; b++) peak[b] = -INFINITY, sum[b] = 0.0;
    for (int c = 0; c < k; c++) {
        double *row = z + (long)c * B;
        SIMD for (int b = 0; b < B; b++) {
            row[b] += b2[c];
            peak[b] = row[b] > peak[b] ? row[b] : peak[b];
        }
    }
    for (int c = 0; c < k; c++) {
        double *row = z + (long)c * B, part = 0.0;
        _Pragma("omp simd reduction(+ : part)") for (int b = 0; b < B; b++) {
            double below = peak[b] - row[b];
            part += y[b] == c ? below : 0.0;
            row[b] = exp_neg(below);
            sum[b] += row[b];
        }
        f += part;
    }
    for (int b = 0; b < B; b++) {
        f += log(sum[b]);
        sum[b] = 1.0 / (B * sum[b]);
    }
    for (int c = 0; c < k; c++) {
        double *row = z + (long)c * B, part = 0.0;
        _Pragma("omp simd reduction(+ : part)") for (int b = 0; b < B; b++) {
            row[b] = row[b] * sum[b] - (y[b] == c ? 1.0 / B : 0.0);
            part += row[b];
        }
        g2[c] = part;
    }
    gemm("T", "N", &h, &k, &B, &one, a, &B, z, &B, &zero, gw2, &h);
    gemm("N", "T", &B, &h, &k, &one, z, &B, w2, &h, &zero, da, &B);
    for (int i = 0; i < h; i++) {
        double *row = da + (long)i * B, *out = a + (long)i * B, part = 0.0;
        _Pragma("omp simd reduction(+ : part)") for (int b = 0; b < B; b++) {
            row[b] *= 1.0 - out[b] * out[b];
            part += row[b];
        }
        g1[i] = part;
    }
    gemm("T", "N", &d, &h, &B, &one, u, &B, da, &B, &zero, g, &d);
    return f / B;
}

/* Adam with its usual constants: `steps` steps through `batches` batches, again and again. Gives the last loss. */
double train(dgemm gemm, double *restrict x, double *restrict g, double *restrict m, double *restrict v,
             const double *restrict u, const double *restrict y, int d, int h, int k, int B, long batches, long steps,
             double lr, double *restrict work) {
    int n = h * (d + 1) + k * (h + 1);
    double f = 0.0, p1 = 1.0, p2 = 1.0;
    for (long t = 0; t < steps; t++) {
        long at = t % batches;
        f = batch(gemm, x, g, u + at * d * B, y + at * B, d, h, k, B, work);
        p1 *= 0.9, p2 *= 0.999;
        double rate = lr / (1.0 - p1), root = 1.0 / sqrt(1.0 - p2);
        SIMD for (int i = 0; i < n; i++) {
            m[i] = 0.9 * m[i] + 0.1 * g[i];
            v[i] = 0.999 * v[i] + 0.001 * g[i] * g[i];
            x[i] -= rate * m[i] / (sqrt(v[i]) * root + 1e-8);
        }
    }
    return f;
}
