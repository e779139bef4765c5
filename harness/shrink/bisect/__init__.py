"""In: the plan's `bisect` section and a failure. Out: thresholds.json, difference.json, samples.json.
May import all of `shrink`.

bisect_stage.py          the stage of an inquest: what is searched, in which order, and the records that it leaves
same_failure.py          what a trial says to a search: the signature guard
boundary.py              the ordered factors between dying and surviving, over the plan's values, then exactly
difference.py            a dying and a surviving configuration: settings, environment variables, factors
needed_samples.py        which lines of a list of samples are needed
"""
