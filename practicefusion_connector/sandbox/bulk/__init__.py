"""Bulk export of the practice: `$export` for backend apps, with the control tests have over it.

    with Sandbox() as sandbox:
        sandbox.behaviour.export.polls = 3
        sandbox.bulk.update("Patient", patient_id, active=False)
        sandbox.bulk.faults.break_downloads(1, after_bytes=1000)

Knows the practice's records and its tokens; knows nothing of who exports.
"""
