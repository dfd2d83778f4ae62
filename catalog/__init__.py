"""The catalogue: what may be recorded, shared and published, each with its legal basis. It decides; the code obeys."""
