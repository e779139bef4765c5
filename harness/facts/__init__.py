"""In: a folder of records. Out: facts with their sources, and gaps. Pure.
May import `probes.outside`'s readers, `model`.

reading.py               a trial's folder -> Trial: calls every reader below; a new fact is one line in it
folder.py                the records of one trial, opened for reading
ended/                   how it ended, and who called for the end
crash/                   the stacks at the fault
memory/                  how much was used and left, and what kernel and program said of it
threads/                 what threads did and were told, and how many there could be
hang/                    who waits for what
processes/               which process ended first, and which followed
system/                  what the system refused, and who sent a signal
gaps.py                  what is missing
last_event.py forward_timings.py    where in model and step it was, and how long forwards took
last_words.py told_inside.py    what the program, and the inside probes, said
died_in_probe.py         whether the death may be ours
cpu_time.py target_settings.py    processor time; what the target's configuration asks for
journal.py proven.py     an inquest's own records: its journal, its controls
"""
