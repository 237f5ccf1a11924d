"""What `hotline doctor` looks at: each module looks at one subject, and judges what it saw by pure functions."""
