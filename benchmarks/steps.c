/* Hand-written peers of the compiled runs: one loop, two function pointers (objective with gradient; step), float64.

   Compiled on the fly by steps.py with the flags that it prints. Every optimizer of optbench's registry has a step here
   under its own name, with the same algebra. Options that are off by default are left out, which favours the C.

   step(x, g, a, b, w, n, t, lr, p, q): point and gradient; a, b, the arrays of the state in the order of the optimizer's
   `State`; w, a work array; p, the hyperparameters in the order of `Params`; q, scalars that live from step to step, 1.0
   at the start. Arrays do not overlap and start on cache lines. */
#include <math.h>

typedef double (*objective)(const double *restrict x, double *restrict g, long n, const double *restrict data);

#define ARGUMENTS                                                                                                      \
    double *restrict x, const double *restrict g, double *restrict a, double *restrict b, double *restrict w, long n,  \
        long t, double lr, const double *restrict p, double *restrict q
typedef void (*stepper)(ARGUMENTS);

#define LOOP for (long i = 0; i < n; i++)
/* Two sums at a time; partial sums do not pay for few numbers. */
#define SUM_LOOP(body)                                                                                                 \
    if (n < 32) {                                                                                                      \
        LOOP body                                                                                                      \
    } else {                                                                                                           \
        _Pragma("omp simd reduction(+ : sum, other)") LOOP body                                                        \
    }

/* ------------------------------------------------------------------------------------------------ objectives */

