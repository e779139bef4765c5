"""What observes: code that runs in the child (`inside`), in the supervisor (`outside`), and their shared records."""
