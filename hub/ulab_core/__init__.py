"""What every part of the base stands on: settings, state layout, database, errors, languages."""
