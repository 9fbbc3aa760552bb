"""The embedded emoji model: a small text-to-image diffusion model and its upscaler."""
