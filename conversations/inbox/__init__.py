"""The list that people work in: queues, labels, notes, and what is done to one or many conversations."""
