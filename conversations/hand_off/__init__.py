"""From the AI to a person and back: taking over, handing back, rules, the card, alarms."""
