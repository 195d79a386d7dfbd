"""What an output says of itself: Content Credentials, a mark in its pixels, and how both are checked."""
