/* L-BFGS in plain C, the peer of the compiled runs of optbench's `lbfgs`: the same directions, the same More-Thuente
   search, the same tests at every iteration, float64, the objective behind a function pointer.

   Compiled on the fly by lbfgs.py with the flags that it prints. Sums may be reordered, as in optbench. The parts follow
   optbench/optimizers/lbfgs.py, optbench/loops/line_search.py and optbench/loops/descent.py one by one, so that counts of
   iterations and evaluations can be compared. With -DLIBLBFGS there is a driver of that library as well. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef double (*objective)(const double *restrict x, double *restrict g, long n, const void *data);

enum { CONVERGED, BUDGET, FAILED, DIVERGED };

#define LOOP for (long i = 0; i < n; i++)

/* ------------------------------------------------------------------------------------------------ objectives */

double rosenbrock(const double *restrict x, double *restrict g, long n, const void *data) {
    (void)data;
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
double diagonal(const double *restrict x, double *restrict g, long n, const void *data) {
    const double *restrict eigenvalues = data, *restrict center = eigenvalues + n;
    double f = 0.0;
    _Pragma("omp simd reduction(+ : f)") LOOP {
        double d = x[i] - center[i];
        g[i] = eigenvalues[i] * d;
        f += 0.5 * d * g[i];
    }
    return f;
}

/* data: n rows of the matrix, then the minimizer */
double dense(const double *restrict x, double *restrict g, long n, const void *data) {
    const double *restrict matrix = data, *restrict center = matrix + n * n;
    double f = 0.0;
    LOOP {
        const double *restrict row = matrix + n * i;
        double total = 0.0;
        _Pragma("omp simd reduction(+ : total)") for (long j = 0; j < n; j++) total += row[j] * (x[j] - center[j]);
        g[i] = total;
        f += 0.5 * (x[i] - center[i]) * total;
    }
    return f;
}

/* An objective that optbench compiled: its address and its data, called as Numba's functions are. */
struct kernel {
    int32_t (*address)(double *, void **, int64_t, int64_t, int64_t, int64_t);
    int64_t data;
};

double kernel(const double *restrict x, double *restrict g, long n, const void *data) {
    const struct kernel *k = data;
    double f;
    void *exception;
    k->address(&f, &exception, (int64_t)x, (int64_t)g, n, k->data);
    return f;
}

/* --------------------------------------------------------------------------------------------------- vectors */

static double dot(const double *restrict a, const double *restrict b, long n) {
    double total = 0.0;
    _Pragma("omp simd reduction(+ : total)") LOOP total += a[i] * b[i];
    return total;
}

static double squares(const double *a, long n) {
    double total = 0.0;
    _Pragma("omp simd reduction(+ : total)") LOOP total += a[i] * a[i];
    return total;
}

static void add(double *restrict d, double a, const double *restrict v, long n) { LOOP d[i] += a * v[i]; }

static double larger(double a, double b) { return a > b ? a : b; }

static double smaller(double a, double b) { return a < b ? a : b; }

static double largest(const double *g, long n) {
    double top = 0.0;
    _Pragma("omp simd reduction(max : top)") LOOP top = larger(top, fabs(g[i]));
    return top;
}

/* ------------------------------------------------------------------------------------------------- direction */

struct run {
    objective function;
    const void *data;
    long n, evaluations;
    double *x, *g, *d, *trial, *g_trial, *x_last, *g_last;
    double *s, *y, *rho, *alpha; /* `size` pairs */
    long size, count, newest;
};

static void remember(struct run *r) {
    long n = r->n, slot = (r->newest + 1) % r->size;
    const double *restrict x = r->x, *restrict g = r->g, *restrict x_last = r->x_last, *restrict g_last = r->g_last;
    double curvature = 0.0, length = 0.0;
    _Pragma("omp simd reduction(+ : curvature, length)") LOOP {
        double change = g[i] - g_last[i];
        curvature += (x[i] - x_last[i]) * change;
        length += change * change;
    }
    if (!(curvature > 2.2e-16 * length)) return;
    double *restrict s = r->s + slot * n, *restrict y = r->y + slot * n;
    LOOP {
        s[i] = x[i] - x_last[i];
        y[i] = g[i] - g_last[i];
    }
    r->rho[slot] = 1.0 / curvature;
    if (r->count < r->size) r->count++;
    r->newest = slot;
}

/* Direction into d; the first step to try. */
static double direction(struct run *r, long t) {
    long n = r->n, size = r->size;
    double *restrict d = r->d;
    const double *restrict g = r->g;
    if (t == 0)
        r->count = 0;
    else
        remember(r);
    LOOP d[i] = -g[i];
    if (r->count == 0) return smaller(1.0, 1.0 / sqrt(squares(g, n)));
    for (long k = 0; k < r->count; k++) {
        long j = (r->newest - k + size) % size;
        r->alpha[j] = r->rho[j] * dot(r->s + j * n, d, n);
        add(d, -r->alpha[j], r->y + j * n, n);
    }
    double scale = 1.0 / (r->rho[r->newest] * squares(r->y + r->newest * n, n));
    LOOP d[i] *= scale;
    for (long k = 0; k < r->count; k++) {
        long j = (r->newest - r->count + 1 + k + size) % size;
        add(d, r->alpha[j] - r->rho[j] * dot(r->y + j * n, d, n), r->s + j * n, n);
    }
    return 1.0;
}

/* ----------------------------------------------------------------------------------------------- line search */

static const double DECREASE = 1e-4, CURVATURE = 0.9, LARGEST = 1e20, SMALLEST = 1e-20, ROUNDING = 1e-15;
enum { TRIALS = 40 };

struct end {
    double step, f, slope;
};

struct interval {
    struct end low, high;
    int bracketed;
};

static struct end phi(struct run *r, double step) {
    long n = r->n;
    double *restrict trial = r->trial;
    const double *restrict x = r->x, *restrict d = r->d;
    LOOP trial[i] = x[i] + step * d[i];
    r->evaluations++;
    double f = r->function(trial, r->g_trial, n, r->data);
    return (struct end){step, f, dot(r->g_trial, d, n)};
}

/* Minimizer of the cubic through both ends. */
static double cubic(struct end a, struct end b) {
    double width = b.step - a.step, theta = 3.0 * (a.f - b.f) / width + a.slope + b.slope;
    double scale = larger(larger(fabs(theta), fabs(a.slope)), fabs(b.slope));
    double inside = (theta / scale) * (theta / scale) - (a.slope / scale) * (b.slope / scale);
    double root = scale * sqrt(larger(0.0, inside));
    if (width < 0.0) root = -root;
    return a.step + (root - a.slope + theta) / ((root - a.slope) + root + b.slope) * width;
}

static double quadratic(struct end a, struct end b) {
    double width = b.step - a.step;
    return a.step + 0.5 * a.slope / ((a.f - b.f) / width + a.slope) * width;
}

/* New interval and trial step from the trial `e`. */
static double refine(struct interval *v, struct end e) {
    struct end low = v->low, high = v->high;
    double sign = e.slope * copysign(1.0, low.slope), next;
    if (!isfinite(high.f)) {
        next = e.f > low.f ? low.step + 0.5 * (e.step - low.step) : e.step + 0.5 * (high.step - e.step);
        v->bracketed = 1;
    } else if (e.f > low.f) {
        double c = cubic(low, e), q = quadratic(low, e);
        next = fabs(c - low.step) < fabs(q - low.step) ? c : c + 0.5 * (q - c);
        v->bracketed = 1;
    } else if (sign < 0.0 || fabs(e.slope) < fabs(low.slope)) {
        double c = cubic(e, low), secant = e.step + e.slope / (e.slope - low.slope) * (low.step - e.step);
        if (sign >= 0.0 && !(isfinite(c) && (c - e.step) * (e.step - low.step) > 0.0))
            c = e.step + 4.0 * (e.step - low.step);
        if (sign >= 0.0 && v->bracketed) {
            double limit = e.step + 0.66 * (high.step - e.step);
            next = fabs(c - e.step) < fabs(secant - e.step) ? c : secant;
            next = e.step > low.step ? smaller(limit, next) : larger(limit, next);
        } else
            next = fabs(c - e.step) > fabs(secant - e.step) ? c : secant;
        if (sign < 0.0) v->bracketed = 1;
    } else if (v->bracketed)
        next = cubic(e, high);
    else
        next = e.step + 4.0 * (e.step - low.step);
    if (e.f > low.f)
        v->high = e;
    else {
        if (sign < 0.0) v->high = low;
        v->low = e;
    }
    if (!isfinite(next))
        next = v->bracketed ? v->low.step + 0.5 * (v->high.step - v->low.step) : 2.0 * e.step;
    return next;
}

static struct end tilted(struct end e, double slope) { return (struct end){e.step, e.f + e.step * slope, e.slope + slope}; }

/* Step 0 where nothing better was found. */
static struct end wolfe(struct run *r, double f0, double slope0, double step) {
    struct end start = {0.0, f0, slope0}, best = start;
    struct interval v = {start, start, 0};
    int first_stage = 1;
    double width = 2.0 * LARGEST, width_before = width, shift = DECREASE * slope0;
    for (int k = 0; k < TRIALS; k++) {
        struct end e = phi(r, step);
        if (!isfinite(e.f) || !isfinite(e.slope)) {
            v.high = (struct end){step, INFINITY, 0.0};
            v.bracketed = 1;
            step = v.low.step + 0.1 * (step - v.low.step);
            continue;
        }
        double bound = f0 + DECREASE * step * slope0;
        int flat = e.f <= f0 + ROUNDING * fabs(f0);
        if ((e.f <= bound && fabs(e.slope) <= -CURVATURE * slope0) ||
            (flat && (2.0 * DECREASE - 1.0) * slope0 >= e.slope && e.slope >= CURVATURE * slope0))
            return e;
        if (e.f < best.f) best = e;
        if (first_stage && e.f <= bound && e.slope >= 0.0) first_stage = 0;
        double next;
        if (first_stage && e.f <= v.low.f && e.f > bound) {
            v.low = tilted(v.low, -shift);
            v.high = tilted(v.high, -shift);
            next = refine(&v, tilted(e, -shift));
            v.low = tilted(v.low, shift);
            v.high = tilted(v.high, shift);
        } else
            next = refine(&v, e);
        if (v.bracketed) {
            if (fabs(v.high.step - v.low.step) >= 0.66 * width_before)
                next = v.low.step + 0.5 * (v.high.step - v.low.step);
            width_before = width;
            width = fabs(v.high.step - v.low.step);
            if (width <= 1e-16 * larger(fabs(v.low.step), fabs(v.high.step))) break;
        } else
            next = smaller(larger(next, step + 1.1 * (step - v.low.step)), step + 4.0 * (step - v.low.step));
        step = smaller(larger(next, SMALLEST), LARGEST);
    }
    return best.step > 0.0 ? phi(r, best.step) : start;
}

/* ------------------------------------------------------------------------------------------------------- run */

/* From x, which is changed; counts: iterations, evaluations. */
int run(objective function, const void *data, double *x, long n, long size, double gtol, long max_iter, double *work,
        long *counts) {
    struct run r = {.function = function, .data = data, .n = n, .x = x, .size = size};
    double **arrays[] = {&r.g, &r.d, &r.trial, &r.g_trial, &r.x_last, &r.g_last};
    long stride = (n + 7) / 8 * 8, status = FAILED, t = 0;
    for (int k = 0; k < 6; k++, work += stride) *arrays[k] = work;
    r.s = work;
    r.y = r.s + (size * n + 7) / 8 * 8;
    r.rho = r.y + (size * n + 7) / 8 * 8;
    r.alpha = r.rho + (size + 7) / 8 * 8;
    r.evaluations = 1;
    double f = function(x, r.g, n, data);
    for (;; t++) {
        if (!isfinite(f) || largest(r.g, n) <= gtol || t >= max_iter) {
            status = !isfinite(f) ? DIVERGED : t >= max_iter ? BUDGET : CONVERGED;
            break;
        }
        double first = direction(&r, t), slope = dot(r.d, r.g, n);
        if (!(slope < 0.0 && isfinite(first))) {
            LOOP r.d[i] = -r.g[i];
            slope = -squares(r.g, n);
            first = 1.0 / (1.0 + sqrt(-slope));
        }
        struct end e = wolfe(&r, f, slope, first);
        if (e.step == 0.0 && slope < 0.0 && t > 0) {
            first = direction(&r, 0);
            e = wolfe(&r, f, dot(r.d, r.g, n), first);
        }
        if (e.step == 0.0) break;
        f = e.f;
        double *restrict p = r.x_last, *restrict q = r.g_last, *restrict u = r.trial, *restrict v = r.g_trial;
        double *restrict g = r.g, *restrict point = r.x;
        LOOP {
            p[i] = point[i];
            q[i] = g[i];
            point[i] = u[i];
            g[i] = v[i];
        }
    }
    counts[0] = t;
    counts[1] = r.evaluations;
    return (int)status;
}

/* -------------------------------------------------------------------------------------------------- liblbfgs */

#ifdef LIBLBFGS
#include <lbfgs.h>

struct peer {
    objective function;
    const void *data;
    long n;
    double gtol;
    long *counts;
};

static double evaluate(void *instance, const double *x, double *g, const int padded, const double step) {
    struct peer *p = instance;
    (void)step;
    p->counts[1]++;
    for (long i = p->n; i < padded; i++) g[i] = 0.0; /* built for SSE, it rounds n up */
    return p->function(x, g, p->n, p->data);
}

static int progress(void *instance, const double *x, const double *g, const double f, const double x_norm,
                    const double g_norm, const double step, int n, int k, int trials) {
    struct peer *p = instance;
    (void)x, (void)f, (void)x_norm, (void)g_norm, (void)step, (void)n, (void)trials;
    p->counts[0] = k;
    return largest(g, p->n) <= p->gtol; /* its own test is relative to x and of the Euclidean norm */
}

/* Returns the library's code; 1 is the end by `gtol`. */
int liblbfgs(objective function, const void *data, double *x, long n, long size, double gtol, long max_iter,
             double *work, long *counts) {
    struct peer p = {function, data, n, gtol, counts};
    (void)work;
    lbfgs_parameter_t settings;
    lbfgs_parameter_init(&settings);
    settings.m = (int)size;
    settings.epsilon = 0.0;
    settings.max_iterations = (int)max_iter;
    double *point = lbfgs_malloc((int)n), f;
    counts[0] = counts[1] = 0;
    memcpy(point, x, n * sizeof(double));
    int code = lbfgs((int)n, point, &f, evaluate, progress, &p, &settings);
    memcpy(x, point, n * sizeof(double));
    lbfgs_free(point);
    return code;
}
#endif
