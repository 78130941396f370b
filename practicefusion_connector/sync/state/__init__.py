"""What a sync remembers: what the target was given, runs, watermarks, the quarantine.

It lies in SQLite or PostgreSQL; `state.State` is the whole of it. It knows no source and no target.
"""
