"""Control by hardware and by other programs: MIDI and OSC."""