double rosenbrock(const double *restrict x, double *restrict g, long n, const double *restrict data) {
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

/* data: n eigenvalues, then the minimizer */
double quadratic(const double *restrict x, double *restrict g, long n, const double *restrict data) {
    const double *eigenvalues = data, *center = data + n;
    double f = 0.0;
    _Pragma("omp simd reduction(+ : f)") LOOP {
        double d = x[i] - center[i];
        g[i] = eigenvalues[i] * d;
        f += 0.5 * g[i] * d;
    }
    return f;
}

/* --------------------------------------------------------------------------------------------------- helpers */

/* Powers below 1e-300 become 0: denormal numbers are slow. */
static inline double power(double value, double base) { return value * base > 1e-300 ? value * base : 0.0; }

static inline double sign(double value) { return value > 0.0 ? 1.0 : (value < 0.0 ? -1.0 : value); }

static inline double larger(double u, double v) { return u > v ? u : v; }

static inline double smaller(double u, double v) { return u < v ? u : v; }

/* ------------------------------------------------------------------------------------------------- optimizers */

void gd(ARGUMENTS) { LOOP x[i] -= lr * g[i]; }

void sgd(ARGUMENTS) { LOOP x[i] -= lr * g[i]; }

void momentum(ARGUMENTS) {
    double mu = p[0], keep = t == 1 ? 0.0 : mu;
    LOOP {
        a[i] = keep * a[i] + g[i];
        x[i] -= lr * a[i];
    }
}

void nesterov(ARGUMENTS) {
    double mu = p[0];
    LOOP {
        a[i] = mu * a[i] + g[i];
        x[i] -= lr * (g[i] + mu * a[i]);
    }
}

void rmsprop(ARGUMENTS) {
    double alpha = p[0], eps = p[1];
    LOOP {
        a[i] = alpha * a[i] + (1.0 - alpha) * g[i] * g[i];
        x[i] -= lr * g[i] / (sqrt(a[i]) + eps);
    }
}

void adagrad(ARGUMENTS) {
    double eps = p[3];
    LOOP {
        a[i] += g[i] * g[i];
        x[i] -= lr * g[i] / (sqrt(a[i]) + eps);
    }
}

void adadelta(ARGUMENTS) {
    double rho = p[0], eps = p[1];
    LOOP {
        a[i] = rho * a[i] + (1.0 - rho) * g[i] * g[i];
        double step = sqrt((b[i] + eps) / (a[i] + eps)) * g[i];
        b[i] = rho * b[i] + (1.0 - rho) * step * step;
        x[i] -= lr * step;
    }
}

void adam(ARGUMENTS) {
    double b1 = p[0], b2 = p[1];
    q[0] = power(q[0], b1);
    q[1] = power(q[1], b2);
    double root = sqrt(1.0 - q[1]), rate = lr * root / (1.0 - q[0]), eps = p[2] * root;
    LOOP {
        a[i] = b1 * a[i] + (1.0 - b1) * g[i];
        b[i] = b2 * b[i] + (1.0 - b2) * g[i] * g[i];
        x[i] -= rate * a[i] / (sqrt(b[i]) + eps);
    }
}

void adamw(ARGUMENTS) {
    double b1 = p[0], b2 = p[1], keep = 1.0 - lr * p[3];
    q[0] = power(q[0], b1);
    q[1] = power(q[1], b2);
    double root = sqrt(1.0 - q[1]), rate = lr * root / (1.0 - q[0]), eps = p[2] * root;
    LOOP {
        a[i] = b1 * a[i] + (1.0 - b1) * g[i];
        b[i] = b2 * b[i] + (1.0 - b2) * g[i] * g[i];
        x[i] = keep * x[i] - rate * a[i] / (sqrt(b[i]) + eps);
    }
}

void adamax(ARGUMENTS) {
    double b1 = p[0], b2 = p[1], eps = p[2];
    q[0] = power(q[0], b1);
    double rate = lr / (1.0 - q[0]);
    LOOP {
        a[i] = b1 * a[i] + (1.0 - b1) * g[i];
        b[i] = larger(b2 * b[i], fabs(g[i]) + eps);
        x[i] -= rate * a[i] / b[i];
    }
}

void nadam(ARGUMENTS) {
    double b1 = p[0], b2 = p[1];
    if (t == 1) q[3] = pow(0.96, p[4]);
    q[0] = power(q[0], q[3]);
    double mu = b1 * (1.0 - 0.5 * q[0]), next = b1 * (1.0 - 0.5 * q[0] * q[3]);
    q[1] = power(q[1], b2);
    q[2] = power(q[2], mu);
    double root = sqrt(1.0 - q[1]), eps = p[2] * root;
    double g_rate = lr * root * (1.0 - mu) / (1.0 - q[2]), m_rate = lr * root * next / (1.0 - q[2] * next);
    LOOP {
        a[i] = b1 * a[i] + (1.0 - b1) * g[i];
        b[i] = b2 * b[i] + (1.0 - b2) * g[i] * g[i];
        x[i] -= (g_rate * g[i] + m_rate * a[i]) / (sqrt(b[i]) + eps);
    }
}

void radam(ARGUMENTS) {
    double b1 = p[0], b2 = p[1], eps = p[2];
    q[0] = power(q[0], b1);
    q[1] = power(q[1], b2);
    /* rho times (1 - b2) (1 - b2**t) and its limit times 1 - b2: without those divisions one is left */
    double free = 1.0 - q[1], top = 1.0 + b2, e = (1.0 - b2) * free, rho = free * top - 2.0 * (1.0 - b2) * t * q[1];
    double rest = (top - 4.0 * (1.0 - b2)) * (top - 2.0 * (1.0 - b2)) * rho * (1.0 - q[0]) * (1.0 - q[0]);
    int adaptive = rho > 5.0 * e;
    double rate = adaptive ? lr * sqrt((rho - 4.0 * e) * (rho - 2.0 * e) * top / rest) : lr / (1.0 - q[0]);
    LOOP {
        a[i] = b1 * a[i] + (1.0 - b1) * g[i];
        b[i] = b2 * b[i] + (1.0 - b2) * g[i] * g[i];
        x[i] -= adaptive ? rate * a[i] / (sqrt(b[i]) + eps) : rate * a[i];
    }
}

void rprop(ARGUMENTS) {
    double minus = p[0], plus = p[1], least = p[2], most = p[3], start = t == 1 ? lr : 0.0;
    LOOP {
        double agreement = g[i] * a[i], factor = agreement > 0.0 ? plus : (agreement < 0.0 ? minus : 1.0);
        b[i] = smaller(larger((b[i] + start) * factor, least), most);
        a[i] = agreement < 0.0 ? 0.0 : g[i];
        x[i] -= b[i] * sign(a[i]);
    }
}

void asgd(ARGUMENTS) {
    double lambd = p[0], alpha = p[1], t0 = p[2], eta = t == 1 ? lr : q[0], mu = q[1], keep = 1.0 - lambd * eta;
    q[0] = lr / pow(1.0 + lambd * lr * t, alpha);
    q[1] = 1.0 / larger(1.0, t - t0);
    LOOP {
        x[i] = keep * x[i] - eta * g[i];
        a[i] += mu * (x[i] - a[i]);
    }
}

void lion(ARGUMENTS) {
    double b1 = p[0], b2 = p[1], keep = 1.0 - lr * p[2];
    LOOP {
        x[i] = keep * x[i] - lr * sign(b1 * a[i] + (1.0 - b1) * g[i]);
        a[i] = b2 * a[i] + (1.0 - b2) * g[i];
    }
}

void yogi(ARGUMENTS) {
    double b1 = p[0], b2 = p[1];
    q[0] = power(q[0], b1);
    q[1] = power(q[1], b2);
    double root = sqrt(1.0 - q[1]), rate = lr * root / (1.0 - q[0]), eps = p[2] * root;
    LOOP {
        double square = g[i] * g[i];
        a[i] = b1 * a[i] + (1.0 - b1) * g[i];
        b[i] -= (1.0 - b2) * sign(b[i] - square) * square;
        x[i] -= rate * a[i] / (sqrt(b[i]) + eps);
    }
}

void adabelief(ARGUMENTS) {
    double b1 = p[0], b2 = p[1], eps_root = p[3];
    q[0] = power(q[0], b1);
    q[1] = power(q[1], b2);
    double root = sqrt(1.0 - q[1]), rate = lr * root / (1.0 - q[0]), eps = p[2] * root;
    LOOP {
        a[i] = b1 * a[i] + (1.0 - b1) * g[i];
        double d = g[i] - a[i];
        b[i] = b2 * b[i] + (1.0 - b2) * d * d + eps_root;
        x[i] -= rate * a[i] / (sqrt(b[i]) + eps);
    }
}

void lamb(ARGUMENTS) {
    double b1 = p[0], b2 = p[1];
    q[0] = power(q[0], b1);
    q[1] = power(q[1], b2);
    double root = sqrt(1.0 - q[1]), rate = root / (1.0 - q[0]), eps = p[2] * root, sum = 0.0, other = 0.0;
    SUM_LOOP({
        a[i] = b1 * a[i] + (1.0 - b1) * g[i];
        b[i] = b2 * b[i] + (1.0 - b2) * g[i] * g[i];
        w[i] = rate * a[i] / (sqrt(b[i]) + eps);
        sum += x[i] * x[i];
        other += w[i] * w[i];
    })
    double scale = sum > 0.0 && other > 0.0 ? lr * sqrt(sum / other) : lr;
    LOOP x[i] -= scale * w[i];
}

void lars(ARGUMENTS) {
    double mu = p[3], trust = p[1], sum = 0.0, other = 0.0;
    SUM_LOOP({
        sum += x[i] * x[i];
        other += g[i] * g[i];
    })
    double scale = sum > 0.0 && other > 0.0 ? lr * trust * sqrt(sum / other) : lr;
    LOOP {
        a[i] = mu * a[i] + scale * g[i];
        x[i] -= a[i];
    }
}

/* ------------------------------------------------------------------------------------------------------- loop */

/* `steps` iterations; returns the last value of the objective. */
double run(objective f, stepper step, double *x, double *g, double *a, double *b, double *w, long n, const double *data,
           const double *p, double *q, double lr, long steps) {
    double value = f(x, g, n, data);
    for (long t = 1; t <= steps; t++) {
        step(x, g, a, b, w, n, t, lr, p, q);
        value = f(x, g, n, data);
    }
    return value;
}
