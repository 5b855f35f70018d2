"""Rules of a company: when something happens in a conversation, if it is so, then do that (docs/rules.md)."""
