/* Hand-written peers of the compiled runs: one loop, two function pointers (objective with gradient; step), float64.
   Compiled on the fly by steps.py with the flags that it prints. */
#include <math.h>
#include <string.h>

typedef double (*objective)(const double *restrict x, double *restrict g, long n, const double *restrict data);
typedef void (*stepper)(double *restrict x, const double *restrict g, double *restrict s, long n, long t, double lr,
                        const double *restrict p, double *restrict q);

double rosenbrock(const double *restrict x, double *restrict g, long n, const double *restrict data) {
    double f = 0.0;
    g[0] = 0.0;
    for (long i = 0; i < n - 1; i++) {
        double a = x[i + 1] - x[i] * x[i], b = 1.0 - x[i];
        f += 100.0 * a * a + b * b;
        g[i] -= 400.0 * a * x[i] + 2.0 * b;
        g[i + 1] = 200.0 * a;
    }
    return f;
}

/* data: n eigenvalues, then the minimizer */
double quadratic(const double *restrict x, double *restrict g, long n, const double *restrict data) {
    double f = 0.0;
    for (long i = 0; i < n; i++) {
        double d = x[i] - data[n + i];
        g[i] = data[i] * d;
        f += 0.5 * g[i] * d;
    }
    return f;
}

void gd(double *restrict x, const double *restrict g, double *restrict s, long n, long t, double lr,
        const double *restrict p, double *restrict q) {
    for (long i = 0; i < n; i++) x[i] -= lr * g[i];
}

/* p: momentum */
void momentum(double *restrict x, const double *restrict g, double *restrict s, long n, long t, double lr,
              const double *restrict p, double *restrict q) {
    for (long i = 0; i < n; i++) {
        s[i] = t == 1 ? g[i] : p[0] * s[i] + g[i];
        x[i] -= lr * s[i];
    }
}

/* p: beta1, beta2, eps; q: their powers */
void adam(double *restrict x, const double *restrict g, double *restrict s, long n, long t, double lr,
          const double *restrict p, double *restrict q) {
    double b1 = p[0], b2 = p[1], eps = p[2];
    q[0] *= b1;
    q[1] *= b2;
    double rate = lr / (1.0 - q[0]), root = 1.0 / sqrt(1.0 - q[1]);
    double *restrict m = s, *restrict v = s + n;
    for (long i = 0; i < n; i++) {
        m[i] = b1 * m[i] + (1.0 - b1) * g[i];
        v[i] = b2 * v[i] + (1.0 - b2) * g[i] * g[i];
        x[i] -= rate * m[i] / (sqrt(v[i]) * root + eps);
    }
}

/* `steps` iterations; returns the last value of the objective */
double run(objective f, stepper step, double *x, double *g, double *s, long n, const double *data, const double *p,
           double *q, double lr, long steps) {
    double value = f(x, g, n, data);
    for (long t = 1; t <= steps; t++) {
        step(x, g, s, n, t, lr, p, q);
        value = f(x, g, n, data);
    }
    return value;
}
