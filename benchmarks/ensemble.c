/* Hand-written peers of ensembles: `count` runs of Adam on Rosenbrock's function of two variables, float64.

   Compiled on the fly by ensemble.py, which gives every thread its share of the runs. Three forms, from what a library in C
   would do to the limit: a loop that calls the objective and the step through two pointers; both written into one loop;
   and the runs side by side in vector instructions, LANES at a time. Points: (count, 2), replaced by the last ones. */
#include <math.h>

#define B1 0.9
#define B2 0.999
#define EPS 1e-8

typedef double (*objective)(const double *restrict x, double *restrict g, long n);
typedef void (*stepper)(double *restrict x, const double *restrict g, double *restrict a, double *restrict b, long n,
                        double lr, double *restrict q);

double rosenbrock(const double *restrict x, double *restrict g, long n) {
    double f = 0.0;
    g[0] = 0.0;
    for (long i = 0; i < n - 1; i++) {
        double d = x[i + 1] - x[i] * x[i], e = 1.0 - x[i];
        f += 100.0 * d * d + e * e;
        g[i] -= 400.0 * d * x[i] + 2.0 * e;
        g[i + 1] = 200.0 * d;
    }
    return f;
}

/* Powers below 1e-300 become 0: denormal numbers are slow. */
static inline double power(double value, double base) { return value * base > 1e-300 ? value * base : 0.0; }

void adam(double *restrict x, const double *restrict g, double *restrict a, double *restrict b, long n, double lr,
          double *restrict q) {
    q[0] = power(q[0], B1);
    q[1] = power(q[1], B2);
    double root = sqrt(1.0 - q[1]), rate = lr * root / (1.0 - q[0]), eps = EPS * root;
    for (long i = 0; i < n; i++) {
        a[i] = B1 * a[i] + (1.0 - B1) * g[i];
        b[i] = B2 * b[i] + (1.0 - B2) * g[i] * g[i];
        x[i] -= rate * a[i] / (sqrt(b[i]) + eps);
    }
}

/* Runs until the steps are done or f is no longer finite, the test that every library makes. */
void pointers(objective fun, stepper step, double *points, long count, long steps, double lr) {
    _Alignas(64) double x[8], g[8], a[8], b[8], q[2];
    for (long k = 0; k < count; k++) {
        for (long i = 0; i < 8; i++) x[i] = g[i] = a[i] = b[i] = 0.0;
        x[0] = points[2 * k], x[1] = points[2 * k + 1];
        q[0] = q[1] = 1.0;
        double f = fun(x, g, 2);
        for (long t = 0; t < steps && f < INFINITY; t++) {
            step(x, g, a, b, 2, lr, q);
            f = fun(x, g, 2);
        }
        points[2 * k] = x[0], points[2 * k + 1] = x[1];
    }
}

void fused(double *points, long count, long steps, double lr) {
    for (long k = 0; k < count; k++) {
        double x = points[2 * k], y = points[2 * k + 1], m = 0.0, n = 0.0, v = 0.0, w = 0.0, p1 = 1.0, p2 = 1.0;
        double d = y - x * x, f = 100.0 * d * d + (1.0 - x) * (1.0 - x);
        double g = -400.0 * d * x - 2.0 * (1.0 - x), h = 200.0 * d;
        for (long t = 0; t < steps && f < INFINITY; t++) {
            p1 = power(p1, B1), p2 = power(p2, B2);
            double root = sqrt(1.0 - p2), rate = lr * root / (1.0 - p1), eps = EPS * root;
            m = B1 * m + (1.0 - B1) * g, n = B1 * n + (1.0 - B1) * h;
            v = B2 * v + (1.0 - B2) * g * g, w = B2 * w + (1.0 - B2) * h * h;
            x -= rate * m / (sqrt(v) + eps), y -= rate * n / (sqrt(w) + eps);
            d = y - x * x, f = 100.0 * d * d + (1.0 - x) * (1.0 - x);
            g = -400.0 * d * x - 2.0 * (1.0 - x), h = 200.0 * d;
        }
        points[2 * k] = x, points[2 * k + 1] = y;
    }
}

#define LANES 64

void lanes(double *points, long count, long steps, double lr) {
    _Alignas(64) double x[LANES], y[LANES], g[LANES], h[LANES], m[LANES], n[LANES], v[LANES], w[LANES];
    for (long k = 0; k < count; k += LANES) {
        long used = count - k < LANES ? count - k : LANES;
        for (long l = 0; l < LANES; l++) {
            long from = k + (l < used ? l : 0);
            x[l] = points[2 * from], y[l] = points[2 * from + 1];
            double d = y[l] - x[l] * x[l];
            g[l] = -400.0 * d * x[l] - 2.0 * (1.0 - x[l]), h[l] = 200.0 * d;
            m[l] = n[l] = v[l] = w[l] = 0.0;
        }
        double p1 = 1.0, p2 = 1.0;
        int out = 0;
        for (long t = 0; t < steps && !out; t++) {
            p1 = power(p1, B1), p2 = power(p2, B2);
            double root = sqrt(1.0 - p2), rate = lr * root / (1.0 - p1), eps = EPS * root;
            _Pragma("omp simd reduction(| : out)") for (long l = 0; l < LANES; l++) {
                m[l] = B1 * m[l] + (1.0 - B1) * g[l], n[l] = B1 * n[l] + (1.0 - B1) * h[l];
                v[l] = B2 * v[l] + (1.0 - B2) * g[l] * g[l], w[l] = B2 * w[l] + (1.0 - B2) * h[l] * h[l];
                x[l] -= rate * m[l] / (sqrt(v[l]) + eps), y[l] -= rate * n[l] / (sqrt(w[l]) + eps);
                double d = y[l] - x[l] * x[l], e = 1.0 - x[l], f = 100.0 * d * d + e * e;
                g[l] = -400.0 * d * x[l] - 2.0 * e, h[l] = 200.0 * d;
                out |= !(f < INFINITY);
            }
        }
        for (long l = 0; l < used; l++) points[2 * (k + l)] = x[l], points[2 * (k + l) + 1] = y[l];
    }
}
