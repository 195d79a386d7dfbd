"""What goes in and what comes out: a table of media that people have, and what becomes of each."""
