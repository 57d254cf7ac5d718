/* Limits for large.py: passes over four arrays of doubles by several threads, each with its own contiguous part. */
#define _GNU_SOURCE
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

typedef struct {
    double *restrict x, *restrict g, *restrict m, *restrict v;
    long first, last;
} part;
typedef void (*pass)(part p, double c, double eps);

/* Seven streams, four in and three out, with next to no arithmetic: what the memory allows a step of Adam. */
static void copy7(part p, double c, double eps) {
    for (long i = p.first; i < p.last; i++) {
        double g = c * p.g[i];
        p.x[i] += g;
        p.m[i] += g;
        p.v[i] += g;
    }
}

static void adam(part p, double c, double eps) {
    const double b1 = 0.9, b2 = 0.999;
    for (long i = p.first; i < p.last; i++) {
        double g = p.g[i];
        double m = b1 * p.m[i] + (1 - b1) * g, v = b2 * p.v[i] + (1 - b2) * g * g;
        p.m[i] = m;
        p.v[i] = v;
        p.x[i] -= c * m / (sqrt(v) + eps);
    }
}

static const pass PASSES[] = {copy7, adam};

typedef struct {
    pass run;
    part mine;
    long repeats;
    int threads;
    atomic_long *arrived;
    double c, eps;
} job;

static void *work(void *argument) {
    job *j = argument;
    for (long r = 0; r < j->repeats; r++) {
        j->run(j->mine, j->c, j->eps);
        atomic_fetch_add(j->arrived, 1);
        for (long spins = 0; atomic_load(j->arrived) < (r + 1) * j->threads; spins++)
            if (spins > 20000) sched_yield();
    }
    return 0;
}

/* Seconds a pass over x, gradient and moments, with a barrier between two passes; at most 64 threads. */
double measure(int kind, double **at, long n, int threads, long repeats, double c, double eps) {
    pthread_t thread[64];
    job jobs[64];
    atomic_long arrived = 0;
    struct timespec start, end;
    for (int k = 0; k < threads; k++) {
        long first = n * k / threads / 8 * 8, last = k + 1 < threads ? n * (k + 1) / threads / 8 * 8 : n;
        jobs[k] = (job){PASSES[kind], {at[0], at[1], at[2], at[3], first, last}, repeats, threads, &arrived, c, eps};
    }
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (int k = 1; k < threads; k++) pthread_create(&thread[k], 0, work, &jobs[k]);
    work(&jobs[0]);
    for (int k = 1; k < threads; k++) pthread_join(thread[k], 0);
    clock_gettime(CLOCK_MONOTONIC, &end);
    return (end.tv_sec - start.tv_sec + 1e-9 * (end.tv_nsec - start.tv_nsec)) / repeats;
}
