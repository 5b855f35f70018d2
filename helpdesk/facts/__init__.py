"""What happened, as rows that are written in the transaction of the change, and their delivery to subscribers."""
