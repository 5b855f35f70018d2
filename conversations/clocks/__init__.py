"""How soon a person is to answer and to resolve: promises by priority, and the clocks that run for them.

Clocks run for what people owe: the AI's own conversations have none. docs/agents.md says what starts and ends each.
"""
