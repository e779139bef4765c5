"""What a program was refused, as its own last words and the samples of its limits tell it; pure."""
