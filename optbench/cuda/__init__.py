"""The CUDA back end: the same optimizers, schedules, clipping and problems on a GPU. Imported only on request.

There is no second copy of any formula. The plain functions of an optimizer's, a schedule's and a problem's file are
lowered once more, to device functions, and put together with the loop of `driver` into one kernel for each pair of
problem and optimizer. Work has one of two shapes: many runs, each by a thread of its own (`members`), or one run of a
large problem by all threads together (`whole`).
"""
