"""The live path: always the newest picture, painted and shown, recorded and sent on at once.

::

    camera, film or stream ──► slot ──► painting ──┬► slot ──► window
    (thread)                            (thread)   ├► slot ──► recording (thread)
                                                   └► slot ──► whatever else is attached (thread)

A slot holds one picture. What is newer takes its place, so nothing is ever behind by more than what is being
worked on, and what is late is dropped and counted.
"""
