"""In: trials with their facts. Out: what to run next, findings, a verdict. Pure.
May import `launch`'s names, `facts`, `plan`.

hypotheses/              one file a family of causes: what it predicts, when it is established or ruled out
interventions.py         what can be changed about a cell, and what each change isolates
next_trial.py            what to run next; study.py: the failure that is followed
offers.py trial_worth.py what could be run next; what one more trial decides, and how long it takes
effects.py statistics.py failing_region.py    what changes did, exactly how sure, and where the failures lie
memory_ladder.py memory_ladder_endings.py    the same cell under lower and lower limits
verdict.py               findings -> verdict: the gates
next_commands.py      what would close an open verdict
"""
