"""The page: the live picture in a browser, a visitor's own camera painted, and clips painted as jobs.

::

    browser ◄─ WebRTC ── call.py ◄── stage.py ◄── Live          of the house, or of a visitor's own camera
       │
       └── HTTP ──► gate.py ──► routes.py ──► visitors.py       who may come in, and what is whose
                                    └──► clips.py ──► painter.py (a process for each clip)

One thread with one event loop does all of it; what takes long is done elsewhere.
"""
