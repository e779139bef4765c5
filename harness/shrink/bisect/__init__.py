"""From "it dies" to the smallest thing that still dies: puts real trials under the searches of harness/search.

    wishes.py      the plan's `bisect` section
    stage.py       the stage of an inquest: what is searched, in which order, and the records that it leaves
    answers.py     what a trial says to a search: the signature guard
    boundary.py    thresholds: the ordered factors between dying and surviving, over the plan's values, then exactly
    difference.py  a dying and a surviving configuration: settings, environment variables, factors
    samples.py     which lines of a list of samples are needed

Where in the model it dies, and the script that shows it, are found by harness/place.
"""
