"""Who is at the desk, and who gets which of the customers that wait."""
