"""unaji: why the back of the neck feels hot, and whether treatment helps, from a person's own records."""

__version__ = "0.1.0"
