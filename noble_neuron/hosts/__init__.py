"""Where surrogates are guests: hoc."""
