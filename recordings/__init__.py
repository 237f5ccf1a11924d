"""What is kept of calls: their records, their events and their audio."""
