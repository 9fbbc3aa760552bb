"""Samplers in sigma space: each sees only "the denoised estimate of x at sigma"."""
