"""What a chat request may hold, wherever it comes in: `/v1`, batch jobs, and what comes later."""
