"""What the rooms say to each other: ids, records, events, API models, settings, domain errors. Imports no other room."""
