"""Where resources come from: a practice's export, or a folder of NDJSON.

`base` says what each promises. A source brings files onto the disk and says what moment they are
of. It knows no target and no state.
"""
