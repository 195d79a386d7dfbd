"""Sound, subtitles, attachments, covers, chapters and tags of an input, on their way into an output."""
