"""The live path: process the newest frame, show it, record it and send it on at the same time.

::

    camera, file or stream ──► mailbox ──► processing ──┬► mailbox ──► window
    (thread)                               (thread)     ├► mailbox ──► recording (thread)
                                                        └► mailbox ──► any other sink (thread)

A mailbox holds one frame; a newer frame replaces it. Latency is therefore bounded by the work on one frame, and
late frames are dropped and counted.

Modules at this level are the base that all folders use and import none of them. ``sources/`` and ``sinks/`` are the
two ends, ``pipeline/`` connects them, ``window/``, ``web/`` and ``control_surfaces/`` show and control a pipeline, and
``benchmark/`` measures one.
"""
