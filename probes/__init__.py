"""What observes: code that runs in the child (`inside`), in the supervisor (`outside`), and their shared records.

A name that stands in both rooms is the two halves of one probe: `inside/flight.py` writes the ring, and
`outside/progress/flight.py` reads it; likewise `hold`, `fault_page`, `native_exit`.
"""
