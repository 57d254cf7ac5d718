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
    double a = x[1] - x[0] * x[0], b = 1.0 - x[0], f = 100.0 * a * a + b * b;
    g[0] = -400.0 * a * x[0] - 2.0 * b;
    _Pragma("omp simd reduction(+ : f)") for (long i = 1; i < n - 1; i++) {
        double before = x[i] - x[i - 1] * x[i - 1], after = x[i + 1] - x[i] * x[i], rest = 1.0 - x[i];
        f += 100.0 * after * after + rest * rest;
        g[i] = 200.0 * before - 400.0 * after * x[i] - 2.0 * rest;
    }
    g[n - 1] = 200.0 * (x[n - 1] - x[n - 2] * x[n - 2]);
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

static int within(const double *g, long n, double tolerance) {
    LOOP if (!(fabs(g[i]) <= tolerance)) return 0;
    return 1;
}

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
    double lowest; /* f so far, and the steps since */
    long since;
};

static const double EPSILON = 2.220446049250313e-16;

static void remember(struct run *r) {
    long n = r->n, slot = (r->newest + 1) % r->size;
    const double *restrict x = r->x, *restrict g = r->g, *restrict x_last = r->x_last, *restrict g_last = r->g_last;
    double curvature = 0.0, length = 0.0;
    _Pragma("omp simd reduction(+ : curvature, length)") LOOP {
        double change = g[i] - g_last[i];
        curvature += (x[i] - x_last[i]) * change;
        length += change * change;
    }
    if (!(curvature > EPSILON * length)) return;
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

static const double DECREASE = 1e-4, CURVATURE = 0.9, ROUNDING = 1e-12, NARROW = 2.2e-16;
enum { TRIALS = 40 };

struct end {
    double step, f, slope;
};

/* Value and slope at a step along d. */
static struct end phi(struct run *r, double step) {
    long n = r->n;
    double *restrict trial = r->trial;
    const double *restrict x = r->x, *restrict d = r->d;
    LOOP trial[i] = x[i] + step * d[i];
    r->evaluations++;
    double f = r->function(trial, r->g_trial, n, r->data);
    return (struct end){step, f, dot(r->g_trial, d, n)};
}

/* Minimizer of the cubic through both points with their slopes. */
static double cubic(struct end a, struct end b) {
    double width = b.step - a.step, theta = 3.0 * (a.f - b.f) / width + a.slope + b.slope;
    double scale = larger(larger(fabs(theta), fabs(a.slope)), fabs(b.slope));
    double inside = (theta / scale) * (theta / scale) - (a.slope / scale) * (b.slope / scale);
    double root = scale * sqrt(larger(0.0, inside));
    if (width < 0.0) root = -root;
    return a.step + (root - a.slope + theta) / ((root - a.slope) + root + b.slope) * width;
}

/* Next step: the four cases of More & Thuente, Section 4. */
static double propose(struct end low, struct end high, struct end trial, int crossed, int bracketed) {
    double a = low.step, c = trial.step;
    if (trial.f > low.f) {
        double near = cubic(low, trial), square = a + 0.5 * low.slope / ((low.f - trial.f) / (c - a) + low.slope) * (c - a);
        return fabs(near - a) < fabs(square - a) ? near : near + 0.5 * (square - near);
    }
    double near = cubic(trial, low), secant = c + trial.slope / (trial.slope - low.slope) * (a - c);
    if (crossed) return fabs(near - c) > fabs(secant - c) ? near : secant;
    if (fabs(trial.slope) < fabs(low.slope)) {
        if (!((near - c) * (c - a) > 0.0)) near = bracketed ? high.step : c + 4.0 * (c - a);
        if (!bracketed) return fabs(near - c) > fabs(secant - c) ? near : secant;
        double next = fabs(near - c) < fabs(secant - c) ? near : secant, limit = c + 0.66 * (high.step - c);
        return c > a ? smaller(limit, next) : larger(limit, next);
    }
    if (!bracketed) return c + 4.0 * (c - a);
    return isfinite(high.f) ? cubic(trial, high) : c + 0.5 * (high.step - c);
}

static struct end tilted(struct end e, double tilt) { return (struct end){e.step, e.f - tilt * e.step, e.slope - tilt}; }

/* New interval and next step from a trial, for f less `tilt` times the step. */
static double refine(struct end *low, struct end *high, struct end trial, int *bracketed, double tilt) {
    struct end a = tilted(*low, tilt), b = tilted(*high, tilt), c = tilted(trial, tilt);
    int crossed = c.slope * copysign(1.0, a.slope) < 0.0;
    double next = propose(a, b, c, crossed, *bracketed);
    if (c.f > a.f) {
        *high = trial;
        *bracketed = 1;
        return next;
    }
    if (crossed) {
        *high = *low;
        *bracketed = 1;
    }
    *low = trial;
    return next;
}

/* Strong Wolfe conditions; where there are none, the lowest point seen; a step of 0 where that is the start. */
static struct end wolfe(struct run *r, double f0, double slope0, double step) {
    struct end start = {0.0, f0, slope0}, low = start, high = start, best = start;
    int bracketed = 0, first_stage = 1;
    double width = INFINITY, width_before = width, last = 0.0;
    for (int k = 0; k < TRIALS; k++) {
        struct end e = phi(r, last = step);
        if (e.f == -INFINITY) return e;
        if (!(isfinite(e.f) && isfinite(e.slope))) {
            high = (struct end){step, INFINITY, 0.0};
            bracketed = 1;
            step = low.step + 0.1 * (step - low.step);
            continue;
        }
        int allowed = e.f <= f0 + DECREASE * step * slope0, flat = fabs(e.f - f0) <= ROUNDING * fabs(f0);
        if ((allowed || flat) && fabs(e.slope) <= -CURVATURE * slope0) return e;
        if (e.f < best.f) best = e;
        first_stage = first_stage && !(allowed && e.slope >= 0.0);
        double tilt = first_stage && e.f <= low.f && !allowed ? DECREASE * slope0 : 0.0, reach = step - low.step;
        double next = refine(&low, &high, e, &bracketed, tilt);
        if (!bracketed) {
            double most = step + 4.0 * reach;
            step = isfinite(next) ? smaller(larger(next, step + 1.1 * reach), most) : most;
            continue;
        }
        double left = smaller(low.step, high.step), right = larger(low.step, high.step);
        if (right - left >= 0.66 * width_before || !(left < next && next < right))
            next = low.step + 0.5 * (high.step - low.step);
        width_before = width;
        width = right - left;
        step = next;
        if (width <= NARROW * right) break;
    }
    return best.step == 0.0 || best.step == last ? best : phi(r, best.step);
}

/* ------------------------------------------------------------------------------------------------------- run */

enum { PATIENCE = 200 }; /* steps without a new lowest f */

/* Steepest descent, its largest entry made 1: its slope and the first step to try. */
static struct end steepest(struct run *r) {
    long n = r->n;
    double *restrict d = r->d, top = largest(r->g, n);
    const double *restrict g = r->g;
    LOOP d[i] = top > 0.0 ? -g[i] / top : 0.0;
    return (struct end){larger(top / (1.0 + top), 1e-8 * largest(r->x, n)), 0.0, dot(g, d, n)};
}

/* Direction, its slope and the first step to try; steepest descent where the direction is none. */
static struct end aim(struct run *r, long t) {
    double step = direction(r, t), slope = dot(r->d, r->g, r->n);
    if (-INFINITY < slope && slope < 0.0 && 0.0 < step && step < INFINITY) return (struct end){step, 0.0, slope};
    return steepest(r);
}

/* Line search; a step of 0 where it fails. */
static struct end search(struct run *r, double f, struct end first) {
    if (!(-INFINITY < first.slope && first.slope < 0.0)) return (struct end){0.0, f, 0.0};
    return wolfe(r, f, first.slope, first.step);
}

/* Whether the trial point, with value f, is the point itself, or there has been no lower f for a long time. */
static int stuck(struct run *r, long t, double f) {
    r->since = t == 0 || f < r->lowest - 1e-15 * fabs(r->lowest) ? 0 : r->since + 1;
    if (r->since == 0) r->lowest = f;
    return r->since > PATIENCE || memcmp(r->trial, r->x, r->n * sizeof(double)) == 0;
}

static void accept(struct run *r) {
    long n = r->n;
    double *restrict x = r->x, *restrict g = r->g, *restrict x_last = r->x_last, *restrict g_last = r->g_last;
    const double *restrict trial = r->trial, *restrict g_trial = r->g_trial;
    LOOP {
        x_last[i] = x[i];
        g_last[i] = g[i];
        x[i] = trial[i];
        g[i] = g_trial[i];
    }
}

/* From x, which is changed; counts: iterations, evaluations. */
int run(objective function, const void *data, double *x, long n, long size, double gtol, long max_iter, double *work,
        long *counts) {
    struct run r = {.function = function, .data = data, .n = n, .x = x, .size = size, .evaluations = 1};
    double **arrays[] = {&r.g, &r.d, &r.trial, &r.g_trial, &r.x_last, &r.g_last};
    long stride = (n + 7) / 8 * 8, t = 0;
    int status = FAILED;
    for (int k = 0; k < 6; k++, work += stride) *arrays[k] = work;
    r.s = work;
    r.y = r.s + (size * n + 7) / 8 * 8;
    r.rho = r.y + (size * n + 7) / 8 * 8;
    r.alpha = r.rho + (size + 7) / 8 * 8;
    double f = function(x, r.g, n, data);
    for (;; t++) {
        if (!isfinite(f) || within(r.g, n, gtol) || t >= max_iter) {
            status = !isfinite(f) ? DIVERGED : t >= max_iter ? BUDGET : CONVERGED;
            break;
        }
        struct end e = search(&r, f, aim(&r, t));
        if (e.step == 0.0 && t > 0) e = search(&r, f, aim(&r, 0)); /* once more, from scratch */
        if (e.step == 0.0) e = search(&r, f, steepest(&r));
        if (e.step == 0.0 || stuck(&r, t, e.f)) break;
        accept(&r);
        f = e.f;
    }
    counts[0] = t;
    counts[1] = r.evaluations;
    return status;
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
    return within(g, p->n, p->gtol); /* its own test is relative to x and of the Euclidean norm */
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
