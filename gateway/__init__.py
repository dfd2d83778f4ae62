"""The gateway as one program: its command line, the plan of a night, its wiring, and a sample world to try it on."""
