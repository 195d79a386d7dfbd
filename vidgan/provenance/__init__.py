"""Statements of an output on itself: Content Credentials, a mark in its pixels, and how both are checked."""
