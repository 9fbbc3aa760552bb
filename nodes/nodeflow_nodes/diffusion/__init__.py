"""Text to image by diffusion: load a model, encode text, sample, decode."""
