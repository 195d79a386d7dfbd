"""The page: the live output in a browser, the browser's own camera, and processing of uploaded files.

::

    browser ◄─ WebRTC ── peer_connection.py ◄── streams.py ◄── LivePipeline   shared, or of the client's camera
       │
       └── HTTP ──► auth.py ──► routes.py ──► sessions.py                     who may connect, and what is whose
                                                  └──► uploads.py ──► worker.py (a process per file)

One thread with one event loop serves all clients; slow work is done on other threads and in worker processes.
"""
