"""In: a `Request` for one trial. Out: its folder of records.
May import `facts`, `plan`, `probes.outside`; judges nothing.

A trial goes through these, once and in this order:

    request.py               what is asked for: cell, changes, limits
    child_spec.py            resolved once, into what is started and what spec.json says
    child_environment.py     the variables that the child starts with
    command.py               words, environment, the copy of the target's configuration
    interpreter.py importable.py    the target's own interpreter: which, and whether it can run the target
    memory_limit.py          a limit of memory put around it, in the way that this machine permits
    system.py -> posix.py windows.py    the five verbs: start, has_ended, end, sweep, reap (process.py: their nouns)
    watch.py                 samples until the end, or until a limit
    pulses.py stop_rules.py no_progress.py    what the samples say, and when that ends a trial
    standstill.py            looks at what stands still, long before any limit
    closing.py               sweep, close the probes, reap
    trial.py                 the way itself

    runner.py inquest_folder.py    many trials: the inquest's folder and its journal
    doctor.py environment_record.py    which evidence this machine can give, and what machine it is
    echo.py interrupt.py     the target's output passed through; Ctrl-C as a question
"""
