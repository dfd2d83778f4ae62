"""Records: what a record is, how far it has come, and where it rests between two stages."""
