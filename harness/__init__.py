"""The supervisor's side: data goes down these rooms, and what is written comes up. Never imports torch.

In: a plan, and what the probes record. Out: a report. May import `probes.outside` and `probes.records`.

    cli.py commands.py       what can be asked, and what each command does
    inquest.py               one investigation, stage by stage
    controls/                planted faults, to show what fires on this machine
    judge.py                 an inquest's folder -> Evidence, anywhere and at any time
    shrink/                  the smallest thing that still dies
    report/                  Evidence -> what people and programs read
    decide/                  facts -> what to try next, and what they mean (pure)
    launch/                  one trial: a request -> a folder of records
    facts/                   a folder of records -> facts and gaps (pure)
    plan/                    YAML -> what is asked
    model.py units.py        the nouns; how sizes and times are said

A room may import those below it, never one above; `tests/laws/test_staircase.py` holds it.
"""

__version__ = "0.1.0"
