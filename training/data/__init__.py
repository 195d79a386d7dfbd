"""Training data: folders of images, read into memory and cut into crops on the device."""
