"""In: a failure that comes again. Out: the smallest thing that still dies. May import `report` and all below it.

    search/                  the searches themselves: pure, they receive a callable
    bisect/                  real trials under them: factors, settings, samples; the stage of an inquest
    place/                   where in the model it dies, and the script that shows it

`bisect` imports `place` and `search`; neither of those imports it.
"""
