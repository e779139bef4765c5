"""In: a callable trial, `subject -> Answer | None`. Out: a result with its trace. Pure. May import `decide.statistics`.

None: no further trial may be had. What is where, from the two searches down to what they stand on:

    thresholds.py            where the failure begins, over one or two ordered factors (threads, batch size, ...)
    delta.py                 which of many differences, or samples, are needed for it: a 1-minimal set
    checks.py                what may still show that there is no such boundary
    results.py               what the two return, as records, sentences and JSON rows
    grid.py                  ordered factors, their cells, and the regions of cells that may be the dying ones
    survey.py                what is known of a grid so far, and what of it does not fit
    belief.py                how probable each region is after the trials so far
    subsets.py               subsets of differences: their names, and whether one dies when asked often enough
    asker.py                 asks each trial once: replays a log, counts the answers, keeps the trace
    answers.py               the three answers, one row of the trace, and whether a search isolated its cause
    survivors.py             what a trial that survives proves, where the failure is flaky
"""
