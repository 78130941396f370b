"""Where resources go: a FHIR server, tables, a warehouse, a folder.

`base` says what each promises. A target takes batches and pairs to delete. It knows no source, no
file of a run, and of the state what it may ask of `base.Memory`.
"""
