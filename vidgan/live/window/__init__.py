"""The preview window and the output window, by OpenCV."""
