"""In: a cell that dies in a module. Out: place.json, and `repro/` with the smallest script.
May import `launch` and below.

place_stage.py           the stage of an inquest: capture, replay, narrow, write
captured_call.py         capture.jsonl -> the call as its operators
script.py spelling.py    a stretch of operators as a script that needs torch alone
replays.py sub_trials.py    runs such scripts as trials, each once
narrow.py likeness.py conclusion.py    which stretch still dies, of the same fault, and what that says (pure)
repro.py rerun.py        the repro written, and run again on another machine
"""
